"""Where a city lies: a SQLite file or a PostgreSQL database, and the words for what is wrong with it."""

import asyncio
import fcntl
import os
import socket
import sqlite3
from collections.abc import Awaitable, Callable
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import IO, Final, Protocol, TypeVar

from sqlalchemy import Connection, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.errors import (
    CityRunsAlready,
    DatabaseBroken,
    DatabaseReadOnly,
    DatabaseUnreachable,
    NoSuchCity,
)
from kernel.settings import hide_password
from kernel.sql import postgres, sqlite
from kernel.sql.holding import Holding
from kernel.sql.store import Store

T = TypeVar("T")

_MAGIC: Final = b"SQLite format 3\x00"
_HEADER_BYTES: Final = 100


Lost = Callable[[Exception], None]


def nobody_minds(error: Exception) -> None:
    """For work that is over before anybody else could come."""


class Place(Protocol):
    """One of the two kinds of place."""

    name: str
    witness: Path | None
    """The file that remembers how far the city has come, where the place has one."""

    async def run(self, work: Callable[[Connection], T], *, create: bool = False) -> T:
        """Run `work` in one transaction, before any store is open."""
        ...

    async def store(self, stamp: Callable[[], datetime], poll_seconds: float) -> Store:
        """Open the store."""
        ...

    async def lock(self, lost: Lost = nobody_minds) -> Callable[[], Awaitable[None]]:
        """Be the only process that runs this city; gives what lets go of it.

        `lost` hears if another process has the city meanwhile.
        """
        ...


def place_of(url: str) -> Place:
    """The place that a URL names: `sqlite:///file` or `postgresql://…`, with or without a driver."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise DatabaseUnreachable(url, f"no URL of a database ({error})") from error
    kind = parsed.get_backend_name()
    if kind == "sqlite" and parsed.database:
        return SqlitePlace(Path(parsed.database))
    if kind in {"postgresql", "postgres"}:
        return PostgresPlace(parsed)
    raise DatabaseUnreachable(url, "neither sqlite:///FILE nor postgresql://USER:PASSWORD@HOST/DATABASE")


class SqlitePlace:
    """A file. Its lock is a file beside it, which the system frees whatever happens to the process."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = str(path)
        self.witness: Path | None = path.with_name(path.name + ".witness")

    async def run(self, work: Callable[[Connection], T], *, create: bool = False) -> T:
        """See the port."""
        if create and not (self.path.exists() and self.path.stat().st_size):
            self._make_folder()
        else:
            self._check_file()
        engine = sqlite.engine_of(self.path)
        try:
            with engine.begin() as connection:
                return work(connection)
        except (DBAPIError, sqlite3.Error) as error:
            raise self._told(error) from error

    async def store(self, stamp: Callable[[], datetime], poll_seconds: float) -> Store:
        """See the port."""
        try:
            return await sqlite.SqliteStore(self.path, stamp, poll_seconds).open()
        except (DBAPIError, sqlite3.Error) as error:
            raise self._told(error) from error

    async def lock(self, lost: Lost = nobody_minds) -> Callable[[], Awaitable[None]]:
        """See the port; a file's lock is lost with its process only."""
        del lost
        path = self.path.with_name(self.path.name + ".lock")
        try:
            file = path.open("a+")
        except OSError as error:
            raise DatabaseReadOnly(self.name, str(error)) from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            found = _owner_of(file)
            file.close()
            raise CityRunsAlready(self.name, found) from error
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()}")
        file.flush()

        async def let_go() -> None:
            file.close()

        return let_go

    def _make_folder(self) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DatabaseReadOnly(self.name, str(error)) from error

    def _check_file(self) -> None:
        """What SQLite would say late or in riddles: no file, no database, or one that was cut."""
        try:
            size = self.path.stat().st_size
            with self.path.open("rb") as file:
                head = file.read(_HEADER_BYTES)
        except FileNotFoundError as error:
            raise NoSuchCity(self.name, "the file of a city", "no file") from error
        except OSError as error:
            raise DatabaseReadOnly(self.name, str(error)) from error
        if len(head) < _HEADER_BYTES or not head.startswith(_MAGIC):
            raise DatabaseBroken(self.name, f"{size} bytes that are no SQLite database")
        page = int.from_bytes(head[16:18], "big")
        whole = (65536 if page == 1 else page) * int.from_bytes(head[28:32], "big")
        log = self.path.with_name(self.path.name + "-wal")
        if size < whole and not (log.exists() and log.stat().st_size):
            raise DatabaseBroken(self.name, f"{size} bytes of {whole}: the file was cut")

    def _told(self, error: Exception) -> Exception:
        said = str(getattr(error, "orig", error))
        if any(word in said for word in ("readonly", "unable to open", "disk is full")):
            return DatabaseReadOnly(self.name, said)
        if "locked" in said or "busy" in said:
            return DatabaseUnreachable(self.name, said)
        return DatabaseBroken(self.name, said)


def _owner_of(file: IO[str]) -> str:
    file.seek(0)
    return file.read() or "another process"


class PostgresPlace:
    """A database. Its lock belongs to a session of its own and ends with it."""

    def __init__(self, url: URL) -> None:
        self.url = url
        self.witness: Path | None = None
        self.name = hide_password(url.render_as_string(hide_password=False))

    async def run(self, work: Callable[[Connection], T], *, create: bool = False) -> T:
        """See the port; a database is made by its owner, never by us."""
        del create
        engine = postgres.engine_of(self._address(), 1)
        try:
            async with engine.connect() as connection:
                await self._unhurried(connection)
                async with connection.begin():
                    return await connection.run_sync(work)
        except (DBAPIError, OSError, TimeoutError, _driver_error()) as error:
            raise DatabaseUnreachable(self.name, _first_line(error)) from error
        finally:
            await engine.dispose()

    async def _unhurried(self, connection: AsyncConnection) -> None:
        """Migrations may take longer than any statement of a running city."""
        await connection.execute(text("select set_config('statement_timeout', '0', false)"))
        await connection.rollback()

    async def store(self, stamp: Callable[[], datetime], poll_seconds: float) -> Store:
        """See the port."""
        try:
            return await postgres.PostgresStore(self._address(), stamp, poll_seconds).open()
        except (DBAPIError, OSError, TimeoutError, _driver_error()) as error:
            raise DatabaseUnreachable(self.name, _first_line(error)) from error

    async def lock(self, lost: Lost = nobody_minds) -> Callable[[], Awaitable[None]]:
        """See the port."""
        holding = Holding(self._address(), self.name)
        await holding.take()
        keeping = asyncio.create_task(holding.keep(lost))

        async def let_go() -> None:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
            await holding.let_go()

        return let_go

    def _address(self) -> str:
        return self.url.render_as_string(hide_password=False)


def _driver_error() -> type[Exception]:
    """What asyncpg raises before there is a connection, when it is installed."""
    try:
        exceptions = import_module("asyncpg.exceptions")
    except ImportError:
        return OSError
    return exceptions.PostgresError


def _first_line(error: BaseException) -> str:
    said = str(getattr(error, "orig", error)) or type(error).__name__
    return said.splitlines()[0]
