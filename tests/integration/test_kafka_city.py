"""A city on Kafka, one process for each service, under load and faults, with an exact count at the end."""

import asyncio
import random
import time

import pytest

from cli.worker import SERVICES
from kernel.edge import EDGE
from tests.integration.account import account
from tests.integration.faults import record
from tests.integration.load import Load
from tests.integration.town import Town

REPORTS = 200
WORKERS = [service for service in SERVICES if service != EDGE]
"""The edge is the test's own process: it is what the load goes through."""

KILLS = [pytest.param(5, id="each-service-once"), pytest.param(20, id="20-times", marks=pytest.mark.soak)]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("times", KILLS)
async def test_workers_that_are_killed_cost_nothing(
    postgres_url: str, kafka_bootstrap: str, times: int
) -> None:
    dice, seconds = random.Random(times), list[float]()
    async with Town(postgres_url, kafka_bootstrap) as town:
        await town.start_all(WORKERS)
        async with Load(town.settings.database_url, REPORTS, per_second=20, environ=town.environ) as load:
            await load.recovered(time.monotonic())
            for place in range(times):
                service = WORKERS[place % len(WORKERS)]
                await asyncio.sleep(dice.uniform(0.2, 1.0))
                at = await town.kill(service)
                await town.start(service)
                seconds.append(await load.recovered(at))
            await load.finish()
        assert await town.stop_all() == [0] * len(WORKERS), town.said[-5:]
        whole = account(await town.drained(), load.acknowledged, copies=True)
    assert (whole.lost, whole.twice) == (0, 0)
    assert whole.decided_once == whole.inputs
    assert whole.seen_once == whole.sent
    record("kill -9 of workers, Kafka", times, whole, seconds)
