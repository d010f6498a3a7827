"""One process, topics and journal in SQL: what was acknowledged survives `kill -9`."""

import asyncio
import gc
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Final

from kernel.edge import Edge
from kernel.telemetry import PRUNING_FAILED, ROWS_PRUNED, logger
from kernel.worker import Worker

COLLECT: Final = (10_000, 20, 100)
"""Thresholds of the cyclic garbage collector: messages are trees, which need none,
and a pause for 100,000 new objects held everything up for 80 ms."""

PRUNE_SECONDS: Final = 60.0
"""How long nobody looks for what may go, once nothing was found."""
_BREATH_SECONDS: Final = 1.0


class Embedded:
    """All workers of a city and its edge in one event loop.

    With a system clock `run` lets them work side by side until stopped; with a stepped clock `settle`
    lets them work until nothing is left to do at this moment. While they run, `prune` removes step by step
    what nobody needs any more, and gives how many rows went.
    """

    def __init__(
        self,
        workers: Sequence[Worker],
        edge: Edge,
        prune: Callable[[], Awaitable[int]] | None = None,
        prune_seconds: float = PRUNE_SECONDS,
    ) -> None:
        self.workers = workers
        self.edge = edge
        self._prune = prune
        self._prune_seconds = prune_seconds
        gc.set_threshold(*COLLECT)

    async def run(self, stopped: Callable[[], bool]) -> None:
        """Every worker in a task of its own; the first fault ends all."""
        pruning = asyncio.create_task(self._keep_pruning(), name="pruning")
        try:
            async with asyncio.TaskGroup() as group:
                for worker in self.workers:
                    group.create_task(worker.run(stopped), name=worker.decider.processor.name)
        finally:
            pruning.cancel()
            await asyncio.gather(pruning, return_exceptions=True)

    async def _keep_pruning(self) -> None:
        """A step that fails ends nothing: what it would have removed is no more than in the way."""
        gone = 0
        while self._prune is not None:
            await asyncio.sleep(min(_BREATH_SECONDS, self._prune_seconds) if gone else self._prune_seconds)
            gone = 0
            with suppress(OSError, ValueError):  # a log that cannot be written
                gone = await self._pruned_once(self._prune)

    async def _pruned_once(self, prune: Callable[[], Awaitable[int]]) -> int:
        try:
            gone = await prune()
        except Exception as error:  # noqa: BLE001 - a port may fail in any way
            logger().warning(PRUNING_FAILED, reason=f"{type(error).__name__}: {error}")
            return 0
        if gone:
            logger().info(ROWS_PRUNED, rows=gone)
        return gone

    async def settle(self) -> int:
        """Turn all workers until a whole round finds nothing to do; gives the number of rows written."""
        before = sum(worker.handled for worker in self.workers)
        busy = dict.fromkeys(self.workers, True)
        while any(busy.values()):
            for worker in self.workers:
                busy[worker] = await worker.turn(tick=busy[worker])
        return sum(worker.handled for worker in self.workers) - before

    async def next_due(self) -> datetime | None:
        """The earliest time at which a timer of any processor is due."""
        found = [due for worker in self.workers if (due := await worker.journal.next_due()) is not None]
        return min(found, default=None)
