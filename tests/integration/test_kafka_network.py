"""The network of one worker is cut, to the brokers or to PostgreSQL: others go on, and it comes back."""

import asyncio
import time
from collections.abc import Callable

import pytest

from tests.integration.proxy import Network
from tests.integration.trial import count, under_load
from tests.kafka import KafkaServer
from tests.postgres import PostgresServer, free_port

CUT_SECONDS = 20
HOWS = ["silence", "reset"]

pytestmark = [pytest.mark.timeout(900), pytest.mark.soak]


def cut(network: Network, how: str) -> None:
    network.silence() if how == "silence" else network.reset()


@pytest.mark.parametrize("how", HOWS)
async def test_a_worker_without_its_brokers_is_replaced_and_comes_back(
    postgres_url: str, own_kafka: Callable[..., KafkaServer], how: str
) -> None:
    detour = free_port()
    server = own_kafka(detour=detour).start()
    async with (
        Network(server.detour_port, detour) as network,
        under_load(postgres_url, server.bootstrap, 150) as (town, load),
    ):
        await town.start("router", "b", environ={"GRIDCASE_KAFKA_BOOTSTRAP": f"127.0.0.1:{detour}"})
        await asyncio.sleep(8)  # the group has shared the partitions out
        town.keep_up()
        cut(network, how)
        seconds = await town.each_moves(
            "router.case", town.shared("router.case", "ab", "b"), time.monotonic()
        )
        await asyncio.sleep(CUT_SECONDS)
        network.mend()
        await asyncio.sleep(CUT_SECONDS)
        words = f"brokers cut off from one worker ({how}), each partition"
        await count(words, len(seconds), town, load, seconds)


@pytest.mark.parametrize("how", HOWS)
async def test_a_worker_without_its_database_goes_on_when_it_is_back(
    postgres_server: PostgresServer, postgres_url: str, kafka_bootstrap: str, how: str
) -> None:
    async with (
        Network(postgres_server.port) as network,
        under_load(postgres_url, kafka_bootstrap, 150) as (town, load),
    ):
        url = postgres_url.replace(f":{postgres_server.port}/", f":{network.own}/")
        await town.stop("router", "a")
        await town.start("router", environ={"GRIDCASE_DATABASE_URL": url})
        town.keep_up()
        cut(network, how)
        await asyncio.sleep(CUT_SECONDS)
        network.mend()
        at, before = time.monotonic(), await town.rows("router")
        seconds = [await town.moves("router", before, at)]
        await count(f"PostgreSQL cut off from one worker ({how})", 1, town, load, seconds)


@pytest.mark.parametrize("how", HOWS)
async def test_a_network_cut_inside_commit_is_doubt(
    postgres_server: PostgresServer, postgres_url: str, kafka_bootstrap: str, how: str
) -> None:
    """Before the server has the COMMIT, and behind it; then the silence lasts until the worker gives up."""
    async with (
        Network(postgres_server.port) as network,
        under_load(postgres_url, kafka_bootstrap, 150) as (town, load),
    ):
        url = postgres_url.replace(f":{postgres_server.port}/", f":{network.own}/")
        await town.stop("router", "a")
        await town.start("router", environ={"GRIDCASE_DATABASE_URL": url})
        town.keep_up()
        seconds: list[float] = []
        for where in ("before", "behind"):
            network.at_commit(how, where)
            await network.cut.wait()
            await asyncio.sleep(CUT_SECONDS)
            network.mend()
            at, before = time.monotonic(), await town.rows("router")
            seconds.append(await town.moves("router", before, at))
        await count(f"network cut inside COMMIT ({how})", 2, town, load, seconds)
