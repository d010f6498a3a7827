"""A trial of a city on Kafka: a town under load, and the exact count at its end."""

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final

from cli.worker import SERVICES
from kernel.edge import EDGE
from tests.integration.account import account
from tests.integration.faults import record
from tests.integration.lived import Lived
from tests.integration.load import Load
from tests.integration.town import Town

PER_SECOND: Final = 8
WORKERS: Final = [service for service in SERVICES if service != EDGE]
"""The edge is the test's own process: it is what the load goes through."""


@asynccontextmanager
async def under_load(
    url: str,
    bootstrap: str,
    reports: int,
    slots: Sequence[str] = ("a",),
    environ: Mapping[str, str] | None = None,
) -> AsyncIterator[tuple[Town, Load]]:
    """A town at work under a load; `environ` is for its workers only."""
    async with Town(url, bootstrap) as town:
        await town.start_all(WORKERS, slots, environ)
        async with Load(url, reports, per_second=PER_SECOND, environ=town.environ) as load:
            await load.recovered(time.monotonic())
            yield town, load


async def count(what: str, times: int, town: Town, load: Load, seconds: Sequence[float]) -> Lived:
    """Let everything come to its end, stop all, and count exactly."""
    await load.finish()
    codes = await town.stop_all()
    assert set(codes) == {0}, town.said[-5:]
    lived = await town.drained()
    whole = account(lived, load.acknowledged, copies=True, struck=town.struck)
    assert (whole.lost, whole.twice) == (0, 0)
    assert whole.decided_once == whole.inputs >= len(load.acknowledged)
    assert whole.seen_once == whole.sent
    record(what, times, whole, seconds)
    return lived
