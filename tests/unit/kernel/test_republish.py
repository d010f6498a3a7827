"""What is sent again is, byte for byte, what was sent; a receiver that lost some takes just those."""

import asyncio

import pytest

from cli.topology import DOORS, PROCESSORS
from kernel.edge import EDGE
from kernel.journal import Cursor
from kernel.log import Outgoing
from kernel.processor import Sender
from kernel.republish import sent_by, sent_by_edge, unseen
from schemas.report import GridReport, Position
from schemas.topics import CASE_COMMANDS
from tests.builders_city import MIDDLE
from tests.unit.cli.memory_city import PARTITIONS, MemoryCity

TOPICS_OF_DOORS = {kind: door.topic.name for kind, door in DOORS.items()}


@pytest.fixture
def city() -> MemoryCity:
    city = MemoryCity()
    for name, (lon, lat) in MIDDLE.items():
        report = GridReport(channel="app", text=f"店外经营 {name}", position=Position(lon_e7=lon, lat_e7=lat))
        city.send(Sender("source", "app"), "", report)
    city.later(days=2)
    return city


def all_sent(city: MemoryCity) -> list[Outgoing]:
    found = [
        message
        for processor in PROCESSORS
        for partition, shelf in city.journals[processor.name].shelves.items()
        for message in sent_by(processor, partition, shelf.rows, PARTITIONS)
    ]
    for instance, shelf in city.journals[EDGE].shelves.items():
        found += sent_by_edge(instance, shelf.rows, PARTITIONS, TOPICS_OF_DOORS)
    return found


def receivers(city: MemoryCity) -> dict[str, list[dict[int, Cursor]]]:
    readers: dict[str, list[dict[int, Cursor]]] = {}
    for worker in city.workers:
        processor = worker.decider.processor
        cursors = {
            partition: city.journals[processor.name].cursor(partition) for partition in range(PARTITIONS)
        }
        for topic in processor.topics:
            readers.setdefault(topic, []).append(cursors)
    return readers


def test_what_is_sent_again_is_what_was_sent(city: MemoryCity) -> None:
    again = {(m.topic, m.partition, m.headers, m.key, m.body) for m in all_sent(city)}
    events = {"case.events", "sla.events"}
    sent = {
        (record.topic, record.partition, record.headers, record.key, record.body)
        for (topic, _), records in city.broker.records.items()
        if topic not in events
        for record in records
    }
    assert len(again) > 20
    assert again == sent


def test_nothing_is_sent_again_while_nothing_is_lost(city: MemoryCity) -> None:
    assert not unseen([m for m in all_sent(city) if m.topic != "notice.attempts"], receivers(city))


def test_what_a_log_has_lost_is_taken_and_the_city_goes_on(city: MemoryCity) -> None:
    whole, lost = MemoryCity(), MemoryCity()
    for one in (whole, lost):
        lon, lat = MIDDLE["G11"]
        if one is lost:
            lost.workers = [w for w in lost.workers if w.decider.processor.name != "router.case"]
        one.send(
            Sender("source", "app"), "",
            GridReport(channel="app", text="店外经营", position=Position(lon_e7=lon, lat_e7=lat)),
        )  # fmt: skip
    target = next(
        target
        for target, records in lost.broker.records.items()
        if target[0] == CASE_COMMANDS.name and records
    )
    lost.broker.cut(target, lost.broker.first.get(target, 0))
    lost.workers = [*lost.workers, lost._worker(next(p for p in PROCESSORS if p.name == "router.case"))]
    asyncio.run(lost.settle())
    assert not lost.journals["router.case"].shelves[target[1]].versions.get("20261123-C1-0001")
    again = unseen(all_sent(lost), receivers(lost))[target]
    for message in again:
        lost.broker.append(message)
    asyncio.run(lost.settle())
    bodies = [row.body for row in lost.journals["router.case"].shelves[target[1]].rows]
    assert bodies == [row.body for row in whole.journals["router.case"].shelves[target[1]].rows]
