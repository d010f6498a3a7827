"""The short way into our own bytes reads what the long way reads, and leaves errors to it."""

from datetime import UTC, datetime

import pytest

from schemas.case.opening import CommandRefused
from schemas.envelope import Envelope
from schemas.refusal import Refusal
from schemas.wire import TYPE_OF, Unreadable, encode, message_of, trusted

AT = datetime(2026, 3, 2, tzinfo=UTC)


def framed(stream: str, found: str = "none") -> bytes:
    event = CommandRefused(
        command="SignCase", refusal=Refusal(code="held", expected="none", found=found), by="P1"
    )
    return encode(
        Envelope(
            id=f"{stream}/1", source="/g", type=TYPE_OF[CommandRefused], subject=stream, time=AT, data=event
        )
    )


@pytest.mark.parametrize("stream", ["case-1", '","type":"gridcase.case.CaseSigned.v1","x":"', "案\\", '"'])
def test_a_stream_named_like_a_type_does_not_mislead(stream: str) -> None:
    body = framed(stream, found=stream)
    assert message_of(body) == message_of(body) == trusted(body).message


@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"type":"x"', b'{"type":"gridcase.case.CommandRefused.v1"}', b"\xff"]
)
def test_what_is_no_message_is_refused_as_ever(body: bytes) -> None:
    message_of(framed("case-1"))
    with pytest.raises(Unreadable):
        message_of(body)
