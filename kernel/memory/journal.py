"""A journal in dicts and lists. What it stores it encodes: nothing of a worker's memory leaks into it."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from kernel.journal import (
    CancelledTimer,
    Claim,
    Cursor,
    Held,
    HeldKind,
    History,
    Move,
    Record,
    Snapshot,
    StoredTimer,
)
from kernel.log import Outgoing


class UniqueViolation(Exception):  # noqa: N818 - named as databases name it
    """A row of this partition and seq, or of this stream and version, is already there."""


@dataclass(slots=True)
class Shelf:
    """One partition of one processor."""

    cursor: bytes = b""
    rows: list[Record] = field(default_factory=list[Record])
    versions: dict[str, list[int]] = field(default_factory=dict[str, list[int]])
    outbox: list[tuple[int, Sequence[Outgoing]]] = field(default_factory=list[tuple[int, Sequence[Outgoing]]])
    timers: dict[tuple[str, str], StoredTimer] = field(default_factory=dict[tuple[str, str], StoredTimer])
    held: dict[int, Held] = field(default_factory=dict[int, Held])
    last_held: int = 0
    snapshots: dict[str, Snapshot] = field(default_factory=dict[str, Snapshot])


_cursors = msgspec.json.Decoder(Cursor)


class MemoryJournal:
    """The history of one processor; `delivers` is false: what leaves goes through an outbox."""

    delivers = False

    def __init__(self) -> None:
        self.shelves: dict[int, Shelf] = {}

    def _shelf(self, partition: int) -> Shelf:
        shelf = self.shelves.get(partition)
        if shelf is None:
            shelf = self.shelves[partition] = Shelf()
        return shelf

    def cursor(self, partition: int) -> Cursor:
        """The stored cursor of a partition, or a new one."""
        stored = self._shelf(partition).cursor
        return _cursors.decode(stored) if stored else Cursor(partition=partition)

    async def claim(self, partitions: Collection[int]) -> Sequence[Claim]:
        """See the port."""
        return [self._claim(partition) for partition in sorted(partitions)]

    def _claim(self, partition: int) -> Claim:
        shelf, cursor = self._shelf(partition), self.cursor(partition)
        parked: dict[str, int] = {}
        for held in shelf.held.values():
            if held.kind is HeldKind.PARKED:
                parked[held.stream] = parked.get(held.stream, 0) + 1
        return Claim(
            cursor=cursor,
            records=[row for row in shelf.rows if row.seq > cursor.published],
            outgoing=[message for seq, batch in shelf.outbox if seq > cursor.published for message in batch],
            parked=parked,
            next_held=shelf.last_held + 1,
        )

    async def commit(self, moves: Sequence[Move]) -> frozenset[int]:
        """See the port."""
        return self.apply(moves)

    def apply(self, moves: Sequence[Move]) -> frozenset[int]:
        """All or nothing, at one moment: compare every token, check every row, then store."""
        fenced = frozenset(
            move.cursor.partition for move in moves if self.cursor(move.cursor.partition).token != move.before
        )
        kept = [move for move in moves if move.cursor.partition not in fenced]
        for move in kept:
            self._check(move)
        for move in kept:
            self._store(move)
        return fenced

    def _check(self, move: Move) -> None:
        shelf = self._shelf(move.cursor.partition)
        seq = len(shelf.rows)
        versions: dict[str, int] = {}
        for record in move.records:
            seq += 1
            known = versions.get(record.stream, len(shelf.versions.get(record.stream, ())))
            if record.seq != seq or record.version != known + 1:
                raise UniqueViolation(f"{record.partition}/{record.seq}, {record.stream}/{record.version}")
            versions[record.stream] = record.version

    def _store(self, move: Move) -> None:
        shelf = self._shelf(move.cursor.partition)
        shelf.cursor = msgspec.json.encode(move.cursor)
        for record in move.records:
            shelf.versions.setdefault(record.stream, []).append(len(shelf.rows))
            shelf.rows.append(record)
        if move.outgoing:
            shelf.outbox.append((max(message.seq for message in move.outgoing), list(move.outgoing)))
        shelf.outbox = [item for item in shelf.outbox if item[0] > move.cursor.published]
        for timer in move.timers:
            if isinstance(timer, CancelledTimer):
                shelf.timers.pop((timer.stream, timer.name), None)
            else:
                shelf.timers[timer.stream, timer.name] = timer
        shelf.held.update({held.id: held for held in move.held})
        shelf.last_held = max([shelf.last_held, *(held.id for held in move.held)])
        for number in move.released:
            shelf.held.pop(number, None)
        for number, held in shelf.held.items():
            if held.stream in move.voided:
                shelf.held[number] = held._replace(ordered=False)
        shelf.snapshots.update({snapshot.stream: snapshot for snapshot in move.snapshots})

    async def histories(
        self, streams: Mapping[int, Collection[str]], fold: str
    ) -> Mapping[tuple[int, str], History]:
        """See the port; in order, so that nothing hangs on how a process hashes names."""
        return {
            (partition, stream): self._history(partition, stream, fold)
            for partition, names in streams.items()
            for stream in sorted(names)
        }

    def _history(self, partition: int, stream: str, fold: str) -> History:
        shelf = self._shelf(partition)
        snapshot = shelf.snapshots.get(stream)
        if snapshot is not None and snapshot.fold != fold:
            snapshot = None
        places = shelf.versions.get(stream, [])[snapshot.version if snapshot else 0 :]
        return History(snapshot, [shelf.rows[place] for place in places])

    async def due(self, until: Mapping[int, datetime], limit: int) -> Sequence[StoredTimer]:
        """See the port."""
        found = [
            timer
            for partition, time in until.items()
            for timer in self._shelf(partition).timers.values()
            if timer.due <= time
        ]
        found.sort(key=lambda timer: (timer.due, timer.stream, timer.name))
        return found[:limit]

    async def ordered(self, partitions: Collection[int], limit: int) -> Sequence[Held]:
        """See the port."""
        found = [
            held
            for partition in sorted(partitions)
            for held in self._shelf(partition).held.values()
            if held.ordered
        ]
        return found[:limit]

    async def order(self, held: Collection[tuple[int, int]]) -> int:
        """See the port."""
        found = [(partition, number) for partition, number in held if number in self._shelf(partition).held]
        for partition, number in found:
            shelf = self._shelf(partition)
            shelf.held[number] = shelf.held[number]._replace(ordered=True)
        return len(found)

    async def held(self, stream: str | None = None) -> AsyncIterator[Held]:
        """See the port."""
        for _, shelf in sorted(self.shelves.items()):
            for held in list(shelf.held.values()):
                if stream is None or held.stream == stream:
                    yield held

    async def records(self, partition: int, after: int = 0) -> AsyncIterator[Record]:
        """See the port."""
        for row in self._shelf(partition).rows[after:]:
            yield row

    async def next_due(self) -> datetime | None:
        """See the port."""
        return min(
            (timer.due for shelf in self.shelves.values() for timer in shelf.timers.values()), default=None
        )
