"""A city on Kafka, one process for each service, under load and faults, with an exact count at the end."""

import asyncio
import random
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from cli.worker import SERVICES
from kernel.edge import EDGE
from tests.integration.account import account
from tests.integration.faults import record
from tests.integration.load import Load
from tests.integration.town import Town
from tests.kafka import KafkaServer
from tests.postgres import PostgresServer

PER_SECOND = 12
WORKERS = [service for service in SERVICES if service != EDGE]
"""The edge is the test's own process: it is what the load goes through."""

FROZEN_SECONDS = 9
"""Longer than a session (6 s): the group has given the partitions away."""

KILLS = [pytest.param(5, id="each-service-once"), pytest.param(20, id="20-times", marks=pytest.mark.soak)]

pytestmark = pytest.mark.timeout(900)


@asynccontextmanager
async def under_load(url: str, bootstrap: str, reports: int) -> AsyncIterator[tuple[Town, Load]]:
    """A town at work under a load."""
    async with Town(url, bootstrap) as town:
        await town.start_all(WORKERS)
        environ = town.environ
        async with Load(url, reports, per_second=PER_SECOND, environ=environ) as load:
            await load.recovered(time.monotonic())
            yield town, load


async def count(what: str, times: int, town: Town, load: Load, seconds: list[float]) -> None:
    """Let everything come to its end, stop all, and count exactly."""
    await load.finish()
    codes = await town.stop_all()
    assert set(codes) == {0}, town.said[-5:]
    whole = account(await town.drained(), load.acknowledged, copies=True)
    assert (whole.lost, whole.twice) == (0, 0)
    assert whole.decided_once == whole.inputs
    assert whole.seen_once == whole.sent
    record(what, times, whole, seconds)


@pytest.mark.parametrize("times", KILLS)
async def test_workers_that_are_killed_cost_nothing(
    postgres_url: str, kafka_bootstrap: str, times: int
) -> None:
    dice, seconds = random.Random(times), list[float]()
    async with under_load(postgres_url, kafka_bootstrap, 60 * times) as (town, load):
        for place in range(times):
            service = WORKERS[place % len(WORKERS)]
            await asyncio.sleep(dice.uniform(0.2, 1.0))
            before = await town.rows(service)
            at = await town.kill(service)
            await town.start(service)
            if service != "registry":  # nobody sends it anything
                seconds.append(await town.moves(service, before, at))
        await count("kill -9 of workers, Kafka", times, town, load, seconds)


@pytest.mark.soak
async def test_a_worker_frozen_beyond_its_session_is_fenced(postgres_url: str, kafka_bootstrap: str) -> None:
    async with under_load(postgres_url, kafka_bootstrap, 400) as (town, load):
        await town.start("router", "b")
        await asyncio.sleep(8)  # the group has shared the partitions out
        before = await town.rows("router")
        frozen = town.processes["router", "a"]
        frozen.send_signal(signal.SIGSTOP)
        at = time.monotonic()
        seconds = [await town.moves("router", before, at)]
        await asyncio.sleep(FROZEN_SECONDS)
        frozen.send_signal(signal.SIGCONT)
        await count("SIGSTOP of a worker, Kafka", 1, town, load, seconds)


@pytest.mark.soak
async def test_workers_that_come_and_go_cost_nothing(postgres_url: str, kafka_bootstrap: str) -> None:
    async with under_load(postgres_url, kafka_bootstrap, 400) as (town, load):
        for slot in "bcd":
            await town.start("router", slot)
            await asyncio.sleep(3)
        for slot in "bc":
            await town.stop("router", slot)
            await asyncio.sleep(3)
        await count("workers come and go, Kafka", 5, town, load, [])


@pytest.mark.soak
async def test_a_broker_that_is_killed_is_waited_for(
    postgres_url: str, own_kafka: Callable[..., KafkaServer]
) -> None:
    server = own_kafka().start()
    async with under_load(postgres_url, server.bootstrap, 300) as (town, load):
        before = await town.rows("router")
        await asyncio.to_thread(server.restart, signal.SIGKILL, 20)
        seconds = [await town.moves("router", before, time.monotonic())]
        await count("broker killed, back after 20 s", 1, town, load, seconds)


@pytest.mark.soak
async def test_a_restart_of_postgresql_is_survived_on_kafka(
    own_postgres: Callable[..., PostgresServer], kafka_bootstrap: str
) -> None:
    server = own_postgres().start()
    async with under_load(server.url(), kafka_bootstrap, 300) as (town, load):
        before = await town.rows("router")
        await asyncio.to_thread(server.restart, signal.SIGQUIT)
        seconds = [await town.moves("router", before, time.monotonic())]
        await count("PostgreSQL restarted, Kafka", 1, town, load, seconds)
