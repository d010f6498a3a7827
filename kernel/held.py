"""Timers that rang for a parked stream: what was parked before them may have cancelled them since."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from kernel.journal import Cause, Held, HeldKind, Journal, Record, Via
from kernel.processor import CancelTimer, Effect, SetTimer
from schemas.envelope import Envelope, enclosing
from schemas.wire import trusted

React = Callable[[Any, Envelope], Sequence[Effect]]


async def void_timers(ordered: Sequence[Held], journal: Journal, react: React) -> frozenset[tuple[int, int]]:
    """Of held messages the timers that were cancelled or set anew since they rang, by partition and id.

    When a timer rings, the event that set it is the last of its stream to touch it. As long as it lies parked
    only what was parked before it is decided, in this batch or long ago: the stream's later events tell.
    """
    rang = [held for held in ordered if held.kind is HeldKind.PARKED and held.cause.via is Via.TIMER]
    if not rang:
        return frozenset()
    streams: dict[int, set[str]] = {}
    for held in rang:
        streams.setdefault(held.partition, set()).add(held.stream)
    histories = await journal.histories(streams, "")
    return frozenset(
        (held.partition, held.id)
        for held in rang
        if _touched(held.cause, histories[held.partition, held.stream].records, react)
    )


def _touched(cause: Cause, rows: Iterable[Record], react: React) -> bool:
    set_by = int(cause.event.rpartition("/")[2])
    since = [row for row in rows if row.version > set_by]
    if any(row.cause == cause for row in since):
        return False  # it has fired: a dead letter that is decided again
    return any(
        isinstance(effect, SetTimer | CancelTimer) and effect.name == cause.id
        for head, event in (trusted(row.body) for row in since)
        for effect in react(event, enclosing(head, event))
    )
