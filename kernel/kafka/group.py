"""How a worker is a member of its processor's group: its name there, its session, its figures."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError

from kernel.kafka.cluster import Cluster
from kernel.kafka.sharing import ByNumber

SESSION_SECONDS: Final = 6.0
"""After how long a silent worker's partitions go to the others."""

HEARTBEAT_SECONDS: Final = 1.5
FETCH_BYTES: Final = 1 << 20
"""How much of one partition a client asks for at once."""

_WAIT_MILLISECONDS: Final = 500
FIGURE_SECONDS: Final = 5.0
CLOSE_SECONDS: Final = 5.0
"""How long leaving may take before it goes on beside us."""


def unheard(*said: object) -> None:
    """In place of whoever would be told."""


@dataclass(frozen=True, slots=True)
class Membership:
    """One worker in one group. Its name must be its own alone: by it the group knows it again."""

    cluster: Cluster
    group: str
    worker: str
    shares: ByNumber
    tick_seconds: float
    moved: Callable[[], object] = unheard
    """Told whenever the group has given out its partitions anew, in whatever thread."""

    def client(self) -> dict[str, Any]:
        """The arguments of an aiokafka client that is this member.

        What arrives is given at once; after a seek the old question has to end first, so it is no long one.
        """
        return {
            **self.cluster.client(self.worker),
            "group_id": self.cluster.name(self.group),
            "group_instance_id": self.worker,
            "session_timeout_ms": int(SESSION_SECONDS * 1000),
            "rebalance_timeout_ms": int(SESSION_SECONDS * 1000),
            "heartbeat_interval_ms": int(HEARTBEAT_SECONDS * 1000),
            "partition_assignment_strategy": [self.shares],
            "auto_offset_reset": "none",
            "enable_auto_commit": False,
            "fetch_max_wait_ms": _WAIT_MILLISECONDS,
            "max_partition_fetch_bytes": FETCH_BYTES,
        }


def let_go(consumer: AIOKafkaConsumer) -> None:
    """A member with a name of its own leaves only when its session ends, unless it forgets its name."""
    coordinator = vars(consumer)["_coordinator"]
    if coordinator is not None:
        vars(coordinator)["_group_instance_id"] = None


class Figures:
    """The offsets that dashboards read: told to the group now and then, and nothing depends on them."""

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None
        self._told = time.monotonic()

    def tell(
        self,
        offsets: Callable[[], Mapping[TopicPartition, int]],
        commit: Callable[[dict[TopicPartition, int]], Awaitable[object]],
    ) -> None:
        """Begin to commit the offsets, if it is time."""
        now = time.monotonic()
        if now - self._told < FIGURE_SECONDS or (self._task and not self._task.done()):
            return
        self._told = now
        if found := dict(offsets()):
            self._task = asyncio.create_task(_commit(found, commit))

    def stop(self) -> None:
        """Forget what is on its way."""
        if self._task is not None:
            self._task.cancel()
            self._task = None


async def _commit(
    offsets: dict[TopicPartition, int], commit: Callable[[dict[TopicPartition, int]], Awaitable[object]]
) -> None:
    with suppress(KafkaError, IllegalStateError):
        await commit(offsets)
