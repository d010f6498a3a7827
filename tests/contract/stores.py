"""Stores for the contract suites: fresh tables, a clock that the test moves."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from kernel.sql import postgres, sqlite
from kernel.sql.store import Store
from kernel.sql.tables import metadata

START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


class Hands:
    """A clock whose hands the test moves, also backwards."""

    def __init__(self) -> None:
        self.time = START

    def __call__(self) -> datetime:
        return self.time

    def move(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


@asynccontextmanager
async def sqlite_store(path: Path, hands: Hands, *, quick: bool = True) -> AsyncIterator[Store]:
    with sqlite.engine_of(path).begin() as connection:
        metadata.create_all(connection)
    store = await sqlite.SqliteStore(path, hands, quick=quick).open()
    try:
        yield store
    finally:
        await store.close()


@asynccontextmanager
async def postgres_store(url: str, hands: Hands) -> AsyncIterator[Store]:
    engine = postgres.engine_of(url)
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    await engine.dispose()
    store = await postgres.PostgresStore(url, hands).open()
    try:
        yield store
    finally:
        await store.close()
