"""The rows that a transaction locks before it does anything: cursors of journals, counters of topics.

They are always locked in the same order, journals first, so that two workers never wait for each other.
"""
# ruff: noqa: S608 - what is put together are names of our own tables and locks, never values

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from sqlalchemy import Connection

from kernel.log import Target
from kernel.sql import bulk
from kernel.sql.heads import Source

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
