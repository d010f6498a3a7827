"""A message and the record that carries it: key and body as they are, transport facts in one header.

A second header is the city's token. It tells another city's records, and those of whoever forges an origin,
from ours; who can read it could copy it, so it stands beside the rights on inner topics, not in their place.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final, Protocol, TypeAlias

import msgspec

from kernel.errors import InnerUnreadable
from kernel.journal import RULES_STREAM, rules_stream
from kernel.kafka.cluster import Cluster
from kernel.kafka.layout import LARGEST_BATCH_BYTES
from kernel.log import Headers, Message, Outgoing
from kernel.partition import partition_of
from schemas.refusal import Refusal
from schemas.topics import BY_NAME, RULES_EDITIONS

FACTS: Final = "gridcase"
"""The header with origin, number, rules, trace and sender."""

CITY: Final = "gridcase-city"
"""The header with the token of the city that wrote the record."""

_FORM: Final = ("content-type", b"application/cloudevents+json; charset=UTF-8")
_SHOWN: Final = 200
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


def headers_of(message: Outgoing, city: bytes = b"") -> list[tuple[str, bytes]]:
    """The headers of a message; strangers read the second, CloudEvents' own."""
    facts = _encoder.encode(message.headers)
    return [(FACTS, facts), _FORM, (CITY, city)] if city else [(FACTS, facts), _FORM]


Read: TypeAlias = Callable[[Cluster, str, int, Record], Message]
"""How a record of a topic partition is read."""


def message_of(cluster: Cluster, topic: str, partition: int, record: Record) -> Message:
    """The message in a record of an inner topic; only ours may lie there, so anything else is a fault."""
    key, body, named = record.key, record.value, dict(record.headers)
    facts = named.get(FACTS)
    if key is None or body is None or facts is None:
        found = "no key" if key is None else "no value" if body is None else f"no header {FACTS}"
        raise _unreadable(topic, partition, record.offset, found)
    try:
        headers = _decoder.decode(facts)
        name = key.decode()
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise _unreadable(topic, partition, record.offset, str(error)) from error
    if cluster.city:
        wrong = _not_ours(cluster, topic, partition, (name, headers.origin, len(body), named.get(CITY)))
        if wrong:
            raise _unreadable(topic, partition, record.offset, wrong)
    return Message(topic, partition, record.offset, name, moment(record.timestamp), headers, body)


def _not_ours(
    cluster: Cluster, topic: str, partition: int, facts: tuple[str, str, int, bytes | None]
) -> str | None:
    """In what a record differs from those of this city's own processes."""
    key, origin, size, token = facts
    if size > LARGEST_BATCH_BYTES:
        return f"{size} bytes, more than {LARGEST_BATCH_BYTES}"
    if not _belongs(topic, partition, key, cluster.partitions):
        return f"the key {key[:_SHOWN]!r}, which belongs to another partition"
    if not _may_send(topic, origin):
        return f"the origin {origin[:_SHOWN]!r}, which writes no such topic"
    if token != cluster.city:
        claim = f"the origin {origin[:_SHOWN]!r}"
        return f"{claim} without a header {CITY}" if token is None else f"{claim} in another city's name"
    return None


def _belongs(topic: str, partition: int, key: str, partitions: int) -> bool:
    """Beside what goes by its key, each partition has its own rules, and its own stream of notes on them."""
    declared = BY_NAME.get(topic)
    if declared is RULES_EDITIONS:
        return key == str(partition)
    if key.startswith(RULES_STREAM):
        return key == rules_stream(partition)
    return declared is None or declared.single or partition_of(key, partitions) == partition


@lru_cache(maxsize=4096)
def _may_send(topic: str, origin: str) -> bool:
    declared = BY_NAME.get(topic)
    return declared is None or origin.partition("/")[0] in declared.producers


def city_of(cluster: Cluster, topic: str, partition: int, record: Record) -> Message:
    """A record of which only the city matters that wrote it: the origin is its token, in hexadecimal."""
    del cluster
    token = dict(record.headers).get(CITY) or b""
    facts = Headers(token.hex(), 0)
    return Message(topic, partition, record.offset, "", moment(record.timestamp), facts, record.value or b"")


def outside_of(cluster: Cluster, topic: str, partition: int, record: Record) -> Message:
    """What lies in a record that anybody may have written. The origin is what its header claims to be."""
    del cluster
    claims = [value or b"" for name, value in record.headers if name in (FACTS, CITY)]
    claim = b" ".join(claims).decode("utf-8", "backslashreplace")[:_SHOWN] or "nothing" if claims else ""
    body = record.value or b""
    return Message(topic, partition, record.offset, "", moment(record.timestamp), Headers(claim, 0), body)


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
