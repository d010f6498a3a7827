"""An exception out of every layer of a worker, once each: it goes on, or ends and is started again."""

import asyncio
import signal
import time

import pytest

from kernel.settings import DeliveryKind
from tests.integration.trial import count, shaken, under_load

LAYERS = (
    "fetch", "client", "decode", "decide", "append", "commit", "publish", "acknowledge",
    "offsets", "fetch+claim", "fetch+check", "client+rebalance",
)  # fmt: skip

FROZEN_SECONDS = 4

pytestmark = pytest.mark.timeout(900)


@pytest.mark.soak
@pytest.mark.parametrize("delivery", ["faust", "plain"])
async def test_an_exception_out_of_every_layer_costs_nothing(
    postgres_url: str, kafka_bootstrap: str, delivery: DeliveryKind
) -> None:
    async with under_load(postgres_url, kafka_bootstrap, 150) as (town, load):
        seconds = await shaken(town, LAYERS, delivery)
        await count(f"exception in each layer, {delivery}", len(LAYERS), town, load, seconds)


@pytest.mark.soak
@pytest.mark.parametrize("where", ["in", "out"])
async def test_a_worker_frozen_in_and_out_of_its_transaction_is_fenced(
    postgres_url: str, kafka_bootstrap: str, where: str
) -> None:
    """Stopped before COMMIT, or between COMMIT and publication; continued when the other one owns all."""
    async with under_load(postgres_url, kafka_bootstrap, 150) as (town, load):
        await town.stop("router", "a")
        frozen = await town.start("router", "a", faults=f"freeze {where}")
        await town.start("router", "b")
        await asyncio.sleep(8)  # the group has shared the partitions out
        said = len(town.said)
        frozen.send_signal(signal.SIGUSR1)
        await town.says(f"planted freeze {where}", said)
        theirs = town.shared("router.case", "ab", "a")
        seconds = await town.each_moves("router.case", theirs, time.monotonic())
        await asyncio.sleep(FROZEN_SECONDS)
        frozen.send_signal(signal.SIGCONT)
        await asyncio.sleep(FROZEN_SECONDS)
        assert frozen.returncode is None, town.said[-5:]
        words = {"in": "inside its transaction", "out": "between COMMIT and publication"}[where]
        await count(f"SIGSTOP {words}, each partition", len(theirs), town, load, seconds)
