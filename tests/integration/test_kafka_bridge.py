"""The bridge of the edge on a real broker: every kind of bytes, once each, and who takes over."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.structs import TopicPartition

from cli.assemble import MemberCity
from cli.member import open_member
from kernel.journal import Held, Record
from kernel.kafka.records import FACTS
from kernel.page import BRIDGE, EDGE, partitions_of
from schemas.case.handling import SignCase
from schemas.envelope import Envelope
from schemas.report import GridReport
from schemas.topics import GRID_EVENTS, UNIT_COMMANDS
from schemas.wire import TYPE_OF, encode
from tests.integration.lived import bundle_of
from tests.integration.town import PARTITIONS, Hamlet, Town

PHONE = "13912345678"
UNIT = next(unit.code for unit in bundle_of().units.rows if unit.subscribes)
COMMANDS = UNIT_COMMANDS.of(UNIT).name

pytestmark = pytest.mark.timeout(400)


def report(id_: str, **more: Any) -> bytes:
    message = GridReport(channel="app", text="路灯不亮", **more)
    now = datetime.now(UTC)
    return encode(
        Envelope(id=id_, source="/lamps", type=TYPE_OF[GridReport], subject="x", time=now, data=message)
    )


def changed(id_: str, **fields: Any) -> bytes:
    """A report whose frame was tampered with; `None` takes a field away."""
    value = json.loads(report(id_)) | fields
    return json.dumps({name: one for name, one in value.items() if one is not None}).encode()


BAD: Mapping[str, bytes | None] = {
    "empty": None,
    "not_utf8": b'{"id": "\xff\xfe"}',
    "not_json": report("half")[:60],
    "unknown_type": changed("type", type="acme.Alarm.v1"),
    "unknown_version": changed("version", type=TYPE_OF[GridReport].replace(".v1", ".v9")),
    "too_large": b"x" * (5 * 1024 * 1024),
    "too_deep": changed("deep", data={"text": "DEEP"}).replace(b'"DEEP"', b"[" * 5000 + b"]" * 5000),
    "unknown_field": changed("field", data={"channel": "app", "text": "x", "telefone": PHONE}),
    "not_your_message": encode(
        Envelope(
            id="sign", source="/x", type=TYPE_OF[SignCase], subject="YX-1", time=datetime.now(UTC),
            data=SignCase(),
        )
    ),
}  # fmt: skip
"""By the code under which each lies among the dead letters."""


@asynccontextmanager
async def producing(town: Town) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(**town.cluster.client("stranger"), max_request_size=8 * 1024 * 1024)
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


@asynccontextmanager
async def edge(town: Town, slot: str) -> AsyncIterator[MemberCity]:
    """An edge at work, as `gridcase worker edge` opens it."""
    async with open_member(town.settings, slot, processors=(), instance=0, bridged=True) as member:
        stopped = asyncio.Event()
        working = asyncio.create_task(member.host.run(stopped.is_set))
        try:
            yield member
        finally:
            stopped.set()
            await working


async def rows(city: MemberCity) -> list[Record]:
    journal = city.journals[EDGE]
    numbers = partitions_of(EDGE, PARTITIONS)[BRIDGE:]
    return [row for number in numbers async for row in journal.records(number)]


async def letters(city: MemberCity) -> list[Held]:
    return [one async for one in city.journals[EDGE].held()]


async def until(city: MemberCity, accepted: int, dead: int) -> tuple[Sequence[Record], Sequence[Held]]:
    async with asyncio.timeout(120):
        while True:
            found, held = await rows(city), await letters(city)
            if len(found) >= accepted and len(held) >= dead:
                return found, held
            await asyncio.sleep(0.2)


async def test_what_passes_is_on_record_and_what_does_not_is_a_sealed_letter_that_says_where(
    postgres_url: str, kafka_bootstrap: str
) -> None:
    async with Hamlet(postgres_url, kafka_bootstrap) as town, producing(town) as producer:
        name, commands = town.cluster.name(GRID_EVENTS.name), town.cluster.name(COMMANDS)
        places: dict[str, int] = {}
        for code, body in BAD.items():
            places[code] = (await producer.send_and_wait(name, body, key=b"k", partition=3)).offset
        forged = [(FACTS, b'["router.case/0",1,0,"",null]')]
        places["forged_origin"] = (
            await producer.send_and_wait(name, report("forged"), partition=3, headers=forged)
        ).offset
        await producer.send_and_wait(name, report("one"), partition=3)
        await producer.send_and_wait(name, report("two"), key=b"\xff any key", partition=4)
        sign = json.loads(BAD["not_your_message"] or b"") | {"source": "/post/somebody-else"}
        await producer.send_and_wait(commands, json.dumps(sign).encode())
        await producer.send_and_wait(commands, report("not a command"))
        async with edge(town, "a") as city:
            found, held = await until(city, 3, len(places) + 1)
            reasons = {
                one.reason.partition(":")[0]: one for one in held if one.cause.topic == GRID_EVENTS.name
            }
            assert {code: one.cause.offset for code, one in reasons.items()} == places
            assert {one.cause.origin for one in reasons.values()} == {"grid.events/3"}
            assert not [one for one in held if PHONE in one.reason or PHONE.encode() in one.body]
            (other,) = [one for one in held if one.cause.topic == COMMANDS]
            assert (other.cause.sender.kind, other.cause.sender.id) == ("unit", UNIT)
            senders = sorted((row.cause.sender.kind, row.cause.sender.id) for row in found)
            assert senders == [("outside", GRID_EVENTS.name)] * 2 + [("unit", UNIT)]
            assert {row.cause.id for row in found} == {"one", "two", "sign"}
        async with edge(town, "a") as city:  # what was read is not read again
            await producer.send_and_wait(name, report("three"), partition=3)
            found, held = await until(city, 4, len(places) + 1)
            assert (len(found), len(held)) == (4, len(places) + 1)
        sent = await town.messages()
    keys = sorted(
        message.key for (topic, _), some in sent.items() for message in some if topic == "intake.reports"
    )
    assert keys == ["/lamps/one", "/lamps/three", "/lamps/two"]
    assert [m.key for (topic, _), some in sent.items() for m in some if topic == "case.commands"] == ["YX-1"]


@pytest.mark.soak
async def test_two_edges_share_and_one_that_dies_is_taken_over_without_loss_or_repetition(
    postgres_url: str, kafka_bootstrap: str
) -> None:
    count = 400
    async with Hamlet(postgres_url, kafka_bootstrap) as town, producing(town) as producer:
        name = town.cluster.name(GRID_EVENTS.name)

        async def produce(since: int, to: int) -> None:
            for number in range(since, to):
                await producer.send_and_wait(name, report(f"r{number}"), partition=number % PARTITIONS)

        await town.start("edge", "a")
        await produce(0, count // 4)
        async with edge(town, "b") as city:
            await produce(count // 4, count // 2)
            await town.kill("edge", "a")
            await produce(count // 2, count)
            found, held = await until(city, count, 0)
            await asyncio.sleep(2)
            found, held = await rows(city), await letters(city)
            assert sorted(row.cause.id for row in found) == sorted(f"r{number}" for number in range(count))
            assert held == []
        sent = await town.messages()
    taken = {
        (m.headers.origin, number, m.headers.k)
        for (topic, number), some in sent.items() for m in some if topic == "intake.reports"
    }  # fmt: skip
    assert len(taken) == count


@pytest.mark.soak
async def test_what_retention_ate_is_said_for_strangers_and_stops_the_edge_for_a_unit(
    postgres_url: str, kafka_bootstrap: str, capfd: pytest.CaptureFixture[str]
) -> None:
    async with Hamlet(postgres_url, kafka_bootstrap) as town, producing(town) as producer:
        for number in range(6):
            await producer.send_and_wait(
                town.cluster.name(GRID_EVENTS.name), report(f"g{number}"), partition=2
            )
        await cut(town, GRID_EVENTS.name, 2, 4)
        async with edge(town, "a") as city:
            found, held = await until(city, 2, 1)
            assert [row.cause.id for row in found] == ["g4", "g5"]
            assert [one.reason for one in held] == [
                "lost: expected offset 0, found 4 messages deleted before they were read"
            ]
            assert city.host.bridge is not None
        for number in range(3):
            await producer.send_and_wait(town.cluster.name(COMMANDS), report(f"c{number}"))
        await cut(town, COMMANDS, 0, 2)
        await town.start("edge", "a")
        process = town.processes["edge", "a"]
        assert await asyncio.wait_for(process.wait(), 60) == 1
        lines = [line for line in town.said if COMMANDS in line]
        assert len(lines) == 1
        assert "expected offset 0, found its begin at 2" in lines[0]
        assert f"--give-up {COMMANDS}" in lines[0]
        async with open_member(
            town.settings, "a", processors=(), instance=0, bridged=True, given_up=[COMMANDS]
        ) as city:
            stopped = asyncio.Event()
            working = asyncio.create_task(city.host.run(stopped.is_set))
            _, held = await until(city, 2, 3)
            stopped.set()
            await working
            assert [one.reason.partition(":")[0] for one in held if one.cause.topic == COMMANDS] == [
                "lost", "not_your_message",
            ]  # fmt: skip


async def cut(town: Town, topic: str, partition: int, below: int) -> None:
    """As retention does it."""
    admin = AIOKafkaAdminClient(**town.cluster.client("test"))
    await admin.start()
    try:
        tp = TopicPartition(town.cluster.name(topic), partition)
        await admin.delete_records({tp: RecordsToDelete(below)})
    finally:
        await admin.close()


async def test_marks_of_a_producers_transactions_are_no_gap(postgres_url: str, kafka_bootstrap: str) -> None:
    async with Hamlet(postgres_url, kafka_bootstrap) as town:
        producer = AIOKafkaProducer(
            **town.cluster.client("stranger"),
            transactional_id=f"{town.cluster.prefix}t",
            compression_type="gzip",
        )
        await producer.start()
        try:
            for number in range(4):
                async with producer.transaction():
                    name = town.cluster.name(GRID_EVENTS.name)
                    await producer.send_and_wait(name, report(f"t{number}"), partition=1)
        finally:
            await producer.stop()
        async with edge(town, "a") as city:
            found, held = await until(city, 4, 0)
            assert [row.cause.offset for row in found] == [0, 2, 4, 6]
            assert held == []
