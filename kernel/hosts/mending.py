"""Mending what a disaster broke: do the journals still fit each other, and what has a log lost?

Both work on the ports alone, while no worker runs.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from kernel.edge import EDGE
from kernel.errors import CityRunsAlready
from kernel.hosts.replay import Address, Histories, Passage, Traffic
from kernel.inbox import unsound
from kernel.journal import Cursor, Journal, Move, Reach
from kernel.log import Headers, Log, Outgoing, Target
from kernel.processor import AnyProcessor

Cursors = Mapping[str, Mapping[int, Cursor]]
"""The cursor of each journal partition, by processor."""


class Misfit(NamedTuple):
    """Where two journals contradict each other: one of them is older than the other has seen."""

    code: str
    where: str
    expected: str
    found: str


def misfits(
    processors: Iterable[AnyProcessor], cursors: Cursors, histories: Histories, sent: Traffic
) -> list[Misfit]:
    """All contradictions: a cursor that is not at its last row, a receiver that has seen what nobody sent."""
    found: list[Misfit] = []
    for name, partitions in cursors.items():
        for partition, cursor in partitions.items():
            rows = histories.get(name, {}).get(partition, ())
            if cursor.seq != len(rows):
                found.append(
                    Misfit("rows_missing", f"{name}/{partition}", f"{cursor.seq} rows", f"{len(rows)} rows")
                )
    last: dict[tuple[str, str, int], int] = {}
    for address in sent.sent:
        key = (address.origin, address.topic, address.partition)
        last[key] = max(last.get(key, 0), address.k)
    for processor in processors:
        for partition, cursor in cursors[processor.name].items():
            for topic, origins in cursor.seen.items():
                for origin, k in origins.items():
                    known = last.get((origin, topic, partition), 0)
                    if k > known:
                        where = f"{processor.name}/{partition} reading {topic}"
                        found.append(
                            Misfit("sender_restored", where, f"{origin} to have sent {k}", f"only {known}")
                        )
    return found


async def read_through(processors: Iterable[AnyProcessor], cursors: Cursors, log: Log) -> Cursors:
    """The cursors as they will be, as to what was seen, when all that stands before them is read."""
    through: dict[str, dict[int, Cursor]] = {}
    for processor in processors:
        through[processor.name] = {
            partition: replace(
                cursor, seen={topic: await _will_see(log, topic, cursor) for topic in processor.topics}
            )
            for partition, cursor in cursors[processor.name].items()
        }
    return through


async def _will_see(log: Log, topic: str, cursor: Cursor) -> dict[str, int]:
    """The last number taken of each origin: a copy changes nothing, and neither does what comes early."""
    seen = dict(cursor.seen.get(topic, {}))
    target = (topic, cursor.partition)
    span = (await log.spans([target]))[target]
    for offset in range(max(span.first, cursor.reach.get(topic, Reach(0)).offset), span.end):
        message = await log.look(*target, offset)
        if message is not None and message.headers.k == seen.get(message.headers.origin, 0) + 1:
            seen[message.headers.origin] = message.headers.k
    return seen


async def lost(
    processors: Collection[AnyProcessor], cursors: Cursors, sent: Traffic, log: Log
) -> list[Outgoing]:
    """What a log that is no topic apart from the journals has lost, unread."""
    return unseen(processors, await read_through(processors, cursors, log), sent)


def unseen(
    processors: Collection[AnyProcessor], through: Cursors, sent: Traffic, *, apart: bool = False
) -> list[Outgoing]:
    """What some receiver will never see, though it reads all that is there: from the first lost one on.

    `through` are the cursors of `read_through`. What an event topic lost is its journal's own rows; where
    the topics are not `apart` from the journals that cannot happen, and they are left out.
    """
    own = {processor.events.name for processor in processors if processor.events is not None}
    seen: dict[Target, list[Mapping[str, int]]] = {}
    for processor in processors:
        for topic in processor.topics:
            if apart or topic not in own:
                for partition, cursor in through[processor.name].items():
                    seen.setdefault((topic, partition), []).append(cursor.seen.get(topic, {}))
    return [
        _again(address, sent.sent[address])
        for address in sorted(sent.sent)
        if any(
            address.k > one.get(address.origin, 0) for one in seen.get((address.topic, address.partition), ())
        )
    ]


def _again(address: Address, passage: Passage) -> Outgoing:
    row = passage.row
    sender = row.cause.sender if address.origin.startswith(f"{EDGE}/") else None
    headers = Headers(address.origin, address.k, row.rules, row.trace, sender)
    return Outgoing(
        address.topic, address.partition, address.k, row.seq, passage.key, headers, passage.body()
    )


async def republish(found: Sequence[Outgoing], log: Log) -> int:
    """Send lost messages again, each target in order; gives how many the log has acknowledged."""
    batches: dict[Target, list[Outgoing]] = {}
    for message in found:
        batches.setdefault((message.topic, message.partition), []).append(message)
    return sum((await log.publish(batches)).values())


class Gone(NamedTuple):
    """Where a topic no longer fits its reader: it was deleted, made anew, or gave up what was not read."""

    processor: str
    topic: str
    partition: int
    code: str
    expected: str
    found: str


async def refit(
    processor: AnyProcessor, journal: Journal, log: Log, partitions: Collection[int], token: bytes
) -> list[Gone]:
    """Let the cursors that no longer fit their topics begin where those begin; what was seen stays known.

    So copies of what was taken are dropped, and what is sent again is taken in its order. `token` must be
    drawn anew. A cursor that somebody moves meanwhile is an exception.
    """
    gone: list[Gone] = []
    moves: list[Move] = []
    for claim in await journal.claim(partitions):
        cursor, reach = claim.cursor, dict(claim.cursor.reach)
        for topic in processor.topics:
            known = reach.get(topic, Reach(0))
            below = await log.look(topic, cursor.partition, known.offset - 1) if known.offset else None
            span = (await log.spans([(topic, cursor.partition)]))[topic, cursor.partition]
            refusal = unsound(topic, known, span, below)
            if refusal is not None:
                reach[topic] = Reach(span.first)
                words = (refusal.code, refusal.expected, refusal.found)
                gone.append(Gone(processor.name, topic, cursor.partition, *words))
        if reach != cursor.reach:
            moves.append(Move(cursor.token, replace(cursor, reach=reach, token=token)))
    fenced = await journal.commit(moves) if moves else frozenset[int]()
    if fenced:
        raise CityRunsAlready(f"{processor.name}/{min(fenced)}", "its cursor moved by somebody at work")
    return gone
