"""The port to the topics, in SQL: commands lie in a table, an event topic is the journal of its processor."""

import asyncio
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Final, NamedTuple

import msgspec
from sqlalchemy import Connection

from kernel.journal import Record
from kernel.log import Headers, Message, Outgoing, Span, Target
from kernel.pace import Rest
from kernel.sql import bulk
from kernel.sql.commit import append
from kernel.sql.counters import JOURNALS, TARGETS, lock
from kernel.sql.heads import Head, Heads, Source, journal_source
from kernel.sql.recent import Part
from kernel.sql.store import Store
from kernel.sql.tables import EPOCH, micros, moment
from schemas.topics import TOPICS, Topic

_headers = msgspec.json.Decoder(Headers)

_RANGE: Final = (("target", "int"), ("low", "bigint"), ("high", "bigint"))
_COMMANDS: Final = bulk.Lookup(
    given=_RANGE,
    table="messages",
    columns='t.target, t."offset", t.key, t.appended, t.headers, t.body',
    match='t.target = given.target and t."offset" >= given.low and t."offset" < given.high',
    order='t.target, t."offset"',
)
_EVENTS: Final = bulk.Lookup(
    given=_RANGE,
    table="journal",
    columns="t.journal, t.seq, t.stream, t.appended, t.rules, t.trace, t.body",
    match="t.journal = given.target and t.seq > given.low and t.seq <= given.high",
    order="t.journal, t.seq",
)


class Wanted(NamedTuple):
    """A part of one topic partition: its number, and the offsets from `low` to below `high`."""

    topic: Topic
    partition: int
    number: int
    low: int
    high: int


class SqlLog:
    """One worker's view of the topics; `own` is set by whoever assigns partitions."""

    def __init__(
        self, store: Store, topics: Sequence[Topic], own: Collection[int] = (), tick_seconds: float = 0.25
    ) -> None:
        self.own = frozenset(own)
        self._store = store
        self._topics = {topic.name: topic for topic in (*TOPICS, *topics)}
        self._inbox = tuple(topics)
        self._names = [_source(topic, 0)[0] for topic in topics]
        store.heads.recent.reads(self._names)
        self._tick_seconds = tick_seconds
        self._rest = Rest(tick_seconds)
        self._gather_seconds = store.gather_seconds if tick_seconds else 0.0
        self._full = False
        self._positions: dict[int, dict[str, int]] = {}

    def assigned(self) -> frozenset[int]:
        """See the port."""
        return self.own

    async def fetch(self, limit: int) -> Sequence[Message]:
        """See the port."""
        await asyncio.sleep(0 if self._full else self._gather_seconds)
        found = await self._take(limit)
        if not (found or not self._tick_seconds or self.own - self._positions.keys()):
            moved = await self._store.heads.moved(self._names, self._rest.seconds())
            if moved:
                await asyncio.sleep(self._gather_seconds)
                found = await self._take(limit)
        self._rest.found(bool(found))
        return found

    async def _take(self, limit: int) -> Sequence[Message]:
        found: list[Message] = []
        unknown: list[Wanted] = []
        for item in self._wanted(limit):
            parts = self._store.heads.recent.take(_source(item.topic, item.partition), item.low, item.high)
            if parts is None:
                unknown.append(item)
            else:
                found += from_parts(item, parts)
        if unknown:
            found += await self._store.read(lambda connection: read_ranges(connection, unknown))
        found.sort(key=_appended)
        self._full = len(found) >= limit
        for message in found:
            self._positions[message.partition][message.topic] = message.offset + 1
        return found

    def _wanted(self, limit: int) -> list[Wanted]:
        """What lies above the positions, shared out so that nobody's backlog hides another's."""
        behind: list[tuple[int, Topic, int, Head]] = []
        for partition in sorted(self.own & self._positions.keys()):
            positions = self._positions[partition]
            for topic in self._inbox:
                head = self._store.heads.known.get(_source(topic, partition))
                low = positions.get(topic.name)
                if head is not None and low is not None and head.end > low:
                    behind.append((low, topic, partition, head))
        behind.sort(key=lambda item: item[3].end - item[0])
        wanted: list[Wanted] = []
        for place, (low, topic, partition, head) in enumerate(behind):
            share = max(1, limit // (len(behind) - place))
            count = min(share, head.end - low, limit)
            if count:
                wanted.append(Wanted(topic, partition, head.id, low, low + count))
            limit -= count
        return wanted

    async def seek(self, partition: int, offsets: Mapping[str, int]) -> None:
        """See the port."""
        self._positions.setdefault(partition, {}).update(offsets)

    def positions(self, partition: int) -> Mapping[str, int]:
        """See the port."""
        return dict(self._positions.get(partition, {})) if partition in self.own else {}

    async def look(self, topic: str, partition: int, offset: int) -> Message | None:
        """See the port."""
        source = _source(self._topic(topic), partition)
        head = self._store.heads.known.get(source)
        if head is None:
            head = (await self._ends([(topic, partition)]))[topic, partition][0]
        wanted = Wanted(self._topic(topic), partition, head.id, offset, offset + 1)
        return next(iter(await self._store.read(lambda connection: read_ranges(connection, [wanted]))), None)

    async def spans(self, targets: Collection[Target]) -> Mapping[Target, Span]:
        """See the port."""
        ends = await self._ends(targets)
        self._store.heads.raise_to(
            {_source(self._topic(topic), partition): head for (topic, partition), (head, _) in ends.items()}
        )
        return {target: Span(first, head.end) for target, (head, first) in ends.items()}

    async def _ends(self, targets: Collection[Target]) -> dict[Target, tuple[Head, int]]:
        """Heads and first offsets, read where nothing that was stamped before can still be on its way."""
        topics = {target: self._topic(target[0]) for target in targets}

        def work(connection: Connection) -> dict[Target, tuple[Head, int]]:
            return ends_of(connection, topics)

        return await self._store.write(work)

    async def publish(self, batches: Mapping[Target, Sequence[Outgoing]]) -> Mapping[Target, int]:
        """See the port. Each target is a transaction of its own, so that one failure stops only its own."""
        counts: dict[Target, int] = {}
        for target, batch in batches.items():
            try:
                heads, parts = await self._store.write(
                    lambda connection: self._append(connection, {target: batch})  # noqa: B023 - awaited
                )
            except Exception:  # noqa: BLE001 - unknown counts as not acknowledged
                counts[target] = 0
            else:
                self._store.heads.committed(heads, parts)
                counts[target] = len(batch)
        return counts

    def _append(
        self, connection: Connection, batches: Mapping[Target, Sequence[Outgoing]]
    ) -> tuple[dict[Source, Head], dict[Source, Part]]:
        ends = lock(connection, TARGETS, batches)
        parts: dict[Source, Part] = {}
        writes = bulk.Writes(connection)
        heads = append(writes, ends, batches, micros(self._store.stamp()), parts)
        writes.flush()
        return heads, parts

    def drift(self) -> float:
        """The stamps are this process's own clock."""
        return 0.0

    def _topic(self, name: str) -> Topic:
        return self._topics.get(name) or Topic(name, "", (), (), TOPICS[0].retention)


def _source(topic: Topic, partition: int) -> Source:
    return journal_source(topic.journal_of, partition) if topic.journal_of else (topic.name, partition)


def known_ends(heads: Heads, targets: Iterable[Target]) -> dict[Target, int]:
    """Where topics end as far as this process knows, without asking."""
    declared = {topic.name: topic for topic in TOPICS}
    sources = {target: _source(declared[target[0]], target[1]) for target in targets}
    return {
        target: heads.known[source].end if source in heads.known else 0 for target, source in sources.items()
    }


def read_ranges(connection: Connection, wanted: Sequence[Wanted]) -> list[Message]:
    """The records of several ranges, each topic partition in order."""
    found = _commands(connection, [item for item in wanted if not item.topic.journal_of])
    found += _events(connection, [item for item in wanted if item.topic.journal_of])
    return found


def from_parts(item: Wanted, parts: Iterable[Part]) -> Iterator[Message]:
    """Records that this process has just committed, as they would be read."""
    topic, partition = item.topic.name, item.partition
    origin = f"{item.topic.journal_of}/{partition}"
    for first, appended, records in parts:
        for offset, record in enumerate(records, first):
            if isinstance(record, Record):
                headers = Headers(origin, record.seq, record.rules, record.trace)
                yield Message(topic, partition, offset, record.stream, appended, headers, record.body)
            else:
                yield Message(topic, partition, offset, record.key, appended, record.headers, record.body)


_appended = attrgetter("appended")


def _commands(connection: Connection, wanted: Sequence[Wanted]) -> list[Message]:
    by_number = {item.number: item for item in wanted}
    rows = bulk.look_up(connection, _COMMANDS, [(item.number, item.low, item.high) for item in wanted])
    found: list[Message] = []
    stamp, appended = -1, EPOCH
    for number, offset, key, micro, headers, body in rows:
        item = by_number[number]
        if micro != stamp:
            stamp, appended = micro, moment(micro)
        found.append(
            Message(item.topic.name, item.partition, offset, key, appended, _headers.decode(headers), body)
        )
    return found


def _events(connection: Connection, wanted: Sequence[Wanted]) -> list[Message]:
    origins = {item.number: (item, f"{item.topic.journal_of}/{item.partition}") for item in wanted}
    rows = bulk.look_up(connection, _EVENTS, [(item.number, item.low, item.high) for item in wanted])
    found: list[Message] = []
    stamp, appended = -1, EPOCH
    for number, seq, stream, micro, rules, trace, body in rows:
        item, origin = origins[number]
        if micro != stamp:
            stamp, appended = micro, moment(micro)
        headers = Headers(origin, seq, rules, trace)
        found.append(Message(item.topic.name, item.partition, seq - 1, stream, appended, headers, body))
    return found


def ends_of(connection: Connection, topics: Mapping[Target, Topic]) -> dict[Target, tuple[Head, int]]:
    """Heads and first offsets of topic partitions, behind everything that is stamped and on its way."""
    events = {(topic.journal_of, target[1]): target for target, topic in topics.items() if topic.journal_of}
    commands = [target for target, topic in topics.items() if not topic.journal_of]
    ends: dict[Target, tuple[Head, int]] = {}
    for key, row in lock(connection, JOURNALS, events, share=True).items():
        ends[events[key]] = (Head(row.id, row.seq), 0)
    counters = lock(connection, TARGETS, commands, share=True)
    first = dict(
        bulk.select(
            connection,
            (("target", "int"),),
            'select target, (select min("offset") from messages m where m.target = given.target) from given',
            [(row.id,) for row in counters.values()],
        )
    )
    for target, row in counters.items():
        begin = first[row.id]
        ends[target] = (Head(row.id, row.next), row.next if begin is None else begin)
    return ends
