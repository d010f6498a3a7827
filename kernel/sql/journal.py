"""The port to the history, in SQL."""

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Final, TypeVar

from sqlalchemy import Connection, and_, or_, update

from kernel.journal import Claim, Held, History, Move, Record, StoredTimer
from kernel.sql import reading
from kernel.sql.commit import Outcome, commit
from kernel.sql.store import Store
from kernel.sql.tables import held as held_rows

T = TypeVar("T")

_PAGE: Final = 1000


class SqlJournal:
    """The history of one processor.

    With `delivers` a commit also puts what leaves into its topics, which are tables of the same database,
    and its rows *are* its event topic; without it what leaves waits in an outbox until it was published.
    """

    def __init__(self, store: Store, processor: str, *, delivers: bool) -> None:
        self.delivers = delivers
        self.processor = processor
        self._store = store
        self._numbers: dict[int, int] = {}

    async def claim(self, partitions: Collection[int]) -> Sequence[Claim]:
        """See the port."""

        def work(connection: Connection) -> list[Claim]:
            return [reading.claim(connection, self.processor, partition) for partition in sorted(partitions)]

        return await self._store.read(work)

    async def commit(self, moves: Sequence[Move]) -> frozenset[int]:
        """See the port."""

        def work(connection: Connection) -> Outcome:
            return commit(connection, self.processor, moves, self._store.stamp, delivers=self.delivers)

        outcome = await self._store.write(work)
        self._store.heads.committed(outcome.heads, outcome.parts)
        return outcome.fenced

    async def histories(
        self, streams: Mapping[int, Collection[str]], fold: str
    ) -> Mapping[tuple[int, str], History]:
        """See the port."""
        return await self._reading(
            streams, lambda connection: reading.histories(connection, self._numbers, streams, fold)
        )

    async def due(self, until: Mapping[int, datetime], limit: int) -> Sequence[StoredTimer]:
        """See the port."""
        return await self._reading(
            until, lambda connection: reading.due(connection, self._numbers, until, limit)
        )

    async def ordered(self, partitions: Collection[int], limit: int) -> Sequence[Held]:
        """See the port."""
        return await self._reading(
            partitions, lambda connection: reading.ordered(connection, self._numbers, partitions, limit)
        )

    async def order(self, held: Collection[tuple[int, int]]) -> int:
        """See the port."""
        wanted: defaultdict[int, list[int]] = defaultdict(list)
        for partition, number in held:
            wanted[partition].append(number)

        def work(connection: Connection) -> int:
            numbers = reading.numbers_of(connection, self.processor)
            which = [
                and_(held_rows.c.journal == numbers[partition], held_rows.c.id.in_(ids))
                for partition, ids in wanted.items()
                if partition in numbers
            ]
            return (
                connection.execute(update(held_rows).where(or_(*which)).values(ordered=True)).rowcount
                if which
                else 0
            )

        return await self._store.write(work)

    async def held(self, stream: str | None = None) -> AsyncIterator[Held]:
        """See the port."""
        after = (-1, 0)
        while page := await self._store.read(
            lambda connection: reading.held_page(connection, self.processor, stream, after, _PAGE)  # noqa: B023 - read at once
        ):
            for item in page:
                yield item
            after = (page[-1].partition, page[-1].id)

    async def records(self, partition: int, after: int = 0) -> AsyncIterator[Record]:
        """See the port."""
        number = await self._number(partition)
        while number is not None and (
            page := await self._store.read(
                lambda connection: reading.records_page(connection, number, partition, after, _PAGE)  # noqa: B023 - read at once
            )
        ):
            for record in page:
                yield record
            after = page[-1].seq

    async def bodies(self, partition: int, after: int = 0) -> AsyncIterator[Sequence[tuple[str, bytes]]]:
        """Stream and event of the rows above `after`, by the thousand: for whoever folds whole journals."""
        number = await self._number(partition)
        while number is not None and (
            page := await self._store.read(
                lambda connection: reading.bodies_page(connection, number, after, _PAGE)  # noqa: B023 - read at once
            )
        ):
            yield page
            after += len(page)

    async def next_due(self) -> datetime | None:
        """See the port."""
        return await self._store.read(lambda connection: reading.next_due(connection, self.processor))

    async def _number(self, partition: int) -> int | None:
        await self._reading((partition,), lambda _: None)
        return self._numbers.get(partition)

    async def _reading(self, partitions: Collection[int], work: Callable[[Connection], T]) -> T:
        """Read with the numbers of these partitions at hand; a number never changes."""

        def run(connection: Connection) -> T:
            if any(partition not in self._numbers for partition in partitions):
                self._numbers = reading.numbers_of(connection, self.processor)
            return work(connection)

        return await self._store.read(run)
