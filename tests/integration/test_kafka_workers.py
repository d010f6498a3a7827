"""router.case on real Kafka and PostgreSQL: workers are killed, come back, and the final count is exact."""

import asyncio
import itertools
import os
import random
import signal
import sys
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from cli.assemble import publish_edition
from cli.member import open_member
from kernel.hosts.replay import Address, Passage, traffic
from kernel.journal import RULES_STREAM, Cursor, Record, Via
from kernel.kafka.cluster import Cluster
from kernel.kafka.deliveries import delivery_of
from kernel.kafka.layout import layouts
from kernel.kafka.log import KafkaLog
from kernel.kafka.looking import Looker
from kernel.kafka.publishing import Publisher
from kernel.kafka.topics import brokers
from kernel.log import Headers, Message, Outgoing
from kernel.outbox import Outbox
from kernel.partition import partition_of
from kernel.settings import read as read_settings
from kernel.sql.city import City, create_city
from schemas.case.opening import AcceptCase, OpenCase
from schemas.envelope import Envelope
from schemas.topics import CASE_COMMANDS, CASE_EVENTS, RULES_EDITIONS
from schemas.wire import TYPE_OF, encode, trusted
from services.registry.rules.processor import REGISTRY_RULES
from services.router.processor import ROUTER_CASE
from tests.builders_case import CLUTTER
from tests.builders_city import tiny_city
from tests.integration.account import Account
from tests.integration.faults import record
from tests.integration.lived import ROOT
from tests.walking import START, report

PARTITIONS = 12
DESK = "intake.desk/0"
TAKEN_OVER_SECONDS = 8
BACK_SECONDS = 10
"""Python's own start is in it, on a machine that others use; the goal of 4 s is for the bench."""


@dataclass
class Town:
    """A city on Kafka with its rules in force: where it lies, and how the test looks at it."""

    url: str
    cluster: Cluster

    @property
    def settings(self) -> Any:
        return read_settings(
            {
                "GRIDCASE_DATABASE_URL": self.url,
                "GRIDCASE_KAFKA_BOOTSTRAP": self.cluster.bootstrap,
                "GRIDCASE_KAFKA_PREFIX": self.cluster.prefix,
            },
            None,
        )

    def log(self, who: str, topics: Sequence[str] = ()) -> KafkaLog:
        delivery = delivery_of("plain", self.cluster, topics, group=who, worker=who, tick_seconds=0.5)
        return KafkaLog(delivery, Publisher(self.cluster, who), Looker(self.cluster, who))


@pytest.fixture
async def town(postgres_url: str, kafka_bootstrap: str) -> Town:
    cluster = Cluster(kafka_bootstrap, prefix=f"w{uuid.uuid4().hex[:8]}.")
    made = City(
        code="tiny", name="小城区", partitions=PARTITIONS, host="kafka",
        start_wall=datetime.now(UTC), start_city=START,
    )  # fmt: skip
    founded = await create_city(postgres_url, made)
    cluster = cluster.of(founded.mark, PARTITIONS)
    async with brokers(cluster) as asked:
        await asked.create(layouts(cluster.name, PARTITIONS, (), 1))
    town = Town(postgres_url, cluster)
    async with open_member(town.settings, "registry", processors=(REGISTRY_RULES,)) as city:
        await publish_edition(city, tiny_city())
        log, told = town.log("looker"), False
        running = asyncio.create_task(city.host.run(lambda: told))
        targets = [(RULES_EDITIONS.name, partition) for partition in range(PARTITIONS)]
        for _ in range(300):
            told = all(span.end for span in (await log.spans(targets)).values())
            if told:
                break
            await asyncio.sleep(0.1)
        assert told
        await running
        await log.close()
    return town


class Process:
    """One worker in a process of its own, and what it says."""

    def __init__(self, town: Town, slot: str) -> None:
        self.town = town
        self.slot = slot
        self.owns = 0
        self.silent = False
        self.works: list[float] = []
        self.said: list[str] = []
        self._process: asyncio.subprocess.Process | None = None
        self._hearing: list[asyncio.Task[None]] = []

    async def start(self) -> "Process":
        self.owns = 0
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.integration.kafka_worker",
            self.slot, self.town.url, self.town.cluster.bootstrap, self.town.cluster.prefix,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._hearing = [
            asyncio.create_task(self._hear(self._process.stdout)),
            asyncio.create_task(self._hear(self._process.stderr)),
        ]
        return self

    async def _hear(self, stream: asyncio.StreamReader) -> None:
        while line := (await stream.readline()).decode():
            word, _, rest = line.strip().partition(" ")
            if word == "owns":
                self.owns = int(rest)
            elif word == "works":
                self.works.append(time.monotonic())
            elif word == "silent":
                self.silent = True
            else:
                self.said.append(line.rstrip())

    async def end(self, how: signal.Signals) -> int:
        assert self._process is not None
        assert self._process.returncode is None, self.said[-8:]
        self._process.send_signal(how)
        async with asyncio.timeout(15):
            code = await self._process.wait()
        await asyncio.gather(*self._hearing)
        self.owns, self.silent = 0, False
        return code

    async def killed_after_commit(self) -> float:
        """`kill -9` between COMMIT and publication; gives when."""
        assert self._process is not None
        self._process.send_signal(signal.SIGUSR1)
        await until(lambda: self.silent)
        assert await self.end(signal.SIGKILL) == -signal.SIGKILL
        return time.monotonic()

    async def forget(self) -> None:
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
        await asyncio.gather(*self._hearing)


@pytest.fixture
async def start(town: Town) -> AsyncIterator[Callable[[str], Any]]:
    processes: list[Process] = []

    async def one(slot: str) -> Process:
        processes.append(await Process(town, slot).start())
        return processes[-1]

    yield one
    for process in processes:
        await process.forget()


async def until(reached: Callable[[], bool], seconds: float = 30) -> float:
    """Wait; gives for how long."""
    began = time.monotonic()
    async with asyncio.timeout(seconds):
        while not reached():  # noqa: ASYNC110 - what is waited for is said by other processes
            await asyncio.sleep(0.02)
    return time.monotonic() - began


def commands(count: int) -> Iterator[Outgoing]:
    """A desk that opens and accepts so many cases, and numbers what it sends to each partition."""
    dice, numbers = random.Random(count), Counter[int]()
    for number in range(count):
        case = f"20260310-C1-{number:04}"
        made = report(dice, number, START)
        for place, message in enumerate(
            (OpenCase(case=case, desk="C1", report=made), AcceptCase(matter=CLUTTER))
        ):
            partition = partition_of(case, PARTITIONS)
            numbers[partition] += 1
            envelope = Envelope(
                id=f"desk/{number}/{place}", source="/gridcase/tiny/intake.desk", type=TYPE_OF[type(message)],
                subject=case, time=START, data=message,
            )  # fmt: skip
            headers = Headers(DESK, numbers[partition], rules=1)
            k = numbers[partition]
            yield Outgoing(CASE_COMMANDS.name, partition, k, 1, case, headers, encode(envelope))


class Desk:
    """The honest sender: what the log has not acknowledged is sent again, in order."""

    def __init__(self, log: KafkaLog, waiting: Iterator[Outgoing], per_second: float) -> None:
        self.sent = 0
        self.done = False
        self._log = log
        self._waiting = waiting
        self._pace = per_second
        self._outbox = Outbox()

    async def run(self) -> None:
        while True:
            some = list(itertools.islice(self._waiting, int(self._pace / 10)))
            if not some and not self._outbox:
                break
            self._outbox.add(0, some)
            counts = await self._log.publish(self._outbox.batches())
            self._outbox.acknowledged(counts)
            self.sent += sum(counts.values())
            await asyncio.sleep(0.1)
        await self._log.close()
        self.done = True


@dataclass
class Books:
    """What the journal holds at the end: rows and cursors of each partition."""

    rows: Mapping[int, Sequence[Record]]
    cursors: Mapping[int, Cursor]

    def left(self) -> Mapping[Address, Passage]:
        """All that the rows send, rebuilt from them alone."""
        return traffic([ROUTER_CASE], {ROUTER_CASE.name: self.rows}, PARTITIONS, {}).sent


async def books_when_drained(town: Town, log: KafkaLog) -> Books:
    """Wait until all that was sent is taken and all that leaves is acknowledged, then read the journal."""
    parts = [(CASE_COMMANDS.name, partition) for partition in range(PARTITIONS)]
    async with open_member(town.settings, "auditor", processors=()) as city:
        journal = city.journals[ROUTER_CASE.name]
        async with asyncio.timeout(60):
            while True:
                ends = await log.spans(parts)
                claims = await journal.claim(range(PARTITIONS))
                cursors = {claim.cursor.partition: claim.cursor for claim in claims}
                reached = [cursors[p].reach[topic].offset if cursors[p].reach else 0 for topic, p in parts]
                if reached == [ends[part].end for part in parts] and all(
                    cursor.published == cursor.seq for cursor in cursors.values()
                ):
                    break
                await asyncio.sleep(0.2)
        rows = {p: [row async for row in journal.records(p)] for p in range(PARTITIONS)}
        held = [one async for one in journal.held()]
    assert held == []
    return Books(rows, cursors)


async def everything_in(town: Town, topics: Sequence[str]) -> list[Message]:
    """All records of some topics, in order of offset in each partition."""
    log = town.log("reader", topics)
    spans = await log.spans([(topic, p) for topic in topics for p in range(PARTITIONS)])
    found: list[Message] = []
    async with asyncio.timeout(30):
        while len(log.assigned()) < PARTITIONS:
            await log.fetch(1)
        for partition in range(PARTITIONS):
            await log.seek(partition, dict.fromkeys(topics, 0))
        while len(found) < sum(span.end for span in spans.values()):
            found += await log.fetch(10_000)
    await log.close()
    return found


def check_decided_once(books: Books, sent: int) -> None:
    """Every message was decided, once: its rows stand together, and no two runs answer the same one."""
    runs: Counter[tuple[int, int]] = Counter()
    for partition, rows in books.rows.items():
        assert [row.seq for row in rows] == list(range(1, len(rows) + 1))
        assert books.cursors[partition].seq == len(rows)
        own = [row for row in rows if not row.stream.startswith(RULES_STREAM)]
        for cause, _ in itertools.groupby(own, key=lambda row: row.cause):
            if cause.via is Via.MESSAGE:
                assert cause.origin == DESK
                runs[partition, cause.k] += 1
        last = books.cursors[partition].seen.get(CASE_COMMANDS.name, {}).get(DESK, 0)
        assert {k for p, k in runs if p == partition} == set(range(1, last + 1))
    assert set(runs.values()) == {1}
    assert len(runs) == sent


def check_seen(left: Mapping[Address, Passage], messages: Sequence[Message]) -> None:
    """All that left is there, in order and unchanged; a copy is what it was before."""
    last: Counter[tuple[str, int, str]] = Counter()
    seen: dict[Address, bytes] = {}
    for message in messages:
        lane = (message.topic, message.partition, message.headers.origin)
        address = Address(lane[2], message.topic, message.partition, message.headers.k)
        assert address in left, f"{address} was published and is in no journal"
        assert address.k <= last[lane] + 1, f"{address} came early"
        assert seen.setdefault(address, message.body) == message.body
        last[lane] = max(last[lane], address.k)
        assert (message.key, trusted(message.body).message) == (left[address].key, left[address].message)
        if message.topic == CASE_EVENTS.name:
            assert message.body == left[address].row.body
    assert seen.keys() == left.keys()


@pytest.mark.timeout(240)
async def test_workers_killed_under_load_leave_an_exact_count(
    town: Town, start: Callable[[str], Any]
) -> None:
    desk = Desk(town.log("desk"), commands(1500), per_second=100)
    sending = asyncio.create_task(desk.run())
    one: Process = await start("1")
    await until(lambda: len(one.works) > 3)
    assert one.owns == PARTITIONS
    two: Process = await start("2")
    await until(lambda: one.owns == two.owns == PARTITIONS // 2 and len(two.works) > 3)

    await one.killed_after_commit()
    taken = await until(lambda: two.owns == PARTITIONS)
    await one.start()
    await until(lambda: one.owns == two.owns == PARTITIONS // 2)

    killed = await two.killed_after_commit()
    await two.start()
    await until(lambda: bool(two.works and two.works[-1] > killed))
    back = two.works[-1] - killed

    await until(lambda: desk.done, 60)
    await sending
    looker = town.log("looker")
    books = await books_when_drained(town, looker)
    await looker.close()
    for process in (one, two):
        assert await process.end(signal.SIGTERM) == 0, process.said[-8:]
    check_decided_once(books, desk.sent)
    left = books.left()
    check_seen(left, await everything_in(town, sorted({address.topic for address in left})))
    rows = sum(len(rows) for rows in books.rows.values())
    whole = Account(desk.sent, desk.sent, len(left), len(left), lost=0, twice=0, held=0, rows=rows)
    record("kill -9, workers on Kafka", 2, whole, [taken, back])
    assert taken < TAKEN_OVER_SECONDS
    assert back < BACK_SECONDS
