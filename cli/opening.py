"""How commands come to a city: to look at it, or to act through its edge."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import NamedTuple, TypeVar

from cli.reading import View
from kernel import settings
from kernel.edge import Edge

T = TypeVar("T")


class Doorway(NamedTuple):
    """A city that is acted on: its edge, a fresh view, and how it decides if nobody else lets it."""

    edge: Edge
    view: Callable[[], Awaitable[View]]
    settle: Callable[[], Awaitable[object]]


def look(database: str | None, work: Callable[[View], Awaitable[T]]) -> T:
    """Run `work` on a city that is only read; a running city does not mind."""
    from cli.assemble import open_city  # noqa: PLC0415 - what asks for no city pays for no database

    async def run() -> T:
        async with open_city(settings.read(database_url=database).database_url) as city:
            return await work(city)

    return asyncio.run(run())


def act(database: str | None, work: Callable[[Doorway], Awaitable[T]]) -> T:
    """Run `work` on a city through its edge."""
    raise NotImplementedError
