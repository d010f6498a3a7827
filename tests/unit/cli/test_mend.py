"""What is sent again is, byte for byte, what was sent; and what does not fit is told."""

import asyncio
from collections.abc import Sequence

import pytest

from cli.topology import DOORS, PROCESSORS
from kernel.hosts.mending import Cursors, lost, misfits, republish
from kernel.hosts.replay import Histories, Traffic, traffic
from kernel.log import Outgoing
from kernel.memory.log import MemoryLog
from kernel.processor import Sender
from schemas.report import GridReport, Position
from schemas.topics import CASE_COMMANDS, TOPICS
from tests.builders_city import MIDDLE
from tests.unit.cli.memory_city import PARTITIONS, MemoryCity

EVENTS = frozenset({"case.events", "sla.events"})
FIRST = "20261123-C1-0001"


def report(city: MemoryCity, grid: str) -> None:
    lon, lat = MIDDLE[grid]
    told = GridReport(channel="app", text="店外经营", position=Position(lon_e7=lon, lat_e7=lat))
    city.send(Sender("source", "app"), "", told)


@pytest.fixture
def city() -> MemoryCity:
    city = MemoryCity()
    for grid in MIDDLE:
        report(city, grid)
    city.later(days=2)
    return city


def histories(city: MemoryCity) -> Histories:
    return {
        name: {p: shelf.rows for p, shelf in journal.shelves.items()}
        for name, journal in city.journals.items()
    }


def cursors(city: MemoryCity) -> Cursors:
    return {
        name: {p: journal.cursor(p) for p in range(PARTITIONS)} for name, journal in city.journals.items()
    }


def sent(city: MemoryCity) -> Traffic:
    return traffic(
        PROCESSORS, histories(city), PARTITIONS, {kind: door.topic.name for kind, door in DOORS.items()}
    )


def missing(city: MemoryCity) -> Sequence[Outgoing]:
    return asyncio.run(
        lost(PROCESSORS, cursors(city), sent(city), MemoryLog(city.broker, [t.name for t in TOPICS]))
    )


def test_the_journals_tell_every_message_byte_for_byte(city: MemoryCity) -> None:
    told = {
        (address.topic, address.partition, address.origin, address.k, passage.key, passage.body())
        for address, passage in sent(city).sent.items()
        if address.topic not in EVENTS
    }
    there = {
        (topic, partition, record.headers.origin, record.headers.k, record.key, record.body)
        for (topic, partition), records in city.broker.records.items()
        if topic not in EVENTS
        for record in records
    }
    assert len(told) > 20
    assert told == there


def test_nothing_is_lost_and_all_fits_while_nothing_broke(city: MemoryCity) -> None:
    assert not missing(city)
    assert not misfits(PROCESSORS, cursors(city), histories(city), sent(city))


def test_what_a_log_lost_is_taken_and_the_city_is_as_if_it_had_not(city: MemoryCity) -> None:
    whole, broken = MemoryCity(), MemoryCity()
    report(whole, "G11")
    broken.stop("router.case")
    report(broken, "G11")
    target = next(t for t, records in broken.broker.records.items() if t[0] == CASE_COMMANDS.name and records)
    there = {(m.k, m.body): m.headers for m in _as_sent(broken, target)}
    broken.broker.cut(target, 0)
    broken.start("router.case")
    assert not broken.journals["router.case"].shelves[target[1]].versions.get(FIRST)
    again = missing(broken)
    assert {(m.k, m.body): m.headers for m in again} == there
    asyncio.run(republish(again, MemoryLog(broken.broker, ())))
    asyncio.run(broken.settle())
    rows = [row.body for row in broken.journals["router.case"].shelves[target[1]].rows]
    assert rows == [row.body for row in whole.journals["router.case"].shelves[target[1]].rows]


def test_an_older_journal_is_contradicted_by_those_who_heard_it(city: MemoryCity) -> None:
    shelf = max(city.journals["intake.desk"].shelves.values(), key=lambda one: len(one.rows))
    del shelf.rows[-1]
    found = misfits(PROCESSORS, cursors(city), histories(city), sent(city))
    assert {one.code for one in found} == {"rows_missing", "sender_restored"}


def _as_sent(city: MemoryCity, target: tuple[str, int]) -> list[Outgoing]:
    return [
        Outgoing(record.topic, record.partition, record.headers.k, 0, record.key, record.headers, record.body)
        for record in city.broker.records[target]
    ]
