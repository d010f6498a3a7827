"""Who runs a city in PostgreSQL holds an advisory lock, in a session of its own that ends with the process.

A server that restarts forgets the lock while the process lives on: it is taken again at once, and if
another process was quicker, this one has to hear of it and end.
"""

import asyncio
import hashlib
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.errors import CityRunsAlready
from kernel.sql import postgres

_LOOK_SECONDS: Final = 0.5

_KEY: Final = int.from_bytes(hashlib.sha256(b"gridcase city").digest()[:8], "big", signed=True)
"""Advisory locks belong to one database, so all cities may use the same number."""

_HOLDER: Final = (
    "select 'session ' || a.pid || coalesce(' from ' || host(a.client_addr), '') from pg_locks l "
    "join pg_stat_activity a on a.pid = l.pid where l.locktype = 'advisory' and l.granted "
    "and l.database = (select oid from pg_database where datname = current_database()) limit 1"
)


class Holding:
    """The lock of one city, for as long as it is kept."""

    def __init__(self, url: str, name: str) -> None:
        self._name = name
        self._engine = postgres.engine_of(url, 1).execution_options(isolation_level="AUTOCOMMIT")
        self._connection: AsyncConnection | None = None

    async def take(self) -> None:
        """Be the only process that runs this city, or say who is."""
        self._connection = await self._engine.connect()
        try:
            found = await _holder(self._connection)
        except BaseException:
            await self._drop()
            raise
        if found:
            await self._drop()
            raise CityRunsAlready(self._name, found)

    async def keep(self, lost: Callable[[Exception], None]) -> None:
        """See for ever that the session lives; `lost` hears, again and again, if another has the city."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            try:
                if self._connection is not None:
                    await self._connection.scalar(text("select 1"))
                else:
                    await self.take()
            except CityRunsAlready as error:
                lost(error)
            except Exception:  # noqa: BLE001 - a server that is gone for a while; whoever works there says so
                await self._drop()

    async def let_go(self) -> None:
        """Let the next process have the city."""
        await self._drop()
        await self._engine.dispose()

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(Exception):
                await connection.invalidate()


async def _holder(connection: AsyncConnection) -> str:
    """Who has the lock if this session does not get it."""
    if await connection.scalar(text("select pg_try_advisory_lock(:key)"), {"key": _KEY}):
        return ""
    return str(await connection.scalar(text(_HOLDER)) or "another process")
