"""What the log has lost is sent again from the journal (补发): the same messages, under their old numbers.

A receiver drops what it has, so sending too much does no harm; sending nothing would leave it waiting for
ever for the one that comes before.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from kernel.edge import EDGE
from kernel.journal import Cursor, Record
from kernel.log import Headers, Outgoing, Target
from kernel.partition import partition_of
from kernel.processor import AnyProcessor
from schemas.envelope import Envelope, message_id
from schemas.topics import BY_NAME, Send
from schemas.wire import TYPE_OF, encode, trusted

_RULES: Final = "_rules/"


def sent_by(
    processor: AnyProcessor, partition: int, rows: Iterable[Record], partitions: int
) -> Iterator[Outgoing]:
    """Everything that one journal partition ever sent, event topics left out, numbered as it was."""
    origin = f"{processor.name}/{partition}"
    numbers: dict[Target, int] = {}
    for row in rows:
        if row.stream.startswith(_RULES):
            continue
        head, event = trusted(row.body)
        envelope = Envelope(
            id=head.id, source=head.source, type=head.type, subject=head.subject, time=head.time, data=event
        )
        for number, effect in enumerate(processor.react(event, envelope), 1):
            if not isinstance(effect, Send):
                continue
            target = _target(effect, partitions)
            k = numbers[target] = numbers.get(target, 0) + 1
            message = Envelope(
                id=message_id(head.id, number),
                source=head.source,
                type=TYPE_OF[type(effect.message)],
                subject=effect.key,
                time=head.time,
                data=effect.message,
            )
            headers = Headers(origin, k, row.rules, row.trace)
            yield Outgoing(*target, k, row.seq, effect.key, headers, encode(message))


def sent_by_edge(
    instance: int, rows: Iterable[Record], partitions: int, doors: Mapping[str, str]
) -> Iterator[Outgoing]:
    """Everything that one edge let in; `doors` gives the topic of each type."""
    numbers: dict[Target, int] = {}
    origin = f"{EDGE}/{instance}"
    for row in rows:
        head = trusted(row.body).frame
        topic = BY_NAME[doors[head.type]]
        target = (topic.name, 0 if topic.single else partition_of(head.subject, partitions))
        k = numbers[target] = numbers.get(target, 0) + 1
        headers = Headers(origin, k, row.rules, row.trace, row.cause.sender)
        yield Outgoing(*target, k, row.seq, head.subject, headers, row.body)


def unseen(
    sent: Iterable[Outgoing], receivers: Mapping[str, Sequence[Mapping[int, Cursor]]]
) -> Mapping[Target, Sequence[Outgoing]]:
    """Of what was sent, all that some receiver of its topic has not taken, in order of its numbers.

    `receivers` gives for each topic the cursors of its readers by partition; a topic that nobody reads is
    left alone.
    """
    found: dict[Target, list[Outgoing]] = {}
    for message in sent:
        readers = receivers.get(message.topic, ())
        last = min((_seen(cursors.get(message.partition), message) for cursors in readers), default=None)
        if last is not None and message.k > last:
            found.setdefault((message.topic, message.partition), []).append(message)
    return found


def _seen(cursor: Cursor | None, message: Outgoing) -> int:
    return cursor.seen.get(message.topic, {}).get(message.headers.origin, 0) if cursor else 0


def _target(send: Send, partitions: int) -> Target:
    return send.topic, partition_of(send.key, partitions) if send.partition is None else send.partition
