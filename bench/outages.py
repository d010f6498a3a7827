"""Workers that are killed, stay dead, or freeze: how long until every partition moves again."""

import asyncio
import signal
import time
from collections.abc import Sequence
from itertools import pairwise
from typing import Final, NamedTuple, Protocol

from bench.ground import PARTITIONS, Backlog, Ground
from bench.hop import Drip, written
from bench.racing import kill, ours, stop
from bench.truth import Truth, Verdict, by_case, read

PER_SECOND: Final = 5 * PARTITIONS
_MOST: Final = 120 * PER_SECOND
_STEADY_SECONDS: Final = 3.0
_SHARED_SECONDS: Final = 8.0
_AWAY_SECONDS: Final = 12.0
"""Longer than a session (6 s), and as long as is waited for the others to take over."""


_LAST_SECONDS: Final = 1.0
"""How long after a fault something may still come of what had left before."""

_NEVER_SECONDS: Final = 999.0
_QUIET_SECONDS: Final = 5.0


class Outages(NamedTuple):
    """Seconds until the last partition moved again, and the count at the end."""

    restarted: float
    dead: float
    frozen: float
    verdict: Verdict


async def outages(ground: Ground, backlog: Backlog) -> Outages:
    """Under a steady drip: killed and started again; killed for good beside another; then frozen."""
    await ground.found(backlog.bundle)
    runner = ours(ground, "faust")
    a = await runner.start("a")
    await written(ground, PARTITIONS)
    stopped, drip = asyncio.Event(), Drip(ground, backlog, _MOST, PER_SECOND)
    dripping = asyncio.create_task(drip.run(stopped))
    await asyncio.sleep(_STEADY_SECONDS)
    faults = [time.time()]
    await kill(a)
    a = await runner.start("a")
    await asyncio.sleep(_AWAY_SECONDS)
    b = await runner.start("b")
    await asyncio.sleep(_SHARED_SECONDS)
    faults.append(time.time())
    await kill(a)
    await asyncio.sleep(_AWAY_SECONDS)
    a = await runner.start("a")
    await asyncio.sleep(_SHARED_SECONDS)
    faults.append(time.time())
    a.send_signal(signal.SIGSTOP)
    await asyncio.sleep(_AWAY_SECONDS)
    a.send_signal(signal.SIGCONT)
    stopped.set()
    await dripping
    truth = await asyncio.to_thread(Truth, backlog)
    await written(ground, truth.events_of(drip.cases) + PARTITIONS, _QUIET_SECONDS)
    await asyncio.gather(stop(a), stop(b))
    records = await read(ground)
    restarted, dead, frozen = (stood_still(records, at) for at in faults)
    verdict = truth.judged(by_case(records), drip.sent)
    return Outages(restarted, dead, frozen, verdict)


class Stamped(Protocol):
    """As much of a record as is looked at; `timestamp` in milliseconds."""

    @property
    def partition(self) -> int: ...
    @property
    def timestamp(self) -> int: ...


def stood_still(records: Sequence[Stamped], at: float) -> float:
    """Seconds from `at` until the last partition wrote again: to the end of the pause that began then."""
    stamps: dict[int, list[float]] = {}
    for record in records:
        stamps.setdefault(record.partition, []).append(record.timestamp / 1000)
    ends: list[float] = []
    for moments in stamps.values():
        pauses = [
            (end - start, end) for start, end in pairwise(moments) if start < at + _LAST_SECONDS and at < end
        ]
        ends.append(max(pauses, default=(0.0, at + _NEVER_SECONDS))[1] - at)
    return max(ends, default=0.0)
