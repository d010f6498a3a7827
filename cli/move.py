"""`gridcase export` and `import`: a city moves from one host to another as one file."""

import asyncio
import os
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final

import typer

from cli.opening import url_of
from cli.options import AsJson, Database
from cli.output import Exit, emit, facts
from cli.topology import PROCESSORS, REGISTRY_RULES
from kernel import settings
from kernel.edge import EDGE
from kernel.errors import CityRunsAlready, CityThere, CityUnfit, ExportBroken, Fault, NoSuchCity
from kernel.log import Outgoing
from kernel.moving import arriving, lines
from kernel.moving.reading import Export
from kernel.moving.writing import ExportWriter
from kernel.settings import Settings, hide_password

if TYPE_CHECKING:
    from kernel.moving.arriving import Begins
    from kernel.sql.place import Place

_CLOSING_SECONDS: Final = 3.0
_LOOK_SECONDS: Final = 0.3
_KNOWN: Final = {EDGE, *(processor.name for processor in PROCESSORS)}


class NotWritable(Fault):
    """{file} cannot be written: expected a new file in a folder with room, found {found}. Do: name another
    place; the city was not closed.
    """

    exit_code: ClassVar[int] = Exit.NOT_FOUND


ExportFile = Annotated[Path, typer.Argument(metavar="FILE", help="The export, e.g. city.export.")]


def export(file: ExportFile, database: Database = None, as_json: AsJson = False) -> None:
    """Write a stopped city with empty queues into one file (迁出); it never runs here again.

    The file holds the keys of sealed personal data: guard it like the database.
    """
    if file.exists():
        raise NotWritable(file=file, found="one that is there")
    url = url_of(database)
    seal = asyncio.run(exported(url, file))
    value = {"file": str(file), "seal": seal, "bytes": file.stat().st_size, **_counts(file)}
    emit(
        value,
        facts("exported 已迁出", list(value.items())),
        "Write the seal down apart from the file. Next: gridcase import, into an empty database.",
        as_json=as_json,
    )


def import_(
    file: ExportFile,
    kafka: Annotated[
        bool,
        typer.Option("--kafka", help="To go on on the brokers of GRIDCASE_KAFKA_BOOTSTRAP."),
    ] = False,
    seal: Annotated[str, typer.Option(help="The seal that export printed; another one is refused.")] = "",
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Let a city go on from its export (迁入), in an empty database: on this machine, or on Kafka."""
    given = settings.read(database_url=url_of(database))
    value = asyncio.run(imported(given, file, seal, kafka=kafka))
    following = "gridcase up --kafka, or gridcase worker" if kafka else "gridcase run"
    emit(value, facts("imported 已迁入", list(value.items())), f"Next: {following}", as_json=as_json)


async def exported(url: str, file: Path) -> str:
    """Export the city at `url` and give the seal; the file has its name once the city is closed."""
    from kernel.sql.city import read_city  # noqa: PLC0415 - what asks for no city pays for no database
    from kernel.sql.leaving import leave  # noqa: PLC0415 - as above
    from kernel.sql.place import place_of  # noqa: PLC0415 - as above

    place = place_of(url)
    await place.run(lambda connection: read_city(connection, place.name))  # or there is nothing to lock
    let_go = await place.lock()
    try:
        await _refuse_others(place)
        with ExportWriter(file) as out:
            seal = await place.run(
                lambda connection: leave(connection, place.name, PROCESSORS, out, version("gridcase"))
            )
            out.finish()
    except OSError as error:
        raise NotWritable(file=file, found=str(error)) from error
    finally:
        await let_go()
    return seal


async def imported(given: Settings, file: Path, seal: str = "", *, kafka: bool) -> dict[str, Any]:
    """Check an export, make the topics ready if they are elsewhere, and write the city last and at once."""
    from kernel.sql.arriving import Arrival, arrive  # noqa: PLC0415 - a file that is refused needs no database
    from kernel.sql.place import place_of  # noqa: PLC0415 - as above

    place = place_of(given.database_url)
    with Export(file) as export:
        if seal and export.seal != seal:
            raise ExportBroken(file, lines.MANIFEST, f"seal {seal[:16]}…", f"seal {export.seal[:16]}…")
        export.check()
        city = export.one(lines.CITY, lines.CityLine)
        cursors = list(export.lines(lines.CURSORS, lines.CursorLine))
        _refuse_unknown(export, cursors)
        brought = arriving.brought(REGISTRY_RULES, export, city.partitions)
        begins: Begins | None = None
        if kafka:
            _refuse_stepped(city)
            await _refuse_taken(place)
            begins = await _topics_made(given, export, city, cursors, brought)
        host = "kafka" if kafka else "embedded"
        arrival = Arrival(host, PROCESSORS, _token, datetime.now(UTC), brought, begins)
        await place.run(lambda connection: arrive(connection, place.name, export, arrival), create=True)
        return {
            "city": city.code,
            "name": city.name,
            "database": hide_password(given.database_url),
            "host": arrival.host,
            "seal": export.seal,
            **_counts(file),
        }


def _token() -> bytes:
    return os.urandom(16)


def _counts(file: Path) -> dict[str, Any]:
    with Export(file) as export:
        parts = {part.name: part.lines for part in export.manifest.parts}
    events = sum(count for name, count in parts.items() if name.startswith("journals/"))
    return {"events": events, "timers": parts[lines.TIMERS], "held": parts[lines.HELD]}


def _refuse_unknown(export: Export, cursors: Sequence[lines.CursorLine]) -> None:
    """A journal of whose processor this release knows nothing would stand still for ever."""
    for one in cursors:
        if one.processor not in _KNOWN:
            raise export.unreadable(lines.CURSORS, f"the processor {one.processor}")


def _refuse_stepped(city: lines.CityLine) -> None:
    if city.clock != "system":
        raise CityUnfit(
            "a city whose clock runs", "a demonstration in stepped time", "import it without --kafka"
        )


async def _refuse_others(place: "Place") -> None:
    """A worker elsewhere that still runs is to be stopped; a session just closed is given time to go."""
    from kernel.sql.leaving import others  # noqa: PLC0415 - as above

    until = time.monotonic() + _CLOSING_SECONDS
    while found := await place.run(others):
        if time.monotonic() > until:
            raise CityRunsAlready(place.name, f"{found} sessions of gridcase")
        await asyncio.sleep(_LOOK_SECONDS)


async def _refuse_taken(place: "Place") -> None:
    """Whoever has a city there is told before any topic is made."""
    from kernel.sql.city import read_city  # noqa: PLC0415 - as above

    with suppress(NoSuchCity):
        there = await place.run(lambda connection: read_city(connection, place.name))
        raise CityThere(place.name, f"{there.name} ({there.code})")


async def _topics_made(
    given: Settings,
    export: Export,
    city: lines.CityLine,
    cursors: Sequence[lines.CursorLine],
    brought: Sequence[Outgoing],
) -> "Begins":
    from kernel.kafka.arriving import make_ready  # noqa: PLC0415 - needs the extra kafka
    from kernel.kafka.cluster import cluster_of  # noqa: PLC0415 - as above
    from kernel.kafka.layout import layouts  # noqa: PLC0415 - as above
    from kernel.kafka.owner import refuse_foreign  # noqa: PLC0415 - as above

    cluster = cluster_of(given).of(city.mark, city.partitions)
    await refuse_foreign(cluster, city.code)
    bundle = arriving.in_force(REGISTRY_RULES, export)
    units = [unit.code for unit in bundle.units.rows if unit.subscribes] if bundle else []
    wanted = layouts(cluster.name, city.partitions, units, given.kafka_replicas)
    return await make_ready(cluster, wanted, PROCESSORS, cursors, brought)
