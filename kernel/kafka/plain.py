"""Delivery by plain aiokafka: the twin that tells Faust's faults from ours."""

import asyncio
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Final

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError, NoOffsetForPartitionError, OffsetOutOfRangeError

from kernel.errors import Fault
from kernel.kafka.cluster import Cluster, TopicMissing
from kernel.kafka.records import in_order_of_stamps, message_of
from kernel.kafka.sharing import ByNumber
from kernel.log import Message

SESSION_SECONDS: Final = 6.0
"""After how long a silent worker's partitions go to the others."""

_HEARTBEAT_SECONDS: Final = 1.5
_FIGURE_SECONDS: Final = 5.0
_CLOSE_SECONDS: Final = 5.0


class PlainDelivery(ConsumerRebalanceListener):
    """One member of a processor's group, known to it by the name `worker`, which must be its own alone.

    Positions are kept here, not in the group: what a rebalance takes away and gives back goes on where it
    was. A partition that nobody has sought yet is paused. The group's offsets are figures for dashboards.
    """

    def __init__(
        self,
        cluster: Cluster,
        topics: Sequence[str],
        *,
        group: str,
        worker: str,
        tick_seconds: float,
        assignor: ByNumber | None = None,
    ) -> None:
        self._cluster = cluster
        self._topics = {cluster.name(topic): topic for topic in topics}
        self._group = cluster.name(group)
        self._worker = worker
        self._tick_seconds = tick_seconds
        self._assignor = assignor or ByNumber(worker)
        self._consumer: AIOKafkaConsumer | None = None
        self._joined = False
        self._own: frozenset[int] = frozenset()
        self._positions: dict[int, dict[str, int]] = {}
        self._figure: asyncio.Task[None] | None = None
        self._figured = time.monotonic()
        self._closing: set[asyncio.Task[None]] = set()

    # The port.

    def assigned(self) -> frozenset[int]:
        """See the port. While the group rebalances it is what it was before."""
        return self._own

    async def fetch(self, limit: int) -> Sequence[Message]:
        """See the port. After any failure the next call joins the group anew."""
        if not self._topics:
            await asyncio.sleep(self._tick_seconds)
            return ()
        try:
            consumer = self._consumer or await self._join()
            self._show_figures(consumer)
            return await self._take(consumer, limit)
        except (OffsetOutOfRangeError, NoOffsetForPartitionError):
            return ()  # the idle tick finds the same in the spans, and says in words what is lost
        except (Fault, TopicMissing):
            raise
        except Exception:
            await self._part(leave=False)
            raise

    async def seek(self, partition: int, offsets: Mapping[str, int]) -> None:
        """See the port."""
        self._positions.setdefault(partition, {}).update(offsets)
        if self._consumer is not None:
            self._place(self._consumer, [tp for tp in self._parts() if tp.partition == partition])

    def positions(self, partition: int) -> Mapping[str, int]:
        """See the port."""
        return dict(self._positions.get(partition, {})) if partition in self._own else {}

    async def close(self, *, leave: bool = True) -> None:
        """See `Delivery`."""
        await self._part(leave=leave)

    # Fetching.

    async def _take(self, consumer: AIOKafkaConsumer, limit: int) -> Sequence[Message]:
        """A rebalance makes aiokafka wait for its end; a tick goes by all the same."""
        found: Mapping[TopicPartition, Sequence[ConsumerRecord]] = {}
        with suppress(TimeoutError):
            async with asyncio.timeout(self._tick_seconds + 0.1):
                found = await consumer.getmany(timeout_ms=int(self._tick_seconds * 1000), max_records=limit)
        if not found:
            self._miss_topics(consumer)
            await self._see_positions(consumer)
            return ()
        runs: list[list[Message]] = []
        for (name, partition), records in found.items():
            topic = self._topics[name]
            runs.append([message_of(topic, partition, record) for record in records])
            self._positions[partition][topic] = runs[-1][-1].offset + 1
        return in_order_of_stamps(runs)

    def _miss_topics(self, consumer: AIOKafkaConsumer) -> None:
        """A topic that is not there is given to nobody, and idleness would be all that is seen of it."""
        if self._joined:
            for name in self._topics:
                if consumer.partitions_for_topic(name) is None:
                    raise TopicMissing(name)

    async def _see_positions(self, consumer: AIOKafkaConsumer) -> None:
        """Where the client really stands, should it have gone past records that it did not give."""
        for tp in self._parts():
            place = self._positions.get(tp.partition, {})
            topic = self._topics[tp.topic]
            if topic in place:
                place[topic] = await consumer.position(tp)

    # The group.

    async def _join(self) -> AIOKafkaConsumer:
        tick = int(self._tick_seconds * 1000)
        consumer = AIOKafkaConsumer(
            **self._cluster.client(self._worker),
            group_id=self._group,
            group_instance_id=self._worker,
            session_timeout_ms=int(SESSION_SECONDS * 1000),
            rebalance_timeout_ms=int(SESSION_SECONDS * 1000),
            heartbeat_interval_ms=int(_HEARTBEAT_SECONDS * 1000),
            partition_assignment_strategy=[self._assignor],
            auto_offset_reset="none",
            enable_auto_commit=False,
            fetch_max_wait_ms=tick,
            max_partition_fetch_bytes=1 << 20,
        )
        try:
            await consumer.start()
        except BaseException:
            await consumer.stop()
            raise
        self._consumer = consumer
        consumer.subscribe(list(self._topics), listener=self)
        return consumer

    def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """Nothing yet: a batch may be on its way, and who loses what is known only at the end."""

    def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """Note what is owned from now on. Only local flags are set: a batch may be on its way."""
        self._joined = True
        held = set(assigned)
        numbers = {tp.partition for tp in held}
        self._own = frozenset(
            number for number in numbers if all(TopicPartition(name, number) in held for name in self._topics)
        )
        if self._consumer is not None:
            self._place(self._consumer, held)

    def _parts(self) -> set[TopicPartition]:
        """The partitions of topics that the client holds for numbers of which we own all."""
        held = self._consumer.assignment() if self._consumer is not None else set[TopicPartition]()
        return {tp for tp in held if tp.partition in self._own}

    def _place(self, consumer: AIOKafkaConsumer, parts: Iterable[TopicPartition]) -> None:
        """Put the client where we stand; what nobody has sought is paused, at an offset never read."""
        for tp in parts:
            offset = self._positions.get(tp.partition, {}).get(self._topics[tp.topic])
            consumer.seek(tp, offset or 0)
            if offset is None or tp.partition not in self._own:
                consumer.pause(tp)
            else:
                consumer.resume(tp)

    async def _part(self, *, leave: bool) -> None:
        """Close the client; if it cannot end in time it goes on ending beside us."""
        consumer, self._consumer, self._joined = self._consumer, None, False
        if self._figure is not None:
            self._figure.cancel()
            self._figure = None
        if consumer is None:
            return
        if leave:
            _let_go(consumer)
        task = asyncio.create_task(consumer.stop())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
        await asyncio.wait({task}, timeout=_CLOSE_SECONDS)

    # Figures for dashboards.

    def _show_figures(self, consumer: AIOKafkaConsumer) -> None:
        """Tell the group now and then how far we are; nothing depends on it."""
        now = time.monotonic()
        if now - self._figured < _FIGURE_SECONDS or (self._figure and not self._figure.done()):
            return
        self._figured = now
        offsets = {
            tp: place[self._topics[tp.topic]]
            for tp in self._parts()
            if self._topics[tp.topic] in (place := self._positions.get(tp.partition, {}))
        }
        if offsets:
            self._figure = asyncio.create_task(self._tell(consumer, offsets))

    async def _tell(self, consumer: AIOKafkaConsumer, offsets: Mapping[TopicPartition, int]) -> None:
        with suppress(KafkaError, IllegalStateError):
            await consumer.commit(dict(offsets))


def _let_go(consumer: AIOKafkaConsumer) -> None:
    """A member with a name of its own leaves only when its session ends, unless it forgets its name."""
    coordinator = vars(consumer)["_coordinator"]
    if coordinator is not None:
        vars(coordinator)["_group_instance_id"] = None
