"""The broker of the tests is a real one: it keeps what it took through kill -9, and knows who may come in."""

import asyncio
import signal
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    KafkaConnectionError,
    UnknownTopicOrPartitionError,
)

from tests.kafka import KafkaServer

OwnKafka = Callable[..., KafkaServer]


async def make_topic(bootstrap: str) -> str:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    topic = f"broker.{uuid.uuid4().hex[:8]}"
    try:
        said: Any = await admin.create_topics([NewTopic(topic, 1, 1)])
        assert [error for _, error, *_ in said.topic_errors] == [0]
    finally:
        await admin.close()
    return topic


async def send(topic: str, value: bytes, **client: Any) -> None:
    producer = AIOKafkaProducer(enable_idempotence=True, request_timeout_ms=2000, **client)
    try:
        await producer.start()
        await producer.send_and_wait(topic, value, partition=0)
    finally:
        await producer.stop()


async def values(bootstrap: str, topic: str, count: int) -> list[bytes]:
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    async with consumer:
        return [(await asyncio.wait_for(consumer.getone(), 10)).value or b"" for _ in range(count)]


async def test_a_topic_is_made_by_hand_only(kafka_bootstrap: str) -> None:
    with pytest.raises(UnknownTopicOrPartitionError):
        await send("never.made", b"1", bootstrap_servers=kafka_bootstrap)


async def test_what_was_acknowledged_outlives_kill_9(own_kafka: OwnKafka) -> None:
    server = own_kafka().start()
    topic = await make_topic(server.bootstrap)
    await send(topic, b"before", bootstrap_servers=server.bootstrap)
    server.restart(signal.SIGKILL)
    await send(topic, b"after", bootstrap_servers=server.bootstrap)
    server.restart()
    assert await values(server.bootstrap, topic, 2) == [b"before", b"after"]


async def test_a_frozen_broker_answers_when_it_goes_on(own_kafka: OwnKafka) -> None:
    server = own_kafka().start()
    topic = await make_topic(server.bootstrap)
    async with AIOKafkaProducer(bootstrap_servers=server.bootstrap, enable_idempotence=True) as producer:
        await producer.send_and_wait(topic, b"1", partition=0)
        with server.frozen():
            sent = await producer.send(topic, b"2", partition=0)
            await asyncio.sleep(1)
            assert not sent.done()
        assert (await asyncio.wait_for(sent, 10)).offset == 1


async def test_the_secure_listener_knows_names_passwords_and_rights(own_kafka: OwnKafka) -> None:
    server = own_kafka().start()
    topic = await make_topic(server.bootstrap)
    await send(topic, b"1", **server.secure())
    assert await values(server.bootstrap, topic, 1) == [b"1"]
    with pytest.raises(ClusterAuthorizationFailedError):
        await send(topic, b"2", **server.secure("guest"))
    with pytest.raises(KafkaConnectionError):
        await send(topic, b"3", **server.secure(password="wrong"))
    assert await values(server.bootstrap, topic, 1) == [b"1"]
