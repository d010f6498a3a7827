"""audit.witness: a processor that only the simulator has, for the corners of the protocol.

It reads two topics of one sender, chains all that it hears into one hash, sets and cancels timers, writes
off one message in sixteen as a dead letter until it is redriven, and joins a city that already runs.
"""

from collections.abc import Sequence
from datetime import timedelta
from hashlib import sha256
from typing import Final, TypeAlias, get_args

import msgspec

from kernel.processor import CancelTimer, Context, DeadLetter, Effect, Processor, SetTimer
from schemas.case.union import CaseEvent
from schemas.envelope import Envelope
from schemas.intake import CaseEnded, CaseReopenedForDesk, DeskReport, ReportBounced
from schemas.refusal import Refusal
from schemas.registry import EditionPublished, PublicationRefused, PublishEdition
from schemas.topics import CASE_EVENTS, INTAKE_DESK
from schemas.wire import encode_data

Noted: TypeAlias = EditionPublished | PublicationRefused
"""Contracts borrowed from the registry: a number with a hash, and a refusal."""

_PAUSE: Final = timedelta(hours=3)


class Notes(msgspec.Struct, frozen=True):
    """How much was heard, the hash over all of it, and which messages were written off once."""

    number: int = 0
    chain: str = ""
    dead: tuple[str, ...] = ()


def decide(notes: Notes, message: object, context: Context) -> Sequence[Noted]:
    """Write off, or note under the hash of all that came before."""
    if sha256(context.message_id.encode()).digest()[0] < 16 and context.message_id not in notes.dead:
        return [
            PublicationRefused(
                refusal=Refusal(code="dead", expected="to be redriven", found=context.message_id)
            )
        ]
    number = notes.number + 1
    chain = sha256(notes.chain.encode() + encode_data(message)).hexdigest()
    timer = 0 if isinstance(message, PublishEdition) else (1, 0, 1, 2)[number % 4]
    return [EditionPublished(number=number, edition=chain, effective=context.now, partitions=timer)]


def evolve(notes: Notes, event: Noted) -> Notes:
    """Remember it."""
    if isinstance(event, PublicationRefused):
        return msgspec.structs.replace(notes, dead=(*notes.dead, event.refusal.found))
    return msgspec.structs.replace(notes, number=event.number, chain=event.edition)


def react(event: Noted, envelope: Envelope) -> Sequence[Effect]:
    """Ring later, or do not; or keep what was written off."""
    del envelope
    if isinstance(event, PublicationRefused):
        return [DeadLetter("written off")]
    if event.partitions == 1:
        ring = PublishEdition(edition=event.edition, partitions=0)
        return [
            SetTimer("look", event.effective + _PAUSE, ring),
            SetTimer("again", event.effective + 3 * _PAUSE, ring),
        ]
    return [CancelTimer("look")] if event.partitions == 2 else ()


WITNESS: Final = Processor(
    name="audit.witness",
    inbox=(CASE_EVENTS, INTAKE_DESK),
    handles=(*get_args(CaseEvent), DeskReport, CaseEnded, CaseReopenedForDesk, ReportBounced, PublishEdition),
    initial=Notes(),
    decide=decide,
    evolve=evolve,
    react=react,
    snapshot=Notes,
)
