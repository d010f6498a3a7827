"""A processor small enough to hold in the head: reports are counted, every second one is sent on."""

from collections.abc import Sequence
from datetime import timedelta

import msgspec

from kernel.processor import Context, DeadLetter, Effect, Processor, SetTimer
from schemas.envelope import Envelope
from schemas.registry import EditionPublished, PublishEdition
from schemas.topics import CASE_COMMANDS, REGISTRY_COMMANDS

HASH = "a" * 64


class Count(msgspec.Struct, frozen=True):
    """How many were counted."""

    number: int = 0


def decide(state: Count, message: PublishEdition, context: Context) -> Sequence[EditionPublished]:
    """Count; a reason `bug` is one, `none` answers with nothing."""
    if message.reason == "bug":
        raise ZeroDivisionError("planted")
    if message.reason == "none":
        return []
    return [
        EditionPublished(
            number=state.number + 1,
            edition=message.edition,
            modes=message.modes,
            effective=context.now,
            partitions=message.partitions,
        )
    ]


def evolve(state: Count, event: EditionPublished) -> Count:
    """Count up."""
    return Count(event.number)


def react(event: EditionPublished, envelope: Envelope) -> Sequence[Effect]:
    """`partitions` says what leaves: 1 a message, 2 a timer a minute later, 3 a dead letter."""
    del envelope
    message = PublishEdition(edition=event.edition, partitions=0)
    if event.partitions == 1:
        return [CASE_COMMANDS.send("next", message)]
    if event.partitions == 2:
        return [SetTimer("later", event.effective + timedelta(minutes=1), message)]
    if event.partitions == 3:
        return [DeadLetter("three")]
    return ()


COUNTING = Processor(
    name="registry.rules",
    inbox=(REGISTRY_COMMANDS,),
    handles=(PublishEdition,),
    initial=Count(),
    decide=decide,
    evolve=evolve,
    react=react,
    snapshot=Count,
    snapshot_every=5,
)
