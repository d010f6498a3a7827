"""Removes in small steps what nobody needs any more (清理): aged messages, snapshots behind newer ones.

What may go, what must stay, and why: docs/decisions/0013.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple, TypeAlias

import msgspec
from sqlalchemy import Connection, delete, func, select, tuple_

from kernel.journal import Reach
from kernel.log import Target
from kernel.processor import AnyProcessor
from kernel.retention import Aging, aging, dispensable
from kernel.sql import bulk
from kernel.sql.store import Store
from kernel.sql.tables import journals, messages, micros, snapshots, targets

_MOST: Final = 300
_SNAPSHOTS_KEPT: Final = 2

_OLDEST: Final = (
    'select target, (select m."offset" from messages m where m.target = given.target order by m."offset" '
    'limit 1), (select m.appended from messages m where m.target = given.target order by m."offset" limit 1) '
    "from given"
)

Key: TypeAlias = tuple[int, str, str, int]
"""A snapshot: journal, stream, fold and version."""
_FIRST: Final[Key] = (-1, "", "", 0)
_KEY: Final = (snapshots.c.journal, snapshots.c.stream, snapshots.c.fold, snapshots.c.version)


class _Cursor(msgspec.Struct, frozen=True):
    reach: dict[str, Reach] = {}


_cursors = msgspec.json.Decoder(_Cursor)


class _Range(NamedTuple):
    """Messages of one topic partition, from the offset `low` to below `high`."""

    target: int
    low: int
    high: int


class _Aged(NamedTuple):
    """A topic partition whose first record is older than its retention."""

    number: int
    target: Target
    aging: Aging
    first: int
    end: int


class Pruning:
    """One step after another over a whole city. How far it has come among the snapshots it knows itself."""

    def __init__(self, store: Store, processors: Sequence[AnyProcessor], most: int = _MOST) -> None:
        self._store = store
        self._processors = processors
        self._most = most
        self._after = _FIRST

    async def step(self) -> int:
        """Look, remove in one transaction what was found, and give how many rows that were.

        Cursors only rise: what was dispensable when it was looked at is so when it goes.
        """
        now = self._store.stamp()
        aged = await self._store.read(
            lambda connection: _aged_messages(connection, self._processors, now, self._most)
        )
        old, after = await self._store.read(
            lambda connection: _old_snapshots(connection, self._after, self._most)
        )
        if aged or old:
            await self._store.write(lambda connection: _remove(connection, aged, old))
        self._after = after
        return sum(one.high - one.low for one in aged) + len(old)


def _remove(connection: Connection, aged: Sequence[_Range], old: Sequence[Key]) -> None:
    for number, low, high in aged:
        connection.execute(
            delete(messages).where(
                messages.c.target == number, messages.c.offset >= low, messages.c.offset < high
            )
        )
    bulk.delete(connection, snapshots, old)


def _aged_messages(
    connection: Connection, processors: Sequence[AnyProcessor], now: datetime, most: int
) -> list[_Range]:
    """Messages older than the retention of their topic that every reader has taken, so many at most.

    Stamps of a topic partition never go back, so that what has aged is always its beginning.
    """
    found: list[_Range] = []
    aged = list(_aged(connection, processors, now))
    reached = _reached(connection, {reader for one in aged for reader in one.aging.readers})
    for one in aged:
        needed = dispensable(one.aging.readers, reached.get(one.target, {}), one.end)
        high = min(needed, one.first + most)
        if high <= one.first:
            continue
        last = connection.execute(
            select(func.max(messages.c.offset)).where(
                messages.c.target == one.number,
                messages.c.offset >= one.first,
                messages.c.offset < high,
                messages.c.appended < micros(now - one.aging.age),
            )
        ).scalar_one()
        found.append(_Range(one.number, one.first, last + 1))
        most -= last + 1 - one.first
    return found


def _aged(connection: Connection, processors: Sequence[AnyProcessor], now: datetime) -> Iterator[_Aged]:
    rows = connection.execute(
        select(targets.c.id, targets.c.topic, targets.c.partition, targets.c.next).order_by(targets.c.id)
    )
    known = {row.id: (row, found) for row in rows if (found := aging(row.topic, processors)) is not None}
    oldest = bulk.select(connection, (("target", "int"),), _OLDEST, [(number,) for number in known])
    for number, first, appended in oldest:
        row, found = known[number]
        if first is not None and appended < micros(now - found.age):
            yield _Aged(number, (row.topic, row.partition), found, first, row.next)


def _reached(connection: Connection, readers: Collection[str]) -> Mapping[Target, dict[str, int]]:
    """The offsets of these processors' cursors, by topic partition."""
    rows = connection.execute(
        select(journals.c.processor, journals.c.partition, journals.c.body).where(
            journals.c.processor.in_(readers)
        )
    )
    found: dict[Target, dict[str, int]] = {}
    for processor, partition, body in rows:
        for topic, reach in (_cursors.decode(body).reach if body else {}).items():
            found.setdefault((topic, partition), {})[processor] = reach.offset
    return found


def _old_snapshots(connection: Connection, after: Key, most: int) -> tuple[list[Key], Key]:
    """Of so many snapshots behind `after` those with two newer of their stream and fold, and where to go on.

    The last two looked at are looked at again: what is newer than they lies behind them.
    """
    rows = connection.execute(select(*_KEY).where(tuple_(*_KEY) > after).order_by(*_KEY).limit(most))
    keys: list[Key] = [(journal, stream, fold, version) for journal, stream, fold, version in rows]
    old = [key for key, newer in zip(keys, keys[_SNAPSHOTS_KEPT:], strict=False) if key[:3] == newer[:3]]
    if len(keys) < most:
        return old, _FIRST
    return old, keys[-_SNAPSHOTS_KEPT - 1]
