"""Figures of latency: three runs, all given."""

import asyncio
from collections.abc import Iterator

from bench.citywide import bench_bundle, separate_reports
from bench.figures import Figure
from bench.latency import waits
from bench.sizes import Sizes
from bench.stores import KINDS, database, is_here


def figures(sizes: Sizes) -> Iterator[Figure]:
    bundle = bench_bundle()
    reports = asyncio.run(separate_reports(bundle, sizes.latency_reports))
    for kind in KINDS:
        for run in range(1, sizes.runs + 1) if is_here(kind) else ():
            with database(kind) as address:
                found = asyncio.run(waits(kind, address, bundle, reports, sizes.per_second))
            yield Figure(
                bench="latency",
                name=f"p99 at {sizes.per_second}/s, {kind}, run {run}",
                value=found.share(0.99),
                unit="ms",
                goal=50,
                most=True,
                note=f"p50 {found.share(0.5):.1f}, p90 {found.share(0.9):.1f}, most {found.share(1):.0f} ms;"
                f" {found.lost} of {len(reports):,} not read",
            )
