"""A message and the record that carries it: key and body as they are, transport facts in one header."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final, Protocol

import msgspec

from kernel.errors import InnerUnreadable
from kernel.log import Headers, Message, Outgoing
from schemas.refusal import Refusal

FACTS: Final = "gridcase"
"""The header with origin, number, rules, trace and sender."""

_FORM: Final = ("content-type", b"application/cloudevents+json; charset=UTF-8")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_decoder = msgspec.json.Decoder(Headers)
_encoder = msgspec.json.Encoder()


class Record(Protocol):
    """What a client hands over: the fields of aiokafka's records that are read here."""

    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes | None]]: ...


def headers_of(message: Outgoing) -> list[tuple[str, bytes]]:
    """The headers of a message; strangers read the second, CloudEvents' own."""
    return [(FACTS, _encoder.encode(message.headers)), _FORM]


def message_of(topic: str, partition: int, record: Record) -> Message:
    """The message in a record of an inner topic; only ours may lie there, so anything else is a fault."""
    key, body = record.key, record.value
    facts = next((value for name, value in record.headers if name == FACTS), None)
    if key is None or body is None or facts is None:
        found = "no key" if key is None else "no value" if body is None else f"no header {FACTS}"
        raise _unreadable(topic, partition, record.offset, found)
    try:
        headers = _decoder.decode(facts)
        name = key.decode()
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise _unreadable(topic, partition, record.offset, str(error)) from error
    return Message(topic, partition, record.offset, name, moment(record.timestamp), headers, body)


@lru_cache(maxsize=1024)
def moment(millis: int) -> datetime:
    """The log's stamp as a time; the records of one batch share theirs."""
    return _EPOCH + timedelta(milliseconds=millis)


def _unreadable(topic: str, partition: int, offset: int, found: str) -> InnerUnreadable:
    expected = f"key, value and header {FACTS} as this system writes them"
    refusal = Refusal(code="record_unreadable", expected=expected, found=found)
    return InnerUnreadable(topic, partition, offset, refusal)


def in_order_of_stamps(runs: Sequence[Sequence[Message]]) -> list[Message]:
    """Records of several topic partitions by the time of their arrival, each run in its own order.

    A run's stamps may go back (a new leader has another clock): then the later ones count as equal.
    """
    if len(runs) == 1:
        return list(runs[0])
    marked: list[tuple[Any, int, Message]] = []
    for run in runs:
        latest = run[0].appended
        for message in run:
            latest = max(latest, message.appended)
            marked.append((latest, len(marked), message))
    marked.sort()
    return [message for _, _, message in marked]
