"""Frozen histories: journals as JSON lines beside the edition that they were decided by.

`python -m tests.integration.frozen` lives a small city of tests/cities/tiny and writes `tests/histories`:
anew only before the first release, or beside the one that is there, for journals live longer than releases.
"""
# ruff: noqa: T201 - it tells what it wrote

import asyncio
import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec

from cities.day import reports
from cities.people import People
from cli.assemble import open_city, publish_edition
from cli.conductor import Conductor
from cli.stage import OneProcess
from cli.tally import Tally
from cli.topology import PROCESSORS
from kernel.clock import SteppedClock
from kernel.hosts.replay import Histories
from kernel.journal import Cause, Record
from kernel.sql.city import City, create_city
from rules.edition import Edition
from rules.faults import Faults
from rules.folder import compile_folder
from rules.inforce import Rules
from tests.integration.lived import DAY, ROOT, STEP, Lived, midnight, read

PLACE = ROOT / "tests" / "histories"
NAME = "tiny-2026"
REPORTS, PARTITIONS = 3, 2
_EDITION = "{}.edition.json"


@dataclass(frozen=True)
class Frozen:
    """A history as it lies in its file."""

    partitions: int
    rules: dict[int, Rules]
    histories: Histories


def thaw(path: Path) -> Frozen:
    """Read a history, and the edition that its first line names."""
    head, *rows = path.read_text("utf-8").splitlines()
    facts = json.loads(head)
    bundle = Edition.unpack((PLACE / facts["edition"]).read_bytes()).load()
    histories: dict[str, dict[int, list[Record]]] = {one.name: {} for one in PROCESSORS}
    for line in rows:
        row = json.loads(line)
        name = row.pop("processor")
        row["body"] = row["body"].encode()
        row["now"] = datetime.fromisoformat(row["now"])
        row["cause"] = msgspec.convert(row["cause"], Cause, strict=False)
        record = Record(**row)
        histories.setdefault(name, {}).setdefault(record.partition, []).append(record)
    return Frozen(facts["partitions"], {1: Rules(1, bundle)}, histories)


def freeze(path: Path, edition: str, partitions: int, rows: Sequence[tuple[str, Record]]) -> None:
    """Write a history: one line of facts, then one line for each row."""
    lines = [json.dumps({"edition": edition, "partitions": partitions})]
    for name, row in rows:
        facts = {"processor": name, **row._asdict(), "body": row.body.decode(), "now": row.now.isoformat()}
        facts["cause"] = msgspec.to_builtins(row.cause)
        lines.append(json.dumps(facts, ensure_ascii=False))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", "utf-8")


def rows_of(histories: Histories) -> list[tuple[str, Record]]:
    return [(name, row) for name, found in histories.items() for part in found.values() for row in part]


async def lived() -> tuple[Edition, Lived]:
    """A handful of reports in the tiny city, until their cases are over."""
    bundle = compile_folder(ROOT / "tests" / "cities" / "tiny")
    assert not isinstance(bundle, Faults)
    clock, tally = SteppedClock(midnight()), Tally(bundle.city.centre)
    arrivals = [one for one in reports(bundle, 3, 60, day=DAY) if one.report is not None][:REPORTS]
    end = midnight() + timedelta(days=40)
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/city.db"
        await create_city(
            url,
            City(
                code=bundle.city.code,
                name=bundle.city.name,
                partitions=PARTITIONS,
                clock="stepped",
                start_city=clock.wall(),
            ),
        )
        async with open_city(url, exclusive=True, clock=clock) as city:
            await publish_edition(city, bundle)
            stage = OneProcess(city.host, clock)
            conductor = Conductor(stage, People(bundle, 3), arrivals, tally.hears, STEP)
            while not (conductor.arrived and tally.over()) and await conductor.advance(end):
                pass
            print(dict(tally.states()))
            return Edition.of(bundle.parts), await read(city)


# ── what must be found: each changes one thing in a good history ─────────────────────────────────────
Rows = list[tuple[str, Record]]


def _at(rows: Rows, wanted: str) -> int:
    """The place of the first row of router.case that says this."""
    return next(
        n for n, (name, row) in enumerate(rows) if name == "router.case" and wanted in row.body.decode()
    )


def one_byte(rows: Rows) -> Rows:
    """Somebody made the unit's answer a little better."""
    place = _at(rows, '"outcome":"')
    name, row = rows[place]
    head, mark, tail = row.body.partition(b'"outcome":"')
    body = head + mark + tail[:1].upper() + tail[1:]
    return [*rows[:place], (name, row._replace(body=body)), *rows[place + 1 :]]


def dropped(rows: Rows) -> Rows:
    """Somebody took an assignment out, and left the numbers as they were."""
    place = _at(rows, "gridcase.case.CaseAssigned.v1")
    return [*rows[:place], *rows[place + 1 :]]


def dropped_and_renumbered(rows: Rows) -> Rows:
    """The same, but the numbers of the partition were closed behind it."""
    place = _at(rows, "gridcase.case.CaseAssigned.v1")
    name, gone = rows[place]
    return [
        *rows[:place],
        *(
            (one, row._replace(seq=row.seq - 1) if (one, row.partition) == (name, gone.partition) else row)
            for one, row in rows[place + 1 :]
        ),
    ]


def reordered(rows: Rows) -> Rows:
    """Two decisions on one case changed places."""
    places = [
        n for n, (name, row) in enumerate(rows) if name == "router.case" and not row.stream.startswith("_")
    ]
    first, second = next(
        (one, other)
        for one, other in pairwise(places)
        if rows[one][1].cause != rows[other][1].cause and rows[one][1].stream == rows[other][1].stream
    )
    (name, one), (_, other) = rows[first], rows[second]
    changed = list(rows)
    changed[first] = (name, other._replace(seq=one.seq))
    changed[second] = (name, one._replace(seq=other.seq))
    return changed


def invented(rows: Rows) -> Rows:
    """An event that nobody decided, at the end of a case: written well, with a cause that exists."""
    place = max(n for n, (name, _) in enumerate(rows) if name == "router.case")
    name, last = rows[place]
    before = f'"id":"{last.stream}/{last.version}"'.encode()
    after = f'"id":"{last.stream}/{last.version + 1}"'.encode()
    forged = last._replace(
        seq=last.seq + 1, version=last.version + 1, body=last.body.replace(before, after), now=last.now + STEP
    )
    return [*rows[: place + 1], (name, forged), *rows[place + 1 :]]


def unsent(rows: Rows) -> Rows:
    """A decision on a message that no journal sent."""
    place = _at(rows, "gridcase.case.CaseOpened.v1")
    name, row = rows[place]
    cause = msgspec.structs.replace(row.cause, k=row.cause.k + 1000)
    return [
        (one, other._replace(cause=cause) if other.cause == row.cause and one == name else other)
        for one, other in rows
    ]


BROKEN: dict[str, Callable[[Rows], Rows]] = {
    "one-byte": one_byte,
    "dropped": dropped,
    "dropped-and-renumbered": dropped_and_renumbered,
    "reordered": reordered,
    "invented": invented,
    "unsent": unsent,
}


def write(edition: Edition, rows: Rows) -> Iterator[Path]:
    """The history, its edition, and everything that must be found in it."""
    name = _EDITION.format(NAME)
    (PLACE / name).write_bytes(edition.pack())
    good = PLACE / f"{NAME}.jsonl"
    freeze(good, name, PARTITIONS, rows)
    yield good
    told = [(one, row) for one, row in rows if not one.startswith("notifier.")]
    for what, change in BROKEN.items():
        path = PLACE / "broken" / f"{NAME}-{what}.jsonl"
        freeze(path, name, PARTITIONS, change(told))
        yield path


def main() -> Any:
    edition, found = asyncio.run(lived())
    for path in write(edition, rows_of(found.histories)):
        print(path.relative_to(ROOT), f"{path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
