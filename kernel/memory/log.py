"""Topics in lists: one broker, and a worker's view of it."""

from collections.abc import Collection, Mapping, Sequence

from kernel.clock import Clock
from kernel.log import Message, Outgoing, Span, Target
from kernel.processor import AnyProcessor
from kernel.retention import aging, dispensable


class MemoryBroker:
    """All topics of a city. A partition keeps its records from `first` on; stamps never go backwards."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.records: dict[Target, list[Message]] = {}
        self.first: dict[Target, int] = {}

    def append(self, message: Outgoing) -> Message:
        """Append one record, stamped with the broker's clock."""
        target = (message.topic, message.partition)
        records = self.records.setdefault(target, [])
        stamp = self.clock.wall()
        if records and records[-1].appended > stamp:
            stamp = records[-1].appended
        offset = self.end(target)
        record = Message(
            message.topic, message.partition, offset, message.key, stamp, message.headers, message.body
        )
        records.append(record)
        return record

    def end(self, target: Target) -> int:
        """The offset of the next record."""
        return self.first.get(target, 0) + len(self.records.get(target, ()))

    def read(self, target: Target, offset: int, limit: int) -> Sequence[Message]:
        """Records from `offset` on; nothing if the offset is no longer or not yet there."""
        start = offset - self.first.get(target, 0)
        return self.records.get(target, [])[start : start + limit] if start >= 0 else ()

    def expire(self, target: Target, below: int) -> None:
        """Let records below an offset age out."""
        first = self.first.get(target, 0)
        if below > first:
            del self.records.setdefault(target, [])[: below - first]
            self.first[target] = below

    def age(self, processors: Sequence[AnyProcessor], reached: Mapping[Target, Mapping[str, int]]) -> None:
        """Let go what is older than its topic's retention and taken by all who read it."""
        for target, records in self.records.items():
            found = aging(target[0], processors)
            if found is None:
                continue
            before = self.clock.wall() - found.age
            needed = dispensable(found.readers, reached.get(target, {}), self.end(target))
            young = next((one.offset for one in records if one.appended >= before), needed)
            self.expire(target, min(young, needed))

    def cut(self, target: Target, end: int) -> None:
        """Lose the records at the end, as an unclean election does."""
        del self.records.setdefault(target, [])[max(0, end - self.first.get(target, 0)) :]


class MemoryLog:
    """One worker's view: `own` is set by whoever assigns partitions."""

    def __init__(self, broker: MemoryBroker, topics: Sequence[str], own: Collection[int] = ()) -> None:
        self.broker = broker
        self.topics = topics
        self.own = frozenset(own)
        self._positions: dict[int, dict[str, int]] = {}

    def assigned(self) -> frozenset[int]:
        """See the port."""
        return self.own

    async def fetch(self, limit: int) -> Sequence[Message]:
        """See the port; an empty answer comes at once, for time is the host's."""
        found: list[Message] = []
        for partition in sorted(self.own & self._positions.keys()):
            positions = self._positions[partition]
            for topic in self.topics:
                records = self.broker.read((topic, partition), positions[topic], limit - len(found))
                found.extend(records)
                positions[topic] += len(records)
        return found

    async def seek(self, partition: int, offsets: Mapping[str, int]) -> None:
        """See the port."""
        self._positions.setdefault(partition, {}).update(offsets)

    def positions(self, partition: int) -> Mapping[str, int]:
        """See the port."""
        return self._positions.get(partition, {}) if partition in self.own else {}

    async def look(self, topic: str, partition: int, offset: int) -> Message | None:
        """See the port."""
        return next(iter(self.broker.read((topic, partition), offset, 1)), None)

    async def spans(self, targets: Collection[Target]) -> Mapping[Target, Span]:
        """See the port."""
        return {target: Span(self.broker.first.get(target, 0), self.broker.end(target)) for target in targets}

    async def publish(self, batches: Mapping[Target, Sequence[Outgoing]]) -> Mapping[Target, int]:
        """See the port."""
        for batch in batches.values():
            for message in batch:
                self.broker.append(message)
        return {target: len(batch) for target, batch in batches.items()}

    def drift(self) -> float:
        """One process, one clock."""
        return 0.0
