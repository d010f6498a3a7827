"""From the application to a case that goes to the community: the register is written by its own workflow."""

import asyncio
import json
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, cast

import pytest
from msgspec.structs import replace as with_fields
from typer.testing import CliRunner

from cli.assemble import LiveCity, found_city
from cli.main import app
from cli.topology import COMPOSER, PROCESSORS
from kernel.clock import SteppedClock
from kernel.edge import Submission
from kernel.journal import RULES_STREAM, Journal, Move
from kernel.processor import Sender
from kernel.sql.editions import put_edition
from rules.bundle import Bundle
from rules.edition import Edition
from rules.modes import Mode
from schemas.case.assigning import AdmissionDecided, CaseAssigned
from schemas.entry.commands import (
    ApplyEntry,
    CloseNotice,
    DecideEntry,
    GiveOpinion,
    GrantTemporary,
    RecordFunding,
)
from schemas.entry.events import EntryCommandRefused, EntryStarted
from schemas.envelope import Envelope
from schemas.register import EntryText
from schemas.registry import ChangesSettled, PublicationRefused, PublishEdition
from schemas.report import GridReport, Position
from schemas.switching import SwitchMode
from schemas.wire import TYPE_OF, encode, trusted
from services.router.processor import ROUTER_CASE
from tests.builders_city import CLUTTER, MIDDLE, QUARREL, tiny_parts
from tests.integration.lived import equal_for_all, read
from tests.unit.registry.telling import URGENT
from tests.unit.router.telling import strict_city

BEGIN = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
"""Monday, nine o'clock in the city."""
START = date(2026, 4, 20)


def bundle(**sections: Any) -> Bundle:
    """The tiny city where nothing enters a community without an entry, and clutter is no small matter."""
    matters = tuple(
        with_fields(one, triage="big") if one.code == CLUTTER else one for one in tiny_parts().matters
    )
    return strict_city(matters=matters, **sections)


class Dying:
    """A journal whose first commit with something in it fails before it is done."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.died = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._journal, name)

    async def commit(self, moves: Sequence[Move]) -> Collection[int]:
        if any(move.records for move in moves) and not self.died:
            self.died = True
            raise OSError("the database is away")
        return await self._journal.commit(moves)


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

    async def publishes(self, folder: Bundle) -> None:
        await put_edition(self.live.store, Edition.of(folder.parts))
        publish = PublishEdition(edition=folder.hash, partitions=self.live.city.partitions)
        await self.says(Sender("source", "admin"), self.live.city.code, publish)

    async def until(self, moment: datetime) -> None:
        self.clock.step(moment)
        await self.live.host.settle()

    async def events(self, processor: str) -> Sequence[Any]:
        """What a processor decided, in order of time; without what it adopted."""
        journal, partitions = self.live.journals[processor], range(self.live.city.partitions)
        rows = [row for one in partitions async for row in journal.records(one)]
        own = [row for row in rows if not row.stream.startswith(RULES_STREAM)]
        return [trusted(row.body).message for row in sorted(own, key=lambda row: row.now)]

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
    refused = [one for one in await city.events("registry.entry") if isinstance(one, EntryCommandRefused)]
    assert refused == []


async def lived(path: Path) -> None:
    """Clutter before the entry, the way of the entry, its first day, and clutter again."""
    async with town(path) as city:
        await city.report("G21")
        await approved(city)
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


def test_an_entry_comes_into_force_and_the_case_goes_to_the_community(tmp_path: Path) -> None:
    """And the decision before it is still the same: replayed by the edition that it was decided by."""
    asyncio.run(lived(tmp_path))
    url = ("--database", f"sqlite:///{tmp_path / 'city.db'}")
    replayed = CliRunner().invoke(app, ["replay", "--json", *url])
    assert replayed.exit_code == 0, replayed.stderr
    verdicts = {one["processor"]: one for one in json.loads(replayed.stdout)}
    assert all(one["different"] == 0 for one in verdicts.values())
    assert verdicts["registry.entry"]["equal"] == verdicts["registry.entry"]["events"] > 8
    assert verdicts["registry.composer"]["outside"] >= 1
    page = CliRunner().invoke(app, ["registry", "show", "OWN-03", *url]).stdout
    assert "active 生效" in page
    assert "EntryStarted 生效" in page
    assert "in force 有效" in page


async def test_two_that_start_at_once_and_a_folder_published_meanwhile_lose_nothing(tmp_path: Path) -> None:
    """The folder is an operator's copy from before: it knows neither of the two entries."""
    async with town(tmp_path) as city:
        may = replace(TEXT, valid_from=date(2026, 5, 6))
        await approved(city, "OWN-03", may)
        await approved(city, "OWN-04", replace(may, matter=QUARREL))
        city.clock.step(datetime(2026, 5, 5, 16, 0, tzinfo=UTC))
        for number in (5, 6):
            folder = bundle(bounds=with_fields(bundle().bounds, objections=number))
            await city.publishes(folder)
        rules = await city.live.rules()
        assert rules is not None
        assert rules.bundle.bounds.objections == 6
        assert [one.state for one in rules.bundle.register.versions("OWN-03")] == ["active"]
        assert [one.state for one in rules.bundle.register.versions("OWN-04")] == ["active"]
        settled = [one for one in await city.events("registry.rules") if isinstance(one, ChangesSettled)]
        assert settled[-1].asked == folder.hash
        assert equal_for_all(await read(city.live)) > len(PROCESSORS)


async def test_a_folder_that_contradicts_an_entry_in_force_is_refused(tmp_path: Path) -> None:
    async with town(tmp_path) as city:
        await approved(city)
        await city.until(datetime(2026, 4, 19, 16, 0, tzinfo=UTC))
        [own] = bundle().register.versions("OWN-02")
        clash = with_fields(own, entry_id="OWN-77", area="C2")
        folder = bundle(entries=(*bundle().parts.entries, clash))
        await city.publishes(folder)
        refused = [one for one in await city.events("registry.rules") if isinstance(one, PublicationRefused)]
        assert [one.refusal.code for one in refused] == ["tie"]
        rules = await city.live.rules()
        assert rules is not None
        assert rules.bundle.register.versions("OWN-03")


async def test_an_area_goes_to_emergency_and_back_in_every_processor(tmp_path: Path) -> None:
    async with town(tmp_path) as city:
        storm = SwitchMode(mode="emergency", order_number="防汛3号", reason="暴雨红色预警")
        await city.post("OPS-lead_officer", "S1", storm)
        rules = await city.live.rules()
        assert rules is not None
        assert rules.mode("G11") is Mode.EMERGENCY
        tenures = [worker.decider.tenures.values() for worker in city.live.host.workers]
        assert {one.rules.mode("G11") for each in tenures for one in each} == {Mode.EMERGENCY}
        await city.report("G21")
        back = SwitchMode(mode="normal", order_number="防汛4号", reason="预警解除")
        await city.post("OPS-supervisor", "S1", back)
        await city.report("G22")
        found = await city.events(ROUTER_CASE.name)
        modes = [one.mode for one in found if isinstance(one, AdmissionDecided)]
        assert modes == ["emergency", "normal"]
        switches = await city.events("registry.mode")
        assert [type(one).__name__ for one in switches] == ["ModeSwitched", "ModeInForce"] * 2
        assert equal_for_all(await read(city.live)) > len(PROCESSORS)


async def test_an_entry_of_the_bundle_gets_its_money_and_is_suspended_when_it_ends(tmp_path: Path) -> None:
    """AST-02 stands in the bundle without a proof; once it has one it is funded until the proof ends."""
    async with town(tmp_path) as city:
        paid = RecordFunding(proof_id="P-1", covers_from=date(2026, 3, 1), covers_to=date(2026, 3, 31))
        await city.post("OPS-finance", "AST-02", paid)
        rules = await city.live.rules()
        assert rules is not None
        [line] = rules.bundle.register.versions("AST-02")
        assert line.funded(date(2026, 3, 2))
        await city.until(datetime(2026, 3, 31, 16, 0, tzinfo=UTC))
        names = [type(one).__name__ for one in await city.events("registry.entry")]
        assert names == ["EntryTakenUp", "EntryFunded", "EntryRegistered", "EntrySuspended"]
        assert not line.funded(date(2026, 4, 1))


async def test_an_order_admits_at_once_and_the_clock_ends_it(tmp_path: Path) -> None:
    async with town(tmp_path) as city:
        text = replace(URGENT, valid_to=date(2026, 3, 3))
        grant = GrantTemporary(text=text, order_number="急令1号", promised=date(2026, 3, 3))
        await city.post("OPS-supervisor", "TMP-01", grant)
        rules = await city.live.rules()
        assert rules is not None
        [line] = rules.bundle.register.versions("TMP-01")
        assert line.kind == "临时"
        assert line.in_force(date(2026, 3, 3))
        assert not line.in_force(date(2026, 3, 4))
        number = rules.number
        await city.until(datetime(2026, 3, 3, 16, 0, tzinfo=UTC))
        assert [type(one).__name__ for one in await city.events("registry.entry")][-1] == "EntryExpired"
        assert await city.live.editions.latest() == number, "its dates are judged, no edition is needed"


async def test_a_composer_that_died_before_its_commit_composes_the_same_once_more(tmp_path: Path) -> None:
    """At least once: the edition is stored, the answer is not on record, and the same request comes again."""
    async with town(tmp_path) as city:
        [worker] = [one for one in city.live.host.workers if one.decider.processor is COMPOSER]
        dying = Dying(worker.journal)
        worker.journal = cast("Journal", dying)
        paid = RecordFunding(proof_id="P-1", covers_from=date(2026, 3, 1), covers_to=date(2026, 3, 31))
        with pytest.raises(OSError, match="away"):
            await city.post("OPS-finance", "AST-02", paid)
        await city.live.host.settle()
        assert dying.died
        rules = await city.live.rules()
        assert rules is not None
        assert rules.bundle.register.versions("AST-02")[0].funding.proof_id == "P-1"
        assert equal_for_all(await read(city.live)) > len(PROCESSORS)
