"""A bug planted in `decide`: its stream is parked, others go on, and unparked nothing is missing."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cli import assemble
from cli.assemble import LiveCity, open_city
from cli.conductor import arriving
from cli.held import ordered
from cli.opening import view_of
from cli.topology import PROCESSORS
from kernel.clock import SteppedClock
from kernel.edge import Submission
from kernel.journal import HeldKind
from kernel.processor import Context, Sender
from schemas.case.supervising import Supervise
from schemas.envelope import Envelope
from schemas.wire import TYPE_OF, encode
from services.router.processor import ROUTER_CASE
from tests.integration.account import account, each_report_in_one_case, set_aside, states
from tests.integration.faults import record
from tests.integration.lived import Lived, arrivals, begun, midnight, read

HOURS = 30
NAME = ROUTER_CASE.name


class Bug:
    """Whoever decides on one of the cases in `stumbles` stumbles, once a day has begun."""

    def __init__(self) -> None:
        self.stumbles: set[str] = set()
        self.hit = 0

    def decide(self, state: Any, message: Any, context: Context) -> Sequence[Any]:
        if context.stream in self.stumbles:
            self.hit += 1
            raise KeyError("a bug that was planted here")
        return ROUTER_CASE.decide(state, message, context)


@pytest.fixture
def bug(monkeypatch: pytest.MonkeyPatch) -> Bug:
    """A release with a bug in it."""
    planted = Bug()
    buggy = replace(ROUTER_CASE, decide=planted.decide)
    one_by_one = tuple(buggy if one is ROUTER_CASE else one for one in PROCESSORS)
    monkeypatch.setattr(assemble, "PROCESSORS", one_by_one)
    return planted


async def hours(city: LiveCity, until: datetime) -> None:
    """Let time go on, with all that falls due in it."""
    assert isinstance(city.clock, SteppedClock)
    while (due := await city.host.next_due()) is not None and due <= until:
        city.clock.step(due)
        await city.host.settle()
    city.clock.step(until)
    await city.host.settle()


def supervise(case: str, city: LiveCity) -> Submission:
    """A command of the supervisor's post; it is decided or refused, but never lost."""
    body = encode(
        Envelope(
            id=f"supervise-{case}",
            source="/post",
            type=TYPE_OF[Supervise],
            subject=case,
            time=city.clock.wall(),
            data=Supervise(kind="supervise", level=1, reason="久拖未决"),
        )
    )
    return Submission(Sender("post", "P-supervisor-1"), body)


async def test_a_planted_bug_parks_its_stream_and_no_other(tmp_path: Path, bug: Bug) -> None:
    url = f"sqlite:///{tmp_path}/city.db"
    reports = [one for one in arrivals(60) if one.report is not None]
    noon = midnight() + timedelta(hours=12)
    async with begun(url) as city:
        assert isinstance(city.clock, SteppedClock)
        city.clock.step(noon)
        await city.edge.accept([arriving(one) for one in reports if one.at <= noon])
        await city.host.settle()
        before = await read(city)
        cases = sorted(row.stream for row in before.rows(NAME) if row.version == 1 and row.stream[0] != "_")
        sick, well = cases[0:9:3], cases[1:9:3]
        bug.stumbles.update(sick)
        await city.edge.accept([supervise(one, city) for one in sick + well])
        await hours(city, noon + timedelta(hours=HOURS))
        parked = await read(city)
    assert bug.hit == len(sick), "a parked stream is tried no more"
    held = parked.held[NAME]
    assert {one.stream for one in held} == set(sick)
    assert {one.kind for one in held} == {HeldKind.PARKED}
    assert len(held) > len(sick), "messages and timers of a parked stream are held behind it"
    assert any("a bug that was planted here" in one.reason for one in held)
    assert versions(parked, sick) == versions(before, sick)
    assert all(versions(parked, [one])[one] > versions(before, [one])[one] for one in well)
    account(parked)
    await mended(url, bug, parked, sick)


async def mended(url: str, bug: Bug, parked: Lived, sick: Sequence[str]) -> None:
    """The next release has no bug: what was parked is ordered, and taken up in order."""
    bug.stumbles.clear()
    async with open_city(url, exclusive=True) as city:
        said, _ = await ordered(await view_of(city), HeldKind.PARKED, list(sick), everything=False)
        assert said["ordered"] == len(parked.held[NAME])
        await city.host.settle()
        after = await read(city)
    assert not after.held[NAME]
    known = versions(parked, sick)
    assert all(reached > known[stream] for stream, reached in versions(after, sick).items())
    whole = account(after, aside=set_aside(parked))
    assert whole.decided_once == whole.inputs
    assert states(after, ROUTER_CASE)
    assert each_report_in_one_case(after)[0] > 0
    order_kept(after, parked)
    record("bug planted in decide", len(sick), whole)


def versions(lived: Lived, streams: Sequence[str]) -> dict[str, int]:
    found = dict.fromkeys(streams, 0)
    for row in lived.rows(NAME):
        if row.stream in found:
            found[row.stream] = max(found[row.stream], row.version)
    return found


def order_kept(after: Lived, parked: Lived) -> None:
    """The held messages were decided in the order in which they had come."""
    for stream in {one.stream for one in parked.held[NAME]}:
        waiting = [one.cause for one in parked.held[NAME] if one.stream == stream]
        taken = list(dict.fromkeys(row.cause for row in after.rows(NAME) if row.stream == stream))
        assert [one for one in taken if one in waiting] == waiting
