"""Figures of the whole path and of router.case alone, on both databases."""

import asyncio
from collections.abc import Iterator, Sequence
from statistics import median
from typing import Final

from bench.citywide import bench_bundle, separate_reports
from bench.figures import Figure
from bench.lived import Life, lived
from bench.path import Passage, commands_of, router_alone, whole_path
from bench.sizes import Sizes
from bench.stores import KINDS, database, is_here

_GOALS: Final = {"sqlite": 1_500, "postgres": 1_000}
_ROUTER_GOAL: Final = 24_000
_RATIO: Final = 0.7
_SECONDS_OF_A_LIFE: Final = 2_000


def figures(sizes: Sizes) -> Iterator[Figure]:
    bundle = bench_bundle()
    reports = asyncio.run(separate_reports(bundle, sizes.reports))
    life = asyncio.run(lived(min(sizes.life, _SECONDS_OF_A_LIFE)))
    commands = asyncio.run(commands_of(bundle, reports))
    for kind in KINDS:
        if not is_here(kind):
            continue
        alone, opening, whole = [], [], []
        for _ in range(sizes.rounds):  # turn about, so that a noisy minute spoils all alike
            alone.append(_alone(kind, life))
            with database(kind) as address:
                opening.append(asyncio.run(router_alone(kind, address, bundle, commands)))
            with database(kind) as address:
                whole.append(asyncio.run(whole_path(kind, address, bundle, reports)))
        yield from _told(kind, alone, opening, whole)
    yield from _all_routes(sizes)


def _alone(kind: str, life: Life) -> Passage:
    with database(kind) as address:
        return asyncio.run(router_alone(kind, address, life.bundle, life.commands, until=life.until))


def _told(kind: str, alone: list[Passage], opening: list[Passage], whole: list[Passage]) -> Iterator[Figure]:
    goal = _ROUTER_GOAL if kind == "sqlite" else None
    for words, passages in (("whole lives", alone), ("open and assign", opening)):
        events = passages[0].rows / passages[0].handled
        yield Figure(
            bench="path",
            name=f"router.case alone, {words}, {kind}",
            value=middle(passages),
            unit="commands/s",
            goal=goal,
            note=f"{noise(passages)}; {passages[0].inputs:,} commands, {events:.1f} events each",
        )
    one = whole[0]
    yield Figure(
        bench="path",
        name=f"whole path, {kind}",
        value=middle(whole),
        unit="reports/s",
        goal=_GOALS[kind],
        note=f"{noise(whole)}; {one.handled / one.inputs:.1f} messages and {one.rows / one.inputs:.1f} rows"
        f" a report, {one.copies / one.inputs:.1f} copies on units' topics",
    )
    handled = median(each.handled_per_second for each in whole)
    for words, passages in (("whole lives", alone), ("open and assign", opening)):
        yield Figure(
            bench="path",
            name=f"whole path, messages, {kind}",
            value=handled,
            unit="handled/s",
            peer=f"router.case alone, {words}",
            against=middle(passages),
            ratio=_RATIO,
        )


def _all_routes(sizes: Sizes) -> Iterator[Figure]:
    """Beside it: everybody is told of whom the demonstration city tells."""
    bundle = bench_bundle(all_routes=True)
    reports = asyncio.run(separate_reports(bundle, sizes.reports))
    with database("sqlite") as address:
        one = asyncio.run(whole_path("sqlite", address, bundle, reports))
    yield Figure(
        bench="path",
        name="whole path and all the demo's notices, sqlite",
        value=one.per_second,
        unit="reports/s",
        note=f"one run; {one.handled / one.inputs:.1f} handled messages a report",
    )


def middle(passages: Sequence[Passage]) -> float:
    return median(each.per_second for each in passages)


def noise(passages: Sequence[Passage]) -> str:
    """How far the rounds lie apart."""
    speeds = [each.per_second for each in passages]
    half = 100 * (max(speeds) - min(speeds)) / 2 / median(speeds)
    return f"median of {len(speeds)}, ±{half:.0f} %"
