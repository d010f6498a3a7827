"""One batch of one processor in one transaction: cursors first, then the clock, then everything else."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import Connection, delete, update

from kernel.journal import CancelledTimer, Move, StoredTimer
from kernel.log import Outgoing, Target
from kernel.sql import bulk
from kernel.sql.counters import JOURNALS, TARGETS, TargetRow, lock
from kernel.sql.heads import Head, Source, journal_source
from kernel.sql.recent import Part
from kernel.sql.tables import (
    held,
    journal,
    journals,
    messages,
    micros,
    moment,
    outbox,
    snapshots,
    targets,
    timers,
)

encode = msgspec.json.encode
pack = msgspec.msgpack.encode

_QUEUED: Final = (("journal", "integer"), ("seq", "bigint"), ("body", "bytea"))
_QUEUE: Final = "insert into outbox (journal, seq, body) select journal, seq, body from given"
_SENT: Final = (("journal", "integer"), ("published", "bigint"))
_SENT_MATCH: Final = "t.journal = given.journal and t.seq <= given.published"


class BrokenSequenceError(Exception):
    """The rows of a move do not follow the last one of their journal partition."""


class Outcome(NamedTuple):
    """Which partitions were fenced, and what has moved for those who wait for messages."""

    fenced: frozenset[int]
    heads: Mapping[Source, Head]
    parts: Mapping[Source, Part]


class Batch:
    """The moves of one transaction that were not fenced, and the rows of their journal partitions."""

    def __init__(self, connection: Connection, processor: str, moves: Sequence[Move]) -> None:
        self.connection = connection
        self.writes = bulk.Writes(connection)
        self.processor = processor
        locked = {
            partition: row
            for (_, partition), row in lock(
                connection, JOURNALS, [(processor, move.cursor.partition) for move in moves]
            ).items()
        }
        self.fenced = frozenset(
            move.cursor.partition for move in moves if locked[move.cursor.partition].token != move.before
        )
        self.moves = sorted(
            (move for move in moves if move.cursor.partition not in self.fenced),
            key=lambda move: move.cursor.partition,
        )
        self.rows = {move.cursor.partition: locked[move.cursor.partition] for move in self.moves}
        for move in self.moves:
            _check_sequence(move, self.rows[move.cursor.partition].seq)

    def number(self, move: Move) -> int:
        """The number of the move's journal partition."""
        return self.rows[move.cursor.partition].id


def commit(
    connection: Connection,
    processor: str,
    moves: Sequence[Move],
    stamp: Callable[[], datetime],
    *,
    delivers: bool,
) -> Outcome:
    """Store what was not fenced. The stamp is read when everything that it must not overtake is locked."""
    batch = Batch(connection, processor, moves)
    if not batch.moves:
        return Outcome(batch.fenced, {}, {})
    outgoing = (
        sort_by_target(message for move in batch.moves for message in move.outgoing) if delivers else {}
    )
    ends = lock(connection, TARGETS, outgoing)
    now = micros(stamp())
    heads = _store_cursors(batch, now, delivers=delivers)
    parts = _store_events(batch, now)
    _store_timers(batch)
    _store_rest(batch)
    if delivers:
        heads |= append(batch.writes, ends, outgoing, now, parts)
    else:
        _store_outbox(batch)
    batch.writes.flush()
    return Outcome(batch.fenced, heads, parts)


def _check_sequence(move: Move, seq: int) -> None:
    for place, record in enumerate(move.records, seq + 1):
        if record.seq != place:
            raise BrokenSequenceError(
                f"expected seq {place} of partition {record.partition}, found {record.seq}"
            )
    if move.cursor.seq != seq + len(move.records):
        raise BrokenSequenceError(
            f"expected a cursor at seq {seq + len(move.records)}, found {move.cursor.seq}"
        )


def sort_by_target(outgoing: Iterable[Outgoing]) -> dict[Target, list[Outgoing]]:
    """The messages of each target, in their order."""
    batches: defaultdict[Target, list[Outgoing]] = defaultdict(list)
    for message in outgoing:
        batches[message.topic, message.partition].append(message)
    return batches


def append(
    writes: bulk.Writes,
    ends: Mapping[Target, TargetRow],
    batches: Mapping[Target, Sequence[Outgoing]],
    now: int,
    parts: dict[Source, Part],
) -> dict[Source, Head]:
    """Put messages into their topics, at the offsets of the locked counters; adds them to `parts`."""
    rows: list[tuple[Any, ...]] = []
    counters: list[tuple[Any, ...]] = []
    heads: dict[Source, Head] = {}
    for target, batch in batches.items():
        end = ends[target]
        number, offset, appended = end.id, end.next, max(now, end.appended)
        for place, message in enumerate(batch, offset):
            rows.append((number, place, message.key, appended, encode(message.headers), message.body))
        counters.append((number, *target, offset + len(batch), appended))
        heads[target] = Head(number, offset + len(batch))
        parts[target] = Part(offset, moment(appended), batch)
    writes.insert(messages, rows)
    writes.upsert(targets, counters)
    return heads


def _store_cursors(batch: Batch, now: int, *, delivers: bool) -> dict[Source, Head]:
    """The cursors of a batch; where the commit delivers, all that is stored is published."""
    rows: list[tuple[Any, ...]] = []
    heads: dict[Source, Head] = {}
    for move in batch.moves:
        cursor, row = move.cursor, batch.rows[move.cursor.partition]
        published = cursor.seq if delivers else cursor.published
        appended = max(now, row.appended) if move.records else row.appended
        last = max((item.id for item in move.held), default=0)
        facts = (cursor.token, cursor.seq, published, appended, max(last, row.held), encode(cursor))
        rows.append((row.id, batch.processor, cursor.partition, *facts))
        heads[journal_source(batch.processor, cursor.partition)] = Head(row.id, cursor.seq)
    batch.writes.upsert(journals, rows)
    return heads


def _store_events(batch: Batch, now: int) -> dict[Source, Part]:
    """The rows of a batch. Neighbours often share a cause and a time, which are then encoded once."""
    rows: list[tuple[Any, ...]] = []
    parts: dict[Source, Part] = {}
    known, stamp, packed, micro = None, None, b"", 0
    for move in batch.moves:
        row = batch.rows[move.cursor.partition]
        number, appended = row.id, max(now, row.appended)
        for _, seq, stream, version, body, cause, at, rules, trace in move.records:
            if cause is not known:
                known, packed = cause, encode(cause)
            if at is not stamp:
                stamp, micro = at, micros(at)
            rows.append((number, seq, stream, version, micro, rules, appended, trace, packed, body))
        parts[journal_source(batch.processor, move.cursor.partition)] = Part(
            row.seq, moment(appended), move.records
        )
    batch.writes.insert(journal, rows)
    return parts


def _store_timers(batch: Batch) -> None:
    """The last word about each timer counts."""
    last: dict[tuple[int, str, str], StoredTimer | CancelledTimer] = {}
    for move in batch.moves:
        number = batch.number(move)
        for timer in move.timers:
            last[number, timer.stream, timer.name] = timer
    gone: list[tuple[Any, ...]] = []
    rows: list[tuple[Any, ...]] = []
    for key, timer in last.items():
        if isinstance(timer, StoredTimer):
            rows.append((*key, micros(timer.due), timer.kind, timer.body, timer.event))
        else:
            gone.append(key)
    rows.sort()
    batch.writes.delete(timers, gone)
    batch.writes.upsert(timers, rows)


def _store_rest(batch: Batch) -> None:
    """What few batches have: held messages, taken up ones, orders that fall, snapshots."""
    connection = batch.connection
    for move in batch.moves:
        number = batch.number(move)
        if move.held:
            rows = [
                (
                    number,
                    item.id,
                    str(item.kind),
                    item.stream,
                    item.reason,
                    item.type,
                    item.body,
                    encode(item.cause),
                    item.rules,
                    item.trace,
                    micros(item.now),
                    item.ordered,
                )
                for item in move.held
            ]
            bulk.insert(connection, held, rows)
        if move.released:
            connection.execute(delete(held).where(held.c.journal == number, held.c.id.in_(move.released)))
        if move.voided:
            connection.execute(
                update(held)
                .where(held.c.journal == number, held.c.stream.in_(move.voided))
                .values(ordered=False)
            )
        if move.snapshots:
            rows = [(number, item.stream, item.fold, item.version, item.body) for item in move.snapshots]
            bulk.insert_new(connection, snapshots, rows)


def _store_outbox(batch: Batch) -> None:
    """Pack what leaves into one row for each partition, and drop what was acknowledged."""
    queued = [
        (batch.number(move), max(message.seq for message in move.outgoing), pack(move.outgoing))
        for move in batch.moves
        if move.outgoing
    ]
    sent = [(batch.number(move), move.cursor.published) for move in batch.moves]
    batch.writes.execute(_QUEUED, _QUEUE, queued)
    batch.writes.delete_matching(outbox, _SENT, _SENT_MATCH, sent)
