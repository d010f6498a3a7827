"""A watch over workers on the memory ports: what it says, when it is ready, what it ends for."""

import asyncio
import json
from collections.abc import Collection, Iterator, Mapping
from io import StringIO
from typing import Any

import pytest
import structlog

from kernel.hosts.attended import attended
from kernel.log import Target
from kernel.partition import partition_of
from kernel.stall import Patience
from kernel.telemetry import WORKER_STALLED, WORKER_WAITS, configure
from kernel.watching import Watch, WorkerStalled
from kernel.worker import Worker
from tests.unit.kernel.counting import COUNTING
from tests.unit.kernel.workbench import Workbench

PATIENCE = Patience(warn_seconds=60, end_seconds=120)
PARTITION = partition_of("a", 2)


class Town:
    """One worker that may be stuck, brokers and a database that may be away."""

    def __init__(self) -> None:
        self.bench = Workbench(COUNTING)
        self.worker = self.bench.worker(0, 1)
        self.now = 0.0
        self.away: set[str] = set()
        self.watch = Watch([self.worker], self.ends, self.ask, PATIENCE, lambda: self.now)

    async def ends(self, targets: Collection[Target]) -> Mapping[Target, int]:
        self._answer("topics")
        return {target: self.bench.broker.end(target) for target in targets}

    async def ask(self) -> None:
        self._answer("database")

    def _answer(self, port: str) -> None:
        if port in self.away:
            raise ConnectionError(port)

    async def later(self, seconds: float) -> None:
        self.now += seconds
        await self.watch.look()


@pytest.fixture
def town() -> Town:
    return Town()


@pytest.fixture
def lines() -> Iterator[StringIO]:
    stream = StringIO()
    configure("json", "info", stream)
    yield stream
    structlog.reset_defaults()


def logged(stream: StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


async def work(worker: Worker) -> None:
    while await worker.turn():
        pass


async def test_a_worker_that_takes_nothing_says_where_it_stands_and_ends(town: Town, lines: StringIO) -> None:
    await work(town.worker)
    town.bench.send("a")
    await town.later(5)
    await town.later(60)
    await town.later(30)
    (said,) = logged(lines)
    expected = {"processor": COUNTING.name, "topic": "registry.commands", "partition": PARTITION}
    expected |= {"cursor": 0, "position": 0, "end": 1, "seconds": 60, "event": WORKER_STALLED}
    assert expected.items() <= said.items()
    with pytest.raises(
        WorkerStalled, match=f"registry.commands/{PARTITION}.*offset 0.*ends at 1.*120 s"
    ) as end:
        await town.later(30)
    assert end.value.exit_code == 75


async def test_a_database_that_is_away_is_said_and_ends_nothing(town: Town, lines: StringIO) -> None:
    await work(town.worker)
    town.bench.send("a")
    town.away = {"database"}
    for _ in range(50):
        await town.later(5)
    (said,) = logged(lines)
    assert said["event"] == WORKER_WAITS
    assert said["reason"] == "no answer from the database (ConnectionError)"
    assert not town.watch.ready().good
    town.away.clear()
    await work(town.worker)
    await town.later(120)
    await town.later(120)
    assert len(logged(lines)) == 1


async def test_a_worker_whose_port_just_failed_has_an_excuse(town: Town, lines: StringIO) -> None:
    await work(town.worker)
    town.bench.send("a")
    town.worker.failures = 3
    await town.later(5)
    await town.later(600)
    (said,) = logged(lines)
    assert said["reason"] == "a port has failed 3 times in a row"


async def test_a_parked_stream_is_no_stall(town: Town, lines: StringIO) -> None:
    """What comes for it is held, and the cursor goes on."""
    town.bench.send("a", "bug")
    town.bench.send("a")
    await work(town.worker)
    assert town.worker.decider.tenures[PARTITION].parked == {"a": 2}
    for _ in range(3):
        await town.later(600)
    assert not logged(lines)


async def test_ready_is_who_holds_its_claims_and_was_answered_lately(town: Town) -> None:
    ready = town.watch.ready
    given, town.worker.log.own = town.worker.log.own, frozenset()  # pyright: ignore[reportAttributeAccessIssue]
    assert ready().words == "registry.rules was given no partitions yet"
    town.worker.log.own = given  # pyright: ignore[reportAttributeAccessIssue] - the memory log's
    assert ready().words == "registry.rules is still claiming 2 partitions"
    await work(town.worker)
    assert ready().words == "topics: no answer yet"
    await town.watch.look()
    assert ready().good
    town.away = {"topics"}
    await town.later(10)
    assert ready().good
    await town.later(6)
    assert ready().words == "topics: no answer for 16 s"


async def test_a_stall_ends_the_host_though_its_worker_hangs(town: Town) -> None:
    await work(town.worker)
    town.bench.send("a")
    await town.later(5)
    stop, hung = asyncio.Event(), asyncio.Event()

    async def hang() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            hung.set()

    town.now += 200
    with pytest.raises(WorkerStalled):
        await attended(hang(), town.watch, stop, finish_seconds=0.1)
    assert stop.is_set()
    assert hung.is_set()


async def test_batches_in_hand_are_finished_and_no_longer_waited_for(town: Town) -> None:
    stop, done = asyncio.Event(), list[str]()

    async def host(seconds: float) -> None:
        await stop.wait()
        await asyncio.sleep(seconds)
        done.append("finished")

    stop.set()
    await attended(host(0.01), town.watch, stop, finish_seconds=0.5)
    assert done == ["finished"]
    await attended(host(60), town.watch, stop, finish_seconds=0.1)
    assert done == ["finished"]


async def test_what_ends_the_host_is_raised(town: Town) -> None:
    async def host() -> None:
        raise LookupError

    with pytest.raises(LookupError):
        await attended(host(), town.watch, asyncio.Event())
