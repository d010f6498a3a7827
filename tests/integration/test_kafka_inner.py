"""Inner topics are ours alone: a worker stops at anything else, names it in a line, and changes nothing."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from cli.member import open_member
from kernel.errors import AnotherCity, Fault, InnerUnreadable, WildStamp
from kernel.journal import RULES_STREAM
from kernel.kafka.cluster import Cluster
from kernel.kafka.owner import refuse_foreign
from kernel.kafka.records import headers_of
from kernel.kafka.topics import brokers
from kernel.log import Headers, Outgoing
from kernel.partition import partition_of
from schemas.case.handling import SignCase
from schemas.envelope import Envelope
from schemas.topics import CASE_COMMANDS
from schemas.wire import TYPE_OF, encode
from services.router.processor import ROUTER_CASE
from tests.integration.town import PARTITIONS, Hamlet, Town

KEY = "YX-1"
HOME = partition_of(KEY, PARTITIONS)
AWAY = (HOME + 1) % PARTITIONS

pytestmark = pytest.mark.timeout(600)


class Written(NamedTuple):
    """A record as somebody writes it to `case.commands`, whatever it claims."""

    key: bytes | None = KEY.encode()
    value: bytes | None = None
    origin: str = "sla.clock/3"
    partition: int = HOME
    city: Callable[[Cluster], bytes] = lambda cluster: cluster.city
    headers: bool = True
    stamp: int | None = None


def command(**fields: Any) -> bytes:
    body = encode(
        Envelope(
            id="x", source="/gridcase/yunxi/sla.clock", type=TYPE_OF[SignCase], subject=KEY,
            time=datetime.now(UTC), data=SignCase(),
        )
    )  # fmt: skip
    return json.dumps(json.loads(body) | fields).encode()


AHEAD = int((datetime.now(UTC) + timedelta(hours=2)).timestamp() * 1000)
CASES: Mapping[str, tuple[Written, str]] = {
    "null key": (Written(key=None, value=command()), "no key"),
    "null value": (Written(), "no value"),
    "no header": (Written(value=command(), headers=False), "no header gridcase"),
    "wrong key": (
        Written(value=command(), partition=AWAY),
        "belongs to another partition",
    ),
    "unknown type": (Written(value=command(type="acme.Alarm.v1")), "acme.Alarm.v1"),
    "unknown version": (Written(value=command(type=TYPE_OF[SignCase][:-1] + "9")), "v9"),
    "half a message": (Written(value=command()[:70]), "a CloudEvent in JSON"),
    "5 MB": (Written(value=command(data={"x": "y" * 5_000_000})), "bytes, more than 2097152"),
    "forged origin": (Written(value=command(), origin="evil/0"), "the origin 'evil/0'"),
    "forged, it exists": (
        Written(value=command(), city=lambda _: b""),
        "without a header gridcase",
    ),
    "another city": (Written(value=command(), city=lambda _: b"x" * 16), "in another city's name"),
    "future stamp": (Written(value=command(), stamp=AHEAD), "more than five minutes ahead"),
}


async def write(cluster: Cluster, one: Written) -> int:
    producer = AIOKafkaProducer(**cluster.client("stranger"), max_request_size=8 * 1024 * 1024)
    await producer.start()
    try:
        facts = Outgoing("", 0, 1, 1, KEY, Headers(one.origin, 1), b"")
        record = await producer.send_and_wait(
            cluster.name(CASE_COMMANDS.name), one.value, key=one.key, partition=one.partition,
            headers=headers_of(facts, one.city(cluster)) if one.headers else None, timestamp_ms=one.stamp,
        )  # fmt: skip
        return record.offset
    finally:
        await producer.stop()


async def alter(cluster: Cluster, **settings: str) -> None:
    """What an administrator may do to a topic while workers run."""
    admin = AIOKafkaAdminClient(**cluster.client("test"))
    await admin.start()
    try:
        kind = ConfigResourceType.TOPIC
        await admin.alter_configs([ConfigResource(kind, cluster.name(CASE_COMMANDS.name), settings)])
    finally:
        await admin.close()


async def stopped_by(town: Town, one: Written) -> tuple[Fault, int]:
    """What ends a worker of router.case that comes upon a record, and the record's offset."""
    async with open_member(town.settings, "a", processors=[ROUTER_CASE]) as member:
        cluster = town.cluster.of(member.city.mark, PARTITIONS)
        offset = await write(cluster, one)
        with pytest.raises(ExceptionGroup) as caught:
            async with asyncio.timeout(60):
                await member.host.run(lambda: False)
        (fault,) = caught.value.exceptions
        journal = member.journals[ROUTER_CASE.name]
        rows = [row for number in range(PARTITIONS) async for row in journal.records(number)]
        assert [row for row in rows if not row.stream.startswith(RULES_STREAM)] == []
        assert [one async for one in journal.held()] == []
    assert isinstance(fault, Fault)
    return fault, offset


QUICK = ("null key", "wrong key", "unknown type", "forged, it exists")


@pytest.mark.parametrize(
    "names", [pytest.param(QUICK, id="quick"), pytest.param(tuple(CASES), id="all", marks=pytest.mark.soak)]
)
async def test_a_worker_stops_at_what_is_not_ours_and_says_so(
    postgres_url: str, kafka_bootstrap: str, names: Sequence[str]
) -> None:
    async with Hamlet(postgres_url, kafka_bootstrap) as town:
        for name in names:
            one, words = CASES[name]
            await renewed(town)
            if one.stamp:  # as an administrator may do while workers run
                far = {"message.timestamp.after.max.ms": str(1 << 40)}
                await alter(town.cluster, **{"message.timestamp.type": "CreateTime"}, **far)
            fault, offset = await stopped_by(town, one)
            assert isinstance(fault, WildStamp if one.stamp else InnerUnreadable), name
            assert f"case.commands/{one.partition} at offset {offset} " in str(fault), name
            assert words in str(fault), (name, str(fault))
            assert "\n" not in str(fault)


async def renewed(town: Town) -> None:
    """The topic anew; nobody has taken anything from it yet, so it is the same to its readers."""
    name = town.cluster.name(CASE_COMMANDS.name)
    admin = AIOKafkaAdminClient(**town.cluster.client("test"))
    await admin.start()
    try:
        await admin.delete_topics([name])
        while name in await admin.list_topics():  # noqa: ASYNC110 - a broker tells nobody
            await asyncio.sleep(0.05)
        more = {"max.message.bytes": str(8 << 20), "message.timestamp.after.max.ms": str(1 << 40)}
        settings = {"message.timestamp.type": "LogAppendTime", **more}
        await admin.create_topics([NewTopic(name, PARTITIONS, 1, topic_configs=settings)])
        while name not in await admin.list_topics():  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.05)
    finally:
        await admin.close()


async def topics_of(cluster: Cluster) -> Sequence[str]:
    async with brokers(cluster) as asked:
        return sorted(await asked.names())


async def test_topics_of_another_city_let_nothing_start_and_nothing_be_founded(
    postgres_url: str, kafka_bootstrap: str
) -> None:
    async with Hamlet(postgres_url, kafka_bootstrap) as town:
        assert town.city is not None
        own = town.cluster.of(town.city.mark, PARTITIONS)
        await refuse_foreign(own, town.city.code)
        names = set(await topics_of(town.cluster))
        for stranger in (own.of("ff" * 16, PARTITIONS), replace(town.cluster, partitions=PARTITIONS)):
            with pytest.raises(AnotherCity, match="another city of the same code yunxi") as caught:
                await refuse_foreign(stranger, town.city.code)
            assert "GRIDCASE_KAFKA_PREFIX" in str(caught.value)
            assert "\n" not in str(caught.value)
        assert set(await topics_of(town.cluster)) == names
