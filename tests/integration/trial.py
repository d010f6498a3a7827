"""A trial of a city on Kafka: a town under load, and the exact count at its end."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

from cli.output import Exit
from cli.worker import SERVICES
from kernel.edge import EDGE
from kernel.settings import DeliveryKind
from tests.integration.account import account
from tests.integration.faults import record
from tests.integration.lived import Lived
from tests.integration.load import Load
from tests.integration.town import Town

PER_SECOND: Final = 8
FEW_LAYERS: Final = ("client+rebalance", "append", "acknowledge")
WORKERS: Final = [service for service in SERVICES if service != EDGE]
"""The edge is the test's own process: it is what the load goes through."""


@asynccontextmanager
async def under_load(
    url: str, bootstrap: str, reports: int, slots: Sequence[str] = ("a",)
) -> AsyncIterator[tuple[Town, Load]]:
    """A town at work under a load."""
    async with Town(url, bootstrap) as town:
        await town.start_all(WORKERS, slots)
        async with Load(url, reports, per_second=PER_SECOND, environ=town.environ) as load:
            await load.recovered(time.monotonic())
            await town.moves(
                "router", await town.rows("router") + 20, time.monotonic()
            )  # reports came through
            yield town, load


async def shaken(town: Town, layers: Sequence[str], delivery: DeliveryKind = "faust") -> list[float]:
    """Let one fault after the other happen in the router; seconds until it wrote again."""
    await town.stop("router", "a")
    environ = {"GRIDCASE_KAFKA_DELIVERY": delivery}
    process = await town.start("router", faults=",".join(layers), environ=environ)
    seconds: list[float] = []
    for layer in layers:
        await asyncio.sleep(1)
        said = len(town.said)
        process.send_signal(signal.SIGUSR1)
        await town.says(f"planted {layer.rpartition('+')[2]}", said)
        at, before = time.monotonic(), await town.rows("router")
        seconds.append(await town.moves("router", before, at))
        assert process.returncode is None, town.said[-5:]
    return seconds


async def one_gives_way(town: Town) -> float:
    """Start a second router under the slot of the first: one of the two ends, in words; after how long."""
    at = time.monotonic()
    first = town.processes["router", "a"]
    second = await town.start("router")
    async with asyncio.timeout(120):
        ends = {asyncio.create_task(one.wait()): one for one in (first, second)}
        [done], _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    assert done.result() == Exit.CITY, town.said[-5:]
    lines = [line for line in town.said if "--slot" in line]
    assert len(lines) == 1, lines
    [line] = lines
    assert "Another process of router.c" in line
    assert "uses the slot a" in line
    town.processes["router", "a"] = second if ends[done] is first else first
    return time.monotonic() - at


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
