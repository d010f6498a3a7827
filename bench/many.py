"""1,000,000 streams and 3,000,000 timers: what a city costs that has lived for years."""

import asyncio
import json
import subprocess
import sys
import time
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import accumulate
from pathlib import Path
from random import Random
from statistics import median
from typing import Any, Final, NamedTuple

from bench.citywide import PARTITIONS, TEN_OCLOCK, BenchCity, bench_bundle, build, running_clock
from bench.path import until_quiet
from bench.stores import store_in
from cli.topology import PROCESSORS
from kernel.journal import Cause, Cursor, Move, Record, StoredTimer, Via
from kernel.log import Headers, Outgoing
from kernel.partition import partition_of
from kernel.processor import Sender
from kernel.sql.journal import SqlJournal
from schemas.case.opening import AttachReport, CaseOpened
from schemas.case.states import State
from schemas.envelope import Envelope, event_id
from schemas.intake import ReadReport
from schemas.sla import ClockRang
from schemas.topics import CASE_COMMANDS
from schemas.wire import TYPE_OF, encode, encode_data
from services.registry.rules.processor import REGISTRY_RULES
from services.router.processor import ROUTER_CASE

CACHE: Final = 100_000
ZIPF: Final = 1.1
_PAGE: Final = 20_000
_CALM_SECONDS: Final = 20.0
"""After so long workers have come to look more rarely."""
_IDLE_SECONDS: Final = 5.0
_SENDER: Final = Sender("processor", "intake.desk")


class Crowd(NamedTuple):
    """What the process that was measured said of itself."""

    per_second: float
    rss_mib: float
    start_seconds: float
    idle_percent: float


def name_of(number: int) -> str:
    return f"20260301-SQ{1 + number % 8:02}-{number:07}"


def streams_of(count: int) -> dict[int, list[str]]:
    """The names of `count` cases by partition."""
    found: dict[int, list[str]] = {number: [] for number in range(PARTITIONS)}
    for number in range(count):
        name = name_of(number)
        found[partition_of(name, PARTITIONS)].append(name)
    return found


def keys_of(count: int, draws: int, exponent: float, seed: int = 1) -> list[int]:
    """Numbers of streams, drawn by Zipf's law, or evenly with the exponent 0; the ranks are shuffled."""
    dice = Random(seed)
    weights = list(accumulate(rank**-exponent for rank in range(1, count + 1)))
    ranks = [bisect_left(weights, dice.random() * weights[-1]) for _ in range(draws)]
    order = list(range(count))
    dice.shuffle(order)
    return [order[rank] for rank in ranks]


def _opened(report: ReadReport, name: str, area: str) -> CaseOpened:
    return CaseOpened(
        case=name,
        desk=area,
        area=area,
        matter=report.matter,
        matter_name="",
        report=report,
        historic=False,
        at=TEN_OCLOCK,
        state=State.RECEIVED,
    )


async def fill(store: Any, report: ReadReport, count: int) -> None:
    """`count` opened cases, a page for each transaction."""
    journal = SqlJournal(store, "router.case", delivers=True)
    cause = Cause(Via.MESSAGE, "bench", TEN_OCLOCK, _SENDER, CASE_COMMANDS.name, 0, "intake.desk/0", 1)
    for partition, names in streams_of(count).items():
        before = b""
        for start in range(0, len(names), _PAGE):
            rows = list(_rows(report, partition, names[start : start + _PAGE], start, cause))
            token = f"{partition}/{start}".encode()
            cursor = Cursor(
                partition=partition, token=token, seq=start + len(rows), published=start + len(rows)
            )
            await journal.commit([Move(before=before, cursor=cursor, records=rows)])
            before = token


def _rows(
    report: ReadReport, partition: int, names: Sequence[str], start: int, cause: Cause
) -> Iterator[Record]:
    for seq, name in enumerate(names, start + 1):
        event = Envelope(
            id=event_id(name, 1),
            source="/gridcase/bench/router.case",
            type=TYPE_OF[CaseOpened],
            subject=name,
            time=TEN_OCLOCK,
            data=_opened(report, name, "SQ01"),
        )
        yield Record(partition, seq, name, 1, encode(event), cause, TEN_OCLOCK, 0)


async def send(city: BenchCity, report: ReadReport, keys: Sequence[int], origin: str) -> None:
    """One more report for each of these cases, in the topic of router.case."""
    batches: dict[tuple[str, int], list[Outgoing]] = {}
    command = AttachReport(desk="SQ01", report=report)
    for number in keys:
        name = name_of(number)
        partition = partition_of(name, PARTITIONS)
        batch = batches.setdefault((CASE_COMMANDS.name, partition), [])
        k = len(batch) + 1
        event = Envelope(
            id=f"{origin}/{partition}/{k}~1",
            source="/gridcase/bench/intake.desk",
            type=TYPE_OF[AttachReport],
            subject=name,
            time=TEN_OCLOCK,
            data=command,
        )
        headers = Headers(f"intake.desk/{origin}", k, 1, "", _SENDER)
        batch.append(Outgoing(CASE_COMMANDS.name, partition, k, 0, name, headers, encode(event)))
    await city.worker("router.case").log.publish(batches)


async def set_timers(store: Any, count: int) -> SqlJournal:
    """`count` timers of sla.clock, all due in a month or later."""
    journal = SqlJournal(store, "sla.clock", delivers=True)
    body = encode_data(ClockRang(clock="case", run=1, step="due"))
    for partition, names in streams_of(count).items():
        before = b""
        for start in range(0, len(names), _PAGE):
            timers = [
                StoredTimer(
                    partition, name, "case", TEN_OCLOCK + timedelta(days=30, seconds=number),
                    TYPE_OF[ClockRang], body, f"{name}/1",
                )
                for number, name in enumerate(names[start : start + _PAGE])
            ]  # fmt: skip
            token = f"{partition}/{start}".encode()
            await journal.commit(
                [Move(before=before, cursor=Cursor(partition=partition, token=token), timers=timers)]
            )
            before = token
    return journal


async def quiet_tick(journal: SqlJournal, rounds: int = 200) -> tuple[float, float]:
    """Milliseconds of asking all partitions for what is due, when nothing is: median and 99 of 100."""
    until = dict.fromkeys(range(PARTITIONS), TEN_OCLOCK)
    seconds: list[float] = []
    for _ in range(rounds):
        started = time.perf_counter()
        due = await journal.due(until, 1000)
        seconds.append(time.perf_counter() - started)
        assert not due
    seconds.sort()
    return 1000 * median(seconds), 1000 * seconds[int(0.99 * len(seconds))]


def measured(kind: str, address: str, processors: str, commands: int) -> Crowd:
    """A process of its own opens the city, works off what waits, rests, and says what it used."""
    words = [sys.executable, "-m", "bench.many", kind, address, processors, str(commands), str(time.time())]
    said = subprocess.run(words, capture_output=True, text=True, check=False)
    if said.returncode:
        raise RuntimeError(said.stderr[-2000:])
    return Crowd(**json.loads(said.stdout.splitlines()[-1]))


async def live(kind: str, address: str, processors: str, commands: int, born: float) -> Crowd:
    """What the child does."""
    clock = running_clock()
    async with store_in(kind, address, clock.wall) as store:
        some = PROCESSORS if processors == "all" else (REGISTRY_RULES, ROUTER_CASE)
        city = build(bench_bundle(), clock, store, processors=some, states=CACHE)
        city.editions.number = 1
        watching = asyncio.create_task(_claimed(city, born))
        seconds, rows = await until_quiet(city, None, commands)
        start = await watching
        idle = await _resting(city)
    return Crowd(rows / seconds if seconds else 0.0, _most_mib(), start, idle)


def _most_mib() -> float:
    """The largest resident set since this program began; `ru_maxrss` would count that of the parent."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


async def _claimed(city: BenchCity, born: float) -> float:
    """Seconds from the birth of the process until every worker owns its partitions."""
    workers = city.host.workers
    while any(len(one.decider.tenures) < PARTITIONS for one in workers):  # noqa: ASYNC110 - a look from outside
        await asyncio.sleep(0.005)
    return time.time() - born


async def _resting(city: BenchCity) -> float:
    """Per cent of one core that a city takes which has nothing to do."""
    stopped = asyncio.Event()
    running = asyncio.create_task(city.host.run(stopped.is_set))
    await asyncio.sleep(_CALM_SECONDS)
    used, since = time.process_time(), time.perf_counter()
    await asyncio.sleep(_IDLE_SECONDS)
    percent = 100 * (time.process_time() - used) / (time.perf_counter() - since)
    stopped.set()
    await running
    return percent


if __name__ == "__main__":
    kind_, address_, processors_, commands_, born_ = sys.argv[1:]
    print(json.dumps(asyncio.run(live(kind_, address_, processors_, int(commands_), float(born_)))._asdict()))
