"""Small cities that are really lived, and all that their databases hold afterwards."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import TypeAlias
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from cities.day import Arrival, reports
from cities.people import People
from cli.assemble import LiveCity, Opened, found_city
from cli.conductor import Conductor
from cli.stage import OneProcess
from cli.tally import Tally
from cli.topology import DOORS, PERFORMING, PROCESSORS
from kernel.clock import SteppedClock
from kernel.editions import rules_of
from kernel.hosts.replay import Again, Histories, Replayer, Traffic, Verdict, traffic
from kernel.journal import Cursor, Held, Record, StoredTimer
from kernel.log import Message, Target
from kernel.page import partitions_of
from kernel.sql.log import Wanted, read_ranges
from kernel.sql.tables import journals, targets
from rules.bundle import Bundle
from rules.faults import Faults
from rules.folder import compile_folder
from rules.inforce import Rules
from schemas.topics import BY_NAME, TOPICS, Retention, Topic

ROOT = Path(__file__).parents[2]
DAY = date(2026, 3, 10)
FAR = datetime(2200, 1, 1, tzinfo=UTC)
PATIENCE = timedelta(days=120)
STEP = timedelta(minutes=30)
"""Things of half an hour are lived together: fewer transactions, the same kinds of history."""
AGAIN: Mapping[str, Again] = PERFORMING
TO: Mapping[str, str] = {kind: door.topic.name for kind, door in DOORS.items()}


@dataclass(frozen=True)
class Lived:
    """What a city's database holds: rows, messages, held ones, timers, cursors; and what its people saw."""

    code: str
    partitions: int
    rules: Mapping[int, Rules]
    histories: Histories
    messages: Mapping[Target, Sequence[Message]]
    held: Mapping[str, Sequence[Held]]
    timers: Mapping[str, Sequence[StoredTimer]]
    cursors: Mapping[str, Mapping[int, Cursor]]
    wall: datetime
    to_city: Callable[[datetime], datetime]
    accepted: int = 0
    refused: int = 0

    @property
    def end(self) -> datetime:
        """The city time at which it was read."""
        return self.to_city(self.wall)

    def traffic(self) -> Traffic:
        """Everything that left, rebuilt from the rows alone."""
        return traffic(PROCESSORS, self.histories, self.partitions, TO)

    def rows(self, processor: str) -> list[Record]:
        return [row for rows in self.histories[processor].values() for row in rows]


@cache
def bundle_of(name: str = "demo") -> Bundle:
    compiled = compile_folder(ROOT / "cities" / name)
    assert not isinstance(compiled, Faults), [str(fault) for fault in compiled]
    return compiled


def arrivals(count: int, seed: int = 7) -> Sequence[Arrival]:
    return reports(bundle_of(), seed, count, day=DAY)


def midnight() -> datetime:
    return datetime.combine(DAY, time(), ZoneInfo(bundle_of().city.zone)).astimezone(UTC)


@asynccontextmanager
async def begun(url: str) -> AsyncIterator[LiveCity]:
    """A demonstration city in stepped time, on midnight of its day, without a report yet."""
    async with found_city(url, bundle_of(), SteppedClock(midnight())) as city:
        yield city


async def live(url: str, count: int, seed: int = 7) -> Lived:
    """Live a demonstration city until its last case is over, and read what it left."""
    async with begun(url) as city:
        clock = city.clock
        assert isinstance(clock, SteppedClock)
        tally = Tally(bundle_of().city.centre)
        conductor = Conductor(
            OneProcess(city.host, clock),
            People(bundle_of(), seed),
            arrivals(count, seed),
            tally.hears,
            STEP,
        )
        end = midnight() + timedelta(days=1)
        while await conductor.advance(end):
            pass
        while not (conductor.arrived and tally.over()):
            assert await conductor.advance(end + PATIENCE), "nothing happens any more, and cases are open"
        accepted = conductor.receipts["accepted"]
        return await read(city, accepted, sum(conductor.receipts.values()) - accepted)


Messages: TypeAlias = Mapping[Target, Sequence[Message]]


async def read(city: Opened, accepted: int = 0, refused: int = 0, messages: Messages | None = None) -> Lived:
    """All that a city's database holds; `messages` where its topics are elsewhere."""
    histories: dict[str, dict[int, list[Record]]] = {}
    held: dict[str, list[Held]] = {}
    timers: dict[str, Sequence[StoredTimer]] = {}
    cursors: dict[str, dict[int, Cursor]] = {}
    for name, journal in city.journals.items():
        partitions = partitions_of(name, city.city.partitions)
        histories[name] = {one: [row async for row in journal.records(one)] for one in partitions}
        held[name] = [one async for one in journal.held()]
        timers[name] = await journal.due(dict.fromkeys(partitions, FAR), 1_000_000)
        cursors[name] = {claim.cursor.partition: claim.cursor for claim in await journal.claim(partitions)}
    rules = {
        number: await rules_of(city.editions, number) for number in range(1, await city.editions.latest() + 1)
    }
    return Lived(
        city.city.code,
        city.city.partitions,
        rules,
        histories,
        await city.store.read(all_messages) if messages is None else messages,
        held,
        timers,
        cursors,
        city.clock.wall(),
        city.clock.city,
        accepted,
        refused,
    )


def all_messages(connection: Connection) -> dict[Target, Sequence[Message]]:
    """Every topic partition from its begin: tables of messages, and journals that are event topics."""
    wanted = [
        Wanted(BY_NAME.get(topic) or Topic(topic, "", (), (), Retention.DAYS_7), partition, number, 0, end)
        for number, topic, partition, end in connection.execute(
            select(targets.c.id, targets.c.topic, targets.c.partition, targets.c.next)
        )
    ]
    events = {topic.journal_of: topic for topic in TOPICS if topic.journal_of}
    wanted += [
        Wanted(events[processor], partition, number, 0, seq)
        for number, processor, partition, seq in connection.execute(
            select(journals.c.id, journals.c.processor, journals.c.partition, journals.c.seq)
        )
        if processor in events
    ]
    return {(one.topic.name, one.partition): read_ranges(connection, [one]) for one in wanted}


def verdicts(histories: Histories, rules: Mapping[int, Rules], partitions: int) -> list[Verdict]:
    """What replaying every journal gives; the performer is given the outcomes that were recorded."""
    sent = traffic(PROCESSORS, histories, partitions, TO)
    return [Replayer(one, rules, sent, AGAIN.get(one.name)).replay(histories[one.name]) for one in PROCESSORS]


def equal_for_all(lived: Lived) -> int:
    """Every row decided again gives its bytes; how many rows there are."""
    for verdict in verdicts(lived.histories, lived.rules, lived.partitions):
        assert not verdict.differences, verdict.differences[0]
        assert verdict.equal == verdict.events
    return sum(len(lived.rows(one.name)) for one in PROCESSORS)
