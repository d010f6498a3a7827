"""A day of the demonstration city lived to its end: the commands and histories that are measured."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from bench.citywide import TEN_OCLOCK, BenchCity, bench_bundle, memory_city
from cities.day import reports
from cities.people import People
from cli.conductor import Conductor
from cli.stage import OneProcess
from cli.topology import PROCESSORS
from kernel.clock import SteppedClock
from kernel.journal import Record
from kernel.log import Message
from rules.bundle import Bundle
from schemas.topics import CASE_COMMANDS

_STEP: Final = timedelta(minutes=10)
_LONGEST: Final = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Life:
    """What router.case got and wrote, from the first report to the last case written off."""

    bundle: Bundle
    commands: list[Message]
    rows: dict[int, list[Record]]
    until: datetime

    @property
    def events(self) -> int:
        return sum(len(rows) for rows in self.rows.values())


async def lived(count: int) -> Life:
    """Reader, desk, router, clock and people; nobody is told anything."""
    bundle = bench_bundle()
    city = memory_city(bundle, PROCESSORS[:5])
    assert isinstance(city.clock, SteppedClock)
    await city.publish()
    arrivals = reports(bundle, 1, count, day=date(2026, 3, 2))
    stage = OneProcess(city.host, city.clock)
    conductor = Conductor(stage, People(bundle, 1), arrivals, lambda *_: None, _STEP)
    while await conductor.advance(TEN_OCLOCK + _LONGEST):
        pass
    return _told(city)


def _told(city: BenchCity) -> Life:
    shelves = city.journals["router.case"].shelves
    commands = [
        record
        for (topic, _), records in city.broker.records.items()
        if topic == CASE_COMMANDS.name
        for record in records
    ]
    commands.sort(key=lambda record: record.appended)
    rows = {partition: list(shelf.rows) for partition, shelf in sorted(shelves.items())}
    return Life(city.bundle, commands, rows, city.clock.wall())
