"""A city on Kafka under test: its topics, its worker processes, and what is left of it at the end."""

import asyncio
import os
import signal
import sys
import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from types import TracebackType
from typing import Final, Self

import asyncpg
from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition

from cli.assemble import MemberCity, publish_edition
from cli.member import open_member
from cli.worker import SERVICES
from kernel import settings
from kernel.kafka.cluster import Cluster
from kernel.kafka.layout import layouts
from kernel.kafka.records import message_of
from kernel.kafka.topics import brokers
from kernel.log import Message, Target
from kernel.sql.city import City
from schemas.topics import FAMILIES, TOPICS, Topic
from tests.integration.lived import ROOT, Lived, bundle_of, read
from tests.integration.load import Standing, created

PARTITIONS: Final = 12
PROGRAM: Final = "from cli.main import app; app()"
_PATIENCE_SECONDS: Final = 60.0
_QUIET_ROUNDS: Final = 6


def topics() -> Sequence[Topic]:
    """The registry's topics and those of the demonstration's units."""
    return [*TOPICS, *(family.of(unit.code) for family in FAMILIES for unit in bundle_of().units.rows)]


def ruled(member: MemberCity) -> bool:
    """Whether every processor owns every partition and decides by rules."""
    deciders = [worker.decider for worker in member.host.workers]
    return all(
        len(one.tenures) == PARTITIONS and all(held.rules.number for held in one.tenures.values())
        for one in deciders
    )


class Town:
    """Processes by (service, slot)."""

    def __init__(self, url: str, bootstrap: str) -> None:
        self.environ = {
            "GRIDCASE_DATABASE_URL": url,
            "GRIDCASE_KAFKA_BOOTSTRAP": bootstrap,
            "GRIDCASE_KAFKA_PREFIX": f"t{uuid.uuid4().hex[:8]}.",
            "GRIDCASE_KAFKA_REPLICAS": "1",
            "GRIDCASE_CLOCK_SKEW_SECONDS": "0.2",
            "PYTHONPATH": str(ROOT),
        }
        self.settings = settings.read(self.environ, None)
        self.cluster = Cluster(bootstrap, self.settings.kafka_prefix)
        self.city: City | None = None
        self.said: list[str] = []
        self._hearing: set[asyncio.Task[None]] = set()
        self.processes: dict[tuple[str, str], asyncio.subprocess.Process] = {}

    async def __aenter__(self) -> Self:
        await self._create_topics()
        self.city = await created(self.settings.database_url, PARTITIONS, "kafka", speed=600)
        async with open_member(self.settings, "founder") as member:
            running = asyncio.Event()
            working = asyncio.create_task(member.host.run(running.is_set))
            await publish_edition(member, bundle_of())
            async with asyncio.timeout(_PATIENCE_SECONDS):
                while not ruled(member):  # noqa: ASYNC110 - a tenure tells nobody
                    await asyncio.sleep(0.05)
            running.set()
            await working
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self.processes.values():
            if process.returncode is None:
                process.kill()
            await process.wait()

    async def _create_topics(self) -> None:
        units = [unit.code for unit in bundle_of().units.rows]
        async with brokers(self.cluster) as asked:
            await asked.create(layouts(self.cluster.name, PARTITIONS, units, 1))

    # Processes.

    async def start(self, service: str, slot: str = "a", program: str = PROGRAM) -> None:
        """A worker process of one service; returns once it is at work."""
        process = self.processes[service, slot] = await asyncio.create_subprocess_exec(
            sys.executable, "-c", program, "worker", service, "--slot", slot,
            cwd=ROOT, env={**os.environ, **self.environ},
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        hearing = asyncio.create_task(self._hear(process, ready := asyncio.Event()))
        self._hearing.add(hearing)
        hearing.add_done_callback(self._hearing.discard)
        await ready.wait()

    async def _hear(self, process: asyncio.subprocess.Process, ready: asyncio.Event) -> None:
        assert process.stdout is not None
        while line := (await process.stdout.readline()).decode():
            self.said.append(line.rstrip())
            if "is at work" in line:
                ready.set()
        ready.set()

    async def start_all(self, services: Sequence[str] = SERVICES, slot: str = "a") -> None:
        """One process for each service."""
        await asyncio.gather(*(self.start(service, slot) for service in services))

    async def kill(self, service: str, slot: str = "a") -> float:
        """`kill -9`; gives when."""
        process = self.processes.pop((service, slot))
        assert process.returncode is None, f"{service} has ended with {process.returncode}"
        process.send_signal(signal.SIGKILL)
        await process.wait()
        return time.monotonic()

    async def stop(self, service: str, slot: str) -> None:
        """SIGTERM to one process, which ends in order."""
        process = self.processes.pop((service, slot))
        process.terminate()
        assert await process.wait() == 0, self.said[-5:]

    async def rows(self, service: str) -> int:
        """How many rows the journals of a service hold."""
        connection = await asyncpg.connect(
            self.settings.database_url.replace("+asyncpg", ""), server_settings={"application_name": "test"}
        )
        try:
            query = "select coalesce(sum(seq), 0)::bigint from journals where processor like $1"
            return int(await connection.fetchval(query, f"{service}.%"))
        finally:
            await connection.close()

    async def moves(self, service: str, beyond: int, since: float) -> float:
        """Seconds from `since` until a service has written more rows."""
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while True:
                with suppress(OSError, asyncpg.PostgresError):
                    if await self.rows(service) > beyond:
                        return time.monotonic() - since
                await asyncio.sleep(0.05)

    async def stop_all(self) -> list[int]:
        """SIGTERM to all; gives their exit codes."""
        for process in self.processes.values():
            process.terminate()
        codes = [await process.wait() for process in self.processes.values()]
        self.processes.clear()
        return codes

    # What is left.

    async def drained(self) -> Lived:
        """Let one process decide all that is waiting, and read what there is."""
        assert self.city is not None
        async with open_member(self.settings, "drain", instance=0, clock=Standing(self.city)) as member:
            running = asyncio.Event()
            working = asyncio.create_task(member.host.run(running.is_set))
            quiet, before = 0, -1
            while quiet < _QUIET_ROUNDS:
                await asyncio.sleep(0.5)
                owned = all(len(worker.decider.tenures) == PARTITIONS for worker in member.host.workers)
                done = sum(worker.handled for worker in member.host.workers)
                quiet = quiet + 1 if owned and done == before else 0
                before = done
                if working.done():
                    working.result()
            running.set()
            await working
            lived = await read(member, messages=await self.messages())
        # a tick fires what was due before the margin for clocks that differ
        return replace(lived, wall=lived.wall - timedelta(seconds=self.settings.clock_skew_seconds))

    async def messages(self) -> Mapping[Target, Sequence[Message]]:
        """Every record of every topic of this city."""
        consumer = AIOKafkaConsumer(**self.cluster.client("reader"), enable_auto_commit=False)
        await consumer.start()
        try:
            prefix = self.settings.kafka_prefix
            found: dict[Target, list[Message]] = {}
            parts = [
                TopicPartition(self.cluster.name(topic.name), number)
                for topic in topics()
                for number in range(1 if topic.single else PARTITIONS)
            ]
            consumer.assign(parts)
            ends = await consumer.end_offsets(parts)
            for part in parts:
                consumer.seek(part, 0)
            left = {part for part in parts if ends[part]}
            while left:
                for part, records in (await consumer.getmany(timeout_ms=500)).items():
                    topic = part.topic.removeprefix(prefix)
                    found.setdefault((topic, part.partition), []).extend(
                        message_of(topic, part.partition, record) for record in records
                    )
                    if records and records[-1].offset + 1 >= ends[part]:
                        left.discard(part)
            return found
        finally:
            await consumer.stop()
