"""Some workers of a city as one process among others, on topics that are apart from the journals."""

import asyncio
import gc
from collections.abc import Callable, Sequence
from contextlib import suppress

from kernel.edge import Edge
from kernel.hosts.embedded import COLLECT
from kernel.worker import Worker

_EDGE_SECONDS = 0.2


class Member:
    """Runs workers, and perhaps an edge, until it is told to stop."""

    def __init__(self, workers: Sequence[Worker], edge: Edge | None) -> None:
        self.workers = workers
        self.edge = edge
        gc.set_threshold(*COLLECT)

    async def run(self, stopped: Callable[[], bool]) -> None:
        """Every worker in a task of its own; the first fault ends all."""
        async with asyncio.TaskGroup() as group:
            for worker in self.workers:
                group.create_task(worker.run(stopped), name=worker.decider.processor.name)
            if self.edge is not None:
                group.create_task(_publishing(self.edge, stopped), name="edge")
        with suppress(Exception):  # whoever claims next sends it
            await asyncio.gather(*(worker.finish() for worker in self.workers))


async def _publishing(edge: Edge, stopped: Callable[[], bool]) -> None:
    """Send what was accepted and did not leave at once: the log was away, or the process before this one."""
    while not stopped():
        with suppress(Exception):  # whoever submits hears of it
            await edge.publish()
        await asyncio.sleep(_EDGE_SECONDS)
