"""From the application to a case that goes to the community: the register is written by its own workflow."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import msgspec

from cli.assemble import LiveCity, found_city
from cli.topology import PROCESSORS
from kernel.clock import SteppedClock
from kernel.edge import Submission
from kernel.processor import Sender
from rules.bundle import Bundle
from schemas.case.assigning import AdmissionDecided, CaseAssigned
from schemas.entry.commands import ApplyEntry, CloseNotice, DecideEntry, GiveOpinion
from schemas.entry.events import EntryCommandRefused, EntryStarted
from schemas.envelope import Envelope
from schemas.register import EntryText
from schemas.report import GridReport, Position
from schemas.wire import TYPE_OF, encode, trusted
from services.router.processor import ROUTER_CASE
from tests.builders_city import CLUTTER, MIDDLE, tiny_parts
from tests.integration.lived import equal_for_all, read
from tests.unit.router.telling import strict_city

BEGIN = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
"""Monday, nine o'clock in the city."""
START = date(2026, 4, 20)


def bundle() -> Bundle:
    """The tiny city where nothing enters a community without an entry, and clutter is no small matter."""
    matters = tuple(
        msgspec.structs.replace(one, triage="big") if one.code == CLUTTER else one
        for one in tiny_parts().matters
    )
    return strict_city(matters=matters)


class Town:
    """A city on a file, in stepped time, and people who send it something."""

    def __init__(self, live: LiveCity) -> None:
        self.live = live
        self._ids = count(1)

    @property
    def clock(self) -> SteppedClock:
        assert isinstance(self.live.clock, SteppedClock)
        return self.live.clock

    async def says(self, sender: Sender, subject: str, message: Any) -> None:
        """One message through the edge, and all that follows from it."""
        envelope = Envelope(
            id=f"m{next(self._ids)}",
            source="/test",
            type=TYPE_OF[type(message)],
            subject=subject,
            time=BEGIN,
            data=message,
        )
        (receipt,) = await self.live.edge.accept([Submission(sender, encode(envelope))])
        assert receipt.refusal is None, receipt.refusal
        await self.live.host.settle()

    async def post(self, code: str, subject: str, message: Any) -> None:
        await self.says(Sender("post", code), subject, message)

    async def until(self, moment: datetime) -> None:
        self.clock.step(moment)
        await self.live.host.settle()

    async def events(self, processor: str) -> Sequence[Any]:
        journal, partitions = self.live.journals[processor], range(self.live.city.partitions)
        return [trusted(row.body).message for one in partitions async for row in journal.records(one)]

    async def report(self, grid: str) -> None:
        lon, lat = MIDDLE[grid]
        report = GridReport(
            channel="app", text="楼道堆物，请清理", matter=CLUTTER, position=Position(lon_e7=lon, lat_e7=lat)
        )
        await self.says(Sender("source", "app"), "report", report)


@asynccontextmanager
async def town(path: Path) -> AsyncIterator[Town]:
    async with found_city(f"sqlite:///{path / 'city.db'}", bundle(), SteppedClock(BEGIN)) as live:
        yield Town(live)


TEXT = EntryText(
    matter=CLUTTER,
    area="C2",
    role="own",
    unit_level="community",
    legal_basis=("虚构条例第六条",),
    guiding_dept="CG",
    applicant="CG",
    duties="清理楼道堆物，劝导住户",
    valid_from=START,
)
OPINIONS = (
    ("OPS-legal", "legal"),
    ("OPS-finance", "finance"),
    ("JD-handler", "street"),
    ("JW2-handler", "communities"),
)


async def approved(city: Town, entry: str = "OWN-03", text: EntryText = TEXT) -> None:
    """The whole way up to the notice's end, everybody in favour."""
    await city.post("CG-handler", entry, ApplyEntry(text=text))
    for post, party in OPINIONS:
        await city.post(post, entry, GiveOpinion(party=party, agrees=True))
    await city.post("JD-handler", entry, DecideEntry(approve=True, approval_no="准〔2026〕9号"))
    await city.until(city.clock.wall() + timedelta(days=8))
    await city.post("JD-handler", entry, CloseNotice())


async def test_an_entry_comes_into_force_and_the_case_goes_to_the_community(tmp_path: Path) -> None:
    async with town(tmp_path) as city:
        await city.report("G21")
        await approved(city)
        refused = [one for one in await city.events("registry.entry") if isinstance(one, EntryCommandRefused)]
        assert refused == []
        before = await city.live.rules()
        assert before is not None
        assert before.bundle.register.versions("OWN-03") == ()
        await city.until(datetime(2026, 4, 19, 16, 0, tzinfo=UTC))
        [started] = [one for one in await city.events("registry.entry") if isinstance(one, EntryStarted)]
        after = await city.live.rules()
        assert after is not None
        assert (after.number, after.bundle.hash) == (started.rules, started.edition)
        [entry] = after.bundle.register.versions("OWN-03")
        assert (entry.state, entry.valid_from, entry.role) == ("active", START, "own")
        await city.until(datetime(2026, 4, 20, 2, 0, tzinfo=UTC))
        await city.report("G22")
        cases = await city.events(ROUTER_CASE.name)
        found = [one for one in cases if isinstance(one, AdmissionDecided)]
        assert [(one.unit, one.verdict, one.entry) for one in found[0].verdicts][:2] == [
            ("JW2", "no_entry", ""),
            ("JD", "passed", ""),
        ]
        assert [(one.unit, one.verdict, one.entry, one.version) for one in found[-1].verdicts] == [
            ("JW2", "passed", "OWN-03", 1)
        ]
        assert [one.lead for one in cases if isinstance(one, CaseAssigned)] == ["JD", "JW2"]
        assert equal_for_all(await read(city.live)) > len(PROCESSORS)
