"""Worker processes on Kafka as their operator sees them: pages, an orderly end under load, a stall."""

import asyncio
import re
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from kernel.guard import EXIT_CODE, STOP_SECONDS
from kernel.kafka.publishing import Publisher
from kernel.log import Headers, Outgoing
from schemas.topics import CASE_COMMANDS
from tests.integration.load import Load
from tests.integration.town import PARTITIONS, Town

pytestmark = pytest.mark.timeout(300)

HANGING = """
import asyncio, os
from kernel.kafka.standing import Standing
take = Standing.take
async def hang(self, consumer, limit):
    if os.path.exists(os.environ["HANG"]):
        await asyncio.Event().wait()
    return await take(self, consumer, limit)
Standing.take = hang
from cli.main import app
app()
"""
"""A worker whose client gives nothing any more once a file is there: Faust is known to do so."""


@pytest.fixture
async def town(postgres_url: str, kafka_bootstrap: str) -> AsyncIterator[Town]:
    async with Town(postgres_url, kafka_bootstrap) as town:
        town.environ["GRIDCASE_HEALTH_PORT"] = "0"
        yield town


def port_of(town: Town) -> int:
    """The port that the process which has spoken last has opened."""
    return int(re.findall(r"health on\s+port\s+(\d+)", " ".join(town.said))[-1])


async def asked(port: int, path: str) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False) as client:
        return await client.get(f"http://127.0.0.1:{port}{path}")


async def until_ready(port: int) -> None:
    async with asyncio.timeout(60):
        while (await asked(port, "/readyz")).status_code != 200:  # noqa: ASYNC110 - a page tells nobody
            await asyncio.sleep(0.2)


def figure(text: str, name: str) -> float:
    """The sum of a metric's samples."""
    return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if re.match(rf"{name}[ {{]", line))


async def test_a_worker_shows_itself_and_when_it_is_given_nothing_more_it_ends(
    town: Town, tmp_path: Path
) -> None:
    flag = tmp_path / "hang"
    town.environ |= {
        "GRIDCASE_STALL_WARN_SECONDS": "1",
        "GRIDCASE_STALL_END_SECONDS": "3",
        "GRIDCASE_LOG_FORMAT": "json",
        "HANG": str(flag),
    }
    await town.start("router", program=HANGING)
    port = port_of(town)
    await until_ready(port)
    assert (await asked(port, "/livez")).status_code == 200
    text = (await asked(port, "/metrics")).text
    assert figure(text, "gridcase_partitions") == PARTITIONS
    assert text.count("gridcase_lag{") == 2 * PARTITIONS
    assert figure(text, "gridcase_rebalances_total") >= 1
    flag.touch()
    await asyncio.sleep(1.5)
    publisher = Publisher(town.cluster, "test")
    sent = Outgoing(CASE_COMMANDS.name, 3, 1, 1, "case", Headers("test/0", 1), b"{}")
    assert await publisher.publish({(CASE_COMMANDS.name, 3): [sent]}) == {(CASE_COMMANDS.name, 3): 1}
    await publisher.close()
    async with asyncio.timeout(3 + STOP_SECONDS + 20):
        assert await town.processes["router", "a"].wait() == EXIT_CODE, town.said
    said = next(line for line in town.said if "worker_stalled" in line and "case.commands" in line)
    for fact in ('"topic": "case.commands"', '"partition": 3', '"cursor": 0', '"position": 0', '"end": 1'):
        assert fact in said


@pytest.mark.soak
async def test_a_worker_ends_in_order_under_load_and_at_once_if_told_twice(town: Town) -> None:
    await town.start("intake")
    await town.start("router")
    port = port_of(town)
    await until_ready(port)
    environ = town.environ | {"GRIDCASE_HEALTH_PORT": "-1"}
    async with Load(town.settings.database_url, 400, per_second=20, environ=environ) as load:
        await load.recovered(time.monotonic())
        await town.moves("router", await town.rows("router"), time.monotonic())
        text = (await asked(port, "/metrics")).text
        for name in ("events_total", "batch_inputs_count", "commit_seconds_count", "publish_seconds_count"):
            assert figure(text, f"gridcase_{name}") > 0, name
        began = time.monotonic()
        await town.stop("router", "a")
        assert time.monotonic() - began < STOP_SECONDS
        intake = town.processes.pop(("intake", "a"))
        intake.send_signal(signal.SIGTERM)
        await asyncio.sleep(0.05)
        intake.send_signal(signal.SIGTERM)
        async with asyncio.timeout(1):
            assert await intake.wait() == 128 + signal.SIGTERM
