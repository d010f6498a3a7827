"""Only one process runs a city in PostgreSQL, also after the server has forgotten who it was."""

import asyncio
from collections.abc import Callable

import pytest

from kernel.errors import CityRunsAlready
from kernel.sql import holding
from kernel.sql.holding import Holding
from tests.postgres import PostgresServer


async def test_a_lock_that_the_server_forgot_is_taken_again_or_its_owner_hears_of_it(
    own_postgres: Callable[..., PostgresServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holding, "_LOOK_SECONDS", 0.05)
    server = own_postgres().start()
    first, second = Holding(server.url(), "a city"), Holding(server.url(), "a city")
    heard: asyncio.Queue[Exception] = asyncio.Queue()
    await first.take()
    with pytest.raises(CityRunsAlready, match="session"):
        await second.take()
    await asyncio.to_thread(server.restart)
    await second.take()
    keeping = asyncio.create_task(first.keep(heard.put_nowait))
    async with asyncio.timeout(20):
        assert isinstance(await heard.get(), CityRunsAlready)
    await second.let_go()
    third = Holding(server.url(), "a city")
    async with asyncio.timeout(20):
        while not heard.empty() or first._connection is None:
            while not heard.empty():
                heard.get_nowait()
            await asyncio.sleep(0.1)
    with pytest.raises(CityRunsAlready):
        await third.take()
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)
    await first.let_go()
    await third.take()
    await third.let_go()
