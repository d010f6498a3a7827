"""What is read of journals: claims, histories, timers, held messages."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import Connection, func, select

from kernel.edge import EDGE
from kernel.journal import Cause, Claim, Cursor, Held, HeldKind, History, Record, Snapshot, StoredTimer, Via
from kernel.log import Outgoing
from kernel.processor import Sender
from kernel.sql import bulk
from kernel.sql.tables import EPOCH, held, journal, journals, micros, moment, outbox, timers

_cursors = msgspec.json.Decoder(Cursor)
_causes = msgspec.json.Decoder(Cause)
_packed = msgspec.msgpack.Decoder(list[Outgoing])

_ROW: Final = "t.journal, t.seq, t.stream, t.version, t.now, t.rules, t.trace, t.cause, t.body"
_COLUMNS: Final = [journal.c[name.partition(".")[2]] for name in _ROW.split(", ")]
NO_CAUSE: Final = Cause(Via.MESSAGE, "", EPOCH, Sender("", ""))
_BEHIND: Final = bulk.Lookup(
    given=(("journal", "int"), ("stream", "text"), ("version", "int")),
    table="journal",
    columns=_ROW,
    match="t.stream = given.stream and t.journal = given.journal and t.version > given.version",
    order="t.stream, t.journal, t.version",
)
_SNAPSHOT: Final = bulk.Lookup(
    given=(("journal", "int"), ("stream", "text"), ("fold", "text")),
    table="snapshots",
    columns="t.journal, t.stream, t.version, t.body",
    match="t.journal = given.journal and t.stream = given.stream and t.fold = given.fold "
    "and t.version = (select max(s.version) from snapshots s "
    "where s.journal = given.journal and s.stream = given.stream and s.fold = given.fold)",
    order="t.version",
)
_DUE: Final = bulk.Lookup(
    given=(("journal", "int"), ("until", "bigint"), ("most", "int")),
    table="timers",
    columns="t.journal, t.stream, t.name, t.due, t.kind, t.body, t.event",
    match="t.journal = given.journal and t.due <= given.until",
    order="t.due, t.stream, t.name",
    most="most",
)

Numbers = Mapping[int, int]
"""The numbers of a processor's journal partitions, by partition."""


def numbers_of(connection: Connection, processor: str) -> dict[int, int]:
    """All journal partitions that the processor has, by partition."""
    rows = connection.execute(
        select(journals.c.partition, journals.c.id)
        .where(journals.c.processor == processor)
        .order_by(journals.c.partition)
    )
    return {row.partition: row.id for row in rows}


def claim(connection: Connection, processor: str, partition: int) -> Claim:
    """One partition as its new owner finds it; what came after the cursor was read is not its business."""
    row = connection.execute(
        select(journals.c.id, journals.c.published, journals.c.held, journals.c.body).where(
            journals.c.processor == processor, journals.c.partition == partition
        )
    ).first()
    if row is None or not row.body:
        return Claim(Cursor(partition=partition), (), (), {}, 1)
    cursor = cursor_of(row)
    parked = connection.execute(
        select(held.c.stream, func.count().label("number"))
        .where(held.c.journal == row.id, held.c.kind == HeldKind.PARKED)
        .group_by(held.c.stream)
    )
    return Claim(
        cursor=cursor,
        records=_unpublished(connection, row.id, cursor),
        outgoing=unsent(connection, row.id, cursor),
        parked={row.stream: row.number for row in parked},
        next_held=row.held + 1,
    )


def cursor_of(row: Any) -> Cursor:
    """The cursor in a row of `journals`."""
    return msgspec.structs.replace(_cursors.decode(row.body), published=row.published)


def cursors(connection: Connection) -> dict[tuple[str, int], Cursor]:
    """Where every processor stands in every partition that it has."""
    rows = connection.execute(
        select(journals.c.processor, journals.c.partition, journals.c.published, journals.c.body)
    )
    return {(row.processor, row.partition): cursor_of(row) for row in rows if row.body}


def _unpublished(connection: Connection, number: int, cursor: Cursor) -> list[Record]:
    if cursor.published >= cursor.seq:
        return []
    query = select(*_COLUMNS).where(
        journal.c.journal == number, journal.c.seq > cursor.published, journal.c.seq <= cursor.seq
    )
    return to_records(
        connection.execute(query.order_by(journal.c.seq)).fetchall(), {number: cursor.partition}
    )


def unsent(connection: Connection, number: int, cursor: Cursor) -> list[Outgoing]:
    """What the outbox of a journal partition has above what was acknowledged."""
    query = select(outbox.c.body).where(
        outbox.c.journal == number, outbox.c.seq > cursor.published, outbox.c.seq <= cursor.seq
    )
    packed = connection.execute(query.order_by(outbox.c.id)).scalars()
    return [message for body in packed for message in _packed.decode(body) if message.seq > cursor.published]


def to_records(rows: Iterable[tuple[Any, ...]], partitions: Mapping[int, int]) -> list[Record]:
    """Rows of the columns `_ROW` as the port gives them; `partitions` by number.

    Neighbours often share a cause and a time, which are then decoded once.
    """
    records: list[Record] = []
    known, stamp, cause, now = b"", -1, NO_CAUSE, EPOCH
    for number, seq, stream, version, micro, rules, trace, packed, body in rows:
        if packed != known:
            known, cause = packed, _causes.decode(packed)
        if micro != stamp:
            stamp, now = micro, moment(micro)
        records.append(Record(partitions[number], seq, stream, version, body, cause, now, rules, trace))
    return records


def histories(
    connection: Connection, numbers: Numbers, streams: Mapping[int, Collection[str]], fold: str
) -> dict[tuple[int, str], History]:
    """The newest fitting snapshot of each stream and the rows behind it; without a `fold` none fits."""
    partitions = {number: partition for partition, number in numbers.items()}
    wanted = [
        (numbers[partition], stream)
        for partition, names in streams.items()
        if partition in numbers
        for stream in names
    ]
    found = _snapshots(connection, partitions, wanted, fold) if fold else {}
    behind = [(*key, found[key].version if key in found else 0) for key in wanted]
    rows = bulk.look_up(connection, _BEHIND, behind)
    records: dict[tuple[int, str], list[Record]] = {
        (partition, stream): [] for partition, names in streams.items() for stream in names
    }
    for record in to_records(rows, partitions):
        records[record.partition, record.stream].append(record)
    return {key: History(found.get((numbers.get(key[0], -1), key[1])), rest) for key, rest in records.items()}


def _snapshots(
    connection: Connection, partitions: Mapping[int, int], wanted: Sequence[tuple[int, str]], fold: str
) -> dict[tuple[int, str], Snapshot]:
    rows = bulk.look_up(connection, _SNAPSHOT, [(*key, fold) for key in wanted])
    return {
        (number, stream): Snapshot(partitions[number], stream, version, fold, body)
        for number, stream, version, body in rows
    }


def due(
    connection: Connection, numbers: Numbers, until: Mapping[int, datetime], limit: int
) -> list[StoredTimer]:
    """The timers due in several partitions; asking costs a look into the index for each partition."""
    partitions = {number: partition for partition, number in numbers.items()}
    wanted = [
        (numbers[partition], micros(time), limit) for partition, time in until.items() if partition in numbers
    ]
    rows = bulk.look_up(connection, _DUE, wanted)
    rows.sort(key=itemgetter(3, 1, 2))
    return [
        StoredTimer(partitions[number], stream, name, moment(due), kind, body, event)
        for number, stream, name, due, kind, body, event in rows[:limit]
    ]


def next_due(connection: Connection, processor: str) -> datetime | None:
    """The earliest timer of a processor."""
    first = select(func.min(timers.c.due)).where(timers.c.journal == journals.c.id).scalar_subquery()
    earliest = connection.execute(select(func.min(first)).where(journals.c.processor == processor)).scalar()
    return None if earliest is None else moment(earliest)


class Pulse(NamedTuple):
    """What one cheap look at all journals shows: rows written, rows that left, and the next timer."""

    rows: int
    left: int
    due: datetime | None


def pulse(connection: Connection) -> Pulse:
    """How far all processors but the edge have come."""
    sums = select(func.sum(journals.c.seq), func.sum(journals.c.published)).where(
        journals.c.processor != EDGE
    )
    rows, left = connection.execute(sums).one()
    due = connection.execute(select(func.min(timers.c.due))).scalar()
    return Pulse(int(rows or 0), int(left or 0), None if due is None else moment(due))


def ordered(connection: Connection, numbers: Numbers, wanted: Collection[int], limit: int) -> list[Held]:
    """The held messages that somebody has ordered to be taken up. Mostly nobody has: that costs one look."""
    if not bulk.fetch(connection, "select 1 from held where ordered limit 1"):
        return []
    partitions = {numbers[partition]: partition for partition in wanted if partition in numbers}
    query = (
        select(held, journals.c.partition)
        .join(journals, journals.c.id == held.c.journal)
        .where(held.c.ordered, held.c.journal.in_(partitions))
    )
    rows = connection.execute(query.order_by(journals.c.partition, held.c.id).limit(limit))
    return [to_held(row) for row in rows]


def held_page(
    connection: Connection, processor: str, stream: str | None, after: tuple[int, int], limit: int
) -> list[Held]:
    """Held messages behind (partition, id)."""
    query = (
        select(held, journals.c.partition)
        .join(journals, journals.c.id == held.c.journal)
        .where(journals.c.processor == processor)
        .where(
            (journals.c.partition > after[0]) | ((journals.c.partition == after[0]) & (held.c.id > after[1])),
        )
    )
    if stream is not None:
        query = query.where(held.c.stream == stream)
    return [
        to_held(row)
        for row in connection.execute(query.order_by(journals.c.partition, held.c.id).limit(limit))
    ]


def to_held(row: Any) -> Held:
    """A held message as the port gives it."""
    return Held(
        row.partition, row.id, HeldKind(row.kind), row.stream, row.reason, row.type, row.body,
        _causes.decode(row.cause), row.rules, row.trace, moment(row.now), row.ordered,
    )  # fmt: skip


def records_page(connection: Connection, number: int, partition: int, after: int, limit: int) -> list[Record]:
    """Rows of one partition above `after`."""
    query = (
        select(*_COLUMNS)
        .where(journal.c.journal == number, journal.c.seq > after)
        .order_by(journal.c.seq)
        .limit(limit)
    )
    return to_records(connection.execute(query).fetchall(), {number: partition})


def bodies_page(connection: Connection, number: int, after: int, limit: int) -> Sequence[tuple[str, bytes]]:
    """Stream and event of the rows above `after`, for whoever only folds; nothing else is decoded."""
    query = (
        select(journal.c.stream, journal.c.body)
        .where(journal.c.journal == number, journal.c.seq > after)
        .order_by(journal.c.seq)
        .limit(limit)
    )
    return [(stream, body) for stream, body in connection.execute(query)]
