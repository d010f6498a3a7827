"""A race: processes of one kind work a backlog off, and the events on the topic say how fast they were."""

import asyncio
import os
import resource
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bench.ground import PARTITIONS, Ground
from kernel.kafka.looking import Looker
from schemas.topics import CASE_EVENTS

ROOT: Final = Path(__file__).resolve().parents[1]
_LOOK_SECONDS: Final = 0.1
_START_SECONDS: Final = 90.0
_STALLED_SECONDS: Final = 20.0
_QUIET_SECONDS: Final = 1.0
_STOP_SECONDS: Final = 15.0
_FROM: Final = 0.2
_TO: Final = 0.95
"""The share of the events between which the speed is taken: all are at work then, and none is done."""

_TICKS: Final = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Runner:
    """Who runs: the words of one process for each slot, and what they need in the environment."""

    name: str
    words: Sequence[str]
    environ: dict[str, str] = field(default_factory=dict[str, str])
    slots: Sequence[str] = ("a",)

    async def start(self, slot: str, said: int = asyncio.subprocess.DEVNULL) -> asyncio.subprocess.Process:
        words = [word.replace("{slot}", slot) for word in self.words]
        environ = {**os.environ, **self.environ, "PYTHONPATH": str(ROOT)}
        return await asyncio.create_subprocess_exec(*words, cwd=ROOT, env=environ, stdout=said, stderr=said)


def ours(ground: Ground, delivery: str, slots: str = "a", service: str = "router") -> Runner:
    """`gridcase worker`, as an operator starts it; `light` is the worker of the light decision."""
    if service == "light":
        words = [sys.executable, "-m", "bench.light_worker", "{slot}"]
        return Runner(delivery, words, ground.environ(delivery), slots)
    words = [sys.executable, "-c", "from cli.main import app; app()", "worker", service, "--slot", "{slot}"]
    return Runner(delivery, words, ground.environ(delivery), slots)


def peer(ground: Ground, python: str, name: str, decision: str) -> Runner:
    words = [python, "-W", "ignore", "-m", f"bench.peers.{name}", ground.bootstrap, ground.prefix, decision]
    return Runner(name, words)


@dataclass(frozen=True, slots=True, kw_only=True)
class Race:
    """`events` a second, processor seconds of all its processes for each event, the largest of them in MiB,
    and seconds from their start to the first events. One that is not `whole` did not come to its end.
    """

    events: float
    processor: float
    resident: float
    moving: float
    whole: bool


class Tape:
    """Which sum of events was seen when, and what the processes had used by then."""

    def __init__(self, enough: int) -> None:
        self._enough = enough
        self._seen: list[tuple[int, float, float]] = []

    def note(self, events: int, used: float) -> None:
        self._seen.append((events, time.perf_counter(), used))

    @property
    def whole(self) -> bool:
        return bool(self._seen) and self._seen[-1][0] >= self._enough

    @property
    def stalled(self) -> bool:
        last, now, _ = self._seen[-1]
        since = next(at for events, at, _ in self._seen if events == last)
        return now - since > (_STALLED_SECONDS if last else _START_SECONDS)

    def moving(self) -> float:
        """Seconds from the first look to the first event."""
        begin = self._seen[0][1]
        return next((at - begin for events, at, _ in self._seen if events), 0.0)

    def speed(self) -> tuple[float, float]:
        """Events a second, and processor seconds for each."""
        last = next(seen for seen in self._seen if seen[0] >= _TO * self._enough)
        before = self._seen[: self._seen.index(last)]
        first = next((seen for seen in before if seen[0] >= _FROM * self._enough), before[-1])
        events, seconds, used = (last[place] - first[place] for place in range(3))
        return events / seconds, used / events


async def race(ground: Ground, runner: Runner, expected: int) -> Race:
    """Start all slots before a full topic, and wait until so many events are there or no more come."""
    looker = Looker(ground.cluster, "race")
    processes = [await runner.start(slot) for slot in runner.slots]
    tape = Tape(expected)
    try:
        while not tape.whole:
            tape.note(await events_of(looker), sum(used(one.pid) for one in processes))
            if tape.stalled or any(one.returncode is not None for one in processes):
                break
            await asyncio.sleep(_LOOK_SECONDS)
        await came(looker, 0, _QUIET_SECONDS)  # copies count too: the last events may still be on their way
        largest = max((resident(one.pid) for one in processes if one.returncode is None), default=0.0)
    finally:
        await asyncio.gather(*(stop(one) for one in processes), looker.close())
    events, processor = tape.speed() if tape.whole else (0.0, 0.0)
    return Race(events=events, processor=processor, resident=largest, moving=tape.moving(), whole=tape.whole)


async def came(looker: Looker, events: int, quiet_seconds: float) -> None:
    """Wait until so many events are on the topic and for a while no more come; but not for ever."""
    found, since, until = -1, 0.0, time.monotonic() + _START_SECONDS
    while time.monotonic() < until and (found < events or time.monotonic() - since < quiet_seconds):
        before, found = found, await events_of(looker)
        if found != before:
            since = time.monotonic()
        await asyncio.sleep(_LOOK_SECONDS)


async def events_of(looker: Looker, topic: str = CASE_EVENTS.name) -> int:
    """How many records a topic holds."""
    spans = await looker.spans([(topic, partition) for partition in range(PARTITIONS)])
    return sum(span.end for span in spans.values())


async def stop(process: asyncio.subprocess.Process) -> None:
    """In order, and else not."""
    if process.returncode is None:
        process.terminate()
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                await process.wait()
        except TimeoutError:
            await kill(process)


async def kill(process: asyncio.subprocess.Process) -> float:
    """`kill -9`; gives when."""
    process.send_signal(signal.SIGKILL)
    at = time.monotonic()
    await process.wait()
    return at


def used(pid: int) -> float:
    """Processor seconds of a process so far; of one that is gone, none."""
    try:
        facts = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(facts[11]) + int(facts[12])) / _TICKS


def resident(pid: int) -> float:
    """The resident set of a process in MiB; of one that is gone, nothing."""
    try:
        pages = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]
    except OSError:
        return 0.0
    return int(pages) * resource.getpagesize() / 2**20
