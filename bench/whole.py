"""A whole city on Kafka, a process for each service or one for all: how much it bears, and how soon."""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

import asyncpg

from bench.citywide import bench_bundle
from bench.ground import PARTITIONS, Ground
from bench.latency import Waits, numbered
from bench.racing import ours, resident, stop, used
from bench.truth import read
from cli.assemble import MemberCity
from cli.member import open_member
from cli.topology import PROCESSORS
from cli.worker import SERVICES
from kernel.edge import EdgeFenced, Receipt, Submission
from kernel.kafka.looking import Looker
from schemas.topics import UNIT_CASES
from schemas.wire import message_of

APART: Final = SERVICES
TOGETHER: Final = ("all",)
_INSTANCE: Final = 9
"""The number of the edge in this process, through which the load comes."""

_EDGE_CHUNK: Final = 500
_LOOK_SECONDS: Final = 0.1
_QUIET_SECONDS: Final = 3.0
_PATIENCE_SECONDS: Final = 60.0
_WARM: Final = 0.2
_NUMBER: Final = re.compile(r"#(\d+)$")


@dataclass(frozen=True, slots=True)
class Idle:
    """Of one process at rest: MiB, and the share of a core."""

    service: str
    resident: float
    processor: float


class Whole:
    """The processes of a city, and an edge into it."""

    def __init__(self, ground: Ground, services: Sequence[str]) -> None:
        self._ground = ground
        self._services = services
        self._stack = AsyncExitStack()
        self._processes: dict[str, asyncio.subprocess.Process] = {}
        self._member: MemberCity | None = None
        self._rows: asyncpg.Connection | None = None
        self._units = [UNIT_CASES.of(unit.code) for unit in bench_bundle().units.rows]
        self._looker = Looker(ground.cluster, "whole")
        self._reports = 0
        self._stopped = asyncio.Event()

    async def __aenter__(self) -> Self:
        for service in self._services:
            process = await ours(self._ground, "faust", service=service).start("a")
            self._processes[service] = process
            self._stack.push_async_callback(stop, process)
        opening = open_member(self._ground.settings, "bench", processors=(), instance=_INSTANCE)
        self._member = await self._stack.enter_async_context(opening)
        keeping = asyncio.create_task(
            self._member.host.run(self._stopped.is_set)
        )  # or others inherit its edge
        self._stack.push_async_callback(asyncio.wait, [keeping])
        self._stack.callback(self._stopped.set)
        self._rows = await asyncpg.connect(self._ground.url.replace("+asyncpg", ""))
        self._stack.push_async_callback(self._rows.close)
        self._stack.push_async_callback(self._looker.close)
        await self._owned()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def rows(self) -> int:
        """How many rows all journals hold."""
        assert self._rows is not None
        return int(await self._rows.fetchval("select coalesce(sum(seq), 0)::bigint from journals"))

    async def _owned(self) -> None:
        """Wait until every partition of every processor has taken its rules up, and nothing more comes."""
        await self._quiet(self._adopted)

    async def _adopted(self) -> bool:
        assert self._rows is not None
        waiting = "select count(*) from journals where processor <> 'edge' and seq = 0"
        journals = "select count(*) from journals where processor <> 'edge'"
        wanted = PARTITIONS * len(PROCESSORS)
        return await self._rows.fetchval(journals) >= wanted and not await self._rows.fetchval(waiting)

    async def _quiet(self, done: Callable[[], Awaitable[bool]]) -> float:
        """Wait until all is done and no more rows come, but not for ever; gives when the last came."""
        rows, last = -1, time.perf_counter()
        while (idle := time.perf_counter() - last) < _PATIENCE_SECONDS:
            if idle >= _QUIET_SECONDS and await done():
                break
            now = await self.rows()
            if now != rows:
                rows, last = now, time.perf_counter()
            await asyncio.sleep(_LOOK_SECONDS)
        return last

    async def _told(self, reports: int) -> bool:
        """Whether the units' topics hold at least one message for each report."""
        spans = await self._looker.spans([(topic.name, 0) for topic in self._units])
        return sum(span.end for span in spans.values()) >= reports

    async def idle(self, seconds: float) -> list[Idle]:
        """What each process takes while nothing comes."""
        before = {service: used(process.pid) for service, process in self._processes.items()}
        await asyncio.sleep(seconds)
        return [
            Idle(service, resident(process.pid), (used(process.pid) - before[service]) / seconds)
            for service, process in self._processes.items()
        ]

    async def passed(self, reports: Sequence[Submission]) -> float:
        """Seconds for all these reports at once, until nothing is left to do."""
        assert self._member is not None
        began = time.perf_counter()
        for start in range(0, len(reports), _EDGE_CHUNK):
            await self._accept(reports[start : start + _EDGE_CHUNK])
        self._reports += len(reports)
        return await self._quiet(lambda: self._told(self._reports)) - began

    async def _accept(self, reports: Sequence[Submission]) -> Sequence[Receipt]:
        """An edge that was idle may find itself inherited by another; what it refuses then is sent again."""
        assert self._member is not None
        try:
            return await self._member.edge.accept(reports)
        except EdgeFenced:
            return await self._member.edge.accept(reports)

    async def waits(self, reports: Sequence[Submission], per_second: int) -> Waits:
        """From the receipt of a report to its assignment on the unit's topic, by the clock of the brokers."""
        assert self._member is not None
        accepted: dict[int, float] = {}
        started = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for number, one in enumerate(reports):
                if (early := started + number / per_second - time.perf_counter()) > 0:
                    await asyncio.sleep(early)
                group.create_task(self._submit(numbered(one, number), number, accepted))
        self._reports += len(reports)
        await self._quiet(lambda: self._told(self._reports))
        stamps = await self.assigned()
        first = int(_WARM * len(reports))
        came = {number: stamps[str(number)] - at for number, at in accepted.items() if str(number) in stamps}
        late = sorted(seconds for number, seconds in came.items() if number >= first)
        return Waits(tuple(late), len(reports) - len(came))

    async def _submit(self, one: Submission, number: int, accepted: dict[int, float]) -> None:
        assert self._member is not None
        try:
            receipt = await self._member.edge.submit(one.sender, one.body)
        except EdgeFenced:
            receipt = await self._member.edge.submit(one.sender, one.body)
        if receipt.refusal is None:
            accepted[number] = time.time()

    async def assigned(self) -> dict[str, float]:
        """When the first assignment came to a unit's topic: by the number of the report, else by the case."""
        found: dict[str, float] = {}
        for record in await read(self._ground, self._units):
            change = message_of(record.value)
            if change.event == "CaseAssigned":
                number = _NUMBER.search(change.text)
                found.setdefault(number[1] if number else record.key.decode(), record.timestamp / 1000)
        return found
