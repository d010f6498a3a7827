"""The port to the topics: what arrives, what leaves, and what a claim may look at.

Implementations: `kernel.memory.log`, `kernel.sql.log`, later Kafka. All pass one contract suite
(tests/contract/test_log.py). Stamps are wall times; the worker maps them to city time.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol, TypeAlias

import msgspec

from kernel.processor import Sender

Target: TypeAlias = tuple[str, int]
"""A topic and one of its partitions."""


class Headers(msgspec.Struct, frozen=True, array_like=True):
    """Transport facts, outside the hashed bytes.

    `origin` is the sending journal partition (`router.case/7`) and `k` its dense number for this target;
    `rules` is the rules number under which the message was decided; `trace` a W3C traceparent. `sender`
    is stamped by the edge only; inside, the sender follows from the origin.
    """

    origin: str
    k: int
    rules: int = 0
    trace: str = ""
    sender: Sender | None = None


class Message(NamedTuple):
    """One record of an inbox topic. `appended` is the log's own stamp, never the sender's."""

    topic: str
    partition: int
    offset: int
    key: str
    appended: datetime
    headers: Headers
    body: bytes


class Outgoing(NamedTuple):
    """One message on its way: the `k`-th of its journal partition to this target, sent by the row `seq`."""

    topic: str
    partition: int
    k: int
    seq: int
    key: str
    headers: Headers
    body: bytes


class Span(NamedTuple):
    """What a partition of a topic holds: the first offset still there and the offset of the next record."""

    first: int
    end: int


class Log(Protocol):
    """One worker's view of the topics. Every await is a call that may fail, hang or be the last."""

    def assigned(self) -> frozenset[int]:
        """The inbox partitions that this worker owns, as far as it knows; a stale view is allowed."""
        ...

    async def fetch(self, limit: int) -> Sequence[Message]:
        """At most `limit` records of the assigned partitions, in order of offset in each topic and partition.

        Waits for a tick's time at most; then the answer is empty.
        """
        ...

    async def seek(self, partition: int, offsets: Mapping[str, int]) -> None:
        """Go on reading `partition` of each topic at the given offset."""
        ...

    def positions(self, partition: int) -> Mapping[str, int]:
        """The offset that `fetch` will give next, for each inbox topic; empty if not assigned."""
        ...

    async def look(self, topic: str, partition: int, offset: int) -> Message | None:
        """The record at exactly this offset, or `None` if there is none or no longer one."""
        ...

    async def spans(self, targets: Collection[Target]) -> Mapping[Target, Span]:
        """First and end offset of each target. All that was stamped before the call is below the end."""
        ...

    async def publish(self, batches: Mapping[Target, Sequence[Outgoing]]) -> Mapping[Target, int]:
        """Send each target its messages in order and give the number of leading ones acknowledged for each.

        One target's failure stops only that target. What is unknown counts as not acknowledged.
        """
        ...

    def drift(self) -> float:
        """Seconds by which the stamp of the last own write differed from the own clock; 0 if none yet."""
        ...
