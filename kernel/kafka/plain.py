"""Delivery by plain aiokafka: the twin that tells Faust's faults from ours."""

import asyncio
from collections.abc import Collection, Mapping, Sequence

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import NoOffsetForPartitionError, OffsetOutOfRangeError

from kernel.errors import Fault
from kernel.kafka.cluster import TopicMissing
from kernel.kafka.group import CLOSE_SECONDS, Figures, Membership, Rivals, let_go, member_of
from kernel.kafka.standing import Standing
from kernel.log import Message


class PlainDelivery(ConsumerRebalanceListener):
    """One member of a processor's group."""

    def __init__(
        self,
        membership: Membership,
        topics: Sequence[str],
    ) -> None:
        self._standing = Standing(membership, topics)
        self._membership = membership
        self._consumer: AIOKafkaConsumer | None = None
        self._figures = Figures()
        self._rivals = Rivals(membership)
        self._astray: Exception | None = None
        self._closing: set[asyncio.Task[None]] = set()

    # The port.

    def assigned(self) -> frozenset[int]:
        """See the port. While the group rebalances it is what it was before."""
        return self._standing.own

    async def fetch(self, limit: int) -> Sequence[Message]:
        """See the port. After any failure the next call joins the group anew."""
        standing = self._standing
        if not standing.topics:
            await asyncio.sleep(standing.tick_seconds)
            return ()
        try:
            consumer = self._consumer or await self._join()
            self._rivals.see(consumer, member_of(consumer))
            self._mind()
            self._figures.tell(standing.offsets, consumer.commit)
            return standing.read(await standing.take(consumer, limit))
        except (OffsetOutOfRangeError, NoOffsetForPartitionError):
            return ()  # the idle tick finds the same in the spans, and says in words what is lost
        except (Fault, TopicMissing):
            raise
        except Exception:
            await self._part(leave=False)
            raise

    async def seek(self, partition: int, offsets: Mapping[str, int]) -> None:
        """See the port."""
        self._standing.seek(partition, offsets)
        if self._consumer is not None:
            held = self._consumer.assignment()
            self._standing.place(self._consumer, [tp for tp in held if tp.partition == partition])

    def positions(self, partition: int) -> Mapping[str, int]:
        """See the port."""
        return self._standing.positions(partition)

    async def close(self, *, leave: bool = True) -> None:
        """See `Delivery`."""
        await self._part(leave=leave)

    # The group.

    async def _join(self) -> AIOKafkaConsumer:
        consumer = AIOKafkaConsumer(**self._membership.client())
        try:
            await consumer.start()
        except BaseException:
            await consumer.stop()
            raise
        self._consumer = consumer
        consumer.subscribe(list(self._standing.topics), listener=self)
        return consumer

    def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """Nothing yet: a batch may be on its way, and who loses what is known only at the end."""

    def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """Note what is owned from now on. Only local flags are set: a batch may be on its way."""
        try:
            self._standing.assign(assigned)
            if self._consumer is not None:
                self._standing.place(self._consumer, assigned)
        except Exception as error:  # noqa: BLE001 - aiokafka would only log it, and we own nothing that we know
            self._astray = error

    def _mind(self) -> None:
        if self._astray is not None:
            raise self._astray

    async def _part(self, *, leave: bool) -> None:
        """Close the client; if it cannot end in time it goes on ending beside us."""
        consumer, self._consumer, self._standing.joined = self._consumer, None, False
        self._astray = None
        self._figures.stop()
        if consumer is None:
            return
        if leave:
            let_go(consumer)
        task = asyncio.create_task(consumer.stop())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
        await asyncio.wait({task}, timeout=CLOSE_SECONDS)
