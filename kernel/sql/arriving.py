"""A city arrives in an empty database: all of its export in one transaction, or nothing."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from itertools import islice
from typing import Any, Final, NamedTuple, TypeVar

import msgspec
from sqlalchemy import Connection, Table
from sqlalchemy import insert as insert_into

from kernel.journal import Cursor
from kernel.log import Outgoing, Target
from kernel.moving import lines
from kernel.moving.arriving import Begin, Begins, cursor, inboxes
from kernel.moving.reading import Export
from kernel.processor import AnyProcessor
from kernel.sql import bulk
from kernel.sql.city import City, settle_in
from kernel.sql.commit import append, encode, sort_by_target
from kernel.sql.counters import JOURNALS, TARGETS, lock
from kernel.sql.log import Wanted, ends_of, read_ranges
from kernel.sql.secrets import leaving_nothing
from kernel.sql.tables import (
    accesses,
    editions,
    held,
    journal,
    journals,
    micros,
    secrets,
    sections,
    timers,
)
from schemas.topics import BY_NAME

T = TypeVar("T")

_PAGE: Final = 1000

Numbers = Mapping[tuple[str, int], int]
"""The numbers of journal partitions, by processor and partition."""


class Arrival(NamedTuple):
    """What a city is to be on its new host, at the wall time `now`; `token` draws one for each cursor.

    `brought` goes into topics of this database, if they are here; `begins` says where topics elsewhere end.
    """

    host: str
    processors: Sequence[AnyProcessor]
    token: Callable[[], bytes]
    now: datetime
    brought: Sequence[Outgoing] = ()
    begins: Begins | None = None


def arrive(connection: Connection, place: str, export: Export, arrival: Arrival) -> None:
    """Write a checked export into an empty database."""
    line = export.one(lines.CITY, lines.CityLine)
    settle_in(connection, place, replace(city_of(line), host=arrival.host), line.created)
    if not bulk.is_sqlite(connection):
        connection.exec_driver_sql("set local idle_in_transaction_session_timeout = 0")
    cursors = list(export.lines(lines.CURSORS, lines.CursorLine))
    numbers = {
        key: row.id
        for key, row in lock(
            connection, JOURNALS, [(one.processor, one.partition) for one in cursors]
        ).items()
    }
    _put_cursors(connection, cursors, numbers, ())
    for processor in sorted({one.processor for one in cursors}):
        _put_events(connection, export, processor, cursors, numbers)
    _put_rest(connection, export, numbers)
    begins = arrival.begins
    if begins is None:
        _put_messages(connection, arrival.brought, micros(arrival.now))
        begins = _begins_here(connection, inboxes(arrival.processors, cursors))
    topics = {processor.name: processor.topics for processor in arrival.processors}
    made = [cursor(one, topics.get(one.processor, ()), begins, arrival.token()) for one in cursors]
    _put_cursors(connection, cursors, numbers, made)


def city_of(line: lines.CityLine) -> City:
    """The city that a line describes."""
    return City(
        code=line.code,
        name=line.name,
        partitions=line.partitions,
        clock=line.clock,
        start_wall=line.start_wall,
        start_city=line.start_city,
        speed=line.speed,
        mark=line.mark,
        host=line.host,
    )


def _put_cursors(
    connection: Connection, cursors: Sequence[lines.CursorLine], numbers: Numbers, made: Sequence[Cursor]
) -> None:
    """Rows of `journals`: at first how far each has come, then with the cursors that were `made` of that."""
    rows: list[tuple[Any, ...]] = []
    for place, one in enumerate(cursors):
        token, body = (made[place].token, encode(made[place])) if made else (b"", b"")
        number = numbers[one.processor, one.partition]
        stamp = micros(one.appended)
        rows.append((number, one.processor, one.partition, token, one.seq, one.seq, stamp, one.held, body))
    bulk.upsert(connection, journals, rows)


def _put_events(
    connection: Connection,
    export: Export,
    processor: str,
    cursors: Iterable[lines.CursorLine],
    numbers: Numbers,
) -> None:
    """The rows of one journal: dense in each partition, up to its cursor."""
    part = lines.journal_part(processor)
    reached = {one.partition: 0 for one in cursors if one.processor == processor}
    last = {one.partition: one.seq for one in cursors if one.processor == processor}

    def row(line: lines.EventLine) -> tuple[Any, ...]:
        if reached.get(line.partition, -1) + 1 != line.seq:
            found = f"row {line.seq} of partition {line.partition} behind {reached.get(line.partition)}"
            raise export.unreadable(part, found)
        reached[line.partition] = line.seq
        number = numbers[processor, line.partition]
        facts = (line.stream, line.version, micros(line.now), line.rules, micros(line.appended), line.trace)
        body = _bytes(export, part, line.event, line.encoding)
        return (number, line.seq, *facts, bytes(line.cause), body)

    _put(connection, journal, map(row, export.lines(part, lines.EventLine)))
    for partition, seq in last.items():
        if reached[partition] != seq:
            found = f"{reached[partition]} rows of partition {partition}, where {seq} are on record"
            raise export.unreadable(part, found)


def _put_rest(connection: Connection, export: Export, numbers: Numbers) -> None:
    """Timers, held messages, secrets and who asked for them, editions."""

    def timer(line: lines.TimerLine) -> tuple[Any, ...]:
        body = _bytes(export, lines.TIMERS, line.data, line.encoding)
        number = _number(export, lines.TIMERS, numbers, line)
        return (number, line.stream, line.name, micros(line.due), line.kind, body, line.event)

    def aside(line: lines.HeldLine) -> tuple[Any, ...]:
        body = _bytes(export, lines.HELD, line.message, line.encoding)
        number = _number(export, lines.HELD, numbers, line)
        what = (line.kind, line.stream, line.reason, line.type, body, bytes(line.cause))
        return (number, line.id, *what, line.rules, line.trace, micros(line.now), line.ordered)

    _put(connection, timers, map(timer, export.lines(lines.TIMERS, lines.TimerLine)))
    _put(connection, held, map(aside, export.lines(lines.HELD, lines.HeldLine)))
    with leaving_nothing(connection):
        kept = export.lines(lines.SECRETS, lines.SecretLine)
        _put(connection, secrets, ((one.id, one.key, one.sealed) for one in kept))
    for one in export.lines(lines.ACCESSES, lines.AccessLine):
        values = msgspec.structs.asdict(one) | {"at": micros(one.at), "fields": encode(one.fields)}
        connection.execute(insert_into(accesses).values(values))
    _put(connection, editions, ((_hash(name), export.body(name)) for name in export.names("editions")))
    _put(connection, sections, ((_hash(name), _section(export, name)) for name in export.names("sections")))


def _put_messages(connection: Connection, brought: Iterable[Outgoing], now: int) -> None:
    batches = sort_by_target(brought)
    writes = bulk.Writes(connection)
    append(writes, lock(connection, TARGETS, batches), batches, now, {})
    writes.flush()


def _begins_here(connection: Connection, targets: Iterable[Target]) -> Begins:
    """Where topics that are tables of this database end."""
    topics = {target: BY_NAME[target[0]] for target in targets}
    ends = {target: head for target, (head, _) in ends_of(connection, topics).items()}
    wanted = [
        Wanted(topics[target], target[1], head.id, head.end - 1, head.end)
        for target, head in ends.items()
        if head.end
    ]
    last = {(one.topic, one.partition): one for one in read_ranges(connection, wanted)}
    return {target: Begin(head.end, last.get(target)) for target, head in ends.items()}


def _put(connection: Connection, table: Table, rows: Iterable[tuple[Any, ...]]) -> None:
    for page in _pages(rows):
        bulk.insert(connection, table, page)


def _pages(rows: Iterable[T]) -> Iterator[list[T]]:
    waiting = iter(rows)
    while page := list(islice(waiting, _PAGE)):
        yield page


def _bytes(export: Export, part: str, raw: msgspec.Raw, encoding: str) -> bytes:
    try:
        return lines.unpacked(raw, encoding)
    except msgspec.DecodeError as error:
        raise export.unreadable(part, str(error)) from error


def _number(export: Export, part: str, numbers: Numbers, line: lines.TimerLine | lines.HeldLine) -> int:
    number = numbers.get((line.processor, line.partition))
    if number is None:
        raise export.unreadable(part, f"{line.processor}/{line.partition}, which has no cursor")
    return number


def _section(export: Export, name: str) -> bytes:
    """A section of the rules, whose name is its hash."""
    body = export.body(name)
    if sha256(body).hexdigest() != _hash(name):
        raise export.unreadable(name, "bytes of another hash")
    return body


def _hash(name: str) -> str:
    return name.rpartition("/")[2].removesuffix(".json")
