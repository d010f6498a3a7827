"""A city leaves its database: all is read at one moment, and from then on nobody can write here again."""

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from msgspec import Raw, json
from sqlalchemy import Connection, Table, select, text, tuple_, update
from sqlalchemy.exc import DBAPIError

from kernel.errors import CityNotDrained, CityRunsAlready, CityUnfit
from kernel.moving import lines
from kernel.moving.queued import Halted, Queued, not_handled, not_published
from kernel.moving.writing import ExportWriter
from kernel.processor import AnyProcessor
from kernel.sql import bulk, reading
from kernel.sql.city import MOVED, City, read_city
from kernel.sql.tables import (
    accesses,
    city,
    editions,
    held,
    journal,
    journals,
    moment,
    secrets,
    sections,
    timers,
)

_PAGE: Final = 1000
_WORDS_MOST: Final = 5

_OTHERS: Final = (
    "select count(*) from pg_stat_activity where datname = current_database() "
    "and application_name = 'gridcase' and pid <> pg_backend_pid() and pid not in "
    "(select pid from pg_locks where locktype = 'advisory' and granted)"
)
"""Our sessions in this database but this one and the one that holds the city's lock."""


_BARRIER: Final = (
    "create trigger this_city_has_moved_{change} before {change} on journals "
    "begin select raise(abort, 'this city has moved'); end"
)


def leave(
    connection: Connection, place: str, processors: Sequence[AnyProcessor], out: ExportWriter, release: str
) -> str:
    """Write a city that stands still and has empty queues into `out`, and close it; gives the seal."""
    found = _standing_still(connection, place)
    if found.host != MOVED:
        _refuse_queued(connection, place, processors, found)
    code, name, exported = found.code, found.name, datetime.now(UTC)
    _write(connection, found, {topic for one in processors for topic in one.topics}, out)
    seal = out.seal(release, code, name, exported)
    if found.host != MOVED:
        _shut(connection, place)
    return seal


def others(connection: Connection) -> int:
    """How many sessions somebody else of ours has open in a city; SQLite knows none, its lock says enough.

    One that was closed a moment ago may still count.
    """
    return 0 if bulk.is_sqlite(connection) else connection.execute(text(_OTHERS)).scalar_one()


def _standing_still(connection: Connection, place: str) -> City:
    """The city, seen at one moment."""
    if not bulk.is_sqlite(connection):
        connection.execute(text("set transaction isolation level repeatable read"))
        connection.execute(text("set local idle_in_transaction_session_timeout = 0"))
    return read_city(connection, place)


def _refuse_queued(
    connection: Connection, place: str, processors: Sequence[AnyProcessor], found: City
) -> None:
    halted = [
        Halted(row.processor, cursor := reading.cursor_of(row), reading.unsent(connection, row.id, cursor))
        for row in _rows_of_journals(connection)
    ]
    if not any(one.cursor.rules for one in halted):
        raise CityUnfit("a city with rules in force", "one without", "found it anew where it is to run")
    unseen = not_handled(processors, halted, found.partitions)
    contradictions = [one for one in unseen if one.number < 0]
    if contradictions:
        found_ = f"{contradictions[0].what}: more was seen than was sent"
        raise CityUnfit("journals that fit each other", found_, "`gridcase recover` first")
    open_ = [
        *_told(unseen, "not handled"),
        *_told(not_published(processors, halted), "not published"),
    ]
    if open_:
        more = len(open_) - _WORDS_MOST
        raise CityNotDrained(
            place, "; ".join(open_[:_WORDS_MOST]) + (f"; and {more} more" if more > 0 else "")
        )


def _told(queued: Sequence[Queued], what: str) -> list[str]:
    return [f"{one.number} {what} ({one.what})" for one in queued]


def _rows_of_journals(connection: Connection) -> Sequence[Any]:
    query = select(journals).where(journals.c.body != b"")
    return connection.execute(query.order_by(journals.c.processor, journals.c.partition)).fetchall()


def _write(connection: Connection, found: City, inner: Collection[str], out: ExportWriter) -> None:
    """Every part; a processor's events lie together. `inner` are the topics that the city itself fills."""
    created = connection.execute(select(city.c.created)).scalar_one()
    line = lines.CityLine(
        code=found.code,
        name=found.name,
        partitions=found.partitions,
        clock=found.clock,
        start_wall=found.start_wall,
        start_city=found.start_city,
        speed=found.speed,
        mark=found.mark,
        created=moment(created),
        host=found.host,
    )
    out.body(lines.CITY, json.format(json.encode(line), indent=1))
    rows = _rows_of_journals(connection)
    numbers = {row.id: (row.processor, row.partition) for row in rows}
    out.lines(lines.CURSORS, (_cursor_line(row, inner) for row in rows))
    for processor in sorted({row.processor for row in rows}):
        own = {number: partition for number, (owner, partition) in numbers.items() if owner == processor}
        out.lines(lines.journal_part(processor), _events(connection, own))
    out.lines(lines.TIMERS, _paged(connection, timers, lambda row: _timer_line(numbers[row.journal], row)))
    out.lines(lines.HELD, _paged(connection, held, lambda row: _held_line(numbers[row.journal], row)))
    out.lines(lines.SECRETS, _paged(connection, secrets, lambda row: lines.SecretLine(*row)))
    out.lines(lines.ACCESSES, _paged(connection, accesses, _access_line))
    for row in connection.execute(select(editions).order_by(editions.c.hash)).fetchall():
        out.body(lines.edition_part(row.hash), row.manifest)
    for hash_ in connection.execute(select(sections.c.hash).order_by(sections.c.hash)).scalars().fetchall():
        body = connection.execute(select(sections.c.body).where(sections.c.hash == hash_)).scalar_one()
        out.body(lines.section_part(hash_), body)


def _cursor_line(row: Any, inner: Collection[str]) -> lines.CursorLine:
    cursor = reading.cursor_of(row)
    return lines.CursorLine(
        processor=row.processor,
        partition=row.partition,
        seq=cursor.seq,
        held=row.held,
        appended=moment(row.appended),
        now=cursor.now,
        rules=cursor.rules,
        seen=cursor.seen,
        sent=cursor.sent,
        outside={topic: reach for topic, reach in cursor.reach.items() if topic not in inner},
    )


def _events(connection: Connection, partitions: dict[int, int]) -> Iterator[lines.EventLine]:
    for number, partition in partitions.items():
        after = 0
        query = select(journal).where(journal.c.journal == number).order_by(journal.c.seq).limit(_PAGE)
        while page := connection.execute(query.where(journal.c.seq > after)).fetchall():
            for row in page:
                event, encoding = lines.packed(row.body)
                yield lines.EventLine(
                    partition=partition,
                    seq=row.seq,
                    stream=row.stream,
                    version=row.version,
                    now=moment(row.now),
                    rules=row.rules,
                    appended=moment(row.appended),
                    trace=row.trace,
                    cause=Raw(row.cause),
                    event=event,
                    encoding=encoding,
                )
            after = page[-1].seq


def _paged(connection: Connection, table: Table, line: Callable[[Any], Any]) -> Iterator[Any]:
    """A table in the order of its key, so many rows at a time."""
    key = list(table.primary_key)
    query = select(table).order_by(*key).limit(_PAGE)
    page = connection.execute(query).fetchall()
    while page:
        yield from map(line, page)
        last = [getattr(page[-1], column.name) for column in key]
        page = connection.execute(query.where(tuple_(*key) > last)).fetchall()


def _timer_line(of: tuple[str, int], row: Any) -> lines.TimerLine:
    data, encoding = lines.packed(row.body)
    return lines.TimerLine(
        processor=of[0],
        partition=of[1],
        stream=row.stream,
        name=row.name,
        due=moment(row.due),
        kind=row.kind,
        event=row.event,
        data=data,
        encoding=encoding,
    )


def _held_line(of: tuple[str, int], row: Any) -> lines.HeldLine:
    message, encoding = lines.packed(row.body)
    return lines.HeldLine(
        processor=of[0],
        partition=of[1],
        id=row.id,
        kind=row.kind,
        stream=row.stream,
        reason=row.reason,
        type=row.type,
        rules=row.rules,
        trace=row.trace,
        now=moment(row.now),
        ordered=row.ordered,
        cause=Raw(row.cause),
        message=message,
        encoding=encoding,
    )


def _access_line(row: Any) -> lines.AccessLine:
    fields = json.decode(row.fields, type=tuple[str, ...])
    return lines.AccessLine(moment(row.at), row.report, row.reader, row.role, row.purpose, fields, row.answer)


def _shut(connection: Connection, place: str) -> None:
    """Mark the city as moved and let no cursor move any more, whoever has not heard of it.

    On PostgreSQL locking fails if anybody has written since the moment that was exported.
    """
    try:
        if bulk.is_sqlite(connection):
            for change in ("insert", "update"):
                connection.execute(text(_BARRIER.format(change=change)))
        else:
            connection.execute(text("select id from journals for update"))
            connection.execute(
                text("alter table journals add constraint this_city_has_moved check (false) not valid")
            )
    except DBAPIError as error:
        found = str(error.orig).partition("\n")[0]
        raise CityRunsAlready(place, f"somebody who worked meanwhile ({found})") from error
    connection.execute(update(city).values(host=MOVED))
