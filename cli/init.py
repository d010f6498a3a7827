"""`gridcase init`: a new city in its database, from a checked bundle, with its first edition in force."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.table import Table

from cli.bundles import bundle_of
from cli.opening import url_of, view_of
from cli.options import AsJson, Database
from cli.output import emit, facts, local
from kernel import settings
from kernel.errors import CityThere, NoSuchCity
from kernel.settings import hide_password
from rules.bundle import Bundle

if TYPE_CHECKING:
    from cli.assemble import LiveCity, MemberCity
    from cli.fit import Ground
    from cli.serve import Opening
    from kernel.sql.city import City


def init(
    city: Annotated[Path, typer.Option(help="The bundle of the city: a folder or an Excel workbook.")],
    partitions: Annotated[int, typer.Option(min=1, max=1024, help="Fixed for ever.")] = 24,
    start: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%dT%H:%M"], help="City time at which a demonstration city begins; fixed."
        ),
    ] = None,
    speed: Annotated[int, typer.Option(min=1, max=10_000, help="How much faster its clock runs; fixed.")] = 1,
    kafka: Annotated[
        bool,
        typer.Option("--kafka", help="On the brokers of GRIDCASE_KAFKA_BOOTSTRAP; fixed."),
    ] = False,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Found a city (建城): check its bundle, create its database, put its first edition in force."""
    bundle = bundle_of(city)
    url = url_of(database)
    value = asyncio.run(_found(url, bundle, _city(bundle, partitions, start, speed, kafka=kafka)))
    emit(
        value,
        _page(bundle, value),
        "Next: gridcase run, and from another terminal gridcase send --text …",
        as_json=as_json,
    )


def _city(bundle: Bundle, partitions: int, start: datetime | None, speed: int, *, kafka: bool) -> "City":
    from kernel.sql.city import City  # noqa: PLC0415 - a bundle with faults needs no database

    wall = datetime.now(UTC)
    shifted = start is not None or speed > 1
    begins = start.replace(tzinfo=ZoneInfo(bundle.city.zone)).astimezone(UTC) if start else wall
    return City(
        code=bundle.city.code,
        name=bundle.city.name,
        partitions=partitions,
        start_wall=wall if shifted else None,
        start_city=begins if shifted else None,
        speed=speed,
        host="kafka" if kafka else "embedded",
    )


async def _found(url: str, bundle: Bundle, made: "City") -> dict[str, Any]:
    async with founded(url, bundle, made) as live:
        return await _told(live, url, bundle)


@asynccontextmanager
async def founded(url: str, bundle: Bundle, made: "City") -> "AsyncGenerator[LiveCity | MemberCity]":
    """A new city with its first edition in force; one that was founded without it is taken up again."""
    from cli.assemble import publish_edition  # noqa: PLC0415 - a bundle with faults needs no database
    from kernel.sql.city import create_city  # noqa: PLC0415 - as above

    there: CityThere | None = None
    ground = _ground(url, made.partitions, bundle) if made.host == "kafka" else None
    if ground is not None:
        await ground.check(made.code, await _begun(url))
    try:
        await create_city(url, made)
    except CityThere as fault:
        there = fault
    if ground is not None:
        await ground.make()
    async with _opened(url, kafka=ground is not None) as live:
        if there is not None and (live.city.code != made.code or await live.editions.latest()):
            raise there
        await publish_edition(live, bundle)
        await _in_force(live)
        yield live


async def _told(live: "LiveCity | MemberCity", url: str, bundle: Bundle) -> dict[str, Any]:
    view = await view_of(live)
    return {
        "city": live.city.code,
        "name": live.city.name,
        "database": hide_password(url),
        "partitions": live.city.partitions,
        "now": view.now,
        "speed": live.city.speed,
        "edition": bundle.hash,
        "rules": await live.editions.latest(),
    }


async def _begun(url: str) -> str:
    """The mark of a city that was founded here before, or nothing."""
    from kernel.sql.city import open_city  # noqa: PLC0415 - as above

    with suppress(NoSuchCity):
        async with await open_city(url, exclusive=False) as begun:
            return begun.city.mark
    return ""


def _ground(url: str, partitions: int, bundle: Bundle) -> "Ground":
    from cli.fit import Ground  # noqa: PLC0415 - only a city on Kafka has topics
    from kernel.kafka.cluster import cluster_of  # noqa: PLC0415 - as above

    given = settings.read(database_url=url)
    units = [unit.code for unit in bundle.units.rows if unit.subscribes]
    return Ground(cluster_of(given), partitions, units, given.kafka_replicas)


def _opened(url: str, *, kafka: bool) -> "Opening":
    """The whole new city, or of one on Kafka what puts editions in force."""
    from cli.assemble import open_city  # noqa: PLC0415 - as above

    if not kafka:
        return open_city(url, exclusive=True)
    from cli.member import open_member  # noqa: PLC0415 - needs the extra kafka
    from cli.topology import REGISTRY_RULES  # noqa: PLC0415 - as above

    return open_member(settings.read(database_url=url), "init", processors=[REGISTRY_RULES])


async def _in_force(live: "LiveCity | MemberCity") -> None:
    """Let the city work until its first edition has a number."""
    done = asyncio.Event()
    running = asyncio.create_task(live.host.run(done.is_set))
    while not running.done() and not await live.editions.latest():  # noqa: ASYNC110 - a topic tells nobody
        await asyncio.sleep(0.05)
    done.set()
    await running


def _page(bundle: Bundle, value: dict[str, Any]) -> Table:
    parts = bundle.parts
    return facts(
        f"city 城市 {value['name']} ({value['city']})",
        [
            ("database", value["database"]),
            ("partitions", value["partitions"]),
            (
                "city time",
                local(value["now"], ZoneInfo(bundle.city.zone)) + f" at {value['speed']} × wall time",
            ),
            ("edition 规则版本", f"{value['edition'][:12]} in force as rules {value['rules']}"),
            ("areas 区域", len(parts.areas)),
            ("units 单位", len(parts.units)),
            ("posts 岗位", len(parts.posts)),
            ("matters 事项", len(parts.matters)),
            ("admission entries 准入条目", len(parts.entries)),
            ("routes 通知规则", len(parts.routes)),
        ],
    )
