"""What is still queued between the journals of a stopped city: by their own numbers, whatever topics hold.

What a sender has sent and a reader has not seen waits, or is lost; both have to be settled before a move.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from kernel.journal import Cursor
from kernel.log import Outgoing, Target
from kernel.processor import AnyProcessor
from schemas.topics import BY_NAME


class Halted(NamedTuple):
    """A journal partition that nobody works on, and what its outbox still has."""

    processor: str
    cursor: Cursor
    unsent: Sequence[Outgoing] = ()

    @property
    def origin(self) -> str:
        """Its name as a sender."""
        return f"{self.processor}/{self.cursor.partition}"


class Queued(NamedTuple):
    """So many messages: of a topic for a reader, or of a sender for those outside."""

    what: str
    number: int


def not_handled(readers: Iterable[AnyProcessor], halted: Sequence[Halted], partitions: int) -> list[Queued]:
    """What was sent and is not seen. A reader that has seen more than was sent counts below zero."""
    cursors = {(one.processor, one.cursor.partition): one.cursor for one in halted}
    sent_to = _sent(halted)
    found: list[Queued] = []
    for reader in readers:
        for topic in reader.topics:
            waiting, beyond = 0, 0
            for partition in range(partitions):
                seen = cursors.get((reader.name, partition), Cursor(partition)).seen.get(topic, {})
                sent = sent_to.get((topic, partition), {})
                for origin in sorted(sent.keys() | seen.keys()):
                    number = sent.get(origin, 0) - seen.get(origin, 0)
                    waiting, beyond = waiting + max(0, number), beyond + min(0, number)
            if waiting or beyond:
                found.append(Queued(f"{topic} for {reader.name}", beyond or waiting))
    return found


def not_published(readers: Iterable[AnyProcessor], halted: Sequence[Halted]) -> list[Queued]:
    """What no reader of ours would miss and yet has not left: events and messages for those outside."""
    inner = {topic for reader in readers for topic in reader.topics}
    events = {topic.journal_of for topic in BY_NAME.values() if topic.journal_of and topic.name not in inner}
    found: list[Queued] = []
    for one in halted:
        count = sum(message.topic not in inner for message in one.unsent)
        if one.processor in events:
            count += one.cursor.seq - one.cursor.published
        if count:
            found.append(Queued(one.origin, count))
    return found


def _sent(halted: Iterable[Halted]) -> Mapping[Target, Mapping[str, int]]:
    """The last number of each sender to each topic partition."""
    events = {topic.journal_of: topic.name for topic in BY_NAME.values() if topic.journal_of}
    found: dict[Target, dict[str, int]] = {}
    for one in halted:
        if one.processor in events:
            target = (events[one.processor], one.cursor.partition)
            found.setdefault(target, {})[one.origin] = one.cursor.seq
        for topic, numbers in one.cursor.sent.items():
            for partition, last in numbers.items():
                found.setdefault((topic, partition), {})[one.origin] = last
    return found
