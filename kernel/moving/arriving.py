"""Where the readers of a city that arrives begin: at the end of what its new topics hold."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from msgspec import json

from kernel.hosts.replay import traffic
from kernel.inbox import fingerprint
from kernel.journal import Cause, Cursor, Reach, Record
from kernel.log import Headers, Message, Outgoing, Target
from kernel.moving import lines
from kernel.moving.reading import Export
from kernel.page import BRIDGE
from kernel.processor import AnyProcessor
from rules.bundle import Bundle
from rules.edition import Edition
from schemas.registry import EditionPublished
from schemas.topics import RULES_EDITIONS
from schemas.wire import trusted

_MANIFEST: Final = json.Decoder(dict[str, str])


class Begin(NamedTuple):
    """What the new host has of one topic partition: its end, and the record below it if there is one."""

    end: int
    last: Message | None = None

    @property
    def reach(self) -> Reach:
        """Where a reader begins that has taken all of it."""
        return Reach(self.end, fingerprint(self.last) if self.last else b"")


Begins = Mapping[Target, Begin]


def inboxes(processors: Iterable[AnyProcessor], cursors: Iterable[lines.CursorLine]) -> list[Target]:
    """Every topic partition that a journal partition of the city reads."""
    topics = {processor.name: processor.topics for processor in processors}
    return sorted({(topic, one.partition) for one in cursors for topic in topics.get(one.processor, ())})


def cursor(line: lines.CursorLine, topics: Iterable[str], begins: Begins, token: bytes) -> Cursor:
    """The first cursor on the new host: it has taken and sent what it had, from where nothing waits."""
    return Cursor(
        partition=line.partition,
        token=token,
        reach={**_outside(line, begins), **{topic: begins[topic, line.partition].reach for topic in topics}},
        now=line.now,
        rules=line.rules,
        seq=line.seq,
        published=line.seq,
        seen=line.seen,
        sent=line.sent,
    )


def _outside(line: lines.CursorLine, begins: Begins) -> Mapping[str, Reach]:
    """How far the edge had read what others write; a topic that is new here is read from its begin."""
    number = line.partition - BRIDGE
    return {
        topic: begin.reach if (begin := begins.get((topic, number))) else reach
        for topic, reach in line.outside.items()
    }


def brought(processor: AnyProcessor, export: Export, partitions: int) -> Sequence[Outgoing]:
    """What a processor yet to come reads from the first record on, so that it goes along: `rules.editions`.

    Rebuilt from the journal of `processor`, which sends it, byte for byte and under the same numbers.
    """
    rows: dict[int, list[Record]] = {}
    for row in _rules_rows(processor, export):
        rows.setdefault(row.partition, []).append(row)
    sent = traffic([processor], {processor.name: rows}, partitions, {}).sent
    found: list[Outgoing] = []
    for (origin, topic, partition, k), passage in sorted(sent.items(), key=lambda item: item[0]):
        if topic == RULES_EDITIONS.name:
            row = passage.row
            headers = Headers(origin, k, row.rules, row.trace)
            found.append(Outgoing(topic, partition, k, row.seq, passage.key, headers, passage.body()))
    return found


def in_force(processor: AnyProcessor, export: Export) -> Bundle | None:
    """The rules that were put in force last."""
    last: EditionPublished | None = None
    for row in _rules_rows(processor, export):
        message = trusted(row.body).message
        if isinstance(message, EditionPublished):
            last = message
    if last is None:
        return None
    part = lines.edition_part(last.edition)
    try:
        names = _MANIFEST.decode(export.body(part))
    except ValueError as error:
        raise export.unreadable(part, str(error)) from error
    sections = {hash_: export.body(lines.section_part(hash_)) for hash_ in sorted(set(names.values()))}
    return Edition(last.edition, names, sections).load()


def _rules_rows(processor: AnyProcessor, export: Export) -> Iterable[Record]:
    for line in export.lines(lines.journal_part(processor.name), lines.EventLine):
        body = lines.unpacked(line.event, line.encoding)
        cause = json.decode(line.cause, type=Cause)
        yield Record(
            line.partition, line.seq, line.stream, line.version, body, cause, line.now, line.rules, line.trace
        )
