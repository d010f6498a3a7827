"""The port to the topics, on Apache Kafka: a delivery that fetches, a publisher that sends, a looker."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from kernel.kafka.looking import Looker
from kernel.kafka.publishing import Publisher
from kernel.log import Message, Outgoing, Span, Target


class Delivery(Protocol):
    """Who fetches, as one member of the processor's group. Each client library does it in its own way.

    The methods are those of the port `Log`.
    """

    def assigned(self) -> frozenset[int]: ...
    async def fetch(self, limit: int) -> Sequence[Message]: ...
    async def seek(self, partition: int, offsets: Mapping[str, int]) -> None: ...
    def positions(self, partition: int) -> Mapping[str, int]: ...

    async def close(self, *, leave: bool = True) -> None:
        """Stop fetching. Who leaves hands on at once; who only goes is waited for until the session ends."""
        ...


class KafkaLog:
    """One worker's view of the topics. Every part connects when first needed, and again after a failure."""

    def __init__(self, delivery: Delivery, publisher: Publisher, looker: Looker) -> None:
        self.delivery = delivery
        self._publisher = publisher
        self._looker = looker

    def assigned(self) -> frozenset[int]:
        """See the port."""
        return self.delivery.assigned()

    async def fetch(self, limit: int) -> Sequence[Message]:
        """See the port."""
        return await self.delivery.fetch(limit)

    async def seek(self, partition: int, offsets: Mapping[str, int]) -> None:
        """See the port."""
        await self.delivery.seek(partition, offsets)

    def positions(self, partition: int) -> Mapping[str, int]:
        """See the port."""
        return self.delivery.positions(partition)

    async def look(self, topic: str, partition: int, offset: int) -> Message | None:
        """See the port; a topic that is not there is an exception."""
        return await self._looker.look(topic, partition, offset)

    async def following(self, topic: str, partition: int, offset: int) -> int:
        """The offset of the first record at or above this one, or the end."""
        return await self._looker.following(topic, partition, offset)

    async def spans(self, targets: Collection[Target]) -> Mapping[Target, Span]:
        """See the port; a topic that is not there is an exception."""
        return await self._looker.spans(targets)

    async def publish(self, batches: Mapping[Target, Sequence[Outgoing]]) -> Mapping[Target, int]:
        """See the port."""
        return await self._publisher.publish(batches)

    def drift(self) -> float:
        """See the port."""
        return self._publisher.drift

    async def close(self, *, leave: bool = True) -> None:
        """Leave the group, let what is on its way arrive, and close all connections."""
        await asyncio.gather(self.delivery.close(leave=leave), self._publisher.close(), self._looker.close())
