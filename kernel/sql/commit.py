"""One batch of one processor in one transaction: cursors first, then the clock, then everything else."""
# ruff: noqa: S608 - what is put together are names of our own tables and locks, never values

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import Connection, delete, update
from sqlalchemy import insert as insert_into

from kernel.journal import CancelledTimer, Cause, Move, StoredTimer
from kernel.log import Outgoing, Target
from kernel.sql import bulk
from kernel.sql.heads import Head, Source, journal_source
from kernel.sql.tables import held, journal, journals, messages, micros, outbox, snapshots, targets, timers

encode = msgspec.json.encode
pack = msgspec.msgpack.encode

_PARTITIONS: Final = (("name", "text"), ("partition", "int"))


class BrokenSequenceError(Exception):
    """The rows of a move do not follow the last one of their journal partition."""


class JournalRow(NamedTuple):
    """What a transaction has to know of a journal partition."""

    id: int
    token: bytes
    seq: int
    appended: int
    held: int


class TargetRow(NamedTuple):
    """The counter of a topic partition: the next offset and the last stamp."""

    id: int
    next: int
    appended: int


class Outcome(NamedTuple):
    """Which partitions were fenced, and what has moved for those who wait for messages."""

    fenced: frozenset[int]
    heads: Mapping[Source, Head]


class Batch:
    """The moves of one transaction that were not fenced, and the rows of their journal partitions."""

    def __init__(self, connection: Connection, processor: str, moves: Sequence[Move]) -> None:
        self.connection = connection
        self.processor = processor
        locked = {
            partition: row
            for (_, partition), row in lock_journals(
                connection, [(processor, move.cursor.partition) for move in moves]
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
        return Outcome(batch.fenced, {})
    outgoing = (
        sort_by_target(message for move in batch.moves for message in move.outgoing) if delivers else {}
    )
    ends = lock_targets(connection, outgoing)
    now = micros(stamp())
    heads = _store_rows(batch, now, delivers=delivers)
    _store_timers(batch)
    _store_rest(batch)
    if delivers:
        heads |= append(connection, ends, outgoing, now)
    else:
        _store_outbox(batch)
    return Outcome(batch.fenced, heads)


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


def lock_journals(
    connection: Connection, wanted: Iterable[Source], *, share: bool = False
) -> dict[Source, JournalRow]:
    """Lock journal partitions, by processor and partition in this order; makes those that are not there yet.

    Making one waits for whoever is making the same one, so that nothing on its way stays unseen.
    """
    keys = sorted(wanted)
    rows = _locked_journals(connection, keys, share=share)
    missing = [key for key in keys if key not in rows]
    if not missing:
        return rows
    empty = "x''" if bulk.is_sqlite(connection) else "''::bytea"
    statement = (
        "insert into journals (processor, partition, token, seq, published, appended, held, body) "
        f"select name, partition, {empty}, 0, 0, 0, 0, {empty} from given where true on conflict do nothing"
    )
    bulk.execute(connection, _PARTITIONS, statement, missing)
    return _locked_journals(connection, keys, share=share)


def _locked_journals(
    connection: Connection, keys: Sequence[Source], *, share: bool
) -> dict[Source, JournalRow]:
    query = (
        "select j.processor, j.partition, j.id, j.token, j.seq, j.appended, j.held from given "
        "join journals j on j.processor = given.name and j.partition = given.partition "
        "order by j.processor, j.partition"
    )
    rows = bulk.select(connection, _PARTITIONS, query + _lock(connection, "j", share=share), keys)
    return {(name, partition): JournalRow(*row) for name, partition, *row in rows}


def lock_targets(
    connection: Connection, wanted: Iterable[Target], *, share: bool = False
) -> dict[Target, TargetRow]:
    """Lock the counters of topic partitions in their order, making those that are not there yet."""
    keys = sorted(wanted)
    rows = _locked_targets(connection, keys, share=share)
    missing = [key for key in keys if key not in rows]
    if not missing:
        return rows
    statement = (
        "insert into targets (topic, partition, next, appended) "
        "select name, partition, 0, 0 from given where true on conflict do nothing"
    )
    bulk.execute(connection, _PARTITIONS, statement, missing)
    return _locked_targets(connection, keys, share=share)


def _locked_targets(
    connection: Connection, keys: Sequence[Target], *, share: bool
) -> dict[Target, TargetRow]:
    query = (
        "select t.topic, t.partition, t.id, t.next, t.appended from given "
        "join targets t on t.topic = given.name and t.partition = given.partition "
        "order by t.topic, t.partition"
    )
    rows = bulk.select(connection, _PARTITIONS, query + _lock(connection, "t", share=share), keys)
    return {(name, partition): TargetRow(*row) for name, partition, *row in rows}


def _lock(connection: Connection, table: str, *, share: bool) -> str:
    """SQLite has one lock for everything, and whoever writes holds it already."""
    if bulk.is_sqlite(connection):
        return ""
    return f" for {'share' if share else 'update'} of {table}"


def sort_by_target(outgoing: Iterable[Outgoing]) -> dict[Target, list[Outgoing]]:
    """The messages of each target, in their order."""
    batches: defaultdict[Target, list[Outgoing]] = defaultdict(list)
    for message in outgoing:
        batches[message.topic, message.partition].append(message)
    return batches


def append(
    connection: Connection,
    ends: Mapping[Target, TargetRow],
    batches: Mapping[Target, Sequence[Outgoing]],
    now: int,
) -> dict[Source, Head]:
    """Put messages into their topics, at the offsets of the locked counters."""
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
    bulk.insert(connection, messages, rows)
    bulk.upsert(connection, targets, counters)
    return heads


def _store_rows(batch: Batch, now: int, *, delivers: bool) -> dict[Source, Head]:
    """The cursors and the events of a batch."""
    cursors: list[tuple[Any, ...]] = []
    rows: list[tuple[Any, ...]] = []
    heads: dict[Source, Head] = {}
    cause: Cause | None = None
    packed = b""
    for move in batch.moves:
        cursor, row = move.cursor, batch.rows[move.cursor.partition]
        appended = max(now, row.appended) if move.records else row.appended
        published = cursor.seq if delivers else cursor.published
        last = max((item.id for item in move.held), default=row.held)
        cursors.append(
            (
                row.id,
                batch.processor,
                cursor.partition,
                cursor.token,
                cursor.seq,
                published,
                appended,
                max(last, row.held),
                encode(cursor),
            )
        )
        heads[journal_source(batch.processor, cursor.partition)] = Head(row.id, cursor.seq)
        for record in move.records:
            if record.cause is not cause:
                cause, packed = record.cause, encode(record.cause)
            rows.append(
                (
                    row.id,
                    record.seq,
                    record.stream,
                    record.version,
                    micros(record.now),
                    record.rules,
                    appended,
                    record.trace,
                    packed,
                    record.body,
                )
            )
    bulk.upsert(batch.connection, journals, cursors)
    bulk.insert(batch.connection, journal, rows)
    return heads


def _store_timers(batch: Batch) -> None:
    """The last word about each timer counts."""
    last: dict[tuple[int, str, str], StoredTimer | None] = {}
    for move in batch.moves:
        number = batch.number(move)
        for timer in move.timers:
            last[number, timer.stream, timer.name] = None if isinstance(timer, CancelledTimer) else timer
    bulk.delete(batch.connection, timers, sorted(key for key, timer in last.items() if timer is None))
    rows = [
        (*key, micros(timer.due), timer.kind, timer.body, timer.event)
        for key, timer in sorted(last.items(), key=lambda item: item[0])
        if timer
    ]
    bulk.upsert(batch.connection, timers, rows)


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
    for move in batch.moves:
        number = batch.number(move)
        if move.outgoing:
            last = max(message.seq for message in move.outgoing)
            batch.connection.execute(
                insert_into(outbox).values(journal=number, seq=last, body=pack(move.outgoing))
            )
        batch.connection.execute(
            delete(outbox).where(outbox.c.journal == number, outbox.c.seq <= move.cursor.published)
        )
