"""An inbox without holes: where a record stands to the cursor, and whether a log still fits its journal."""

from collections.abc import Iterable
from enum import Enum
from hashlib import blake2b

from kernel.journal import Reach
from kernel.log import Message, Span
from schemas.refusal import Refusal


class Place(Enum):
    """Where a record stands to the cursor of its topic partition."""

    BELOW = "below"
    NEXT = "next"
    ABOVE = "above"


def place(reach: int, offset: int) -> Place:
    """Below the cursor is skipped, at it is taken, above it is a hole: seek back."""
    if offset == reach:
        return Place.NEXT
    return Place.BELOW if offset < reach else Place.ABOVE


def fingerprint(message: Message) -> bytes:
    """Eight bytes that tell this record from any other at its offset."""
    return blake2b(message.body + message.headers.origin.encode(), digest_size=8).digest()


def unsound_end(topic: str, reach: int, span: Span) -> Refusal | None:
    """A log that ends below the cursor was cut or recreated."""
    if reach > span.end:
        return Refusal(
            code="inbox_cut",
            expected=f"{topic} to reach offset {reach}",
            found=f"its end at {span.end}: it was cut or made anew, and what it held unread is gone",
        )
    return None


def unsound_begin(topic: str, reach: int, span: Span) -> Refusal | None:
    """A log that begins above the cursor has lost what was not yet read."""
    if span.first > reach:
        return Refusal(
            code="inbox_lost",
            expected=f"{topic} to hold offset {reach}",
            found=f"its begin at {span.first}: {span.first - reach} records are gone unread",
        )
    return None


def hole(topic: str, offset: int, record: Message | None) -> Refusal | None:
    """A record below the end that is not there: reading it again would not bring it back."""
    if record is None or record.offset != offset:
        return Refusal(
            code="inbox_hole", expected=f"{topic} to hold offset {offset}", found="records behind it only"
        )
    return None


def unsound(topic: str, reach: Reach, span: Span, below: Message | None) -> Refusal | None:
    """Why a claimed inbox must be refused: its log was cut, recreated, or has lost what was not yet read."""
    refusal = unsound_end(topic, reach.offset, span) or unsound_begin(topic, reach.offset, span)
    if refusal is not None:
        return refusal
    if reach.offset == span.first:
        return None
    if below is None or fingerprint(below) != reach.fingerprint:
        return Refusal(
            code="inbox_recreated",
            expected=f"{topic} at offset {reach.offset - 1} as it was read",
            found="another record" if below else "no record",
        )
    return None


def overtaken(topic: str, seq: int, published: Iterable[Message]) -> Refusal | None:
    """Why a journal must be refused: it lacks events that its own topic has (restored, or a late replica)."""
    last = max((message.headers.k for message in published), default=0)
    if last > seq:
        return Refusal(
            code="journal_restored",
            expected=f"a journal that has event {last} of {topic}",
            found=f"only {seq}",
        )
    return None
