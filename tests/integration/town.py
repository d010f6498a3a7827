"""A city on Kafka under test: its topics, its worker processes, and what is left of it at the end."""

import asyncio
import os
import signal
import sys
import time
import uuid
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from types import TracebackType
from typing import Any, Final, Self

import asyncpg
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.structs import TopicPartition

from cli.assemble import MemberCity, publish_edition
from cli.member import open_member
from cli.topology import REGISTRY_RULES
from cli.worker import SERVICES
from kernel import settings
from kernel.kafka.cluster import Cluster
from kernel.kafka.layout import layouts
from kernel.kafka.records import message_of, outside_of
from kernel.kafka.sharing import share
from kernel.kafka.topics import brokers
from kernel.log import Message, Target
from kernel.sql.city import City
from kernel.worker import Worker
from schemas.topics import FAMILIES, GRID_EVENTS, TOPICS, UNIT_COMMANDS, Topic
from tests.integration.lived import ROOT, Lived, bundle_of, read
from tests.integration.load import Standing, created

PARTITIONS: Final = 12
GRIDCASE: Final = "from cli.main import app; app()"
_PATIENCE_SECONDS: Final = 150.0
_QUIET_ROUNDS: Final = 4


_OPEN: Final = {GRID_EVENTS.name, *(UNIT_COMMANDS.of(unit.code).name for unit in bundle_of().units.rows)}


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


async def caught_up(worker: Worker) -> bool:
    """Whether all that lies before a worker is taken, and all that it sent is acknowledged."""
    topics, tenures = worker.decider.processor.topics, worker.decider.tenures
    spans = await worker.log.spans([(topic, number) for topic in topics for number in tenures])
    return not worker.outbox and all(
        tenures[number].reach.get(topic, 0) == span.end
        for (topic, number), span in spans.items()
        if number in tenures
    )


class Town:
    """Processes by (service, slot)."""

    def __init__(self, url: str, bootstrap: str, **settings_: str) -> None:
        self.environ = {
            "GRIDCASE_DATABASE_URL": url,
            "GRIDCASE_KAFKA_BOOTSTRAP": bootstrap,
            "GRIDCASE_KAFKA_PREFIX": f"t{uuid.uuid4().hex[:8]}.",
            "GRIDCASE_KAFKA_REPLICAS": "1",
            "GRIDCASE_CLOCK_SKEW_SECONDS": "0.2",
            "PYTHONPATH": str(ROOT),
            **settings_,
        }
        self.settings = settings.read(self.environ, None)
        self.cluster = Cluster(bootstrap, self.settings.kafka_prefix)
        self.city: City | None = None
        self.said: list[str] = []
        self._hearing: set[asyncio.Task[None]] = set()
        self.processes: dict[tuple[str, str], asyncio.subprocess.Process] = {}
        self.ended: list[tuple[str, int]] = []
        """What was started again, with its exit code."""

        self._keeping: asyncio.Task[None] | None = None
        self.struck: dict[str, dict[Target, list[Message]]] = {}
        """What topics held before somebody deleted it, by topic."""

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
        self._leave()
        for process in self.processes.values():
            if process.returncode is None:
                process.kill()
            await process.wait()

    async def _create_topics(self) -> None:
        units = [unit.code for unit in bundle_of().units.rows]
        async with brokers(self.cluster) as asked:
            await asked.create(layouts(self.cluster.name, PARTITIONS, units, 1))

    def shared(self, processor: str, slots: str, whose: str) -> Sequence[int]:
        """The partitions of one slot's worker among those of `slots`."""
        return share([f"{processor}-{slot}" for slot in slots], range(PARTITIONS))[f"{processor}-{whose}"]

    # Processes.

    async def start(
        self,
        service: str,
        slot: str = "a",
        faults: str = "",
        environ: Mapping[str, str] | None = None,
        program: str = GRIDCASE,
    ) -> asyncio.subprocess.Process:
        """A worker process of one service; returns once it is at work, or has ended. See `planted`."""
        command = ["-m", "tests.integration.planted", faults] if faults else ["-c", program]
        process = self.processes[service, slot] = await self._spawn(
            [*command, "worker", service, "--slot", slot], environ or {}
        )
        await self._heard(process)
        return process

    async def _spawn(self, words: Sequence[str], environ: Mapping[str, str]) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable, *words, cwd=ROOT, env={**os.environ, **self.environ, **environ},
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip

    async def _heard(self, process: asyncio.subprocess.Process) -> None:
        hearing = asyncio.create_task(self._hear(process, ready := asyncio.Event()))
        self._hearing.add(hearing)
        hearing.add_done_callback(self._hearing.discard)
        await ready.wait()

    def keep_up(self) -> None:
        """From now on start again whatever ends by itself, as a supervisor does."""
        self._keeping = asyncio.create_task(self._keep())

    async def _keep(self) -> None:
        while True:
            for place, process in list(self.processes.items()):
                if process.returncode is not None:
                    self.ended.append((place[0], process.returncode))
                    await self.start(*place)
            await asyncio.sleep(1)

    async def ends(self, service: str, slot: str = "a", seconds: float = _PATIENCE_SECONDS) -> int:
        """Wait until a process has ended by itself; gives its exit code."""
        async with asyncio.timeout(seconds):
            return await self.processes.pop((service, slot)).wait()

    async def command(self, *words: str) -> tuple[int, str]:
        """One `gridcase` command on this city; gives its exit code and what it said."""
        process = await self._spawn(["-c", GRIDCASE, *words], {"NO_COLOR": "1", "COLUMNS": "1000"})
        said, _ = await process.communicate()
        assert process.returncode is not None
        return process.returncode, said.decode()

    async def says(self, words: str, after: int = 0, seconds: float = _PATIENCE_SECONDS) -> str:
        """Wait until some process has said this, `after` so many lines; gives its line."""
        async with asyncio.timeout(seconds):
            while True:
                for line in self.said[after:]:
                    if words in line:
                        return line
                await asyncio.sleep(0.02)

    async def _hear(self, process: asyncio.subprocess.Process, ready: asyncio.Event) -> None:
        assert process.stdout is not None
        while line := (await process.stdout.readline()).decode():
            self.said.append(line.rstrip())
            if "is at work" in line:
                ready.set()
        ready.set()

    async def start_all(
        self,
        services: Sequence[str] = SERVICES,
        slots: Sequence[str] = ("a",),
    ) -> None:
        """One process for each service and slot."""
        await asyncio.gather(*(self.start(service, slot) for service in services for slot in slots))

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
        query = "select coalesce(sum(seq), 0)::bigint from journals where processor like $1"
        [[found]] = await self._ask(query, f"{service}.%")
        return int(found)

    async def tokens(self, processor: str) -> Mapping[int, bytes]:
        """The token of each partition: another one after each transaction."""
        query = "select partition, token from journals where processor = $1"
        return {row[0]: row[1] for row in await self._ask(query, processor)}

    async def _ask(self, query: str, *given: object) -> Sequence[Sequence[Any]]:
        connection = await asyncpg.connect(
            self.settings.database_url.replace("+asyncpg", ""), server_settings={"application_name": "test"}
        )
        try:
            return await connection.fetch(query, *given)
        finally:
            await connection.close()

    async def each_moves(self, processor: str, partitions: Collection[int], since: float) -> list[float]:
        """Seconds from `since` until each of these partitions was written to again."""
        before = await self.tokens(processor)
        found: dict[int, float] = {}
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while len(found) < len(partitions):
                with suppress(OSError, asyncpg.PostgresError):
                    now = await self.tokens(processor)
                    for number in partitions:
                        if number not in found and now.get(number) != before.get(number):
                            found[number] = time.monotonic() - since
                await asyncio.sleep(0.05)
        return [found[number] for number in sorted(found)]

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
        self._leave()
        for process in self.processes.values():
            process.terminate()
        codes = [await process.wait() for process in self.processes.values()]
        self.processes.clear()
        return codes

    def _leave(self) -> None:
        if self._keeping is not None:
            self._keeping.cancel()
            self._keeping = None

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
                still = (
                    owned
                    and done == before
                    and all([await caught_up(worker) for worker in member.host.workers])
                )
                quiet = quiet + 1 if still else 0
                before = done
                if working.done():
                    working.result()
            running.set()
            await working
            lived = await read(member, messages=await self.messages())
        # a tick fires what was due before the margin for clocks that differ
        return replace(lived, wall=lived.wall - timedelta(seconds=self.settings.clock_skew_seconds))

    async def messages(self) -> Mapping[Target, Sequence[Message]]:
        """Every record that the topics of this city hold or, struck by an operator, have held."""
        names = [topic.name for topic in topics()]
        there = await self._read(names)
        for held in self.struck.values():
            for target, messages in held.items():
                there[target] = [*messages, *there.get(target, ())]
        return there

    async def _read(self, names: Collection[str]) -> dict[Target, list[Message]]:
        found: dict[Target, list[Message]] = {}
        consumer = AIOKafkaConsumer(**self.cluster.client("reader"), enable_auto_commit=False)
        await consumer.start()
        try:
            named = {self.cluster.name(topic.name): topic for topic in topics() if topic.name in names}
            parts = [
                TopicPartition(name, number)
                for name, topic in named.items()
                for number in range(1 if topic.single else PARTITIONS)
            ]
            consumer.assign(parts)
            begins, ends = await consumer.beginning_offsets(parts), await consumer.end_offsets(parts)
            for part in parts:
                consumer.seek(part, begins[part])
            left = {part for part in parts if ends[part] > begins[part]}
            while left:
                for part, records in (await consumer.getmany(timeout_ms=500)).items():
                    topic = named[part.topic].name
                    read = outside_of if topic in _OPEN else message_of
                    found.setdefault((topic, part.partition), []).extend(
                        read(self.cluster, topic, part.partition, record) for record in records
                    )
                    if records and records[-1].offset + 1 >= ends[part]:
                        left.discard(part)
            return found
        finally:
            await consumer.stop()

    async def grows(self, topic: str, by: int = 10) -> None:
        """Wait until so many more records lie in a topic, unread by whoever stands still."""
        parts = [TopicPartition(self.cluster.name(topic), number) for number in range(PARTITIONS)]
        consumer = AIOKafkaConsumer(**self.cluster.client("reader"), enable_auto_commit=False)
        await consumer.start()
        try:
            before = sum((await consumer.end_offsets(parts)).values())
            async with asyncio.timeout(_PATIENCE_SECONDS):
                while sum((await consumer.end_offsets(parts)).values()) < before + by:  # noqa: ASYNC110
                    await asyncio.sleep(0.1)
        finally:
            await consumer.stop()

    # What an operator does to the topics.

    def use(self, url: str) -> None:
        """Go on with another database."""
        self.environ["GRIDCASE_DATABASE_URL"] = url
        self.settings = settings.read(self.environ, None)

    async def make_anew(self, topic: str) -> None:
        """Delete a topic and create it again; who writes to it must stand still."""
        self.struck[topic] = await self._read([topic])
        await self._delete([topic])

    async def make_all_anew(self, before: Mapping[Target, Sequence[Message]]) -> None:
        """Delete all topics and create them again; what they held `before` is all that counts of it."""
        for target, messages in before.items():
            self.struck.setdefault(target[0], {})[target] = list(messages)
        await self._delete([topic.name for topic in topics()])

    async def _delete(self, deleted: Sequence[str]) -> None:
        names = {self.cluster.name(topic) for topic in deleted}
        async with self._admin() as admin:
            await admin.delete_topics(sorted(names))
            while names & {*await admin.list_topics()}:  # noqa: ASYNC110 - the brokers tell nobody
                await asyncio.sleep(0.05)
        await self._create_topics()

    async def expire(self, topic: str) -> int:
        """Delete all records of a topic, as retention does; gives how many those were."""
        held = self.struck[topic] = await self._read([topic])
        below = {
            TopicPartition(self.cluster.name(topic), partition): RecordsToDelete(messages[-1].offset + 1)
            for (_, partition), messages in held.items()
        }
        async with self._admin() as admin:
            await admin.delete_records(below)
        return sum(len(messages) for messages in held.values())

    async def reset_offsets(self, group: str, topic: str) -> None:
        """Let a group without members begin anew, as an administrator does it; our offsets are figures."""
        consumer = AIOKafkaConsumer(
            **self.cluster.client("admin"), group_id=self.cluster.name(group), enable_auto_commit=False
        )
        await consumer.start()
        try:
            parts = [TopicPartition(self.cluster.name(topic), number) for number in range(PARTITIONS)]
            consumer.assign(parts)
            await consumer.commit(dict.fromkeys(parts, 0))
        finally:
            await consumer.stop()

    @asynccontextmanager
    async def _admin(self) -> AsyncIterator[AIOKafkaAdminClient]:
        admin = AIOKafkaAdminClient(**self.cluster.client("test"))
        await admin.start()
        try:
            yield admin
        finally:
            await admin.close()


class Hamlet(Town):
    """A town with rules in force where nobody has worked but registry.rules; plain aiokafka fetches."""

    def __init__(self, url: str, bootstrap: str) -> None:
        super().__init__(url, bootstrap, GRIDCASE_KAFKA_DELIVERY="plain")

    async def __aenter__(self) -> Self:
        await self._create_topics()
        self.city = await created(self.settings.database_url, PARTITIONS, "kafka", speed=600)
        async with open_member(self.settings, "founder", processors=[REGISTRY_RULES]) as member:
            running = asyncio.Event()
            working = asyncio.create_task(member.host.run(running.is_set))
            await publish_edition(member, bundle_of())
            async with asyncio.timeout(_PATIENCE_SECONDS):
                while not await member.editions.latest():  # noqa: ASYNC110 - a topic tells nobody
                    await asyncio.sleep(0.05)
            running.set()
            await working
        return self
