"""PostgreSQL: a pool of asyncpg connections, and the synchronous functions run on them.

A connection that saw an exception is given up, not returned: nobody knows what it still does.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Final, TypeVar
from urllib.parse import urlencode

from sqlalchemy import Connection
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from kernel.sql.heads import Heads
from kernel.sql.store import Poll

T = TypeVar("T")

SESSION: Final = {
    "application_name": "gridcase",
    "timezone": "UTC",
    "plan_cache_mode": "force_custom_plan",
    "idle_in_transaction_session_timeout": "5s",
    "lock_timeout": "10s",
    "statement_timeout": "30s",
    "jit": "off",
}
"""A plan of the empty table halves the speed; a worker frozen in its transaction blocks the next owner."""

_POOL: Final = 12
_CONNECT_SECONDS: Final = 5
_ANSWER_SECONDS: Final = 15
"""How long a city at work waits for an answer: no timeout of the server's ends a silence of the network."""


def engine_of(url: str, pool: int = _POOL, answer_seconds: float | None = None) -> AsyncEngine:
    """An engine on asyncpg with the session settings of every connection of ours."""
    address, tls = _apart(make_url(url).set(drivername="postgresql+asyncpg"))
    patience = {"timeout": _CONNECT_SECONDS, "command_timeout": answer_seconds}
    return create_async_engine(
        address,
        pool_size=pool,
        max_overflow=0,
        connect_args={"server_settings": SESSION, **patience, **tls},
    )


def _apart(url: URL) -> tuple[URL, dict[str, str]]:
    """The URL without libpq's words for TLS (`sslmode`, `sslrootcert` …), and these as asyncpg reads them."""
    tls = {name: value for name, value in url.query.items() if name.startswith("ssl") and name != "ssl"}
    if not tls:
        return url, {}
    return url.difference_update_query(tls), {"dsn": f"postgresql:///?{urlencode(tls, doseq=True)}"}


class PostgresStore:
    """A city in a PostgreSQL database."""

    gather_seconds = 0.0
    """Its answers let enough time go by."""

    def __init__(self, url: str, stamp: Callable[[], datetime], poll_seconds: float = 0.2) -> None:
        self.stamp = stamp
        self.heads = Heads()
        self._engine = engine_of(url, answer_seconds=_ANSWER_SECONDS)
        self._reading = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        self._poll = Poll(self, poll_seconds)

    async def open(self) -> "PostgresStore":
        """Look where the topics end."""
        try:
            await self._poll.start()
        except BaseException:
            await self.close()
            raise
        return self

    async def close(self) -> None:
        """See the port."""
        await self._poll.stop()
        await self._engine.dispose()

    async def write(self, work: Callable[[Connection], T]) -> T:
        """See the port."""
        async with self._engine.connect() as connection:
            try:
                async with connection.begin():
                    return await connection.run_sync(work)
            except BaseException:
                await _give_up(connection)
                raise

    async def read(self, work: Callable[[Connection], T]) -> T:
        """See the port."""
        async with self._reading.connect() as connection:
            try:
                return await connection.run_sync(work)
            except BaseException:
                await _give_up(connection)
                raise

    async def changed(self) -> bool:
        """See the port; asking would cost as much as reading."""
        return True


async def _give_up(connection: AsyncConnection) -> None:
    """Close a connection for good, whatever is asked of this task meanwhile."""
    await asyncio.shield(connection.invalidate())
