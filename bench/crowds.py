"""Figures of a city that has lived for years, on PostgreSQL (on SQLite where there is none)."""

import asyncio
from collections.abc import Iterator, Sequence

from bench.citywide import bench_bundle, build, running_clock
from bench.figures import Figure
from bench.lived import Life, lived
from bench.many import CACHE, ZIPF, Crowd, fill, keys_of, measured, quiet_tick, send, set_timers
from bench.sizes import Sizes
from bench.stores import database, is_here, store_in
from schemas.case.opening import CaseOpened
from schemas.intake import ReadReport
from schemas.wire import message_of
from services.registry.rules.processor import REGISTRY_RULES
from services.router.processor import ROUTER_CASE

_REST = "router.case"


def figures(sizes: Sizes) -> Iterator[Figure]:
    kind = "postgres" if is_here("postgres") else "sqlite"
    report = _any_report(asyncio.run(lived(50)))
    small = _crowd(kind, report, sizes.small_streams, sizes.crowd_commands, (("zipf", ZIPF),))["zipf"]
    big = _crowd(kind, report, sizes.streams, sizes.crowd_commands, (("zipf", ZIPF), ("even", 0.0)))
    name = f"{sizes.streams:,} streams, cache {CACHE:,}, {kind}"
    for way, words in (("zipf", f"keys Zipf s={ZIPF}"), ("even", "keys uniform")):
        yield Figure(
            bench="many",
            name=f"{name}, {words}",
            value=big[way].per_second,
            unit="commands/s",
            peer=f"{sizes.small_streams:,} streams, Zipf",
            against=small.per_second,
            ratio=0.7 if way == "zipf" else None,
        )
        yield Figure(
            bench="many",
            name=f"memory, {words}",
            value=big[way].rss_mib,
            unit="MiB",
            goal=700,
            most=True,
            note="largest resident set of the process",
        )
    yield _start(_REST, big["zipf"])
    yield from _timers(kind, sizes.timers)


def _crowd(
    kind: str, report: ReadReport, streams: int, commands: int, ways: Sequence[tuple[str, float]]
) -> dict[str, Crowd]:
    found: dict[str, Crowd] = {}
    with database(kind) as address:
        for way, exponent in ways:
            keys = keys_of(streams, commands, exponent)
            asyncio.run(_prepared(kind, address, report, streams, keys, way, first=not found))
            found[way] = measured(kind, address, _REST, commands)
    return found


async def _prepared(  # noqa: PLR0917 - what is filled, and how
    kind: str, address: str, report: ReadReport, streams: int, keys: Sequence[int], way: str, *, first: bool
) -> None:
    clock = running_clock()
    async with store_in(kind, address, clock.wall) as store:
        city = build(bench_bundle(), clock, store, processors=(REGISTRY_RULES, ROUTER_CASE))
        if first:
            await fill(store, report, streams)
            await city.publish()
        await send(city, report, keys, way)


def _timers(kind: str, count: int) -> Iterator[Figure]:
    async def asked(address: str) -> tuple[float, float]:
        async with store_in(kind, address, running_clock().wall) as store:
            return await quiet_tick(await set_timers(store, count))

    with database(kind) as address:
        middle, late = asyncio.run(asked(address))
        whole = measured(kind, address, "all", 0)
    yield Figure(
        bench="many",
        name=f"tick with nothing due, {count:,} timers, {kind}",
        value=middle,
        unit="ms",
        goal=2,
        most=True,
        note=f"all 24 partitions at once; 99 of 100 within {late:.2f} ms",
    )
    yield _start("all processors", whole)
    yield Figure(
        bench="many", name="idle, all processors", value=whole.idle_percent, unit="% CPU", goal=2, most=True
    )


def _start(who: str, crowd: Crowd) -> Figure:
    return Figure(
        bench="many",
        name=f"start, {who}",
        value=crowd.start_seconds,
        unit="s",
        goal=5,
        most=True,
        note="from the start of Python to the last claim",
    )


def _any_report(life: Life) -> ReadReport:
    for rows in life.rows.values():
        for row in rows:
            event = message_of(row.body)
            if isinstance(event, CaseOpened):
                return event.report
    raise LookupError("a life without a case")
