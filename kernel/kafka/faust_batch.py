"""Delivery by Faust: its app is the member of the group, and hands over whole fetched batches.

Faust's own way makes four tasks of each message. Here its thread is asked for what the client has fetched,
so private names are touched; tests/unit/kernel/test_faust_names.py watches them.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, ClassVar, cast

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import NoOffsetForPartitionError, OffsetOutOfRangeError
from faust.transport.drivers import aiokafka as driver
from faust.types.tuples import TP
from mode import Service
from mode.threads import WorkerThread

from kernel.kafka.cluster import Cluster
from kernel.kafka.faust_app import Member, Run, reason
from kernel.kafka.group import Figures, membership
from kernel.kafka.sharing import ByNumber
from kernel.kafka.standing import Standing
from kernel.log import Message


class FaustDelivery:
    """One member of a processor's group, known to it by the name `worker`, which must be its own alone."""

    def __init__(
        self,
        cluster: Cluster,
        topics: Sequence[str],
        *,
        group: str,
        worker: str,
        tick_seconds: float,
        assignor: ByNumber | None = None,
    ) -> None:
        shares = assignor or ByNumber(worker)
        self._standing = Standing(cluster, topics, tick_seconds)
        client = membership(cluster, group, worker, shares, tick_seconds)
        self._run = Run(
            lambda: Fetching(self._standing, client, cluster, group=group, worker=worker, shares=shares)
        )
        self._figures = Figures()

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
            app = cast("Fetching", await self._run.going())
            self._figures.tell(standing.offsets, app.commit_figures)
            found = await app.take(limit)
        except (OffsetOutOfRangeError, NoOffsetForPartitionError):
            return ()  # the idle tick finds the same in the spans, and says in words what is lost
        except Exception:
            await self._end(leave=False)
            raise
        return standing.read(found)

    async def seek(self, partition: int, offsets: Mapping[str, int]) -> None:
        """See the port."""
        self._standing.seek(partition, offsets)
        if self._run.app is not None:
            await cast("Fetching", self._run.app).place(partition)

    def positions(self, partition: int) -> Mapping[str, int]:
        """See the port."""
        return self._standing.positions(partition)

    async def close(self, *, leave: bool = True) -> None:
        """See `Delivery`."""
        await self._end(leave=leave)

    async def _end(self, *, leave: bool) -> None:
        self._figures.stop()
        self._standing.joined = False
        await self._run.end(leave=leave)


class Fetching(Member):
    """The app whose messages are fetched, not streamed. Its client is the one that the plain delivery has."""

    def __init__(
        self, standing: Standing, client: Mapping[str, Any], cluster: Cluster, **membership: Any
    ) -> None:
        super().__init__(cluster, transport=_Transport, **membership)
        self.standing = standing
        self.client = client
        for name in standing.topics:
            self.topics.add(self.topic(name))

    async def take(self, limit: int) -> Mapping[TopicPartition, Sequence[ConsumerRecord]]:
        """What the client has fetched, or nothing after a tick; what makes the app fail is raised."""
        thread = self._thread()
        answer = await self.wait(thread.call_thread(thread.take, limit))
        if answer.stopped:
            raise reason(self)
        return cast("Mapping[TopicPartition, Sequence[ConsumerRecord]]", answer.result)

    async def place(self, partition: int) -> None:
        """Let the client read this partition on where we stand; an app that fails is for `take` to tell of."""
        thread = self._thread()
        await self.wait(thread.call_thread(thread.place, partition))

    async def commit_figures(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Tell the group how far we are."""
        thread = self._thread()
        await self.wait(thread.call_thread(thread.client.commit, offsets))

    def _thread(self) -> "_Thread":
        return cast("_Consumer", self.consumer).thread


class _Worker(WorkerThread):
    """A thread that holds up neither the loop that stops it nor the end of the process."""

    def __init__(self, service: Any, **arguments: Any) -> None:
        super().__init__(service, daemon=True, **arguments)

    def run(self) -> None:
        try:
            super().run()
        except Exception:  # noqa: BLE001 - the app has crashed by it, and tells it to whoever fetches
            return

    def stop(self) -> None:
        """It has said that it is through, or never will."""


class _Placing(driver.ConsumerRebalanceListener):
    """Puts the client where we stand before anything else can move it."""

    def __init__(self, thread: "_Thread") -> None:
        super().__init__(thread)
        self._ours = thread

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        self._ours.stand(list(assigned))
        await super().on_partitions_assigned(assigned)


class _Thread(driver.AIOKafkaConsumerThread):
    """The client and its loop. All its methods but `on_crash` run there."""

    app: Fetching

    @property
    def client(self) -> AIOKafkaConsumer:
        return cast("AIOKafkaConsumer", self._ensure_consumer())

    def stand(self, assigned: Collection[TopicPartition]) -> None:
        self.app.standing.assign(assigned)
        self.app.standing.place(self.client, assigned)

    async def take(self, limit: int) -> Mapping[TopicPartition, Sequence[ConsumerRecord]]:
        return await self.app.standing.take(self.client, limit)

    async def place(self, partition: int) -> None:
        held = self.client.assignment()
        self.app.standing.place(self.client, [tp for tp in held if tp.partition == partition])

    def on_crash(self, msg: str, *fmt: Any, **facts: Any) -> None:
        """Print nothing: the app has crashed by it, and tells it to whoever fetches."""

    def _create_worker_consumer(self, transport: object) -> Any:
        del transport
        return AIOKafkaConsumer(**self.app.client)


class _Consumer(driver.Consumer):
    RebalanceListener = _Placing

    @property
    def thread(self) -> _Thread:
        return cast("_Thread", self._thread)

    def _new_consumer_thread(self) -> _Thread:
        return _Thread(self, loop=self.loop, beacon=self.beacon, Worker=_Worker)

    async def perform_seek(self) -> None:
        """Nothing: where we read on is no business of the group."""

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Nothing: no events pass by Faust's streams."""


class _Idle(Service):
    """In place of Faust's fetcher: who wants messages asks for them."""

    def __init__(self, app: Member, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.app = app


class _Transport(driver.Transport):
    Consumer = _Consumer
    Fetcher: ClassVar[Any] = _Idle
