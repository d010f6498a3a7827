"""A city on Kafka, one process for each service, under load and faults, with an exact count at the end."""

import asyncio
import random
import signal
import time
from collections.abc import Callable

import pytest

from tests.integration.trial import WORKERS, count, under_load
from tests.kafka import KafkaServer
from tests.postgres import PostgresServer

FROZEN_SECONDS = 9
"""Longer than a session (6 s): the group has given the partitions away."""

KILLS = [pytest.param(5, id="each-service-once"), pytest.param(20, id="20-times", marks=pytest.mark.soak)]

pytestmark = pytest.mark.timeout(900)


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
