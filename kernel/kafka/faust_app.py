"""A Faust app that is a member of a processor's group, and lives in the event loop of whoever fetches.

Faust brings the group, its rebalances and a thread for the client. It gets no tables, no web server, no
topics of its own, no files and no environment, and commits nothing: positions are ours.
"""

import asyncio
import logging
from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Final, cast

import faust
from aiokafka import AIOKafkaConsumer, TopicPartition
from faust.app.base import BootStrategy
from faust.tables.manager import TableManager
from faust.transport.drivers import aiokafka as driver
from faust.types.tuples import TP
from mode import Service
from mode.threads import WorkerThread

from kernel.kafka.cluster import ANSWER_SECONDS
from kernel.kafka.group import FETCH_BYTES, HEARTBEAT_SECONDS, SESSION_SECONDS, Membership
from kernel.kafka.records import Record
from kernel.kafka.sharing import ByNumber
from kernel.kafka.standing import Standing

for _name in ("faust", "mode", "kernel.kafka"):
    logging.getLogger(_name).addHandler(logging.NullHandler())  # heard where logging is configured

_NEVER_SECONDS: Final = 1e6
"""For Faust's commits and its watch over them: the figures are told by ourselves."""

_END_SECONDS: Final = 1.0


class Assignor:
    """Our shares, as Faust asks for them. It wants to know what is held of tables too: nothing ever is."""

    def __init__(self, shares: ByNumber) -> None:
        self.name = shares.name
        self.metadata = shares.metadata
        self.assign = shares.assign
        self.on_assignment = shares.on_assignment

    def assigned_actives(self) -> set[TP]:
        """No table's changes."""
        return set()

    def assigned_standbys(self) -> set[TP]:
        """No table's copies."""
        return set()


class _Boot(BootStrategy):
    enable_web = False
    enable_kafka_producer = False

    def kafka_consumer(self) -> Iterable[Service]:
        """Only the consumer: no leader is elected and no replies are expected."""
        return [self.app.consumer]


class _NoTables(TableManager):
    """Starts at once and holds nobody up."""

    async def on_start(self) -> None:
        await self.recovery.start()

    async def wait_until_tables_registered(self) -> None:
        return

    async def wait_until_recovery_completed(self) -> bool:
        return False


class _Worker(WorkerThread):
    """A thread that holds up neither the loop that stops it nor the end of the process."""

    def __init__(self, service: Any, **arguments: Any) -> None:
        super().__init__(service, **arguments)
        self.daemon = True

    def run(self) -> None:
        try:
            super().run()
        except (Exception, asyncio.CancelledError):  # noqa: BLE001 - by it the app has crashed, and tells it
            return

    def stop(self) -> None:
        """Wait a little for its end: it has said that it is through."""
        self.join(_END_SECONDS)


class Thread(driver.AIOKafkaConsumerThread):
    """Where Faust keeps the client."""

    def on_crash(self, msg: str, *fmt: Any, **facts: Any) -> None:
        """Print nothing: by it the app has crashed, and tells it to whoever fetches."""


class Consumer(driver.Consumer):
    """Faust's consumer, closed once and in its own thread."""

    thread_type: ClassVar[type[Thread]] = Thread

    def close(self) -> None:
        """Nothing: in a rebalance at the end Faust would close the thread's client in our loop as well."""

    def client(self) -> AIOKafkaConsumer | None:
        """The client inside, unless there is none yet or Faust keeps it elsewhere by now."""
        thread: object = vars(self).get("_thread")
        inside: dict[str, Any] = {} if thread is None else vars(thread)
        return inside.get("_consumer")

    async def commit_figures(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Tell the group how far we are, if that can be done."""
        client = self.client()
        if client is not None:
            await self._thread.call_thread(client.commit, dict(offsets))

    def _new_consumer_thread(self) -> Thread:
        return self.thread_type(self, loop=self.loop, beacon=self.beacon, Worker=_Worker)


class Transport(driver.Transport):
    """How a member reaches the brokers."""

    Consumer: ClassVar[Any] = Consumer


class Member(faust.App):
    """One app for one group: subclasses say how it reads. After a failure another one is made."""

    BootStrategy = _Boot

    def __init__(
        self,
        membership: Membership,
        standing: Standing,
        transport: type[Transport] = Transport,
        **options: Any,
    ) -> None:
        cluster = membership.cluster
        super().__init__(
            cluster.name(membership.group),
            broker=[f"kafka://{address}" for address in cluster.bootstrap.split(",")],
            broker_client_id=f"{cluster.prefix}gridcase-{membership.worker}",
            broker_session_timeout=SESSION_SECONDS,
            broker_rebalance_timeout=SESSION_SECONDS,
            broker_heartbeat_interval=HEARTBEAT_SECONDS,
            broker_request_timeout=ANSWER_SECONDS,
            broker_commit_interval=_NEVER_SECONDS,
            consumer_group_instance_id=membership.worker,
            consumer_max_fetch_size=FETCH_BYTES,
            consumer_metadata_max_age_ms=membership.client()["metadata_max_age_ms"],
            env={},
            stream_wait_empty=False,
            topic_allow_declare=False,
            topic_disable_leader=True,
            web_enabled=False,
            worker_redirect_stdouts=False,
            TableManager=_NoTables,
            **options,
        )
        self.membership = membership
        self.standing = standing
        self._assignor = Assignor(membership.shares)
        self.transport = transport(self.conf.broker_consumer, self)

    @property
    def assignor(self) -> Any:
        """Who shares the partitions out."""
        return self._assignor

    async def on_first_start(self) -> None:
        """Make no folders: only tables would need them."""

    @abstractmethod
    async def take(self, limit: int) -> Mapping[TopicPartition, Sequence[Record]]:
        """Records from where we stand on, or nothing after a tick. What makes the app fail is raised."""

    @abstractmethod
    async def place(self, partition: int) -> None:
        """Read this partition on where we stand now. What makes the app fail is raised."""

    def failure(self) -> BaseException:
        """Why the app has stopped."""
        return self.crash_reason or RuntimeError("expected the Faust app to run; found it stopped")

    @property
    def reader(self) -> Consumer:
        """Faust's consumer, as ours."""
        return cast("Consumer", self.consumer)
