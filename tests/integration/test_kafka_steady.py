"""A city on Kafka under steady load for a long time: it lags no more at the end, and holds no more memory."""

import asyncio
import os
import re
import time
from collections.abc import Sequence
from typing import Final

import httpx
import pytest

from cli.worker import SERVICES
from kernel.edge import EDGE
from tests.integration.load import Load
from tests.integration.steady import GROWTH_MIB, Sample, grown, lagging, load
from tests.integration.town import Town

MINUTES: Final = float(os.environ.get("GRIDCASE_SOAK_MINUTES", "30"))
PER_SECOND: Final = 12
SAMPLE_SECONDS: Final = 5.0
WORKERS = [service for service in SERVICES if service != EDGE]
STATES: Final = 500
"""So few that every cache is full after the warm-up."""

_PAGE: Final = os.sysconf("SC_PAGE_SIZE")
_TICK: Final = os.sysconf("SC_CLK_TCK")


def samples(rss: Sequence[float], lag: Sequence[float]) -> list[Sample]:
    return [Sample(5.0 * n, r, one, n * 0.5) for n, (r, one) in enumerate(zip(rss, lag, strict=True))]


def test_how_a_run_is_judged() -> None:
    filling = [100, 120, 130, *[140] * 6]
    assert grown(samples(filling, [0] * 9)) == 0
    assert grown(samples([100 + 5 * n for n in range(9)], [0] * 9)) == 20
    assert not lagging(samples([0] * 9, [0, 0, 0, 3, 50, 2, 9, 40, 3]))
    assert lagging(samples([0] * 9, [100 * n for n in range(9)]))
    assert load(samples([0] * 9, [0] * 9)) == 0.1


async def sample(client: httpx.AsyncClient, pid: int, port: int, began: float) -> Sample:
    """One process now."""
    text = (await client.get(f"http://127.0.0.1:{port}/metrics")).text
    lag = sum(float(found) for found in re.findall(r"^gridcase_lag\{.*\} (\S+)$", text, re.MULTILINE))
    seconds = time.monotonic() - began
    with open(f"/proc/{pid}/stat") as stat, open(f"/proc/{pid}/statm") as statm:  # noqa: ASYNC230, PTH123 - no disk
        used = stat.read().rsplit(")", 1)[1].split()
        pages = int(statm.read().split()[1])
    return Sample(seconds, pages * _PAGE / 2**20, lag, (int(used[11]) + int(used[12])) / _TICK)


@pytest.mark.soak
@pytest.mark.timeout(MINUTES * 60 + 900)
async def test_a_city_under_steady_load_stays_as_it_is(postgres_url: str, kafka_bootstrap: str) -> None:
    async with Town(postgres_url, kafka_bootstrap) as town:
        town.environ |= {"GRIDCASE_HEALTH_PORT": "0", "GRIDCASE_STATES_MOST": str(STATES)}
        ports: dict[str, int] = {}
        for service in WORKERS:
            await town.start(service)
            ports[service] = int(re.findall(r"health on\s+port\s+(\d+)", " ".join(town.said))[-1])
        seen: dict[str, list[Sample]] = {service: [] for service in WORKERS}
        count = int(MINUTES * 60 * PER_SECOND)
        environ = town.environ | {"GRIDCASE_HEALTH_PORT": "-1"}
        async with (
            httpx.AsyncClient(trust_env=False, timeout=30) as client,
            Load(postgres_url, count, per_second=PER_SECOND, environ=environ) as sending,
        ):
            await sending.recovered(began := time.monotonic())
            while len(sending.acknowledged) + len(sending.dead) < sending.count:
                for service, port in ports.items():
                    pid = town.processes[service, "a"].pid
                    seen[service].append(await sample(client, pid, port, began))
                assert time.monotonic() - began < MINUTES * 60 * 2 + 60, "the load takes twice its time"
                await asyncio.sleep(SAMPLE_SECONDS)
            await sending.finish()
        codes = await town.stop_all()
    told = {
        service: f"{grown(of):+.1f} MiB to {of[-1].rss:.0f}, {load(of):.0%}" for service, of in seen.items()
    }
    print(f"\n{count} reports, {len(seen['router'])} samples: {told}")  # noqa: T201 - a soak tells what it saw
    assert set(codes) == {0}, town.said[-5:]
    assert not [service for service, of in seen.items() if lagging(of)], told
    assert max(grown(of) for of in seen.values()) < GROWTH_MIB, told
