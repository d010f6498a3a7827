"""Many rows in few steps. The two databases differ here and almost nowhere else.

SQLite gives up Python's interpreter lock at every step, and a busy event loop hands it back only after a
switch interval: 4,500 rows by `executemany` took 5 seconds beside one busy thread, in statements of 256 rows
50 milliseconds (docs/decisions/0010). It is asked through its own driver: SQLAlchemy costs twice what a small
statement does. PostgreSQL takes rows by COPY and keys as arrays.
"""
# ruff: noqa: S608 - what is put together are names of our own tables and columns, never values

import re
import sqlite3
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any, Final, NamedTuple, TypeAlias, cast

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DBAPIError
from sqlalchemy.util import await_only

Values: TypeAlias = Sequence[Any]
Given: TypeAlias = tuple[tuple[str, str], ...]
"""Names and PostgreSQL types of the columns of a table of parameters."""

_MOST: Final = 256
_FEW: Final = 64
_PLACE: Final = re.compile(r"\$(\d+)")
_COPY_FROM: Final = 64


def is_sqlite(connection: Connection) -> bool:
    """Which of the two databases this is."""
    return connection.dialect.name == "sqlite"


def insert(connection: Connection, table: Table, rows: Sequence[Values]) -> None:
    """Insert rows that hold all columns of the table in its order."""
    if not rows:
        return
    if is_sqlite(connection):
        _in_chunks(connection, lambda count: _insert_values(table, count), rows)
    elif len(rows) >= _COPY_FROM:
        _copy(connection, table, rows)
    else:
        connection.exec_driver_sql(_insert_arrays(table), _arrays(rows))


def upsert(connection: Connection, table: Table, rows: Sequence[Values]) -> None:
    """Insert rows, or replace the one with the same primary key."""
    if not rows:
        return
    change = _on_conflict(table)
    if is_sqlite(connection):
        _in_chunks(connection, lambda count: _insert_values(table, count) + change, rows)
    else:
        connection.exec_driver_sql(_insert_arrays(table) + change, _arrays(rows))


def insert_new(connection: Connection, table: Table, rows: Sequence[Values]) -> None:
    """Insert rows, or leave the one with the same primary key as it is."""
    if not rows:
        return
    if is_sqlite(connection):
        _in_chunks(connection, lambda count: _insert_values(table, count) + " on conflict do nothing", rows)
    else:
        connection.exec_driver_sql(_insert_arrays(table) + " on conflict do nothing", _arrays(rows))


class Writes:
    """Changes of one transaction that need no answer; no two of them may touch the same row.

    SQLite does each at once. PostgreSQL gets all small ones in one statement, for one round trip.
    """

    __slots__ = ("_parts", "connection")

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._parts: list[tuple[str, tuple[list[Any], ...]]] = []

    def insert(self, table: Table, rows: Sequence[Values]) -> None:
        """See `insert`."""
        if is_sqlite(self.connection) or len(rows) >= _COPY_FROM:
            insert(self.connection, table, rows)
        elif rows:
            self._parts.append((_insert_arrays(table), _arrays(rows)))

    def upsert(self, table: Table, rows: Sequence[Values]) -> None:
        """See `upsert`."""
        if is_sqlite(self.connection):
            upsert(self.connection, table, rows)
        elif rows:
            self._parts.append((_insert_arrays(table) + _on_conflict(table), _arrays(rows)))

    def delete(self, table: Table, keys: Sequence[Values]) -> None:
        """See `delete`."""
        if is_sqlite(self.connection):
            delete(self.connection, table, keys)
        elif keys:
            self.execute(*_delete_keys(table, sqlite=False), keys)

    def execute(self, given: Given, statement: str, rows: Sequence[Values]) -> None:
        """See `execute`; nobody hears how many rows it changed."""
        if is_sqlite(self.connection):
            execute(self.connection, given, statement, rows)
        elif rows:
            self._parts.append((_given_arrays(given) + statement, _arrays(rows)))

    def delete_matching(self, table: Table, given: Given, match: str, rows: Sequence[Values]) -> None:
        """Delete the rows of `table`, named `t`, that match a row of parameters, named `given`."""
        self.execute(given, _delete_matching(table, match, sqlite=is_sqlite(self.connection)), rows)

    def flush(self) -> None:
        """Do what is not yet done."""
        if self._parts:
            sql = _as_one(tuple((sql, len(arrays)) for sql, arrays in self._parts))
            arrays = tuple(chain.from_iterable(arrays for _, arrays in self._parts))
            self.connection.exec_driver_sql(sql, arrays).close()
            self._parts = []


class Lookup(NamedTuple):
    """For each row of parameters, named `given`, the rows of `table`, named `t`, that match, in this order.

    `most` names the parameter that bounds how many. The order is kept among the answers to one row only.
    """

    given: Given
    table: str
    columns: str
    match: str
    order: str
    most: str = ""


def look_up(connection: Connection, lookup: Lookup, rows: Sequence[Values]) -> list[Any]:
    """The answers as tuples. Always one walk through an index for each row, however large the table."""
    if not rows:
        return []
    if not is_sqlite(connection):
        return fetch(connection, _lateral(lookup), _arrays(rows))
    found: list[Any] = []
    for chunk in _chunks(rows):
        sql = _given_values(lookup.given, len(chunk)) + _crossed(lookup)
        found += fetch(connection, sql, tuple(chain.from_iterable(chunk)))
    return found


@lru_cache(maxsize=64)
def _crossed(lookup: Lookup) -> str:
    """SQLite walks a cross join in the order in which it is written."""
    limit = f" limit (select max({lookup.most}) from given)" if lookup.most else ""
    return (
        f"select {lookup.columns} from given cross join {lookup.table} t on {lookup.match} "
        f"order by {lookup.order}{limit}"
    )


@lru_cache(maxsize=64)
def _lateral(lookup: Lookup) -> str:
    """PostgreSQL may not turn it into a join of its own: without statistics it would read the whole table."""
    limit = f"limit given.{lookup.most} " if lookup.most else ""
    inner = f"select t.* from {lookup.table} t where {lookup.match} order by {lookup.order} {limit}offset 0"
    return (
        f"{_given_arrays(lookup.given)}select {lookup.columns} "
        f"from given cross join lateral ({inner}) t order by {lookup.order}"
    )


def delete(connection: Connection, table: Table, keys: Sequence[Values]) -> None:
    """Delete the rows with these primary keys."""
    if keys:
        execute(connection, *_delete_keys(table, sqlite=is_sqlite(connection)), keys)


def select(connection: Connection, given: Given, query: str, rows: Sequence[Values]) -> list[Any]:
    """Run `query`, which reads the parameters from a table named `given`; in parts, if they are many."""
    found: list[Any] = []
    if not rows:
        return found
    if not is_sqlite(connection):
        return fetch(connection, _given_arrays(given) + query, _arrays(rows))
    for chunk in _chunks(rows):
        sql = _given_values(given, len(chunk)) + query
        found += fetch(connection, sql, tuple(chain.from_iterable(chunk)))
    return found


def fetch(connection: Connection, sql: str, parameters: tuple[Any, ...] = ()) -> list[Any]:
    """The driver's own tuples; making SQLAlchemy's rows of them costs as much as reading them."""
    if is_sqlite(connection):
        return _run(connection, sql, parameters).fetchall()
    result = connection.exec_driver_sql(sql, parameters)
    rows = list(cast("Any", result).cursor.fetchall())
    result.close()
    return rows


def execute(connection: Connection, given: Given, statement: str, rows: Sequence[Values]) -> int:
    """Run a statement that reads `given`, and give the number of rows it changed."""
    if not rows:
        return 0
    if not is_sqlite(connection):
        return connection.exec_driver_sql(_given_arrays(given) + statement, _arrays(rows)).rowcount
    count = 0
    for chunk in _chunks(rows):
        sql = _given_values(given, len(chunk)) + statement
        count += _run(connection, sql, tuple(chain.from_iterable(chunk))).rowcount
    return count


def _in_chunks(connection: Connection, sql: Callable[[int], str], rows: Sequence[Values]) -> None:
    for chunk in _chunks(rows):
        _run(connection, sql(len(chunk)), tuple(chain.from_iterable(chunk)))


def _run(connection: Connection, sql: str, parameters: tuple[Any, ...]) -> sqlite3.Cursor:
    try:
        return cast("Any", connection.connection.driver_connection).execute(sql, parameters)
    except sqlite3.Error as error:
        raise DBAPIError.instance(sql, None, error, sqlite3.Error, dialect=connection.dialect) from error


def _chunks(rows: Sequence[Values]) -> Iterator[Sequence[Values]]:
    """Parts of 256, 128 or 64 rows and a rest of at most 64: few prepared statements serve all sizes."""
    start, size = 0, _MOST
    while len(rows) - start > _FEW:
        while size > len(rows) - start:
            size //= 2
        yield rows[start : start + size]
        start += size
    if start < len(rows):
        yield rows[start:]


def _arrays(rows: Iterable[Values]) -> tuple[list[Any], ...]:
    return tuple(list(column) for column in zip(*rows, strict=True))


def _copy(connection: Connection, table: Table, rows: Sequence[Values]) -> None:
    driver = connection.connection.driver_connection
    copy = cast("Callable[..., Awaitable[str]]", getattr(driver, "copy_records_to_table"))  # noqa: B009 - asyncpg's own
    await_only(copy(table.name, records=rows, columns=table.columns.keys()))


@lru_cache(maxsize=1024)
def _insert_values(table: Table, count: int) -> str:
    columns = ", ".join(f'"{name}"' for name in table.columns.keys())  # noqa: SIM118 - a collection of columns
    row = "(" + ", ".join("?" * len(table.columns)) + ")"
    return f'insert into "{table.name}" ({columns}) values {", ".join([row] * count)}'


@lru_cache(maxsize=64)
def _insert_arrays(table: Table) -> str:
    columns = ", ".join(f'"{name}"' for name in table.columns.keys())  # noqa: SIM118 - a collection of columns
    arrays = ", ".join(f"${place}::{_type(column.type)}[]" for place, column in enumerate(table.columns, 1))
    return f'insert into "{table.name}" ({columns}) select * from unnest({arrays})'


def _type(kind: object) -> str:
    """The PostgreSQL type of a column, without the order of its text: an array has none."""
    return str(cast("Any", kind).compile(postgresql.dialect())).partition(" COLLATE ")[0]


@lru_cache(maxsize=256)
def _as_one(statements: tuple[tuple[str, int], ...]) -> str:
    """One statement that makes several changes, each with as many parameters as it says."""
    if len(statements) == 1:
        return statements[0][0]
    changes: list[str] = []
    before = 0
    for place, (sql, count) in enumerate(statements):
        numbered = _PLACE.sub(lambda found, before=before: f"${int(found[1]) + before}", sql)
        changes.append(f"change{place} as ({numbered})")
        before += count
    return f"with {', '.join(changes)} select 1"


@lru_cache(maxsize=64)
def _on_conflict(table: Table) -> str:
    keys = [column.name for column in table.primary_key]
    changes = ", ".join(f'"{name}" = excluded."{name}"' for name in table.columns.keys() if name not in keys)  # noqa: SIM118
    return f" on conflict ({', '.join(keys)}) do update set {changes}"


@lru_cache(maxsize=64)
def _delete_keys(table: Table, *, sqlite: bool) -> tuple[Given, str]:
    given = tuple((column.name, _type(column.type)) for column in table.primary_key)
    match = " and ".join(f"t.{name} = given.{name}" for name, _ in given)
    return given, _delete_matching(table, match, sqlite=sqlite)


@lru_cache(maxsize=64)
def _delete_matching(table: Table, match: str, *, sqlite: bool) -> str:
    """Found by one walk through an index for each row of parameters."""
    if sqlite:
        found = f"select t.rowid from given cross join {table.name} t on {match}"
        return f"delete from {table.name} where rowid in ({found})"
    lateral = f"cross join lateral (select t.ctid from {table.name} t where {match} offset 0) t"
    return f"delete from {table.name} where ctid = any(array(select t.ctid from given {lateral}))"


@lru_cache(maxsize=1024)
def _given_values(given: Given, count: int) -> str:
    names = ", ".join(name for name, _ in given)
    row = "(" + ", ".join("?" * len(given)) + ")"
    return f"with given({names}) as (values {', '.join([row] * count)}) "


@lru_cache(maxsize=64)
def _given_arrays(given: Given) -> str:
    names = ", ".join(name for name, _ in given)
    arrays = ", ".join(f"${place}::{kind}[]" for place, (_, kind) in enumerate(given, 1))
    return f"with given({names}) as (select * from unnest({arrays})) "
