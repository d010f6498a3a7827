"""Faust's app as it is used by default: asked for whole fetched batches.

Faust's own way makes four tasks of each message. Here its thread is asked for what the client has fetched,
so private names are touched; tests/unit/kernel/test_faust_names.py watches them.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, ClassVar, Final, TypeVar, cast

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from faust.transport.drivers import aiokafka as driver
from faust.types.tuples import TP
from mode import Service

from kernel.kafka.faust_app import Consumer, Member, Thread, Transport
from kernel.kafka.group import Membership
from kernel.kafka.standing import Standing

T = TypeVar("T")

_LOOK_SECONDS: Final = 1.0


class BatchMember(Member):
    """The app that is asked for batches. Its client is the same as that of the plain delivery."""

    def __init__(self, membership: Membership, standing: Standing) -> None:
        super().__init__(membership, standing, _Transport)
        for name in standing.topics:
            self.topics.add(self.topic(name))

    async def take(self, limit: int) -> Mapping[TopicPartition, Sequence[ConsumerRecord]]:
        thread = self._thread()
        return await self._ask(thread.take, limit)

    async def place(self, partition: int) -> None:
        thread = self._thread()
        await self._ask(thread.place, partition)

    async def _ask(self, ask: Callable[[Any], Awaitable[T]], what: object) -> T:
        """Have something done in the client's thread. A dead one answers nothing: look now and then."""
        answer = asyncio.ensure_future(self._thread().call_thread(ask, what))
        try:
            while not answer.done():
                await asyncio.wait({answer}, timeout=_LOOK_SECONDS)
                if self.crashed and not answer.done():
                    raise self.failure()
            return answer.result()
        finally:
            answer.cancel()

    def _thread(self) -> "_Thread":
        return cast("_Consumer", self.consumer).thread


class _Placing(driver.ConsumerRebalanceListener):
    """Puts the client where we stand before anything else can move it."""

    def __init__(self, thread: "_Thread") -> None:
        super().__init__(thread)
        self._ours = thread

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        self._ours.stand(list(assigned))
        await super().on_partitions_assigned(assigned)


class _Thread(Thread):
    """The client and its loop; all these methods run there."""

    app: BatchMember

    @property
    def client(self) -> AIOKafkaConsumer:
        return self._ensure_consumer()

    def stand(self, assigned: Collection[TopicPartition]) -> None:
        self.app.standing.assign(assigned)
        self.app.standing.place(self.client, assigned)

    async def take(self, limit: int) -> Mapping[TopicPartition, Sequence[ConsumerRecord]]:
        return await self.app.standing.take(self.client, limit)

    async def place(self, partition: int) -> None:
        held = self.client.assignment()
        self.app.standing.place(self.client, [tp for tp in held if tp.partition == partition])

    def _create_worker_consumer(self, transport: object) -> Any:
        del transport
        return AIOKafkaConsumer(**self.app.membership.client())


class _Consumer(Consumer):
    RebalanceListener = _Placing
    thread_type = _Thread

    @property
    def thread(self) -> _Thread:
        return cast("_Thread", self._thread)

    async def perform_seek(self) -> None:
        """Nothing: where we read on is no business of the group."""

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Nothing: no events pass by Faust's streams."""


class _Idle(Service):
    """In place of Faust's fetcher: who wants messages asks for them."""

    def __init__(self, app: Member, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.app = app


class _Transport(Transport):
    Consumer = _Consumer
    Fetcher: ClassVar[Any] = _Idle
