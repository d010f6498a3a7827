"""`gridcase recover` and `gridcase republish`: after a restore, and after a log has lost messages."""

import asyncio
from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

from rich.console import Group

from cli.assemble import LiveCity, Opened, open_city
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
from kernel.settings import Settings
from kernel.settings import read as read_settings
from kernel.sql.city import accept_restored
from kernel.sql.log import SqlLog
from schemas.topics import TOPICS


class JournalsContradict(Fault):
    """{count} contradictions between the journals, listed above: expected all tables from one backup,
    found {first}. Do: restore the whole database from one backup, then gridcase recover again.
    """

    exit_code: ClassVar[int] = Exit.DATABASE


class Books(NamedTuple):
    """Every cursor, every row, and all that the rows have sent."""

    cursors: Mapping[str, Mapping[int, Cursor]]
    histories: Histories
    sent: Traffic

    @property
    def rows(self) -> int:
        """How many rows are on record."""
        return sum(len(rows) for partitions in self.histories.values() for rows in partitions.values())

    @property
    def sides(self) -> tuple[Histories, Traffic]:
        """What cursors are compared with."""
        return self.histories, self.sent


def recover(database: Database = None, as_json: AsJson = False) -> None:
    """Go on from a restored database (恢复): check that its journals fit each other, send what was lost."""
    rows = asyncio.run(_recovered(url_of(database)))
    emit(
        rows,
        facts("recovered 已恢复", [(name.replace("_", " "), value) for name, value in rows.items()]),
        as_json=as_json,
    )


def republish(database: Database = None, as_json: AsJson = False) -> None:
    """Send again from the journals (补发) what the topics have lost before it was read."""
    given = read_settings(database_url=database)
    if given.kafka_bootstrap:
        _show_resent(given, as_json=as_json)
        return
    found = asyncio.run(_republished(given.database_url))
    rows = [(message.topic, message.partition, message.headers.origin, message.k) for message in found]
    emit(
        {"sent_again": [list(row) for row in rows]},
        table("sent again 补发", ["topic", "partition", "from", "number"], rows, right=[1, 3]),
        as_json=as_json,
    )


def _show_resent(given: Settings, *, as_json: bool) -> None:
    from cli.resend import resend  # noqa: PLC0415 - needs the extra kafka

    found = asyncio.run(resend(given))
    rows = [(*target, count) for target, count in sorted(found.by_target().items())]
    gone = [(one.topic, one.partition, one.processor, one.expected, one.found) for one in found.gone]
    emit(
        {"gone_unread": [list(row) for row in gone], "sent_again": [list(row) for row in rows]},
        Group(
            table(
                "begins anew 重新定位", ["topic", "partition", "reader", "expected", "found"], gone, right=[1]
            ),
            table("sent again 补发", ["topic", "partition", "from", "messages"], rows, right=[1, 3]),
        ),
        as_json=as_json,
    )


async def _recovered(url: str) -> dict[str, Any]:
    given = read_settings(database_url=url)
    lost_rows = await accept_restored(url)
    if given.kafka_bootstrap:
        from cli.resend import resend  # noqa: PLC0415 - needs the extra kafka

        found = await resend(given)
        return {"topics_begun_anew": len(found.gone), "messages_sent_again": len(found.sent)}
    async with open_city(url, exclusive=True) as city:
        books = await books_of(city)
        contradictions = misfits(PROCESSORS, books.cursors, books.histories, books.sent)
        if contradictions:
            raise _told(contradictions)
        again = await _send_again(city, books)
    return {
        "rows_on_record": books.rows,
        "rows_missing_since_the_backup": lost_rows,
        "messages_sent_again": len(again),
    }


def _told(contradictions: list[Misfit]) -> JournalsContradict:
    first = contradictions[0]
    words = f"{first.where}: expected {first.expected}, found {first.found}"
    return JournalsContradict(count=len(contradictions), first=words)


async def _republished(url: str) -> list[Outgoing]:
    async with open_city(url, exclusive=True) as city:
        return await _send_again(city, await books_of(city))


async def _send_again(city: LiveCity, books: Books) -> list[Outgoing]:
    log = SqlLog(city.store, TOPICS, range(city.city.partitions), tick_seconds=0)
    found = await lost(PROCESSORS, books.cursors, books.sent, log)
    await send_again(found, log)
    return found


async def books_of(city: Opened) -> Books:
    """The books of a city."""
    cursors: dict[str, dict[int, Cursor]] = {}
    histories: dict[str, dict[int, list[Any]]] = {}
    for name, journal in city.journals.items():
        claims = await journal.claim(partitions_of(name, city.city.partitions))
        cursors[name] = {claim.cursor.partition: claim.cursor for claim in claims}
        histories[name] = {
            partition: [row async for row in journal.records(partition)] for partition in cursors[name]
        }
    doors = {kind: door.topic.name for kind, door in DOORS.items()}
    return Books(cursors, histories, traffic(PROCESSORS, histories, city.city.partitions, doors))
