"""One process, topics and journal in SQL: what was acknowledged survives `kill -9`."""

import asyncio
import gc
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from kernel.edge import Edge
from kernel.worker import Worker

COLLECT: Final = (10_000, 20, 100)
"""Thresholds of the cyclic garbage collector: messages are trees, which need none,
and a pause for 100,000 new objects held everything up for 80 ms."""


class Embedded:
    """All workers of a city and its edge in one event loop.

    With a system clock `run` lets them work side by side until stopped; with a stepped clock `settle`
    lets them work until nothing is left to do at this moment.
    """

    def __init__(self, workers: Sequence[Worker], edge: Edge) -> None:
        self.workers = workers
        self.edge = edge
        gc.set_threshold(*COLLECT)

    async def run(self, stopped: Callable[[], bool]) -> None:
        """Every worker in a task of its own; the first fault ends all."""
        async with asyncio.TaskGroup() as group:
            for worker in self.workers:
                group.create_task(worker.run(stopped), name=worker.decider.processor.name)

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
