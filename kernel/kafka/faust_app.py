"""A Faust app that is a member of a processor's group, and lives in the event loop of whoever fetches.

Faust brings the group, its rebalances and a thread for the client. It gets no tables, no web server, no
topics of its own, no files and no environment, and commits nothing: positions are ours.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, Final, cast

import faust
from aiokafka import AIOKafkaConsumer
from faust.app.base import BootStrategy
from faust.tables.manager import TableManager
from faust.transport.drivers.aiokafka import Transport
from faust.types.tuples import TP
from mode import ServiceT

from kernel.kafka.cluster import ANSWER_SECONDS, Cluster
from kernel.kafka.group import CLOSE_SECONDS, FETCH_BYTES, HEARTBEAT_SECONDS, SESSION_SECONDS, let_go
from kernel.kafka.sharing import ByNumber

_NEVER_SECONDS: Final = 1e6
"""Faust's commits and its watch over them; the figures are told by ourselves."""


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

    def kafka_consumer(self) -> Iterable[ServiceT]:
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


class Member(faust.App):
    """One app for one group. Whoever makes it says how it reads: the transport, and settings of its own."""

    BootStrategy = _Boot

    def __init__(
        self,
        cluster: Cluster,
        *,
        group: str,
        worker: str,
        shares: ByNumber,
        transport: type[Transport] = Transport,
        **options: Any,
    ) -> None:
        super().__init__(
            cluster.name(group),
            broker=[f"kafka://{address}" for address in cluster.bootstrap.split(",")],
            broker_client_id=f"{cluster.prefix}gridcase-{worker}",
            broker_session_timeout=SESSION_SECONDS,
            broker_rebalance_timeout=SESSION_SECONDS,
            broker_heartbeat_interval=HEARTBEAT_SECONDS,
            broker_request_timeout=ANSWER_SECONDS,
            broker_commit_interval=_NEVER_SECONDS,
            consumer_group_instance_id=worker,
            consumer_max_fetch_size=FETCH_BYTES,
            env={},
            stream_wait_empty=False,
            topic_allow_declare=False,
            topic_disable_leader=True,
            web_enabled=False,
            worker_redirect_stdouts=False,
            TableManager=_NoTables,
            **options,
        )
        self._assignor = Assignor(shares)
        self.transport = transport(self.conf.broker_consumer, self)

    @property
    def assignor(self) -> Any:
        """Who shares the partitions out."""
        return self._assignor

    async def on_first_start(self) -> None:
        """Make no folders: only tables would need them."""


class Run:
    """The app that runs now, if one does. After a failure the next one is new."""

    def __init__(self, make: Callable[[], Member]) -> None:
        self._make = make
        self.app: Member | None = None
        self._closing: set[asyncio.Task[None]] = set()

    async def going(self) -> Member:
        """The app, started if need be. What made it fail is raised, and it is left."""
        app = self.app
        if app is None:
            app = self.app = self._make()
            await app.start()
        if app.crashed:
            raise reason(app)
        return app

    async def end(self, *, leave: bool) -> None:
        """Stop the app; if it cannot end in time it goes on ending beside us."""
        app, self.app = self.app, None
        if app is None:
            return
        client = client_of(app)
        if leave and client is not None:
            let_go(client)
        task = asyncio.create_task(app.stop())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
        await asyncio.wait({task}, timeout=CLOSE_SECONDS)


def reason(app: Member) -> BaseException:
    """Why an app stopped."""
    return app.crash_reason or RuntimeError("expected the Faust app to run; found it stopped")


def client_of(app: Member) -> AIOKafkaConsumer | None:
    """The client inside the app, unless it is not there yet or Faust keeps it elsewhere by now."""
    thread = vars(app.consumer).get("_thread")
    return cast("AIOKafkaConsumer | None", vars(thread).get("_consumer")) if thread is not None else None
