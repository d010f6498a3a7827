"""A service is a set of pure processors; this is the whole programming model."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar

import msgspec

from rules.inforce import Rules
from schemas.envelope import Envelope
from schemas.topics import RULES_EDITIONS, Send, Topic

S = TypeVar("S")
M = TypeVar("M")
E = TypeVar("E")


class Sender(msgspec.Struct, frozen=True, array_like=True):
    """Who sent a message: a `processor`, the processor's own `timer`, or one stamped by the edge.

    Those are a `post`, a `reporter`, a `source`, a `unit` on its own topic, and whoever is `outside` on an
    open one; `id` is the name or code, of the last the topic.
    """

    kind: str
    id: str


class SetTimer(NamedTuple):
    """Ask for `message` on the own stream at `due`, or earlier set aside by the same `name`."""

    name: str
    due: datetime
    message: object


class CancelTimer(NamedTuple):
    """Forget the timer `name` of this stream; no fault if there is none."""

    name: str


class DeadLetter(NamedTuple):
    """Keep the message that led here among the dead letters (死信), to be redriven once that is mended."""

    reason: str


Effect: TypeAlias = Send | SetTimer | CancelTimer | DeadLetter


class Context(msgspec.Struct, frozen=True, gc=False):
    """All that a decision may know beyond its state; what it used is written into what it decides.

    `now` never goes backwards within a partition. `received` is when the message was received at the
    edge, or when the event that sent it was decided; deadlines count from it. `message_id` is the id of
    the message and `stream` the own key.
    """

    now: datetime
    received: datetime
    rules: Rules
    sender: Sender
    stream: str
    message_id: str


@dataclass(frozen=True, slots=True)
class Processor(Generic[S, M, E]):
    """An inbox, a key, three pure functions.

    `handles` lists the message and timer classes that are decided, each with at least one event; others
    are skipped. `events` is the topic that the journal is, where others read it. `snapshot` is the state
    class where long streams are worth snapshots, with `snapshot_every` versions between two.
    """

    name: str
    inbox: tuple[Topic, ...]
    handles: tuple[type, ...]
    initial: S
    decide: Callable[[S, M, Context], Sequence[E]]
    evolve: Callable[[S, E], S]
    react: Callable[[E, Envelope], Sequence[Effect]]
    events: Topic | None = None
    snapshot: type | None = None
    snapshot_every: int = 500

    @property
    def service(self) -> str:
        """The service that owns the processor: `router` of `router.case`."""
        return self.name.partition(".")[0]

    @property
    def topics(self) -> tuple[str, ...]:
        """The names of all topics that a worker reads: the inbox, and the rules beside it."""
        return (*(topic.name for topic in self.inbox), RULES_EDITIONS.name)


AnyProcessor: TypeAlias = Processor[Any, Any, Any]


def step(processor: Processor[S, M, E], state: S, message: M, context: Context) -> tuple[S, Sequence[E]]:
    """Decide, then fold. Live hosts, replay, audit and simulator share this line."""
    events = processor.decide(state, message, context)
    return reduce(processor.evolve, events, state), events
