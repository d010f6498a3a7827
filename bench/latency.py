"""Latency: a report is accepted → its assignment can be read on the unit's topic, at a steady rate."""

import asyncio
import gc
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from bench.citywide import build, running_clock, submission
from bench.stores import store_in
from kernel.edge import Edge, Submission
from kernel.sql.log import SqlLog
from rules.bundle import Bundle
from schemas.report import GridReport
from schemas.topics import UNIT_CASES, Topic
from schemas.wire import message_of

_WARM: Final = 0.2
"""The share of the reports, at the beginning, whose waits do not count."""

_PATIENCE_SECONDS: Final = 10.0
_NUMBER: Final = re.compile(r"#(\d+)$")


@dataclass(frozen=True, slots=True)
class Waits:
    """The waits of one run in seconds, in order; `lost` reports were not read in time."""

    seconds: tuple[float, ...]
    lost: int

    def share(self, part: float) -> float:
        """The wait that this part of all reports did not exceed, in milliseconds."""
        return 1000 * self.seconds[min(len(self.seconds) - 1, int(part * len(self.seconds)))]


def numbered(given: Submission, number: int) -> Submission:
    """The same report with a number behind its words, by which its assignment is known again."""
    report = message_of(given.body)
    assert isinstance(report, GridReport)
    return submission(
        given.sender.id, f"numbered-{number}", "", replace(report, text=f"{report.text} #{number}")
    )


class Unit:
    """Whoever reads the topics of the units, and when each assignment came."""

    def __init__(self, store: Any, bundle: Bundle, expected: int) -> None:
        topics: list[Topic] = [UNIT_CASES.of(unit.code) for unit in bundle.units.rows]
        self._log = SqlLog(store, topics, (0,), tick_seconds=0.1)
        self._start = {topic.name: 0 for topic in topics}
        self._expected = expected
        self.read: dict[int, float] = {}

    async def run(self) -> None:
        await self._log.seek(0, self._start)
        while len(self.read) < self._expected:
            for message in await self._log.fetch(1000):
                change = message_of(message.body)
                if change.event == "CaseAssigned" and (found := _NUMBER.search(change.text)):
                    self.read.setdefault(int(found[1]), time.perf_counter())


async def _submit(edge: Edge, one: Submission, number: int, accepted: dict[int, float]) -> None:
    receipt = await edge.submit(one.sender, one.body)
    if receipt.refusal is None:
        accepted[number] = time.perf_counter()


async def waits(
    kind: str, address: str, bundle: Bundle, reports: Sequence[Submission], per_second: int
) -> Waits:
    """One run: open loop, so a slow city meets as many reports as a quick one."""
    clock = running_clock()
    async with store_in(kind, address, clock.wall) as store:
        city = build(bundle, clock, store)
        await city.publish()
        stopped = asyncio.Event()
        unit = Unit(store, bundle, len(reports))
        accepted: dict[int, float] = {}
        gc.freeze()
        running = asyncio.create_task(city.host.run(stopped.is_set))
        reading = asyncio.create_task(unit.run())
        started = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for number, one in enumerate(reports):
                if (early := started + number / per_second - time.perf_counter()) > 0:
                    await asyncio.sleep(early)
                group.create_task(_submit(city.edge, numbered(one, number), number, accepted))
        await asyncio.wait([reading], timeout=_PATIENCE_SECONDS)
        reading.cancel()
        stopped.set()
        await asyncio.gather(running, reading, return_exceptions=True)
    first = int(_WARM * len(reports))
    late = [
        unit.read[number] - at for number, at in accepted.items() if number >= first and number in unit.read
    ]
    return Waits(tuple(sorted(late)), len(reports) - len(unit.read))
