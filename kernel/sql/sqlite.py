"""SQLite: one writer thread, reading on the event loop.

The writer takes all transactions that are waiting into one (one fsync for all); if one of them fails, each is
done again alone. Reading happens on the event loop itself: it never waits for the writer (WAL), comes from
memory, and in a thread of its own each row would wait for Python's lock (docs/decisions/0010).
"""

import asyncio
import sqlite3
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Engine, NullPool, create_engine, event
from sqlalchemy.exc import DBAPIError

from kernel.sql.heads import Heads
from kernel.sql.store import Poll

T = TypeVar("T")

_BUSY_SECONDS: Final = 10
_SWITCH_SECONDS: Final = 0.0005
_CACHE_KIB: Final = 64 * 1024
_PAGE_BYTES: Final = 8192
_CHECKPOINT_PAGES: Final = 4000


class Job:
    """A transaction that waits for the writer, and the answer that is waited for."""

    __slots__ = ("answer", "work")

    def __init__(self, work: Callable[[Connection], Any]) -> None:
        self.work = work
        self.answer: Future[Any] = Future()


def engine_of(path: Path, begin: str = "BEGIN IMMEDIATE") -> Engine:
    """An engine whose connections are as durable as SQLite can be and begin each transaction by `begin`."""
    engine = create_engine("sqlite+pysqlite://", creator=lambda: _connect(path), poolclass=NullPool)

    def starts(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    event.listen(engine, "begin", starts)
    return engine


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False, cached_statements=512
    )
    for pragma in (
        f"page_size={_PAGE_BYTES}",
        "journal_mode=wal",
        "synchronous=full",
        f"cache_size=-{_CACHE_KIB}",
        "temp_store=memory",
        "secure_delete=off",
        f"wal_autocheckpoint={_CHECKPOINT_PAGES}",
    ):
        connection.execute(f"pragma {pragma}")
    return connection


class SqliteStore:
    """A city in one file."""

    def __init__(self, path: Path, stamp: Callable[[], datetime], poll_seconds: float = 0.2) -> None:
        self.path = path
        self.stamp = stamp
        self.heads = Heads()
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._engine = engine_of(path)
        self._writer = threading.Thread(target=self._write_all, name="gridcase-writer", daemon=True)
        self._reader = engine_of(path, "BEGIN").connect()
        self._seen = -1
        self._poll = Poll(self, poll_seconds)

    async def open(self) -> "SqliteStore":
        """Start the writer and look where the topics end."""
        sys.setswitchinterval(min(sys.getswitchinterval(), _SWITCH_SECONDS))
        self._writer.start()
        try:
            await self._poll.start()
        except BaseException:
            await self.close()
            raise
        return self

    async def close(self) -> None:
        """See the port."""
        await self._poll.stop()
        self._jobs.put(None)
        await asyncio.to_thread(self._writer.join)
        self._reader.close()

    async def write(self, work: Callable[[Connection], T]) -> T:
        """See the port."""
        if not self._writer.is_alive():
            raise ConnectionError(f"{self.path} is closed")
        job = Job(work)
        self._jobs.put(job)
        return await asyncio.wrap_future(job.answer)

    async def read(self, work: Callable[[Connection], T]) -> T:
        """See the port."""
        try:
            with self._reader.begin():
                return work(self._reader)
        except DBAPIError:
            self._reader.close()
            self._reader = engine_of(self.path, "BEGIN").connect()
            raise

    async def changed(self) -> bool:
        """See the port."""
        seen, self._seen = (
            self._seen,
            await self.read(
                lambda connection: connection.exec_driver_sql("pragma data_version").scalar_one()
            ),
        )
        return seen != self._seen

    # In the writer's thread.

    def _write_all(self) -> None:
        connection: Connection | None = None
        while (jobs := self._waiting()) is not None:
            if connection is None:
                connection = self._connection(jobs)
            if connection is not None:
                connection = self._write_together(connection, jobs)
        if connection is not None:
            connection.close()

    def _waiting(self) -> list[Job] | None:
        """All transactions that wait and whose callers still do; nothing at the end."""
        first = self._jobs.get()
        if first is None:
            return None
        jobs = [first]
        while not self._jobs.empty():
            job = self._jobs.get()
            if job is None:
                self._jobs.put(None)
                break
            jobs.append(job)
        return [job for job in jobs if job.answer.set_running_or_notify_cancel()]

    def _connection(self, jobs: list[Job]) -> Connection | None:
        try:
            return self._engine.connect()
        except Exception as error:  # noqa: BLE001 - it belongs to those who wait
            for job in jobs:
                job.answer.set_exception(error)
            return None

    def _write_together(self, connection: Connection, jobs: list[Job]) -> Connection | None:
        """One transaction for all. If one fails, each is done alone; a failed COMMIT is doubt for all."""
        worked = False
        try:
            with connection.begin():
                answers = [job.work(connection) for job in jobs]
                worked = True
        except BaseException as error:  # noqa: BLE001 - it belongs to those who wait
            with suppress(Exception):
                connection.close()
            if worked or len(jobs) == 1:
                for job in jobs:
                    job.answer.set_exception(error)
                return None
            for job in jobs:
                alone = self._connection([job])
                if alone is not None and self._write_together(alone, [job]) is not None:
                    alone.close()
            return None
        for job, answer in zip(jobs, answers, strict=True):
            job.answer.set_result(answer)
        return connection
