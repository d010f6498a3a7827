"""Twelve kinds of bad bytes at the edge: each a dead letter that says why, and the stream goes on."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from cli.conductor import arriving
from kernel.clock import SteppedClock
from kernel.edge import EDGE, LARGEST_BYTES, Submission
from kernel.journal import HeldKind
from kernel.processor import Sender
from schemas.case.handling import SignCase
from schemas.envelope import Envelope
from schemas.report import GridReport, Position
from schemas.wire import TYPE_OF, encode
from tests.integration.account import account, each_report_in_one_case
from tests.integration.faults import record
from tests.integration.lived import arrivals, begun, midnight, read

AT = datetime(2026, 3, 10, 1, tzinfo=UTC)
CHANNEL = Sender("source", "poison")


def report(**change: Any) -> dict[str, Any]:
    """A good report as a stranger would send it."""
    message = GridReport(channel="app", text="路口井盖缺失", position=Position(lon_e7=1, lat_e7=1))
    body = encode(
        Envelope(id="p-1", source="/poison", type=TYPE_OF[GridReport], subject="", time=AT, data=message)
    )
    return {**json.loads(body), **change}


def with_data(**change: Any) -> dict[str, Any]:
    return report(data={**report()["data"], **change})


def without(field: str) -> dict[str, Any]:
    whole = report()
    return {**whole, "data": {name: value for name, value in whole["data"].items() if name != field}}


def command(subject: str) -> dict[str, Any]:
    body = encode(
        Envelope(id="p-2", source="/post", type=TYPE_OF[SignCase], subject=subject, time=AT, data=SignCase())
    )
    return json.loads(body)


class Poison(NamedTuple):
    """Bad bytes, the code of their refusal, and a word that its reason must have."""

    body: Callable[[], bytes]
    code: str
    says: str
    sender: Sender = CHANNEL


def sent(message: dict[str, Any]) -> bytes:
    return json.dumps(message, ensure_ascii=False).encode()


def nested(levels: int) -> bytes:
    return sent(report(data=0)).replace(b'"data": 0', b'"data": ' + b"[" * levels + b"]" * levels)


KINDS = {
    "no JSON": Poison("井盖缺失，请处理".encode, "not_json", "JSON"),
    "half JSON": Poison(lambda: sent(report())[:90], "not_json", "truncated"),
    "not UTF-8": Poison(lambda: sent(report()).decode().encode("gb18030"), "not_utf8", "byte 0x"),
    "empty": Poison(bytes, "empty", "no bytes"),
    "too large": Poison(lambda: sent(with_data(text="长" * LARGEST_BYTES)), "too_large", str(LARGEST_BYTES)),
    "too deep": Poison(lambda: nested(1_000), "too_deep", "32"),
    "unknown type": Poison(lambda: sent(report(type="gridcase.report.Rumour.v1")), "unknown_type", "Rumour"),
    "unknown version": Poison(
        lambda: sent(report(type=TYPE_OF[GridReport][:-1] + "9")), "unknown_version", "v9"
    ),
    "missing field": Poison(lambda: sent(without("text")), "missing_field", "text"),
    "wrong type": Poison(lambda: sent(with_data(text=42)), "wrong_type", "text"),
    "value out of range": Poison(
        lambda: sent(with_data(position={"lon_e7": 99_999_999_999, "lat_e7": 0})), "out_of_range", "lon_e7"
    ),
    "wrong key": Poison(lambda: sent(command("a case")), "wrong_key", "a case", Sender("post", "OPS-clerk")),
}


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "SQLite":
        return f"sqlite:///{tmp_path}/city.db"
    return request.getfixturevalue("postgres_url")


async def test_each_kind_is_a_dead_letter_with_its_reason_and_the_stream_goes_on(url: str) -> None:
    good = [one for one in arrivals(40) if one.report is not None][: len(KINDS)]
    async with begun(url) as city:
        assert isinstance(city.clock, SteppedClock)
        city.clock.step(max(midnight(), *(one.at for one in good)))
        for poison, arrival in zip(KINDS.values(), good, strict=True):
            bad, fine = await city.edge.accept([Submission(poison.sender, poison.body()), arriving(arrival)])
            assert bad.refusal is not None
            assert bad.refusal.code == poison.code, bad.refusal
            assert poison.says in f"{bad.refusal.expected} {bad.refusal.found}", bad.refusal
            assert fine.refusal is None
            await city.host.settle()
        lived = await read(city)
        dead = lived.held[EDGE]
        kept = [await city.letters.open(one) for one in dead]
    assert [one.kind for one in dead] == [HeldKind.DEAD] * len(KINDS)
    for poison, one, body in zip(KINDS.values(), dead, kept, strict=True):
        assert one.reason.startswith(f"{poison.code}: expected ")
        assert ", found " in one.reason
        assert isinstance(body, bytes)
        assert poison.body().startswith(body)
        assert one.cause.sender == poison.sender
    whole = account(lived)
    assert whole.decided_once == whole.inputs == len(good) + 1
    assert sum(each_report_in_one_case(lived)) == len(good)
    record(f"poison at the edge, {'SQLite' if url.startswith('sqlite') else 'PostgreSQL'}", len(KINDS), whole)
