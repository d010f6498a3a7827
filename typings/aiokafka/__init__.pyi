# The parts of aiokafka that are used here, with their types: the package has none of its own.
# tests/unit/kernel/test_aiokafka_names.py compares every name and argument with what is installed.

import asyncio
from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Self

from aiokafka.client import AIOKafkaClient
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.structs import ConsumerRecord as ConsumerRecord
from aiokafka.structs import RecordMetadata
from aiokafka.structs import TopicPartition as TopicPartition

class ConsumerRebalanceListener:
    def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None: ...
    def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None: ...

class AIOKafkaConsumer:
    def __init__(
        self,
        *topics: str,
        bootstrap_servers: str = ...,
        client_id: str = ...,
        group_id: str | None = ...,
        group_instance_id: str | None = ...,
        request_timeout_ms: int = ...,
        metadata_max_age_ms: int = ...,
        session_timeout_ms: int = ...,
        rebalance_timeout_ms: int | None = ...,
        heartbeat_interval_ms: int = ...,
        partition_assignment_strategy: Sequence[Any] = ...,
        auto_offset_reset: str = ...,
        enable_auto_commit: bool = ...,
        fetch_max_wait_ms: int = ...,
        max_partition_fetch_bytes: int = ...,
        security_protocol: str = ...,
        ssl_context: Any = ...,
        sasl_mechanism: str = ...,
        sasl_plain_username: str | None = ...,
        sasl_plain_password: str | None = ...,
    ) -> None: ...
    async def start(self) -> None: ...
    async def stop(self) -> None: ...
    def subscribe(
        self,
        topics: Collection[str] = ...,
        pattern: str | None = ...,
        listener: ConsumerRebalanceListener = ...,
    ) -> None: ...
    def assign(self, partitions: Collection[TopicPartition]) -> None: ...
    def assignment(self) -> set[TopicPartition]: ...
    def partitions_for_topic(self, topic: str) -> set[int] | None: ...
    async def getmany(
        self, *partitions: TopicPartition, timeout_ms: int = ..., max_records: int | None = ...
    ) -> dict[TopicPartition, list[ConsumerRecord]]: ...
    async def getone(self, *partitions: TopicPartition) -> ConsumerRecord: ...
    def seek(self, partition: TopicPartition, offset: int) -> None: ...
    def pause(self, *partitions: TopicPartition) -> None: ...
    def resume(self, *partitions: TopicPartition) -> None: ...
    async def position(self, partition: TopicPartition) -> int: ...
    async def commit(self, offsets: Mapping[TopicPartition, int] | None = ...) -> None: ...
    async def committed(self, partition: TopicPartition) -> int | None: ...
    async def end_offsets(self, partitions: Collection[TopicPartition]) -> dict[TopicPartition, int]: ...
    async def beginning_offsets(
        self, partitions: Collection[TopicPartition]
    ) -> dict[TopicPartition, int]: ...
    async def __aenter__(self) -> Self: ...
    async def __aexit__(self, *facts: object) -> None: ...

class AIOKafkaProducer:
    client: AIOKafkaClient
    def __init__(
        self,
        *,
        bootstrap_servers: str = ...,
        client_id: str = ...,
        request_timeout_ms: int = ...,
        metadata_max_age_ms: int = ...,
        acks: int | str = ...,
        enable_idempotence: bool = ...,
        transactional_id: str | None = ...,
        compression_type: str | None = ...,
        max_request_size: int = ...,
        max_batch_size: int = ...,
        security_protocol: str = ...,
        ssl_context: Any = ...,
        sasl_mechanism: str = ...,
        sasl_plain_username: str | None = ...,
        sasl_plain_password: str | None = ...,
    ) -> None: ...
    async def start(self) -> None: ...
    async def stop(self) -> None: ...
    def create_batch(self) -> BatchBuilder: ...
    def transaction(self) -> AbstractAsyncContextManager[object]: ...
    async def send_batch(
        self, batch: BatchBuilder, topic: str, *, partition: int
    ) -> asyncio.Future[RecordMetadata]: ...
    async def send(
        self,
        topic: str,
        value: bytes | None = ...,
        key: bytes | None = ...,
        partition: int | None = ...,
        timestamp_ms: int | None = ...,
        headers: Sequence[tuple[str, bytes]] | None = ...,
    ) -> asyncio.Future[RecordMetadata]: ...
    async def send_and_wait(
        self,
        topic: str,
        value: bytes | None = ...,
        key: bytes | None = ...,
        partition: int | None = ...,
        timestamp_ms: int | None = ...,
        headers: Sequence[tuple[str, bytes]] | None = ...,
    ) -> RecordMetadata: ...
    async def __aenter__(self) -> Self: ...
    async def __aexit__(self, *facts: object) -> None: ...
