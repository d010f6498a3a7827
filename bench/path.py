"""The whole path: report → case assigned, clocks set, notice on the unit's topic; and router.case alone."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection

from bench.citywide import PARTITIONS, TEN_OCLOCK, BenchCity, build, memory_city, running_clock
from bench.stores import store_in
from cli.topology import PROCESSORS
from kernel.clock import Clock, SteppedClock
from kernel.edge import Submission
from kernel.log import Message, Outgoing
from kernel.pace import Pace
from kernel.sql import bulk
from kernel.sql.commit import append
from kernel.sql.counters import TARGETS, lock
from kernel.sql.tables import micros
from rules.bundle import Bundle
from schemas.topics import CASE_COMMANDS
from services.registry.rules.processor import REGISTRY_RULES
from services.router.processor import ROUTER_CASE

_EDGE_CHUNK: Final = 500
_LOOK_SECONDS: Final = 0.01
_QUIET_LOOKS: Final = 100
_PACE: Final = Pace(margin_seconds=0, tick_seconds=0.05)
"""A worker on a stepped clock must still give way when it has nothing to do."""


class Passage(NamedTuple):
    """What one run gave: inputs, seconds, messages handled, rows, and copies on the units' topics."""

    inputs: int
    seconds: float
    handled: int
    rows: int
    copies: int

    @property
    def per_second(self) -> float:
        return self.inputs / self.seconds

    @property
    def handled_per_second(self) -> float:
        return self.handled / self.seconds


def rows_of(city: BenchCity) -> int:
    return sum(worker.handled for worker in city.host.workers)


async def until_quiet(
    city: BenchCity, submit: Callable[[], Coroutine[Any, Any, None]] | None, enough: int
) -> tuple[float, int]:
    """Run all workers until `enough` rows are there and no more come; seconds to the last row, and rows."""
    stopped = asyncio.Event()
    before = rows = rows_of(city)
    started = last = time.perf_counter()
    running = asyncio.create_task(city.host.run(stopped.is_set))
    submitting = asyncio.create_task(submit()) if submit else None
    quiet = 0
    while (quiet < _QUIET_LOOKS or rows - before < enough) and not running.done():
        await asyncio.sleep(_LOOK_SECONDS)
        quiet += 1
        if (now := rows_of(city)) != rows:
            rows, last, quiet = now, time.perf_counter(), 0
    stopped.set()
    await running
    if submitting is not None:
        await submitting
    return last - started, rows - before


async def whole_path(kind: str, address: str, bundle: Bundle, submissions: Sequence[Submission]) -> Passage:
    """Everything at once through the edge into an empty city, until nothing is left to do."""
    clock = running_clock()
    async with store_in(kind, address, clock.wall) as store:
        city = build(bundle, clock, store)
        await city.publish()
        taken = await city.taken()

        async def submit() -> None:
            for start in range(0, len(submissions), _EDGE_CHUNK):
                await city.edge.accept(submissions[start : start + _EDGE_CHUNK])

        seconds, rows = await until_quiet(city, submit, 10 * len(submissions))
        copies = sum(head.end for (name, _), head in store.heads.known.items() if name.startswith("unit."))
        return Passage(len(submissions), seconds, await city.taken() - taken, rows, copies)


async def commands_of(bundle: Bundle, submissions: Sequence[Submission]) -> list[Message]:
    """What the desk sends to router.case for these reports."""
    city = memory_city(bundle, PROCESSORS[:3])
    await city.publish()
    for start in range(0, len(submissions), _EDGE_CHUNK):
        await city.edge.accept(submissions[start : start + _EDGE_CHUNK])
    await city.host.settle()
    records = city.broker.records
    return [
        record for number in range(PARTITIONS) for record in records.get((CASE_COMMANDS.name, number), ())
    ]


async def router_alone(
    kind: str, address: str, bundle: Bundle, commands: Sequence[Message], *, until: datetime | None = None
) -> Passage:
    """Commands from a filled topic → decided → rows: nothing else runs.

    With `until` the commands keep the times at which they were sent, and the clock stands behind the last.
    """
    clock: Clock = running_clock() if until is None else SteppedClock(TEN_OCLOCK)
    async with store_in(kind, address, clock.wall) as store:
        city = build(bundle, clock, store, pace=_PACE, processors=(REGISTRY_RULES, ROUTER_CASE))
        await city.publish()
        if isinstance(clock, SteppedClock) and until is not None:
            await _fill_as_recorded(store, commands)
            clock.step(until)
        else:
            await city.worker("router.case").log.publish(_batches(commands))
        taken = await city.taken()
        seconds, rows = await until_quiet(city, None, len(commands))
        return Passage(len(commands), seconds, await city.taken() - taken, rows, 0)


async def _fill_as_recorded(store: Any, commands: Sequence[Message]) -> None:
    """All commands in one transaction, each step of the clock with its own stamp."""
    steps = [(at, _batches(list(some))) for at, some in groupby(commands, key=lambda one: one.appended)]

    def work(connection: Connection) -> dict[Any, Any]:
        heads: dict[Any, Any] = {}
        for at, batches in steps:
            writes = bulk.Writes(connection)
            heads |= append(writes, lock(connection, TARGETS, batches), batches, micros(at), {})
            writes.flush()
        return heads

    store.heads.raise_to(await store.write(work))


def _batches(commands: Sequence[Message]) -> dict[tuple[str, int], list[Outgoing]]:
    batches: dict[tuple[str, int], list[Outgoing]] = {}
    for one in commands:
        batches.setdefault((one.topic, one.partition), []).append(
            Outgoing(one.topic, one.partition, one.headers.k, 0, one.key, one.headers, one.body)
        )
    return batches
