"""The log on Kafka when brokers are gone, frozen or refuse: no hole, no other order, others go on."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Callable, Sequence

import pytest
from aiokafka.errors import KafkaError

from kernel.kafka import publishing
from kernel.kafka.cluster import Cluster, NoAnswer
from kernel.kafka.log import KafkaLog
from kernel.log import Outgoing, Span
from kernel.settings import DeliveryKind
from tests.contract.cabinet import IN_TURN, PARTITIONS, Cabinet, owning
from tests.contract.test_log import RULES, WORK, outgoing
from tests.kafka import KafkaServer

ALL = frozenset(range(PARTITIONS))
OwnKafka = Callable[..., KafkaServer]
by_each_delivery = pytest.mark.parametrize("delivery", IN_TURN)


@pytest.fixture
async def cabinet(kafka_bootstrap: str) -> AsyncIterator[Cabinet]:
    async with Cabinet(kafka_bootstrap) as opened:
        yield opened


def batch(first: int, last: int) -> list[Outgoing]:
    return [outgoing(k) for k in range(first, last + 1)]


async def numbers(log: KafkaLog, partition: int = 0) -> list[int]:
    """The k of every record of one partition, one look after the other."""
    end = (await log.spans([(WORK.name, partition)]))[WORK.name, partition].end
    found = [await log.look(WORK.name, partition, offset) for offset in range(end)]
    return [record.headers.k if record else 0 for record in found]


async def publish_all(log: KafkaLog, queue: Sequence[Outgoing], topic: str = WORK.name) -> None:
    """Publish as a worker does, from the first one not acknowledged on."""
    async with asyncio.timeout(30):
        while queue:
            counts = await log.publish({(topic, 0): queue})
            queue = queue[counts[topic, 0] :]
            await asyncio.sleep(0.05)


async def fetched(log: KafkaLog, count: int) -> list[int]:
    """The k of the records that are fetched, until there are so many."""
    found: list[int] = []
    async with asyncio.timeout(30):
        while len(found) < count:
            found += [message.headers.k for message in await log.fetch(10)]
    return found


# Targets that fail.


async def test_a_topic_that_is_not_there_stops_only_itself(cabinet: Cabinet) -> None:
    log = cabinet.log(())
    batches = {(WORK.name, 0): batch(1, 3), ("contract.gone", 0): batch(1, 2), (WORK.name, 1): batch(1, 1)}
    assert await log.publish(batches) == {(WORK.name, 0): 3, ("contract.gone", 0): 0, (WORK.name, 1): 1}
    began = time.monotonic()
    assert await log.publish({(WORK.name, 0): batch(4, 4), ("contract.gone", 0): batch(1, 2)}) == {
        (WORK.name, 0): 1,
        ("contract.gone", 0): 0,
    }
    assert time.monotonic() - began < 1, "a target that failed is left alone for a while"
    await cabinet.create("contract.gone")
    await publish_all(log, batch(1, 2), "contract.gone")
    assert await numbers(log) == [1, 2, 3, 4]


async def test_a_partition_that_is_not_there_stops_only_itself(cabinet: Cabinet) -> None:
    log = cabinet.log(())
    beyond = {(WORK.name, PARTITIONS): batch(1, 1), (WORK.name, 0): batch(1, 1)}
    assert await log.publish(beyond) == {(WORK.name, PARTITIONS): 0, (WORK.name, 0): 1}


async def test_a_message_that_is_too_large_stops_its_target_and_not_for_ever(cabinet: Cabinet) -> None:
    """A batch that was refused has used up numbers of the producer: without a new one nothing follows it."""
    log = cabinet.log(())
    huge = outgoing(2, body=b"x" * 3_000_000)
    batches = {(WORK.name, 0): batch(1, 1), (WORK.name, 1): batch(1, 1)}
    assert await log.publish(batches) == dict.fromkeys(batches, 1)
    batches = {(WORK.name, 0): [huge], (WORK.name, 1): batch(2, 2)}
    assert await log.publish(batches) == {(WORK.name, 0): 0, (WORK.name, 1): 1}
    await publish_all(log, batch(2, 5))
    assert await numbers(log) == [1, 2, 3, 4, 5]
    assert await numbers(log, 1) == [1, 2]


async def test_more_than_one_batch_holds_arrives_in_order(cabinet: Cabinet) -> None:
    log = cabinet.log(())
    queue = [outgoing(k, body=b"x" * 200_000) for k in range(1, 21)]
    assert await log.publish({(WORK.name, 0): queue}) == {(WORK.name, 0): 20}
    assert await numbers(log) == list(range(1, 21))


async def test_a_message_larger_than_a_batch_passes_alone(cabinet: Cabinet) -> None:
    log = cabinet.log(())
    assert await log.publish({(WORK.name, 0): [outgoing(1, body=b"x" * 900_000)]}) == {(WORK.name, 0): 1}


# Brokers that are silent.


async def test_a_frozen_broker_gets_each_message_once(
    own_kafka: OwnKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What did not answer in time stays in flight and is asked for again, not sent again."""
    monkeypatch.setattr(publishing, "_ANSWER_SECONDS", 0.5)
    server = own_kafka().start()
    async with Cabinet(server.bootstrap) as cabinet:
        log = cabinet.log(())
        await publish_all(log, batch(1, 3))
        with server.frozen():
            assert await log.publish({(WORK.name, 0): batch(4, 6)}) == {(WORK.name, 0): 0}
            began = time.monotonic()
            assert await log.publish({(WORK.name, 0): batch(4, 8)}) == {(WORK.name, 0): 0}
            assert time.monotonic() - began < 0.2, "one that is late is looked at, not waited for"
        await publish_all(log, batch(4, 8))
        assert await numbers(log) == [1, 2, 3, 4, 5, 6, 7, 8]
        assert abs(log.drift()) < 0.5


async def test_after_a_claim_what_was_in_flight_counts_only_if_it_is_the_same(
    own_kafka: OwnKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The queue begins elsewhere: nothing may be taken for acknowledged, so some come twice, in order."""
    monkeypatch.setattr(publishing, "_ANSWER_SECONDS", 0.5)
    server = own_kafka().start()
    async with Cabinet(server.bootstrap) as cabinet:
        log = cabinet.log(())
        await publish_all(log, batch(1, 3))
        with server.frozen():
            assert await log.publish({(WORK.name, 0): batch(4, 6)}) == {(WORK.name, 0): 0}
        await publish_all(log, batch(3, 7))
        assert await numbers(log) == [1, 2, 3, 4, 5, 6, 3, 4, 5, 6, 7]


@by_each_delivery
async def test_a_broker_that_is_killed_and_comes_back_loses_nothing(
    own_kafka: OwnKafka, delivery: DeliveryKind
) -> None:
    """Reading, looking and publishing fail or are silent meanwhile, and go on by themselves."""
    server = own_kafka().start()
    async with Cabinet(server.bootstrap, delivery) as cabinet:
        log, reader = cabinet.log((), worker="sender"), cabinet.log(worker="reader")
        await owning(reader, ALL)
        for partition in ALL:
            await reader.seek(partition, {WORK.name: 0, RULES.name: 0})
        await publish_all(log, batch(1, 3))
        assert await fetched(reader, 3) == [1, 2, 3]
        assert await numbers(reader) == [1, 2, 3]
        server.stop(signal.SIGKILL)
        assert await log.publish({(WORK.name, 0): batch(4, 5)}) == {(WORK.name, 0): 0}
        with pytest.raises(NoAnswer, match="found silence"):
            await reader.spans([(WORK.name, 0)])
        assert await reader.fetch(10) == ()
        server.start()
        await publish_all(log, batch(4, 6))
        assert await fetched(reader, 3) == [4, 5, 6]
        assert reader.assigned() == ALL
        assert await log.spans([(WORK.name, 0)]) == {(WORK.name, 0): Span(0, 6)}


@by_each_delivery
async def test_a_log_without_a_broker_fails_in_words_and_closes(
    unused_tcp_port: int, delivery: DeliveryKind
) -> None:
    cabinet = Cabinet(f"127.0.0.1:{unused_tcp_port}", delivery)
    log = cabinet.log()
    for call in (log.fetch(1), log.publish({(WORK.name, 0): batch(1, 1)}), log.spans([(WORK.name, 0)])):
        with pytest.raises(KafkaError, match=str(unused_tcp_port)):
            await call
    async with asyncio.timeout(2):
        await log.close()


@by_each_delivery
async def test_a_worker_closes_though_the_broker_is_silent(
    own_kafka: OwnKafka, delivery: DeliveryKind
) -> None:
    server = own_kafka().start()
    async with Cabinet(server.bootstrap, delivery) as cabinet:
        log = cabinet.log()
        await owning(log, ALL)
        await publish_all(log, batch(1, 1))
        with server.frozen():
            began = time.monotonic()
            await log.close()
            assert time.monotonic() - began < 12


@by_each_delivery
async def test_the_secure_listener_serves_all_three_parts(
    own_kafka: OwnKafka, delivery: DeliveryKind
) -> None:
    server = own_kafka().start()
    async with Cabinet(server.bootstrap, delivery) as cabinet:
        access = server.secure()
        cabinet.cluster = Cluster(access.pop("bootstrap_servers"), cabinet.cluster.prefix, access)
        log = cabinet.log()
        await owning(log, ALL)
        await log.seek(0, {WORK.name: 0, RULES.name: 0})
        await publish_all(log, batch(1, 2))
        assert await fetched(log, 2) == [1, 2]
        assert await numbers(log) == [1, 2]
