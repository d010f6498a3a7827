"""A city that moves from database to database in the course of its day is the city that stayed."""

import shutil
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy.exc import IntegrityError

from cities.people import People
from cli.assemble import open_city
from cli.conductor import Conductor, arriving
from cli.move import exported, imported
from cli.stage import OneProcess
from kernel.clock import SteppedClock
from kernel.edge import EDGE
from kernel.errors import AnotherCity, CityNotDrained, CityRunsAlready
from kernel.journal import Move, Record
from kernel.moving.lines import CITY
from kernel.moving.reading import Export
from kernel.settings import read as read_settings
from kernel.sql import leaving
from kernel.sql.journal import SqlJournal
from kernel.sql.place import place_of
from schemas.topics import RULES_EDITIONS
from services.router.processor import ROUTER_CASE
from tests.integration.account import dense, each_report_in_one_case, no_case_without_a_clock
from tests.integration.lived import (
    STEP,
    Lived,
    arrivals,
    begun,
    bundle_of,
    equal_for_all,
    midnight,
    read,
)

pytestmark = pytest.mark.timeout(300)

REPORTS = 16
HOURS = (9, 13, 26)
"""The city time at which each stay ends."""


async def move(source: str, target: str, folder: Path) -> Path:
    """Through a file, as the commands do it."""
    file = folder / f"{target.rpartition('/')[2]}.export"
    seal = await exported(source, file)
    told = await imported(read_settings({}, None, database_url=target), file, seal, kafka=False)
    assert told["seal"] == seal
    return file


async def lived_at(urls: Sequence[str], folder: Path) -> Lived:
    """A day and a half, in one place or in several one after the other."""
    clock, people = SteppedClock(midnight()), People(bundle_of(), 7)
    conductor: Conductor | None = None
    for place, hours in enumerate(HOURS):
        url = urls[min(place, len(urls) - 1)]
        if 0 < place < len(urls):
            await move(urls[place - 1], url, folder)
        async with open_city(url, exclusive=True, clock=clock) as city:
            stage = OneProcess(city.host, clock)
            if conductor is None:
                conductor = Conductor(stage, people, arrivals(REPORTS), lambda row, letter: None, STEP)
            conductor.stage = stage
            while await conductor.advance(midnight() + timedelta(hours=hours)):
                pass
    async with open_city(urls[-1], exclusive=True, clock=clock) as city:
        return await read(city)


@pytest.fixture
async def twins(tmp_path: Path) -> tuple[str, str]:
    """Two files of one city, so that both link equal telephones alike."""
    async with begun(f"sqlite:///{tmp_path / 'stayed.db'}"):
        pass
    shutil.copy(tmp_path / "stayed.db", tmp_path / "moved.db")
    return f"sqlite:///{tmp_path / 'stayed.db'}", f"sqlite:///{tmp_path / 'moved.db'}"


def placeless(row: Record) -> Record:
    """A row without the offset at which its cause stood: that is a matter of the host."""
    return row._replace(cause=replace(row.cause, offset=0))


def everything(lived: Lived) -> dict[str, object]:
    """What must be the same wherever the city was. Keys are drawn for each report: what they seal is not."""
    cursors = {
        (name, one.partition): (one.seq, one.now, one.rules, one.seen, one.sent)
        for name, found in lived.cursors.items()
        for one in found.values()
    }
    held = [
        (name, one.partition, one.id, one.kind, one.stream, one.reason, one.now)
        for name, found in lived.held.items()
        for one in found
    ]
    rows = {name: list(map(placeless, lived.rows(name))) for name in lived.histories}
    return {"rows": rows, "timers": lived.timers, "held": held, "cursors": cursors}


async def test_a_city_that_moved_twice_is_the_one_that_stayed(
    twins: tuple[str, str], postgres_url: str, tmp_path: Path
) -> None:
    stayed = await lived_at([twins[0]], tmp_path)
    moved = await lived_at([twins[1], postgres_url, f"sqlite:///{tmp_path / 'home.db'}"], tmp_path)
    assert everything(moved) == everything(stayed)
    assert equal_for_all(moved) == equal_for_all(stayed)
    assert len(moved.rows(ROUTER_CASE.name)) > 2 * REPORTS
    assert sum(map(len, moved.timers.values()))
    dense(moved)
    no_case_without_a_clock(moved)
    assert each_report_in_one_case(moved) == each_report_in_one_case(stayed)
    assert rules(moved) == rules(stayed)


def rules(lived: Lived) -> list[tuple[object, ...]]:
    """What a processor yet to come will read from its begin on."""
    return [
        (partition, one.offset, one.key, one.headers, one.body)
        for (topic, partition), messages in sorted(lived.messages.items())
        if topic == RULES_EDITIONS.name
        for one in messages
    ]


async def test_what_still_waits_is_said_and_the_city_goes_on(tmp_path: Path) -> None:
    url, file = f"sqlite:///{tmp_path / 'city.db'}", tmp_path / "city.export"
    async with begun(url) as city:
        for arrival in arrivals(3):
            await city.edge.accept([arriving(arrival)])
        with pytest.raises(CityRunsAlready):
            await exported(url, file)
    with pytest.raises(CityNotDrained, match=r"found 3 not handled \(intake.reports for intake.reader\)\."):
        await exported(url, file)
    assert not leftovers(tmp_path)
    clock = SteppedClock(midnight())
    async with open_city(url, exclusive=True, clock=clock) as city:
        await city.host.settle()
    await exported(url, file)
    with pytest.raises(AnotherCity, match="expected embedded, found moved"):
        async with open_city(url, exclusive=True, clock=clock):
            pass
    await exported(url, tmp_path / "again.export")
    assert parts(file) == parts(tmp_path / "again.export")


def leftovers(folder: Path) -> list[Path]:
    return list(folder.glob("*export*"))


def parts(file: Path) -> list[tuple[str, str]]:
    """The parts of an export but for the host that is left, which is moved from the second time on."""
    with Export(file) as export:
        return [(one.name, one.sha256) for one in export.manifest.parts if one.name != CITY]


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
async def test_who_has_not_heard_that_a_city_moved_cannot_write_there(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leaving, "others", lambda connection: 0)  # a session that nobody has seen
    postgres = kind == "postgres"
    url = request.getfixturevalue("postgres_url") if postgres else f"sqlite:///{tmp_path / 'city.db'}"
    async with begun(url):
        pass
    store = await place_of(url).store(midnight, 10)
    try:
        edge = SqlJournal(store, EDGE, delivers=True)
        (claim,) = await edge.claim([3])
        await exported(url, tmp_path / "city.export")
        with pytest.raises(IntegrityError, match=r"this.city.has.moved"):
            await edge.commit([Move(claim.cursor.token, claim.cursor)])
    finally:
        await store.close()
