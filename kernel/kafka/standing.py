"""Where a member of a group stands: which partitions it owns and at which offset it reads on."""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from kernel.kafka.cluster import TopicMissing
from kernel.kafka.group import Membership
from kernel.kafka.records import Record, in_order_of_stamps
from kernel.log import Message
from kernel.pace import Rest

_GRACE_SECONDS: Final = 0.1
_GATHER_MILLISECONDS: Final = 20
"""How long more is waited for once something is there: the client asks for the next only when what it has is
taken, so that at first it gives the few messages that came right after the last time."""


class Standing:
    """Positions are kept here, not in the group: what a rebalance takes away and gives back goes on where it
    was. A partition that nobody has sought yet is paused. The group's offsets are figures for dashboards.

    Topics in `singles` have partition 0 only, which nobody needs to own of them in order to own the number.
    """

    def __init__(self, membership: Membership, topics: Sequence[str]) -> None:
        cluster = self._cluster = membership.cluster
        self._read = membership.read
        self._whole = [cluster.name(topic) for topic in topics if topic not in membership.singles]
        self.topics = {cluster.name(topic): topic for topic in topics}
        self.tick_seconds = membership.tick_seconds
        self.own: frozenset[int] = frozenset()
        self.joined = False
        self._rest = Rest(membership.tick_seconds)
        self._moved = membership.moved
        self._positions: dict[int, dict[str, int]] = {}

    # What the worker says and asks.

    def seek(self, partition: int, offsets: Mapping[str, int]) -> None:
        """Read on at these offsets."""
        self._positions.setdefault(partition, {}).update(offsets)

    def positions(self, partition: int) -> Mapping[str, int]:
        """Where it is read on, topic by topic; empty if the partition is not owned."""
        return dict(self._positions.get(partition, {})) if partition in self.own else {}

    # What the group says.

    def assign(self, assigned: Collection[TopicPartition]) -> None:
        """Own the numbers that are held of every topic."""
        held = set(assigned)
        numbers = {tp.partition for tp in held}
        self.joined = True
        self._rest.found(True)
        self._moved()
        self.own = frozenset(
            number for number in numbers if all(TopicPartition(name, number) in held for name in self._whole)
        )

    # What the client does.

    def offset(self, tp: TopicPartition) -> int | None:
        """Where it is read on, or nothing if it is not owned or nobody has sought it."""
        if tp.partition not in self.own:
            return None
        return self._positions.get(tp.partition, {}).get(self.topics[tp.topic])

    def offsets(self) -> dict[TopicPartition, int]:
        """Every position."""
        return {
            tp: offset
            for number in self.own
            for name in self.topics
            if (offset := self.offset(tp := TopicPartition(name, number))) is not None
        }

    def place(self, consumer: AIOKafkaConsumer, parts: Iterable[TopicPartition]) -> None:
        """Put the client where we stand; what nobody has sought is paused, at an offset never read."""
        for tp in parts:
            offset = self.offset(tp)
            consumer.seek(tp, offset or 0)
            if offset is None:
                consumer.pause(tp)
            else:
                consumer.resume(tp)

    async def take(
        self, consumer: AIOKafkaConsumer, limit: int
    ) -> Mapping[TopicPartition, Sequence[ConsumerRecord]]:
        """What the client has fetched, or nothing after a tick.

        A rebalance makes aiokafka wait for its end; a tick goes by all the same.
        """
        found: dict[TopicPartition, list[ConsumerRecord]] = {}
        seconds = self._rest.seconds()
        try:
            async with asyncio.timeout(seconds + _GRACE_SECONDS):
                await self._gather(consumer, limit, found, seconds)
        except TimeoutError:
            pass
        except KafkaError:
            if not found:  # else it comes again, and what was taken is not lost
                raise
        self._rest.found(bool(found))
        if not found:
            self._miss_topics(consumer)
            await self._see_positions(consumer)
        return found

    async def _gather(
        self,
        consumer: AIOKafkaConsumer,
        limit: int,
        found: dict[TopicPartition, list[ConsumerRecord]],
        seconds: float,
    ) -> None:
        """A share of each partition first, then whatever there is: a flooded one holds up no other.

        By itself aiokafka empties the first partition that it has fetched before it looks at the next. What
        comes within a moment is taken along.
        """
        left = set(consumer.assignment())
        share = max(1, limit // max(1, len(left)))
        room, waits = limit, iter((int(seconds * 1000), _GATHER_MILLISECONDS))
        while room > 0:
            fair = bool(left) or not found
            most = min(share, room) if fair else room
            more = await consumer.getmany(
                *(left if found else ()), timeout_ms=next(waits, 0), max_records=most
            )
            for tp, records in more.items():
                found.setdefault(tp, []).extend(records)
                room -= len(records)
            if not fair or not found:
                return
            left = left - more.keys() if more else set[TopicPartition]()

    def read(self, found: Mapping[TopicPartition, Sequence[Record]]) -> Sequence[Message]:
        """The messages in what was taken, and stand behind them."""
        runs: list[list[Message]] = []
        for (name, partition), records in found.items():
            topic = self.topics[name]
            runs.append([self._read(self._cluster, topic, partition, record) for record in records])
            self._positions[partition][topic] = runs[-1][-1].offset + 1
        return in_order_of_stamps(runs) if runs else ()

    def _miss_topics(self, consumer: AIOKafkaConsumer) -> None:
        """A topic that is not there is given to nobody, and idleness would be all that is seen of it."""
        if self.joined:
            for name in self.topics:
                if consumer.partitions_for_topic(name) is None:
                    raise TopicMissing(name)

    async def _see_positions(self, consumer: AIOKafkaConsumer) -> None:
        """Where the client really stands, should it have gone past records that it did not give."""
        for tp in consumer.assignment():
            if self.offset(tp) is not None:
                self._positions[tp.partition][self.topics[tp.topic]] = await consumer.position(tp)
