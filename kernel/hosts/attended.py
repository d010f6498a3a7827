"""A host at work under the eyes of a watch, until it is told to stop or stands still for no reason."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final

from kernel.telemetry import WORKER_LATE, logger
from kernel.watching import Watch

FINISH_SECONDS: Final = 4.0
"""How long the batches in hand may take at the end. What is cut off is claimed by whoever comes next."""


async def attended(
    running: Coroutine[Any, Any, None],
    watch: Watch,
    stop: asyncio.Event,
    finish_seconds: float = FINISH_SECONDS,
) -> None:
    """Run until the host ends, or let it finish its batches once `stop` is set; a stall sets it, too."""
    working = asyncio.create_task(running, name="host")
    watching = asyncio.create_task(watch.run(), name="watch")
    stopping = asyncio.create_task(stop.wait(), name="stop")
    try:
        await asyncio.wait({working, watching, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stop.set()
        await _finished(working, finish_seconds)
        if watching.done():
            watching.result()
        if working.done() and not working.cancelled():
            working.result()
    finally:
        for task in (working, watching, stopping):
            task.cancel()
        await asyncio.wait({working, watching, stopping}, timeout=1)


async def _finished(working: asyncio.Task[None], seconds: float) -> None:
    await asyncio.wait({working}, timeout=seconds)
    if not working.done():
        logger().warning(WORKER_LATE, seconds=seconds)
        working.cancel()
        await asyncio.wait({working}, timeout=1)
