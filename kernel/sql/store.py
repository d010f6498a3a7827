"""A city's database: who runs the synchronous functions, and in which transaction."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Protocol, TypeVar

from sqlalchemy import Connection

from kernel.sql import bulk
from kernel.sql.heads import Head, Heads, Source, journal_source

T = TypeVar("T")


class Store(Protocol):
    """SQLite (`kernel.sql.sqlite`) or PostgreSQL (`kernel.sql.postgres`)."""

    heads: Heads
    stamp: Callable[[], datetime]
    gather_seconds: float
    """For how long a worker lets more messages come before it takes them, where that makes all quicker."""

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in one transaction. Any exception is doubt: it may have been committed."""
        ...

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work`, which only reads."""
        ...

    async def changed(self) -> bool:
        """Whether somebody may have written since the last call; saves idle processes the question what."""
        ...

    async def close(self) -> None:
        """Let go of the database."""
        ...


def all_heads(connection: Connection) -> dict[Source, Head]:
    """The end of every topic partition and of every journal partition."""
    ends: dict[Source, Head] = {}
    for number, topic, partition, end in bulk.fetch(
        connection, "select id, topic, partition, next from targets"
    ):
        ends[topic, partition] = Head(number, end)
    for number, processor, partition, end in bulk.fetch(
        connection, "select id, processor, partition, seq from journals"
    ):
        ends[journal_source(processor, partition)] = Head(number, end)
    return ends


class Poll:
    """Looks every so often for what other processes have written."""

    def __init__(self, store: Store, seconds: float) -> None:
        self._store = store
        self._seconds = seconds
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Look once, then keep looking in the background."""
        await self._store.changed()
        self._store.heads.raise_to(await self._store.read(all_heads))
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._seconds)
            try:
                if await self._store.changed():
                    self._store.heads.raise_to(await self._store.read(all_heads))
            except Exception as error:  # noqa: BLE001 - whoever waits for news raises it
                self._store.heads.fail(error)
