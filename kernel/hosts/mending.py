"""Mending what a disaster broke: do the journals still fit each other, and what has a log lost?

Both work on the ports alone, while no worker runs.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from kernel.hosts.replay import Address, Histories, Traffic
from kernel.journal import Cursor
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


async def lost(
    processors: Iterable[AnyProcessor], cursors: Cursors, sent: Traffic, log: Log
) -> list[Outgoing]:
    """What its receiver has neither taken nor before it: each origin's messages from the first lost one on.

    What an event topic lost is its journal's own rows; on a host whose event topics are the journals that
    cannot happen, and they are left out.
    """
    own = {processor.events.name for processor in processors if processor.events is not None}
    waiting: dict[Target, list[Address]] = {}
    for processor in processors:
        for topic in processor.topics:
            if topic not in own:
                for partition in cursors[processor.name]:
                    waiting[topic, partition] = []
    seen = _seen(processors, cursors)
    for address in sent.sent:
        target = (address.topic, address.partition)
        if target in waiting and address.k > seen.get((*target, address.origin), 0):
            waiting[target].append(address)
    found: list[Outgoing] = []
    for target, addresses in waiting.items():
        if addresses:
            there = await _standing(log, target, _reached(processors, cursors, target))
            found.extend(_from_the_first_lost(addresses, there, sent))
    return found


def _seen(processors: Iterable[AnyProcessor], cursors: Cursors) -> Mapping[tuple[str, int, str], int]:
    return {
        (topic, partition, origin): k
        for processor in processors
        for partition, cursor in cursors[processor.name].items()
        for topic, origins in cursor.seen.items()
        for origin, k in origins.items()
    }


def _reached(processors: Iterable[AnyProcessor], cursors: Cursors, target: Target) -> int:
    topic, partition = target
    reaches = [
        reach.offset
        for processor in processors
        if topic in processor.topics and (reach := cursors[processor.name][partition].reach.get(topic))
    ]
    return min(reaches, default=0)


async def _standing(log: Log, target: Target, offset: int) -> frozenset[tuple[str, int]]:
    """Origin and number of every record that still stands before the receiver."""
    span = (await log.spans([target]))[target]
    found: set[tuple[str, int]] = set()
    for place in range(max(offset, span.first), span.end):
        message = await log.look(*target, place)
        if message is not None:
            found.add((message.headers.origin, message.headers.k))
    return frozenset(found)


def _from_the_first_lost(
    addresses: Sequence[Address], there: frozenset[tuple[str, int]], sent: Traffic
) -> Iterable[Outgoing]:
    """Behind a gap a receiver drops what comes early, so what follows the lost one is sent again too."""
    broken: set[str] = set()
    for address in sorted(addresses):
        if address.origin not in broken and (address.origin, address.k) in there:
            continue
        broken.add(address.origin)
        passage = sent.sent[address]
        sender = passage.row.cause.sender if not passage.number else None
        headers = Headers(address.origin, address.k, passage.row.rules, passage.row.trace, sender)
        yield Outgoing(
            address.topic, address.partition, address.k, passage.row.seq, passage.key, headers, passage.body()
        )


async def republish(found: Sequence[Outgoing], log: Log) -> int:
    """Send lost messages again, each target in order; gives how many the log has acknowledged."""
    batches: dict[Target, list[Outgoing]] = {}
    for message in found:
        batches.setdefault((message.topic, message.partition), []).append(message)
    return sum((await log.publish(batches)).values())
