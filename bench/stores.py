"""The databases that are measured: a SQLite file, and a PostgreSQL server of this run alone."""

import os
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from kernel.sql import postgres, sqlite
from kernel.sql.tables import metadata
from tests.postgres import PostgresServer, binaries

KINDS: Final = ("sqlite", "postgres")
TUNED: Final = {"shared_buffers": "256MB", "max_wal_size": "4GB"}


def is_here(kind: str) -> bool:
    """Whether this database can be measured here."""
    return kind == "sqlite" or bool(os.environ.get("GRIDCASE_BENCH_POSTGRES")) or binaries() is not None


@contextmanager
def database(kind: str) -> Iterator[str]:
    """A fresh database: the path of a file, or the address of a PostgreSQL database."""
    if kind == "sqlite":
        with tempfile.TemporaryDirectory(prefix="gridcase-bench-") as folder:
            yield str(Path(folder) / "city.db")
        return
    given = os.environ.get("GRIDCASE_BENCH_POSTGRES")
    if given:
        yield given
        return
    server = PostgresServer(None, **TUNED).start()
    try:
        with server.fresh() as url:
            yield url
    finally:
        server.remove()


@asynccontextmanager
async def store_in(kind: str, address: str, stamp: Callable[[], datetime]) -> AsyncIterator[Any]:
    """An open store with its tables in place."""
    if kind == "sqlite":
        with sqlite.engine_of(Path(address)).begin() as connection:
            metadata.create_all(connection)
        store = await sqlite.SqliteStore(Path(address), stamp).open()
    else:
        engine = postgres.engine_of(address)
        async with engine.begin() as connection:
            await connection.run_sync(metadata.create_all)
        await engine.dispose()
        store = await postgres.PostgresStore(address, stamp).open()
    try:
        yield store
    finally:
        await store.close()
