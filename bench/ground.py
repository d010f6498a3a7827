"""A city on Kafka that waits at the start: founded, with its topics, and a backlog before router.case."""

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Final

from bench.citywide import bench_bundle, separate_reports
from bench.path import commands_of
from cli.assemble import publish_edition
from cli.member import open_member
from cli.topology import REGISTRY_RULES
from kernel.kafka.cluster import Cluster
from kernel.kafka.layout import layouts
from kernel.kafka.publishing import Publisher
from kernel.kafka.topics import brokers
from kernel.log import Headers, Message, Outgoing
from kernel.partition import partition_of
from kernel.settings import Settings, read
from kernel.sql.city import City, create_city
from rules.bundle import Bundle
from schemas.topics import CASE_COMMANDS

PARTITIONS: Final = 24
PATTERNS: Final = 400
"""So many cases are drawn and rehearsed; a longer backlog repeats them under other numbers."""

_SENDER: Final = "intake.desk"
_PATIENCE_SECONDS: Final = 60.0


@dataclass
class Ground:
    """One city: its database and the prefix of its topics."""

    url: str
    bootstrap: str
    prefix: str

    def environ(self, delivery: str = "faust") -> dict[str, str]:
        return {
            "GRIDCASE_DATABASE_URL": self.url,
            "GRIDCASE_KAFKA_BOOTSTRAP": self.bootstrap,
            "GRIDCASE_KAFKA_PREFIX": self.prefix,
            "GRIDCASE_KAFKA_REPLICAS": "1",
            "GRIDCASE_KAFKA_DELIVERY": delivery,
            "GRIDCASE_CLOCK_SKEW_SECONDS": "0.2",
        }

    @property
    def settings(self) -> Settings:
        return read(self.environ(), None)

    @cached_property
    def cluster(self) -> Cluster:
        return Cluster(self.bootstrap, self.prefix)

    async def make_topics(self, bundle: Bundle) -> None:
        units = [unit.code for unit in bundle.units.rows if unit.subscribes]
        async with brokers(self.cluster) as asked:
            await asked.create(layouts(self.cluster.name, PARTITIONS, units, 1))

    async def found(self, bundle: Bundle, start: datetime | None = None) -> None:
        """The city with its topics and its first edition in force; `start` is what its clock shows now."""
        await self.make_topics(bundle)
        city = City(
            code=bundle.city.code,
            name=bundle.city.name,
            partitions=PARTITIONS,
            start_wall=datetime.now(UTC) if start else None,
            start_city=start,
            host="kafka",
        )
        made = await create_city(self.url, city)
        self.cluster = self.cluster.of(made.mark, PARTITIONS)
        async with open_member(self.settings, "founder", processors=(REGISTRY_RULES,)) as member:
            stopped = asyncio.Event()
            running = asyncio.create_task(member.host.run(stopped.is_set))
            await publish_edition(member, bundle)
            async with asyncio.timeout(_PATIENCE_SECONDS):
                while not await member.editions.latest():  # noqa: ASYNC110 - a journal tells nobody
                    await asyncio.sleep(0.02)
            stopped.set()
            await running


def ground_at(url: str, bootstrap: str) -> Ground:
    return Ground(url, bootstrap, f"b{uuid.uuid4().hex[:8]}.")


class Backlog:
    """Commands for router.case: each case is opened, and then accepted, which assigns it."""

    def __init__(self, bundle: Bundle, patterns: Sequence[Message]) -> None:
        self.bundle = bundle
        self.patterns = _by_case(patterns)

    def messages(self, count: int) -> dict[tuple[str, int], list[Outgoing]]:
        """`count` commands, the two of a case one behind the other."""
        batches: dict[tuple[str, int], list[Outgoing]] = {
            (CASE_COMMANDS.name, partition): [] for partition in range(PARTITIONS)
        }
        for number in range(count // 2):
            pattern = self.patterns[number % len(self.patterns)]
            old = pattern[0].key
            key = f"{old[:-4]}{number:06}"
            partition = partition_of(key, PARTITIONS)
            batch = batches[CASE_COMMANDS.name, partition]
            for one in pattern:
                k = len(batch) + 1
                headers = Headers(f"{_SENDER}/{partition}", k, 1, one.headers.trace)
                body = one.body.replace(old.encode(), key.encode())
                batch.append(Outgoing(CASE_COMMANDS.name, partition, k, k, key, headers, body))
        return batches

    async def fill(self, ground: Ground, count: int) -> None:
        publisher = Publisher(ground.cluster, "backlog")
        try:
            left = {target: batch for target, batch in self.messages(count).items() if batch}
            while left:
                taken = await publisher.publish(left)
                left = {
                    target: batch[taken[target] :] for target, batch in left.items() if batch[taken[target] :]
                }
        finally:
            await publisher.close()


def number_of(case: str) -> int:
    """The number that the backlog gave a case."""
    return int(case[-6:])


def _by_case(commands: Sequence[Message]) -> list[list[Message]]:
    cases: dict[str, list[Message]] = {}
    for one in commands:
        cases.setdefault(one.key, []).append(one)
    return [found for found in cases.values() if len(found) == 2]


async def backlog() -> Backlog:
    bundle = bench_bundle(subscribed=False)
    reports = await separate_reports(bundle, PATTERNS)
    return Backlog(bundle, await commands_of(bundle, reports))
