"""Figures on Apache Kafka and PostgreSQL: what a run needs is started for it, and everything takes turns."""

import asyncio
from collections.abc import Iterator, Sequence
from statistics import median
from typing import Final

from bench import contest
from bench.brokers import Servers, missing, servers
from bench.citywide import TEN_OCLOCK, bench_bundle, separate_reports
from bench.figures import Figure
from bench.ground import Backlog, Ground, backlog, ground_at
from bench.hop import hops
from bench.latency import Waits
from bench.outages import Outages, outages
from bench.sizes import Sizes
from bench.whole import APART, TOGETHER, Idle, Whole
from kernel.edge import Submission

_HOPS_PER_SECOND: Final = 500
_IDLE_SECONDS: Final = 10.0
_CALM_SECONDS: Final = 12.0
"""After so long with nothing to do a worker looks more rarely."""
_ROUNDS: Final = 3
"""Of the whole path: each takes reports of its own, which the desk would else merge with the others."""


def figures(sizes: Sizes) -> Iterator[Figure]:
    if reason := missing():
        yield Figure(bench="kafka", name="nothing was measured", value=0.0, unit="", note=reason)
        return
    drawn = asyncio.run(backlog())
    with servers() as started:
        yield from contest.figures(started, drawn, sizes)
        yield from _whole(started, sizes)
        yield from _hops(started, drawn, sizes)
        yield from _outages(started, drawn, sizes)


# The whole path.


def _whole(started: Servers, sizes: Sizes) -> Iterator[Figure]:
    rounds = min(_ROUNDS, sizes.rounds)
    count = rounds * sizes.kafka_reports + sizes.kafka_reports
    reports = asyncio.run(separate_reports(bench_bundle(), count))
    for services, words, goal in (
        (APART, "a process for each service", 1_500),
        (TOGETHER, "one process", None),
    ):
        with started.postgres.fresh() as url:
            yield from asyncio.run(
                _city(ground_at(url, started.bootstrap), services, (words, goal), reports, sizes)
            )


async def _city(
    ground: Ground,
    services: Sequence[str],
    named: tuple[str, float | None],
    reports: Sequence[Submission],
    sizes: Sizes,
) -> list[Figure]:
    (words, goal), each = named, sizes.kafka_reports
    await ground.found(bench_bundle(), TEN_OCLOCK)
    async with Whole(ground, services) as city:
        await asyncio.sleep(_CALM_SECONDS)
        idle = await city.idle(_IDLE_SECONDS)
        last = len(reports) - each
        seconds = [await city.passed(reports[start : start + each]) for start in range(0, last, each)]
        told = len(await city.assigned())
        waits = await city.waits(reports[last:], sizes.per_second)
    speeds = sorted(each / one for one in seconds)
    return [
        Figure(
            bench="kafka",
            name=f"whole path, {words}",
            value=median(speeds),
            unit="reports/s",
            goal=goal,
            note=f"median of {len(speeds)}, {speeds[0]:,.0f} to {speeds[-1]:,.0f}; {each:,} reports each; "
            f"{told:,} of {last:,} assignments on the units' topics",
        ),
        _late(f"report to unit's topic at {sizes.per_second}/s, {words}", waits, 250 if goal else None),
        *(_idle(idle) if goal else []),
    ]


def _late(name: str, waits: Waits, goal: float | None) -> Figure:
    if not waits.seconds:
        return Figure(bench="kafka", name=f"p99 {name}", value=0.0, unit="ms", note="nothing came")
    return Figure(
        bench="kafka",
        name=f"p99 {name}",
        value=waits.share(0.99),
        unit="ms",
        goal=goal,
        most=True,
        note=f"p50 {waits.share(0.5):.0f}, p90 {waits.share(0.9):.0f}, most {waits.share(1):.0f} ms; "
        f"{waits.lost} of them did not come",
    )


def _idle(idle: Sequence[Idle]) -> Iterator[Figure]:
    intake = [one.resident for one in idle if one.service == "intake"]
    others = [one.resident for one in idle if one.service != "intake"]
    told = ", ".join(f"{one.service} {one.resident:.0f} MiB {one.processor:.1%}" for one in idle)
    for name, value, unit, goal in (
        ("idle worker, the largest but intake", max(others), "MiB", 180),
        ("idle worker, intake", max(intake), "MiB", 260),
        ("idle processor, the busiest worker", 100 * max(one.processor for one in idle), "%", 2),
    ):
        yield Figure(bench="kafka", name=name, value=value, unit=unit, goal=goal, most=True, note=told)


# One hop, and faults.


def _hops(started: Servers, drawn: Backlog, sizes: Sizes) -> Iterator[Figure]:
    with started.postgres.fresh() as url:
        found = asyncio.run(hops(ground_at(url, started.bootstrap), drawn, sizes.hops, _HOPS_PER_SECOND))
    yield _late(f"command to its events at {_HOPS_PER_SECOND}/s", found, 60)


def _outages(started: Servers, drawn: Backlog, sizes: Sizes) -> Iterator[Figure]:
    found: list[Outages] = []
    for _ in range(sizes.outages):
        with started.postgres.fresh() as url:
            found.append(asyncio.run(outages(ground_at(url, started.bootstrap), drawn)))
    counts = f"worst of {len(found)}; at the end {found[-1].verdict}"
    for name, value, goal in (
        ("kill -9 and started again: all partitions move", max(one.restarted for one in found), 4),
        ("kill -9 for good: the other worker has all", max(one.dead for one in found), 8),
        ("SIGSTOP: the other worker has all", max(one.frozen for one in found), 8),
    ):
        yield Figure(bench="kafka", name=name, value=value, unit="s", goal=goal, most=True, note=counts)
