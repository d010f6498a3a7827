"""Folding what is on record equals the live state; deciding again gives the same bytes (design §4.5)."""

import msgspec
import pytest

from schemas.envelope import Envelope, event_id
from schemas.wire import TYPE_OF, encode, trusted
from services.router.evolve import evolve
from services.router.lifecycle import decide
from services.router.state import NO_CASE, Case
from tests.walking import SEEDS, Step, walked


def letter(step: Step, message: object, version: int) -> bytes:
    return encode(
        Envelope(
            id=event_id(step.context.stream, version),
            source="/walk",
            type=TYPE_OF[type(message)],
            subject=step.context.stream,
            time=step.context.now,
            data=message,
        )
    )


@pytest.mark.parametrize("first", SEEDS[:40])
def test_a_walk_on_record_is_decided_again_with_the_same_bytes(first: int) -> None:
    """Once with live objects, once with what was read back: command, state and events as bytes in between."""
    for seed in range(first, first + 8):
        recorded: Case = NO_CASE
        for step in walked(seed):
            assert recorded == step.before
            command = trusted(letter(step, step.command, 0)).message
            kept = msgspec.json.decode(msgspec.json.encode(recorded), type=Case)
            assert kept == recorded
            live = [letter(step, event, n) for n, event in enumerate(step.events, recorded.version + 1)]
            again = decide(kept, command, step.context)
            assert [letter(step, event, n) for n, event in enumerate(again, recorded.version + 1)] == live
            for body in live:
                recorded = evolve(recorded, trusted(body).message)
            assert recorded == step.after
