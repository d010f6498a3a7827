"""`gridcase republish`: what the topics have lost is sent again from the journals, under its old numbers."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from cli.opening import url_of
from cli.options import AsJson, Database
from cli.output import emit, table
from cli.topology import DOORS, PROCESSORS
from kernel.edge import EDGE
from kernel.journal import Cursor
from kernel.log import Outgoing, Target
from kernel.republish import sent_by, sent_by_edge, unseen

if TYPE_CHECKING:
    from cli.assemble import LiveCity


def republish(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what is missing.")] = False,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Send again (补发) what a topic has lost and its readers never took. The city must not be running."""
    lost = asyncio.run(_republished(url_of(database), dry_run=dry_run))
    rows = [
        (topic, partition, len(batch), batch[0].k, batch[-1].k)
        for (topic, partition), batch in sorted(lost.items())
    ]
    value = [
        {"topic": topic, "partition": partition, "messages": count, "first": first, "last": last}
        for topic, partition, count, first, last in rows
    ]
    done = "would be sent again" if dry_run else "sent again"
    title = f"{sum(row[2] for row in rows):,} messages {done}"
    emit(
        value,
        table(title, ("topic", "partition", "messages", "first k", "last k"), rows, right=(1, 2, 3, 4)),
        as_json=as_json,
    )


async def _republished(url: str, *, dry_run: bool) -> Mapping[Target, Sequence[Outgoing]]:
    from cli.assemble import open_city  # noqa: PLC0415 - the table above needs no database

    async with open_city(url, exclusive=True) as live:
        await live.host.settle()
        sent = [message async for message in _all_sent(live)]
        lost = unseen(sent, await _receivers(live))
        if lost and not dry_run:
            await live.host.workers[0].log.publish(lost)
            await live.host.settle()
        return lost


async def _all_sent(live: "LiveCity") -> AsyncIterator[Outgoing]:
    doors = {kind: door.topic.name for kind, door in DOORS.items()}
    partitions = live.city.partitions
    for partition in range(partitions):
        for processor in PROCESSORS:
            rows = [row async for row in live.journals[processor.name].records(partition)]
            for message in sent_by(processor, partition, rows, partitions):
                yield message
        rows = [row async for row in live.journals[EDGE].records(partition)]
        for message in sent_by_edge(partition, rows, partitions, doors):
            yield message


async def _receivers(live: "LiveCity") -> Mapping[str, Sequence[Mapping[int, Cursor]]]:
    """For each topic the cursors of all that read it, by partition."""
    found: dict[str, list[Mapping[int, Cursor]]] = {}
    for processor in PROCESSORS:
        claims = await live.journals[processor.name].claim(range(live.city.partitions))
        cursors = {claim.cursor.partition: claim.cursor for claim in claims}
        for topic in processor.topics:
            found.setdefault(topic, []).append(cursors)
    return found
