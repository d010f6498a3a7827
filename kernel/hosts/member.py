"""Some workers of a city as one process among others, on topics that are apart from the journals."""

import asyncio
import gc
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from typing import Final, Protocol

from kernel.edge import Edge
from kernel.hosts.embedded import COLLECT
from kernel.journal import Journal
from kernel.worker import Worker

_PUBLISH_SECONDS: Final = 0.2
_SILENT_SECONDS: Final = 5.0


class Heirs:
    """Sends what other instances of the edge accepted and, silent since, have not sent themselves.

    Whoever is only slow is fenced, claims its partition back and sends nothing twice that receivers would not
    drop. `edge` makes an instance's edge; `instances` are those that there may be.
    """

    def __init__(self, journal: Journal, instances: Collection[int], edge: Callable[[int], Edge]) -> None:
        self._journal = journal
        self._instances = instances
        self._edge = edge
        self._seen: dict[int, tuple[bytes, int]] = {}

    async def look(self) -> Sequence[int]:
        """Take over from those that left something and have not moved since the last look; gives which."""
        taken: list[int] = []
        for claim in await self._journal.claim(self._instances):
            cursor = claim.cursor
            before = self._seen.get(cursor.partition)
            self._seen[cursor.partition] = (cursor.token, cursor.seq)
            if claim.outgoing and before == (cursor.token, cursor.seq):
                edge = self._edge(cursor.partition)
                await edge.take_over()
                await edge.take_over()  # the second notes that the first has sent
                taken.append(cursor.partition)
        return taken


class Reader(Protocol):
    """Who reads for the edge what others write to topics."""

    async def run(self, stopped: Callable[[], bool]) -> None: ...
    async def finish(self) -> None: ...


class Member:
    """Runs workers, and perhaps an edge with what it inherits and its bridge, until it is told to stop."""

    def __init__(
        self,
        workers: Sequence[Worker],
        edge: Edge | None = None,
        heirs: Heirs | None = None,
        bridge: Reader | None = None,
    ) -> None:
        self.workers = workers
        self.edge = edge
        self.bridge = bridge
        self._heirs = heirs
        gc.set_threshold(*COLLECT)

    async def run(self, stopped: Callable[[], bool]) -> None:
        """Every worker in a task of its own; the first fault ends all."""
        async with asyncio.TaskGroup() as group:
            for worker in self.workers:
                group.create_task(worker.run(stopped), name=worker.decider.processor.name)
            if self.edge is not None:
                group.create_task(self._keep_edge(self.edge, stopped), name="edge")
            if self.bridge is not None:
                group.create_task(self.bridge.run(stopped), name="bridge")
        finishing = [*self.workers, *([] if self.bridge is None else [self.bridge])]
        with suppress(Exception):  # whoever claims next sends it
            await asyncio.gather(*(one.finish() for one in finishing))

    async def _keep_edge(self, edge: Edge, stopped: Callable[[], bool]) -> None:
        """Send what did not leave at once: the log was away, or a process is gone."""
        looked = time.monotonic()
        while not stopped():
            with suppress(Exception):  # whoever submits hears of it
                await edge.publish()
                if self._heirs is not None and time.monotonic() - looked >= _SILENT_SECONDS:
                    looked = time.monotonic()
                    await self._heirs.look()
            await asyncio.sleep(_PUBLISH_SECONDS)
