"""Effects that have a reply: carried out before they are decided, under a key that makes repeating harmless.

A crash between the effect and its commit means that it is asked for once more, under the same idempotency
key; who is called tells the two apart. Nothing here raises but a cancellation: what goes wrong is an outcome.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeAlias

from kernel.log import Message
from schemas.envelope import Frame
from schemas.notice import AttemptDelivery, Outcome, Performed
from schemas.wire import TYPE_OF, Unreadable, decode_data, frame

_ATTEMPT: Final = TYPE_OF[AttemptDelivery]

Place: TypeAlias = tuple[str, int, int]
"""A message in its log: topic, partition, offset."""


class Channel(Protocol):
    """One way out of the house (渠道): carries out an attempt and says what came of it."""

    async def deliver(self, request: AttemptDelivery, key: str) -> Outcome: ...


class Perform(Protocol):
    """Carries out one attempt under its idempotency key, by whichever channel it names."""

    async def __call__(self, message: AttemptDelivery, key: str) -> Performed: ...


@dataclass(frozen=True, slots=True)
class Patience:
    """How much is attempted at once and how long it may take; `batch_seconds` bounds a whole batch.

    What has not begun by then is `not_tried`, so that a dead receiver never holds up the partition.
    """

    at_once: int = 32
    call_seconds: float = 10.0
    batch_seconds: float = 30.0


async def perform_all(
    perform: Perform, messages: Sequence[AttemptDelivery], limit: int, patience: Patience | None = None
) -> list[Performed]:
    """Carry out all messages, at most `limit` at a time; the outcomes come in the order of the messages."""
    patience = patience or Patience()
    loop = asyncio.get_running_loop()
    closing = loop.time() + patience.batch_seconds
    turns = asyncio.Semaphore(limit)

    async def one(message: AttemptDelivery) -> Performed:
        async with turns:
            if loop.time() >= closing:
                return Performed(
                    request=message, outcome=Outcome(result="not_tried", detail="batch took too long")
                )
            return await _attempted(perform, message, patience.call_seconds)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(message)) for message in messages]
    return [task.result() for task in tasks]


async def _attempted(perform: Perform, message: AttemptDelivery, seconds: float) -> Performed:
    """One attempt within its time; an exception or a silence leaves open whether it took effect."""
    try:
        async with asyncio.timeout(seconds):
            return await perform(message, message.key)
    except TimeoutError:
        detail = f"no answer within {seconds:g} s"
    except Exception as error:  # noqa: BLE001 - a channel of a stranger may raise anything
        detail = f"{type(error).__name__}: {error}"[:400]
    return Performed(request=message, outcome=Outcome(result="unknown", detail=detail))


def performing(
    perform: Perform, patience: Patience | None = None
) -> Callable[[Sequence[Message]], Awaitable[Mapping[Place, Any]]]:
    """The form in which a worker takes it: a batch of its inbox in, what to decide instead out."""
    patience = patience or Patience()

    async def of_batch(messages: Sequence[Message]) -> Mapping[Place, Any]:
        asked = {
            (message.topic, message.partition, message.offset): request
            for message in messages
            if (request := _request(message)) is not None
        }
        done = await perform_all(perform, list(asked.values()), patience.at_once, patience)
        return dict(zip(asked, done, strict=True))

    return of_batch


def answering(
    kind: type, answer: Callable[[Any], Awaitable[Any]]
) -> Callable[[Sequence[Message]], Awaitable[Mapping[Place, Any]]]:
    """As `performing`, for an effect on our own ports: one request of this class after the other.

    What `answer` raises is the failure of a port: the worker takes the same batch again, as after any other.
    """
    name = TYPE_OF[kind]

    async def of_batch(messages: Sequence[Message]) -> Mapping[Place, Any]:
        done: dict[Place, Any] = {}
        for message in messages:
            request = _asked(name, message)
            if request is not None:
                done[message.topic, message.partition, message.offset] = await answer(request)
        return done

    return of_batch


def _request(message: Message) -> AttemptDelivery | None:
    return _asked(_ATTEMPT, message)


def _asked(name: str, message: Message) -> Any:
    """The request that a message makes; what cannot be read is left to the decider, which says so."""
    try:
        head: Frame = frame(message.body)
        return decode_data(name, bytes(head.data)) if head.type == name else None
    except Unreadable:
        return None
