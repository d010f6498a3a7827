"""`gridcase recover` and `gridcase republish`: after a restore, and after a log has lost messages."""

import asyncio
from collections.abc import Mapping
from typing import Any, ClassVar

from cli.assemble import LiveCity, open_city
from cli.opening import url_of
from cli.options import AsJson, Database
from cli.output import Exit, emit, facts, table
from cli.topology import DOORS, PROCESSORS
from kernel.errors import Fault
from kernel.hosts.mending import Misfit, lost, misfits
from kernel.hosts.mending import republish as send_again
from kernel.hosts.replay import Histories, Traffic, traffic
from kernel.journal import Cursor
from kernel.log import Outgoing
from kernel.page import partitions_of
from kernel.sql.city import accept_restored
from kernel.sql.log import SqlLog
from schemas.topics import TOPICS


class JournalsContradict(Fault):
    """{count} contradictions between the journals, listed above: expected all tables from one backup,
    found {first}. Do: restore the whole database from one backup, then gridcase recover again.
    """

    exit_code: ClassVar[int] = Exit.DATABASE


def recover(database: Database = None, as_json: AsJson = False) -> None:
    """Go on from a restored database (恢复): check that its journals fit each other, send what was lost."""
    url = url_of(database)
    rows = asyncio.run(_recovered(url))
    emit(
        rows,
        facts("recovered 已恢复", [(name.replace("_", " "), value) for name, value in rows.items()]),
        as_json=as_json,
    )


def republish(database: Database = None, as_json: AsJson = False) -> None:
    """Send again from the journals (补发) what the topics have lost before it was read."""
    found = asyncio.run(_republished(url_of(database)))
    rows = [(message.topic, message.partition, message.headers.origin, message.k) for message in found]
    emit(
        {"sent_again": [list(row) for row in rows]},
        table("sent again 补发", ["topic", "partition", "from", "number"], rows, right=[1, 3]),
        as_json=as_json,
    )


async def _recovered(url: str) -> dict[str, Any]:
    lost_rows = await accept_restored(url)
    async with open_city(url, exclusive=True) as city:
        cursors, histories, sent = await _record(city)
        contradictions = misfits(PROCESSORS, cursors, histories, sent)
        if contradictions:
            raise _told(contradictions)
        found = await _send_again(city, cursors, sent)
    return {
        "rows_on_record": sum(len(rows) for partitions in histories.values() for rows in partitions.values()),
        "rows_missing_since_the_backup": lost_rows,
        "messages_sent_again": len(found),
    }


def _told(contradictions: list[Misfit]) -> JournalsContradict:
    first = contradictions[0]
    words = f"{first.where}: expected {first.expected}, found {first.found}"
    return JournalsContradict(count=len(contradictions), first=words)


async def _republished(url: str) -> list[Outgoing]:
    async with open_city(url, exclusive=True) as city:
        cursors, _, sent = await _record(city)
        return await _send_again(city, cursors, sent)


async def _send_again(
    city: LiveCity, cursors: Mapping[str, Mapping[int, Cursor]], sent: Traffic
) -> list[Outgoing]:
    log = SqlLog(city.store, TOPICS, range(city.city.partitions), tick_seconds=0)
    found = await lost(PROCESSORS, cursors, sent, log)
    await send_again(found, log)
    return found


async def _record(city: LiveCity) -> tuple[dict[str, dict[int, Cursor]], Histories, Traffic]:
    """Every cursor, every row, and all that the rows have sent."""
    cursors: dict[str, dict[int, Cursor]] = {}
    histories: dict[str, dict[int, list[Any]]] = {}
    for name, journal in city.journals.items():
        claims = await journal.claim(partitions_of(name, city.city.partitions))
        cursors[name] = {claim.cursor.partition: claim.cursor for claim in claims}
        histories[name] = {
            partition: [row async for row in journal.records(partition)] for partition in cursors[name]
        }
    doors = {kind: door.topic.name for kind, door in DOORS.items()}
    return cursors, histories, traffic(PROCESSORS, histories, city.city.partitions, doors)
