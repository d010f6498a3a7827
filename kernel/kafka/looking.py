"""What lies in the topics, apart from any delivery: one record at its offset, first and last offsets."""

import asyncio
from collections.abc import Collection, Mapping
from typing import Any, Final

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import (
    KafkaError,
    LeaderNotAvailableError,
    NoError,
    OffsetOutOfRangeError,
    UnknownTopicOrPartitionError,
    for_code,
)
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.protocol.offset import OffsetRequest
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.structs import TopicPartition

from kernel.kafka.cluster import ANSWER_SECONDS, Cluster, NoAnswer, TopicMissing
from kernel.kafka.records import Read, Record, message_of
from kernel.log import Message, Span, Target

_FIRST: Final = -2
_END: Final = -1
_UNCOMMITTED: Final = 0
_RETRY_SECONDS: Final = 0.1
_LEAST_BYTES: Final = 1
"""The brokers give whole batches, so the least that is more than nothing is the one batch at the offset."""


class Looker:
    """Asks the brokers themselves. A moved leader is asked again; all else is an exception."""

    def __init__(self, cluster: Cluster, who: str, read: Read = message_of) -> None:
        self._cluster = cluster
        self._read = read
        self._who = f"{who}-looker"
        self._client: AIOKafkaClient | None = None
        self._topics: set[str] = set()

    async def look(self, topic: str, partition: int, offset: int) -> Message | None:
        """The record at exactly this offset, or nothing."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await self._look(topic, partition, offset)
        except TimeoutError as error:
            raise NoAnswer(self._cluster.bootstrap) from error

    async def numbers(self, topic: str) -> Collection[int]:
        """The partitions that the topic has."""
        name = self._cluster.name(topic)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                client = await self._knowing({name})
        except TimeoutError as error:
            raise NoAnswer(self._cluster.bootstrap) from error
        return sorted(client.cluster.partitions_for_topic(name) or ())

    async def following(self, topic: str, partition: int, offset: int) -> int:
        """The offset of the first record at or above this one, or the end: transactions leave marks."""
        tp = TopicPartition(self._cluster.name(topic), partition)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                while True:
                    highwater, held = await self._fetch(await self._knowing({tp.topic}), tp, offset)
                    if held is None:
                        return min(highwater, offset)
                    first, behind = _first(offset, held)
                    if first is not None:
                        return first.offset
                    offset = behind
        except TimeoutError as error:
            raise NoAnswer(self._cluster.bootstrap) from error

    async def spans(self, targets: Collection[Target]) -> Mapping[Target, Span]:
        """First and end offset of each target; the end is asked for last."""
        if not targets:
            return {}
        parts = {
            TopicPartition(self._cluster.name(topic), number): (topic, number) for topic, number in targets
        }
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await self._spans(parts)
        except TimeoutError as error:
            raise NoAnswer(self._cluster.bootstrap) from error

    async def close(self) -> None:
        """Close the connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def _look(self, topic: str, partition: int, offset: int) -> Message | None:
        tp = TopicPartition(self._cluster.name(topic), partition)
        while True:
            client = await self._knowing({tp.topic})
            highwater, held = await self._fetch(client, tp, offset)
            if held is not None:
                first, _ = _first(offset, held)
                if first is None or first.offset != offset:
                    return None
                return self._read(self._cluster, topic, partition, first)
            if offset >= highwater:
                return None

    async def _spans(self, parts: Mapping[TopicPartition, Target]) -> Mapping[Target, Span]:
        while True:
            client = await self._knowing({tp.topic for tp in parts})
            try:
                first = await _offsets(client, parts, _FIRST)
                end = await _offsets(client, parts, _END)
            except KafkaError as error:
                await _again(client, error)
            else:
                return {target: Span(first[tp], end[tp]) for tp, target in parts.items()}

    async def _fetch(
        self, client: AIOKafkaClient, tp: TopicPartition, offset: int
    ) -> tuple[int, bytes | None]:
        """The end of what may be read, and the batch at the offset if there is one."""
        wanted = [(tp.topic, [(tp.partition, offset, _LEAST_BYTES)])]
        try:
            answer = await client.send(_leader(client, tp), FetchRequest(0, 0, 1 << 20, _UNCOMMITTED, wanted))
            ((_, ((_, code, highwater, *facts),)),) = answer.topics
            if for_code(code) is OffsetOutOfRangeError:
                return offset, None
            _raise(code, tp)
        except KafkaError as error:
            await _again(client, error)
            return offset + 1, None
        return highwater, facts[-1] or None

    async def _knowing(self, topics: Collection[str]) -> AIOKafkaClient:
        """The client, once it has heard of these topics."""
        client = self._client or await self._connect()
        if not self._topics.issuperset(topics):
            self._topics |= set(topics)
            client.set_topics(self._topics)
            await client.force_metadata_update()
        for topic in topics:
            if client.cluster.partitions_for_topic(topic) is None:
                self._topics.discard(topic)  # asked for anew the next time
                raise TopicMissing(topic)
        return client

    async def _connect(self) -> AIOKafkaClient:
        client = AIOKafkaClient(**self._cluster.client(self._who))
        try:
            await client.bootstrap()
        except BaseException:
            await client.close()
            raise
        self._client, self._topics = client, set()
        return client


async def _offsets(
    client: AIOKafkaClient, parts: Collection[TopicPartition], which: int
) -> dict[TopicPartition, int]:
    """The first offset or the end of each partition, each from its leader."""
    by_leader: dict[int, dict[str, list[tuple[int, int]]]] = {}
    for tp in parts:
        by_leader.setdefault(_leader(client, tp), {}).setdefault(tp.topic, []).append((tp.partition, which))
    answers: list[Any] = await asyncio.gather(
        *(
            client.send(node, OffsetRequest(-1, _UNCOMMITTED, list(topics.items())))
            for node, topics in by_leader.items()
        )
    )
    found: dict[TopicPartition, int] = {}
    for answer in answers:
        for topic, partitions in answer.topics:
            for partition, code, _, offset, *_ in partitions:
                tp = TopicPartition(topic, partition)
                _raise(code, tp)
                found[tp] = offset
    return found


def _leader(client: AIOKafkaClient, tp: TopicPartition) -> int:
    node = client.cluster.leader_for_partition(tp)
    if node is None:
        raise UnknownTopicOrPartitionError(tp)
    if node == -1:
        raise LeaderNotAvailableError(tp)
    return node


def _raise(code: int, tp: TopicPartition) -> None:
    error = for_code(code)
    if error is not NoError:
        raise error(tp)


async def _again(client: AIOKafkaClient, error: KafkaError) -> None:
    """Learn who leads now and let some time pass, if that may help."""
    if not error.retriable:
        raise error
    await asyncio.sleep(_RETRY_SECONDS)
    await client.force_metadata_update()


def _first(offset: int, held: bytes) -> tuple[Record | None, int]:
    """The first record at or above the offset, and the offset behind all that is held."""
    batches, behind = MemoryRecords(held), offset + 1
    while batches.has_next():
        batch = batches.next_batch()
        behind = max(behind, batch.next_offset)
        if batch.is_control_batch:
            continue
        for record in batch:
            if record.offset >= offset:
                return record, behind
    return None, behind
