"""Two things to wait for: one after the other, or side by side where an event loop runs."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

A = TypeVar("A")
B = TypeVar("B")


class Both(Protocol):
    """Does two things and gives both answers; a failure of either is raised when neither goes on."""

    async def __call__(
        self, first: Callable[[], Awaitable[A]], second: Callable[[], Awaitable[B]], /
    ) -> tuple[A, B]: ...


async def in_turn(first: Callable[[], Awaitable[A]], second: Callable[[], Awaitable[B]], /) -> tuple[A, B]:
    """The second once the first is done: for a log in the same database, and for the simulator."""
    return await first(), await second()


async def side_by_side(
    first: Callable[[], Awaitable[A]], second: Callable[[], Awaitable[B]], /
) -> tuple[A, B]:
    """Both at once: for brokers, which answer the one while the other is waited for."""
    other = asyncio.ensure_future(second())
    try:
        return await first(), await other
    finally:
        other.cancel()
        await asyncio.gather(other, return_exceptions=True)
