"""How commands come to a city: to look at it, or to act through its edge."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from cli.reading import View
from kernel import settings

T = TypeVar("T")


def look(database: str | None, work: Callable[[View], Awaitable[T]]) -> T:
    """Run `work` on a city that is only read; a running city does not mind."""
    from cli.assemble import open_city  # noqa: PLC0415 - what asks for no city pays for no database

    async def run() -> T:
        async with open_city(settings.read(database_url=database).database_url) as city:
            return await work(city)

    return asyncio.run(run())
