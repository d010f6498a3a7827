"""How a worker is a member of its processor's group: its name there, its session, its figures."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError

from kernel.errors import SlotTaken
from kernel.kafka.cluster import Cluster
from kernel.kafka.records import Read, message_of
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

WITHIN_SECONDS: Final = 60.0
PUT_OUT_MOST: Final = 2
SETTLED_MOST: Final = 10
"""How often within that time a member may be put out of its group: one that has just come, and any other."""

_YEAR_SECONDS: Final = 5.0
"""Each such time of membership lets it be put out twice more: of two the younger gives way, and never both.
Once more would not do: until the younger has closed, its client joins again by itself."""


def unheard(*said: object) -> None:
    """In place of whoever would be told."""


@dataclass(frozen=True, slots=True)
class Membership:
    """One worker in one group. Its name must be its own alone: by it the group knows it again.

    `singles` are those of its topics that have one partition, `read` is how records become messages.
    """

    cluster: Cluster
    group: str
    worker: str
    shares: ByNumber
    tick_seconds: float
    moved: Callable[[], object] = unheard
    """Told whenever the group has given out its partitions anew, in whatever thread."""
    singles: frozenset[str] = frozenset()
    read: Read = message_of

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


def member_of(consumer: AIOKafkaConsumer) -> str:
    """By what the group knows this client for now; empty while it is no member."""
    coordinator = vars(consumer)["_coordinator"]
    return "" if coordinator is None else str(coordinator.member_id)


class Rivals:
    """Notices that another process goes by our name: each puts the other out of the group, for ever.

    Whom the group forgets sooner than a session takes to end was not silent, but replaced. Of two the
    younger gives up; one that is settled does so only if that goes on and on.
    """

    def __init__(self, membership: Membership, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._membership = membership
        self._monotonic = monotonic
        self._client: object = None
        self._member = ""
        self._looked = self._born = monotonic()
        self._came: float | None = None
        self._put_out: list[float] = []

    def see(self, client: object, member: str) -> None:
        """Note by what the group knows the client; raises `SlotTaken`."""
        now, before = self._monotonic(), self._looked
        self._looked = now
        if not member or member == self._member:
            return
        replaced = client is self._client and now - self._born < SESSION_SECONDS
        self._client, self._member, self._born = client, member, before
        self._came = now if self._came is None else self._came
        if not replaced:
            return
        self._put_out = [at for at in self._put_out if now - at < WITHIN_SECONDS] + [now]
        times = len(self._put_out)
        if times >= min(SETTLED_MOST, PUT_OUT_MOST + 2 * ((now - self._came) // _YEAR_SECONDS)):
            group, worker = self._membership.group, self._membership.worker
            raise SlotTaken(group, worker.removeprefix(f"{group}-"), times)


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
