"""The port to the history: rows, cursors, timers, held messages; one transaction for each batch.

Implementations: `kernel.memory.journal`, `kernel.sql.journal`. All pass one contract suite
(tests/contract/test_journal.py). A journal belongs to one processor.
"""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple, Protocol

import msgspec

from kernel.log import Outgoing
from kernel.processor import Sender

RULES_STREAM: Final = "_rules/"
"""How the stream begins in which a partition notes the editions that it takes up; it is nobody's state."""


def rules_stream(partition: int) -> str:
    """The stream in which this partition notes its editions."""
    return f"{RULES_STREAM}{partition}"


class Via(StrEnum):
    """How an input came to be decided."""

    MESSAGE = "message"
    TIMER = "timer"
    RULES = "rules"
    HELD = "held"


class Cause(msgspec.Struct, frozen=True, array_like=True):
    """Which input a row answers. With it and the journals, the input's bytes can be found again.

    `id` is the message's CloudEvents id, the timer's name, or a keyed hash of what was no message; `event` is
    the event that set the timer; `received` the receipt at the edge, the sending event's time, or the timer's
    due time.
    """

    via: Via
    id: str
    received: datetime
    sender: Sender
    topic: str = ""
    offset: int = -1
    origin: str = ""
    k: int = 0
    event: str = ""


class Record(NamedTuple):
    """One row of the journal. `body` is the CloudEvent as published; `version` counts in its stream."""

    partition: int
    seq: int
    stream: str
    version: int
    body: bytes
    cause: Cause
    now: datetime
    rules: int
    trace: str = ""


class Reach(msgspec.Struct, frozen=True, array_like=True):
    """How far one inbox topic was taken: the next offset, and the fingerprint of the record below it."""

    offset: int
    fingerprint: bytes = b""


class Cursor(msgspec.Struct, frozen=True):
    """What one journal partition has taken, decided and sent.

    `seen` is the last k of each inbox topic and sending journal partition, `sent` the last k to each
    topic and partition, `published` the highest seq up to which the log has acknowledged everything.
    """

    partition: int
    token: bytes = b""
    reach: dict[str, Reach] = {}
    now: datetime | None = None
    rules: int = 0
    seq: int = 0
    published: int = 0
    seen: dict[str, dict[str, int]] = {}
    sent: dict[str, dict[int, int]] = {}


class StoredTimer(NamedTuple):
    """A timer (定时) of a stream: `body` is the message's data, `kind` its type, `event` who set it."""

    partition: int
    stream: str
    name: str
    due: datetime
    kind: str
    body: bytes
    event: str


class CancelledTimer(NamedTuple):
    """A timer that is no more, because it fired or was cancelled."""

    partition: int
    stream: str
    name: str


class HeldKind(StrEnum):
    """Parked behind a bug, or a dead letter that blocks nothing."""

    PARKED = "parked"
    DEAD = "dead"


class Held(NamedTuple):
    """A message set aside (搁置). `id` rises in its partition; `order` is set once somebody asks.

    `body` is the whole CloudEvent, or the timer's data with `kind` its type; what the edge refused is sealed
    (`kernel.letters`). `cause` is the first one.
    """

    partition: int
    id: int
    kind: HeldKind
    stream: str
    reason: str
    type: str
    body: bytes
    cause: Cause
    rules: int
    trace: str
    now: datetime
    ordered: bool = False


class Snapshot(NamedTuple):
    """A state at a committed version, good only for the same `fold` (hash of the evolve code)."""

    partition: int
    stream: str
    version: int
    fold: str
    body: bytes


class Move(NamedTuple):
    """All that one batch leaves behind in one partition.

    `before` is the token that the cursor must still have. `released` held messages were taken up; the
    orders for the streams in `voided` fall, because taking up failed again.
    """

    before: bytes
    cursor: Cursor
    records: Sequence[Record] = ()
    outgoing: Sequence[Outgoing] = ()
    timers: Sequence[StoredTimer | CancelledTimer] = ()
    held: Sequence[Held] = ()
    released: Sequence[int] = ()
    voided: Sequence[str] = ()
    snapshots: Sequence[Snapshot] = ()


class Claim(NamedTuple):
    """A partition as its new owner finds it: the cursor and what lies above `published`.

    `parked` counts the held messages of each parked stream, `next_held` is the next free id of a held one.
    """

    cursor: Cursor
    records: Sequence[Record]
    outgoing: Sequence[Outgoing]
    parked: Mapping[str, int]
    next_held: int


class History(NamedTuple):
    """What rebuilds a stream's state: a snapshot, if one fits, and the records after it."""

    snapshot: Snapshot | None
    records: Sequence[Record]


class Journal(Protocol):
    """The history of one processor."""

    delivers: bool
    """Whether `commit` also puts what leaves into its topics (embedded host): nothing is left to publish."""

    async def claim(self, partitions: Collection[int]) -> Sequence[Claim]:
        """Read the cursors of these partitions (an unused one is new) and what is still to be published."""
        ...

    async def commit(self, moves: Sequence[Move]) -> frozenset[int]:
        """Store all moves in one transaction and give the partitions that were fenced, which are left out.

        Any exception means doubt: the caller does not know whether the transaction took place.
        """
        ...

    async def histories(
        self, streams: Mapping[int, Collection[str]], fold: str
    ) -> Mapping[tuple[int, str], History]:
        """The histories of many streams, by partition; a stream without rows has an empty one."""
        ...

    async def due(self, until: Mapping[int, datetime], limit: int) -> Sequence[StoredTimer]:
        """The timers of each partition due at or before its time, in order of (due, stream, name)."""
        ...

    async def ordered(self, partitions: Collection[int], limit: int) -> Sequence[Held]:
        """The held messages that somebody has ordered to be taken up, in order of (partition, id)."""
        ...

    async def order(self, held: Collection[tuple[int, int]]) -> int:
        """Order held messages, by (partition, id), to be taken up; gives how many were found."""
        ...

    def held(self, stream: str | None = None) -> AsyncIterator[Held]:
        """All held messages, or those of one stream, in order of (partition, id)."""
        ...

    def records(self, partition: int, after: int = 0) -> AsyncIterator[Record]:
        """The rows of one partition above `after`, in order of seq."""
        ...

    async def next_due(self) -> datetime | None:
        """The earliest time at which any timer of this processor is due."""
        ...
