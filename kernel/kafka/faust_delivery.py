"""Delivery by Faust: one app is the member of the group, and whoever fetches keeps it running.

How it hands messages over is the app's affair: whole batches (`faust_batch`), or Faust's streams
(`faust_stock`).
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence

from aiokafka.errors import NoOffsetForPartitionError, OffsetOutOfRangeError

from kernel.errors import Fault
from kernel.kafka.cluster import TopicMissing
from kernel.kafka.faust_app import Member
from kernel.kafka.group import CLOSE_SECONDS, Figures, Membership, Rivals, let_go, member_of
from kernel.kafka.standing import Standing
from kernel.log import Message


class FaustDelivery:
    """One member of a processor's group."""

    def __init__(
        self,
        make: Callable[[Membership, Standing], Member],
        membership: Membership,
        topics: Sequence[str],
    ) -> None:
        self._make = make
        self._standing = Standing(membership, topics)
        self._membership = membership
        self._app: Member | None = None
        self._figures = Figures()
        self._rivals = Rivals(membership)
        self._closing: set[asyncio.Task[None]] = set()

    # The port.

    def assigned(self) -> frozenset[int]:
        """See the port. While the group rebalances it is what it was before."""
        return self._standing.own

    async def fetch(self, limit: int) -> Sequence[Message]:
        """See the port. After any failure the next call joins the group anew, with a new app."""
        standing = self._standing
        if not standing.topics:
            await asyncio.sleep(standing.tick_seconds)
            return ()
        try:
            app = await self._running()
            if (client := app.reader.client()) is not None:
                self._rivals.see(client, member_of(client))
            self._figures.tell(standing.offsets, app.reader.commit_figures)
            return standing.read(await app.take(limit))
        except (OffsetOutOfRangeError, NoOffsetForPartitionError):
            return ()  # the idle tick finds the same in the spans, and says in words what is lost
        except (Fault, TopicMissing):
            raise  # the topic is seen when it comes: a new app would be given the old share, without looking
        except Exception:
            await self._end(leave=False)
            raise

    async def seek(self, partition: int, offsets: Mapping[str, int]) -> None:
        """See the port."""
        self._standing.seek(partition, offsets)
        if self._app is not None:
            await self._app.place(partition)

    def positions(self, partition: int) -> Mapping[str, int]:
        """See the port."""
        return self._standing.positions(partition)

    async def close(self, *, leave: bool = True) -> None:
        """See `Delivery`."""
        await self._end(leave=leave)

    # The app.

    async def _running(self) -> Member:
        """The app, started if need be. What made it fail is raised."""
        app = self._app
        if app is None:
            app = self._app = self._make(self._membership, self._standing)
            await app.start()
        if app.crashed:
            raise app.failure()
        return app

    async def _end(self, *, leave: bool) -> None:
        """Stop the app; if it cannot end in time it goes on ending beside us."""
        app, self._app, self._standing.joined = self._app, None, False
        self._figures.stop()
        if app is None:
            return
        client = app.reader.client()
        if leave and client is not None:
            let_go(client)
        task = asyncio.create_task(app.stop())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
        await asyncio.wait({task}, timeout=CLOSE_SECONDS)
