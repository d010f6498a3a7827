"""A city on Kafka, one process for each service, under load and faults, with an exact count at the end."""

import asyncio
import random
import signal
import time
from collections.abc import Callable

import pytest

from tests.integration.town import Town
from tests.integration.trial import FEW_LAYERS, WORKERS, count, one_gives_way, shaken, under_load
from tests.kafka import KafkaServer
from tests.postgres import PostgresServer

FROZEN_SECONDS = 9
"""Longer than a session (6 s): the group has given the partitions away."""

KILLS = 20

pytestmark = pytest.mark.timeout(900)


async def killed(town: Town, service: str) -> list[float]:
    """`kill -9`, and start again at once; seconds until it writes again, if anybody sends it anything."""
    before = await town.rows(service)
    at = await town.kill(service)
    await town.start(service)
    return [] if service == "registry" else [await town.moves(service, before, at)]


async def test_a_short_day_of_faults_costs_nothing(postgres_url: str, kafka_bootstrap: str) -> None:
    """Each service killed once, exceptions out of three layers, and a second process under the same slot."""
    async with under_load(postgres_url, kafka_bootstrap, 150) as (town, load):
        seconds = [second for service in WORKERS for second in await killed(town, service)]
        seconds += await shaken(town, FEW_LAYERS)
        await one_gives_way(town)
        await count("kill -9, exceptions, one slot twice", 9, town, load, seconds)


@pytest.mark.soak
async def test_workers_that_are_killed_cost_nothing(postgres_url: str, kafka_bootstrap: str) -> None:
    dice, seconds = random.Random(KILLS), list[float]()
    async with under_load(postgres_url, kafka_bootstrap, 40 * KILLS) as (town, load):
        for place in range(KILLS):
            await asyncio.sleep(dice.uniform(0.2, 1.0))
            seconds += await killed(town, WORKERS[place % len(WORKERS)])
        await count("kill -9 of workers, Kafka", KILLS, town, load, seconds)


@pytest.mark.soak
async def test_a_worker_frozen_beyond_its_session_is_fenced(postgres_url: str, kafka_bootstrap: str) -> None:
    async with under_load(postgres_url, kafka_bootstrap, 400) as (town, load):
        await town.start("router", "b")
        await asyncio.sleep(8)  # the group has shared the partitions out
        theirs = town.shared("router.case", "ab", "a")
        frozen = town.processes["router", "a"]
        frozen.send_signal(signal.SIGSTOP)
        seconds = await town.each_moves("router.case", theirs, time.monotonic())
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
@pytest.mark.parametrize("away", [20, 90])
async def test_a_broker_that_is_killed_is_waited_for(
    postgres_url: str, own_kafka: Callable[..., KafkaServer], away: int
) -> None:
    server = own_kafka().start()
    async with under_load(postgres_url, server.bootstrap, 300) as (town, load):
        town.keep_up()
        await asyncio.to_thread(server.restart, signal.SIGKILL, away)
        before = await town.rows("router")
        seconds = [await town.moves("router", before, time.monotonic())]
        await count(f"broker killed, back after {away} s", 1, town, load, seconds)


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
