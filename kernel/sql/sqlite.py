"""SQLite: all on the event loop, as far as neither another process nor a slow disk has to be waited for.

On a quick disk each transaction is done at once: the way to a thread and back, and waiting for one another,
cost more than an fsync. Otherwise those who wait are written together, BEGIN and COMMIT in a thread; if one
fails, each is done again alone. Statements and reading never go there: they would wait for Python's lock at
every row (docs/decisions/0010).
"""

import asyncio
import os
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from math import inf
from pathlib import Path
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Engine, NullPool, RootTransaction, create_engine, event
from sqlalchemy.exc import DBAPIError, OperationalError

from kernel.sql.heads import Heads
from kernel.sql.store import Poll

T = TypeVar("T")

_BUSY_SECONDS: Final = 10
_QUICK_SECONDS: Final = 0.005
_SWITCH_SECONDS: Final = 0.0005
_CACHE_KIB: Final = 64 * 1024
_PAGE_BYTES: Final = 8192
_CHECKPOINT_PAGES: Final = 4000


class Job:
    """A transaction that waits for its turn, and the answer that is waited for."""

    __slots__ = ("answer", "work")

    def __init__(self, work: Callable[[Connection], Any]) -> None:
        self.work = work
        self.answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()


def engine_of(path: Path, begin: str = "BEGIN IMMEDIATE") -> Engine:
    """An engine whose connections are as durable as SQLite can be and begin each transaction by `begin`."""
    engine = create_engine("sqlite+pysqlite://", creator=lambda: _connect(path), poolclass=NullPool)

    def starts(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    event.listen(engine, "begin", starts)
    return engine


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False, cached_statements=1024
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
    """A city in one file; how quick its disk is will be measured, if it is not said."""

    gather_seconds = 0.008
    """A transaction holds up all workers of the process for 2 ms and more, whatever is in it: rather few."""

    def __init__(
        self,
        path: Path,
        stamp: Callable[[], datetime],
        poll_seconds: float = 0.2,
        *,
        quick: bool | None = None,
    ) -> None:
        self.path = path
        self.stamp = stamp
        self.heads = Heads()
        self._open = False
        self._waiting: list[Job] = []
        self._writing: asyncio.Task[None] | None = None
        self._engine = engine_of(path)
        self._connection: Connection | None = None
        self._thread = ThreadPoolExecutor(1, "gridcase-writer")
        self._quick = quick
        self._reader = engine_of(path, "BEGIN").connect()
        self._seen = -1
        self._poll = Poll(self, poll_seconds)

    async def open(self) -> "SqliteStore":
        """Begin to take transactions and look where the topics end."""
        sys.setswitchinterval(min(sys.getswitchinterval(), _SWITCH_SECONDS))
        if self._quick is None:
            self._quick = await asyncio.to_thread(_sync_seconds, self.path.parent) < _QUICK_SECONDS
        self._open = True
        try:
            await self._poll.start()
        except BaseException:
            await self.close()
            raise
        return self

    async def close(self) -> None:
        """See the port."""
        await self._poll.stop()
        self._open = False
        if self._writing is not None:
            await asyncio.wait([self._writing])
        await self._in_thread(self._disconnect)
        self._thread.shutdown()
        self._reader.close()

    async def write(self, work: Callable[[Connection], T]) -> T:
        """See the port."""
        if not self._open:
            raise ConnectionError(f"{self.path} is closed")
        if self._quick and not self._waiting and (self._writing is None or self._writing.done()):
            transaction = self._begin_at_once()
            if transaction is not None:
                return self._finish(transaction, work)
        job = Job(work)
        self._waiting.append(job)
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_all())
        return await job.answer

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

    def _begin_at_once(self) -> RootTransaction | None:
        """Nothing, if another process writes: it has to be waited for."""
        try:
            return self._begin(0)
        except OperationalError:
            return None

    def _finish(self, transaction: RootTransaction, work: Callable[[Connection], T]) -> T:
        try:
            answer = work(transaction.connection)
            transaction.commit()
        except BaseException:
            self._disconnect()
            raise
        return answer

    async def _write_all(self) -> None:
        """Whoever comes during a transaction waits for the next; whoever has gone is passed over."""
        while self._waiting:
            jobs, self._waiting = self._waiting, []
            if not await self._write_together(jobs):
                for job in jobs:
                    await self._write_together([job])

    async def _write_together(self, jobs: Sequence[Job]) -> bool:
        """One transaction for all; a failed COMMIT is doubt for all. False: one of several failed before."""
        worked = False
        try:
            transaction = await self._in_thread(self._begin)
            jobs = [job for job in jobs if not job.answer.done()]
            answers = [job.work(transaction.connection) for job in jobs]
            worked = True
            await self._in_thread(transaction.commit)
        except BaseException as error:
            left = self._thread.submit(self._disconnect)
            if isinstance(error, Exception):
                await asyncio.wrap_future(left)  # whoever is next may write at once
            if not worked and len(jobs) > 1 and isinstance(error, Exception):
                return False
            for job in jobs:
                if not job.answer.done():
                    job.answer.set_exception(
                        error if isinstance(error, Exception) else ConnectionError(f"{self.path} was left")
                    )
            if not isinstance(error, Exception):
                raise
            return True
        for job, answer in zip(jobs, answers, strict=True):
            if not job.answer.done():
                job.answer.set_result(answer)
        return True

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _begin(self, seconds: int = _BUSY_SECONDS) -> RootTransaction:
        if self._connection is None:
            self._connection = self._engine.connect()
        raw: Any = self._connection.connection.driver_connection
        raw.execute(f"pragma busy_timeout={1000 * seconds}")
        return self._connection.begin()

    def _disconnect(self) -> None:
        """What was begun and not committed is rolled back."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(Exception):
                connection.close()


def _sync_seconds(folder: Path) -> float:
    """How long this disk takes to make a page durable: the middle one of five attempts."""
    taken: list[float] = []
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            for _ in range(5):
                file.write(bytes(_PAGE_BYTES))
                file.flush()
                started = time.perf_counter()
                os.fsync(file.fileno())
                taken.append(time.perf_counter() - started)
    except OSError:  # full, or not ours to write: whoever writes to the city will be told
        return inf
    return sorted(taken)[2]
