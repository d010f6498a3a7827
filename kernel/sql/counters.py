"""The rows that a transaction locks before it does anything: cursors of journals, counters of topics.

They are always locked in the same order, journals first, so that two workers never wait for each other.
"""
# ruff: noqa: S608 - what is put together are names of our own tables and locks, never values

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, NamedTuple, TypeVar

from sqlalchemy import Connection

from kernel.sql import bulk
from kernel.sql.heads import Source

R = TypeVar("R")

_PARTITIONS: Final = (("name", "text"), ("partition", "int"))


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


@dataclass(frozen=True, slots=True)
class Counters(Generic[R]):
    """One table of such rows: who owns a partition of it, what is read, and what a new row begins with.

    `fresh` names each remaining column with its first value; `empty` stands for no bytes.
    """

    table: str
    owner: str
    row: Callable[..., R]
    read: tuple[str, ...]
    fresh: tuple[tuple[str, str], ...]


_EMPTY: Final = "empty"
JOURNALS: Final = Counters(
    "journals",
    "processor",
    JournalRow,
    JournalRow._fields,
    (("token", _EMPTY), ("seq", "0"), ("published", "0"), ("appended", "0"), ("held", "0"), ("body", _EMPTY)),
)
TARGETS: Final = Counters(
    "targets", "topic", TargetRow, TargetRow._fields, (("next", "0"), ("appended", "0"))
)


def lock(
    connection: Connection, counters: Counters[R], wanted: Iterable[Source], *, share: bool = False
) -> dict[Source, R]:
    """Lock partitions by owner and number, in this order, and make those that are not there yet.

    Making one waits for whoever is making the same one, so that nothing on its way stays unseen.
    """
    keys = sorted(wanted)
    rows = _locked(connection, counters, keys, share=share)
    missing = [key for key in keys if key not in rows]
    if not missing:
        return rows
    _make(connection, counters, missing)
    return _locked(connection, counters, keys, share=share)


def _locked(
    connection: Connection, counters: Counters[R], keys: Sequence[Source], *, share: bool
) -> dict[Source, R]:
    """SQLite has one lock for everything, and whoever writes holds it already."""
    owner, columns = counters.owner, ", ".join(f"t.{name}" for name in counters.read)
    query = (
        f"select t.{owner}, t.partition, {columns} from given "
        f"join {counters.table} t on t.{owner} = given.name and t.partition = given.partition "
        f"order by t.{owner}, t.partition"
    )
    if not bulk.is_sqlite(connection):
        query += f" for {'share' if share else 'update'} of t"
    rows = bulk.select(connection, _PARTITIONS, query, keys)
    return {(name, partition): counters.row(*row) for name, partition, *row in rows}


def _make(connection: Connection, counters: Counters[R], keys: Sequence[Source]) -> None:
    empty = "x''" if bulk.is_sqlite(connection) else "''::bytea"
    names = ", ".join(name for name, _ in counters.fresh)
    values = ", ".join(empty if value == _EMPTY else value for _, value in counters.fresh)
    statement = (
        f"insert into {counters.table} ({counters.owner}, partition, {names}) "
        f"select name, partition, {values} from given where true on conflict do nothing"
    )
    bulk.execute(connection, _PARTITIONS, statement, keys)
