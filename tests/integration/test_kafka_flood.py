"""A producer that floods one partition delays only that partition."""

import asyncio

import pytest

from kernel.log import Headers, Outgoing
from kernel.settings import DeliveryKind
from tests.contract.cabinet import DELIVERIES, PARTITIONS, Cabinet, owning
from tests.contract.test_log import RULES, WORK

FLOOD = 20_000
LIMIT = 100
MOST = 5000
"""So many of the flood at most come before all others; a client's one fetch holds about ten thousand."""


def one(partition: int, k: int) -> Outgoing:
    return Outgoing(WORK.name, partition, k, k, "key", Headers(f"test/{partition}", k), b"{}")


@pytest.mark.parametrize("kind", [kind for kind in DELIVERIES if kind != "stock"])
async def test_a_flood_holds_up_no_other_partition(kafka_bootstrap: str, kind: DeliveryKind) -> None:
    async with Cabinet(kafka_bootstrap, kind) as cabinet:
        log = cabinet.log((WORK, RULES))
        await log.publish({(WORK.name, 0): [one(0, k) for k in range(1, FLOOD + 1)]})
        await log.publish({(WORK.name, number): [one(number, 1)] for number in range(1, PARTITIONS)})
        await owning(log, range(PARTITIONS))
        for number in range(PARTITIONS):
            await log.seek(number, {WORK.name: 0, RULES.name: 0})
        seen: set[int] = set()
        flooded = 0
        while seen != set(range(PARTITIONS)):
            batch = await log.fetch(LIMIT)
            seen |= {message.partition for message in batch}
            flooded += sum(not message.partition for message in batch)
            assert flooded < MOST
            await asyncio.sleep(0.02)  # a turn's work
