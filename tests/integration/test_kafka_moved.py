"""A city moves from one process to Kafka and back in the course of its day: nothing lost, nothing twice."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy.exc import IntegrityError

from cli.assemble import LiveCity, MemberCity, open_city
from cli.fit import fitting
from cli.member import open_member
from cli.move import exported, imported
from cli.topology import PROCESSORS
from kernel import settings
from kernel.clock import Clock
from kernel.edge import EDGE
from kernel.errors import Fault, TopicsUnfit
from kernel.journal import Move, Via
from kernel.kafka.cluster import cluster_of
from kernel.kafka.rights import actors
from kernel.keyring import Opened
from kernel.moving.queued import Halted, not_handled
from kernel.processor import Sender
from kernel.settings import Settings
from kernel.sql import reading
from kernel.sql.city import City
from kernel.sql.journal import SqlJournal
from kernel.sql.place import place_of
from schemas.envelope import Envelope
from schemas.intake import CaseNumbered
from schemas.report import GridReport, Reporter
from schemas.wire import TYPE_OF, encode, trusted
from services.intake.desk.processor import DESK
from tests.integration.account import dense, each_report_in_one_case, no_case_without_a_clock
from tests.integration.lived import Lived, arrivals, equal_for_all, read
from tests.integration.load import Standing, found
from tests.postgres import PostgresServer

PARTITIONS = 3
PHONE = "13912345678"
BROKEN = b'{"specversion":"1.0","type":"gridcase'
QUIET_SECONDS = 1.5

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def environ(kafka_bootstrap: str) -> dict[str, str]:
    return {
        "GRIDCASE_KAFKA_BOOTSTRAP": kafka_bootstrap,
        "GRIDCASE_KAFKA_PREFIX": f"m{uuid.uuid4().hex[:8]}.",
        "GRIDCASE_KAFKA_REPLICAS": "1",
        "GRIDCASE_KAFKA_DELIVERY": "plain",
        "GRIDCASE_CLOCK_SKEW_SECONDS": "0.2",
    }


class Stay:
    """A city at one place. `given` says where; `kafka`, on which host."""

    def __init__(self, given: Settings, city: City, *, kafka: bool) -> None:
        self.given = given
        self.city = city
        self.kafka = kafka

    @asynccontextmanager
    async def open(self, clock: Clock | None = None) -> AsyncIterator[LiveCity | MemberCity]:
        if self.kafka:
            member = open_member(self.given, "only", instance=0, clock=clock)
            async with fitting(member, cluster_of(self.given), self.given.kafka_replicas, actors()) as city:
                yield city
        else:
            url = self.given.database_url
            async with open_city(url, exclusive=True, clock=clock, settings=self.given) as city:
                yield city

    @asynccontextmanager
    async def running(self, clock: Clock | None = None) -> AsyncIterator[LiveCity | MemberCity]:
        stop = asyncio.Event()
        async with self.open(clock) as city:
            work = asyncio.create_task(city.host.run(stop.is_set))
            try:
                yield city
            finally:
                stop.set()
                await work

    async def live(self, reports: Sequence[bytes]) -> None:
        """Take these reports, and go on until a timer set before has fired."""
        async with self.running() as city:
            before = await fired(city)
            for report in reports:
                await city.edge.submit(Sender("source", "app"), report)
            async with asyncio.timeout(60):
                while await fired(city) <= before:  # noqa: ASYNC110 - a journal tells nobody
                    await asyncio.sleep(0.2)

    async def settled(self) -> Lived:
        """Let time stand, and everything that waits be decided."""
        async with self.running(Standing(self.city)) as city:
            quiet = 0.0
            done = -1
            while quiet < QUIET_SECONDS:
                await asyncio.sleep(0.25)
                now = sum(worker.handled for worker in city.host.workers)
                quiet = quiet + 0.25 if now == done and await drained(city) else 0.0
                done = now
        async with self.open(Standing(self.city)) as city:
            return await read(city, messages={} if self.kafka else None)


async def drained(city: LiveCity | MemberCity) -> bool:
    """Whether each worker owns all and has seen whatever was sent."""
    cursors = await city.store.read(reading.cursors)
    halted = [Halted(name, cursor) for (name, _), cursor in cursors.items()]
    return owned(city) and not not_handled(PROCESSORS, halted, PARTITIONS)


def owned(city: LiveCity | MemberCity) -> bool:
    """Whether each worker has claimed every partition."""
    return all(len(one.decider.tenures) == PARTITIONS for one in city.host.workers)


async def fired(city: LiveCity | MemberCity) -> int:
    """How many rows timers have written."""
    return sum(
        [
            1
            for name, journal in city.journals.items()
            if name != EDGE
            for partition in range(PARTITIONS)
            async for row in journal.records(partition)
            if row.cause.via is Via.TIMER
        ]
    )


def reports() -> Iterator[list[bytes]]:
    """Some reports at a time; the first are also a caller who gave a telephone, and no message at all."""
    taken = iter([one.report for one in arrivals(40) if one.report is not None])
    numbers = count(1)
    first = GridReport(channel="hotline", text="井盖破损", reporter=Reporter(name="王芳芳", phone=PHONE))
    yield [
        _enclosed("caller", first),
        BROKEN,
        *(_enclosed(f"r{next(numbers)}", next(taken)) for _ in range(8)),
    ]
    while True:
        yield [_enclosed(f"r{next(numbers)}", next(taken)) for _ in range(6)]


def _enclosed(name: str, report: GridReport) -> bytes:
    time = arrivals(1)[0].at
    return encode(
        Envelope(id=name, source="/app", type=TYPE_OF[GridReport], subject="", time=time, data=report)
    )


def went_on(before: Lived, after: Lived) -> None:
    """What was on record is still there, byte for byte, and more."""
    for name, partitions in before.histories.items():
        for partition, rows in partitions.items():
            assert after.histories[name][partition][: len(rows)] == rows, f"{name}/{partition}"
    assert len(numbered(after)) > len(numbered(before))
    old = {trusted(row.body).frame.id for name in before.histories for row in before.rows(name)}
    late = [
        row
        for name in after.histories
        for row in after.rows(name)
        if row.cause.via is Via.TIMER and row.cause.event in old
    ]
    assert len(late) > sum(
        row.cause.via is Via.TIMER and row.cause.event in old
        for name in before.histories
        for row in before.rows(name)
    ), "no timer from before has fired since"


def numbered(lived: Lived) -> list[str]:
    found = [trusted(row.body).message for row in lived.rows(DESK.name)]
    return [one.case for one in found if isinstance(one, CaseNumbered)]


async def test_a_city_moves_to_kafka_and_back(
    postgres_server: PostgresServer, environ: dict[str, str], tmp_path: Path
) -> None:
    day = reports()
    home = [f"sqlite:///{tmp_path / name}.db" for name in ("first", "second")]
    city = await found(home[0], PARTITIONS)
    with postgres_server.fresh() as database:
        stay = Stay(settings.read({}, None, database_url=home[0]), city, kafka=False)
        lived = await here(stay, next(day), None)
        for number, (url, kafka) in enumerate([(database, True), (home[1], False)]):
            given = settings.read(environ if kafka else {}, None, database_url=url)
            file = tmp_path / f"{number}.export"
            await exported(stay.given.database_url, file)
            await imported(given, file, kafka=kafka)
            stay = Stay(given, city, kafka=kafka)
            lived = await here(stay, next(day), lived)
        async with stay.open(Standing(city)) as at_home:
            opened = await at_home.keyring.read("/app/caller", "me", "supervisor", "test", lived.end)
            assert isinstance(opened, Opened)
            assert PHONE in opened.fields.values()
            (letter,) = lived.held[EDGE]
            assert await at_home.letters.open(letter) == BROKEN


async def here(stay: Stay, arrived: Sequence[bytes], before: Lived | None) -> Lived:
    """Live at one place until nothing waits, and see that it is the city that it was."""
    await stay.live(arrived)
    lived = await stay.settled()
    if before is not None:
        went_on(before, lived)
    equal_for_all(lived)
    dense(lived)
    no_case_without_a_clock(lived)
    each_report_in_one_case(lived)
    cases = numbered(lived)
    assert len(cases) == len(set(cases))
    return lived


@pytest.mark.soak
async def test_a_worker_that_still_runs_is_named_and_shut_out(
    postgres_server: PostgresServer, environ: dict[str, str], tmp_path: Path
) -> None:
    home = f"sqlite:///{tmp_path / 'home'}.db"
    city = await found(home, PARTITIONS)
    await exported(home, tmp_path / "0.export")
    with postgres_server.fresh() as database, postgres_server.fresh() as another:
        given = settings.read(environ, None, database_url=database)
        await imported(given, tmp_path / "0.export", kafka=True)
        stay = Stay(given, city, kafka=True)
        async with stay.open():
            with pytest.raises(Fault, match="sessions of gridcase"):
                await exported(database, tmp_path / "1.export")
        await stay.live(next(reports()))
        await stay.settled()
        await exported(database, tmp_path / "1.export")
        with pytest.raises(Fault, match="expected kafka, found moved"):
            async with stay.open():
                pass
        await _too_late(database)
        # the first export is older than what the topics have seen meanwhile
        late = settings.read(environ, None, database_url=another)
        with pytest.raises(TopicsUnfit, match="journal_restored"):
            await imported(late, tmp_path / "0.export", kafka=True)
        await imported(late, tmp_path / "1.export", kafka=True)
        async with Stay(late, city, kafka=True).running(Standing(city)) as back:
            async with asyncio.timeout(60):
                while not owned(back):  # noqa: ASYNC110 - a tenure tells nobody
                    await asyncio.sleep(0.1)


async def _too_late(database: str) -> None:
    """Whoever has not heard that the city moved cannot write there any more."""
    place = place_of(database)
    store = await place.store(lambda: datetime.now(UTC), 10)
    try:
        journal = SqlJournal(store, DESK.name, delivers=False)
        (now,) = await journal.claim([0])
        late = replace(now.cursor, token=b"late")
        with pytest.raises(IntegrityError, match="this_city_has_moved"):
            await journal.commit([Move(now.cursor.token, late)])
    finally:
        await store.close()
