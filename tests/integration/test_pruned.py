"""A running city forgets what has aged, and is the same city: it starts again, goes on and replays."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import func, select

from cli.assemble import LiveCity, open_city, publish_edition
from cli.mend import _republished as republished
from kernel.hosts import embedded
from kernel.hosts.embedded import Embedded
from kernel.processor import Sender
from kernel.settings import read as read_settings
from kernel.sql.city import City, create_city
from kernel.sql.tables import messages, targets
from schemas.envelope import Envelope
from schemas.report import GridReport, Position
from schemas.wire import TYPE_OF, encode
from services.router.processor import ROUTER_CASE
from tests.builders_city import MIDDLE, tiny_city
from tests.integration.lived import equal_for_all, read
from tests.postgres import PostgresServer

PARTITIONS = 2


class Ahead:
    """The machine's clock, so far ahead."""

    def __init__(self) -> None:
        self.by = timedelta()

    def wall(self) -> datetime:
        return datetime.now(UTC) + self.by

    def city(self, wall: datetime) -> datetime:
        return wall

    async def pause(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@asynccontextmanager
async def running(url: str, clock: Ahead) -> AsyncIterator[LiveCity]:
    """The city at work, as `gridcase run` lets it, looking for what may go all the time."""
    settings = read_settings({}, None, tick_seconds=0.01)
    async with open_city(url, exclusive=True, clock=clock, settings=settings) as city:
        city.host._prune_seconds = 0.02
        stop = asyncio.Event()
        work = asyncio.create_task(city.host.run(stop.is_set))
        try:
            yield city
        finally:
            stop.set()
            await work


async def report(city: LiveCity, name: str, area: str) -> None:
    lon, lat = MIDDLE[area]
    message = GridReport(channel="app", text="路边有流动摊贩", position=Position(lon_e7=lon, lat_e7=lat))
    time = city.clock.wall()
    envelope = Envelope(id=name, source="/app", type=TYPE_OF[GridReport], subject="", time=time, data=message)
    receipt = await city.edge.submit(Sender("source", "app"), encode(envelope))
    assert receipt.refusal is None


async def cases(city: LiveCity) -> int:
    found = {
        row.stream
        for partition in range(PARTITIONS)
        async for row in city.journals[ROUTER_CASE.name].records(partition)
    }
    return len([one for one in found if not one.startswith("_")])


async def stored(city: LiveCity, topic: str) -> list[int]:
    """How many records each partition of a topic still has."""
    query = (
        select(func.count())
        .select_from(messages.join(targets, targets.c.id == messages.c.target))
        .where(targets.c.topic == topic)
        .group_by(targets.c.id)
    )
    return list(await city.store.read(lambda connection: connection.execute(query).scalars().all()))


async def until(true: Callable[[], Any]) -> None:
    async with asyncio.timeout(20):
        for _ in range(1000):
            if await true():
                return
            await asyncio.sleep(0.02)


async def lives_on(url: str) -> None:
    clock = Ahead()
    await create_city(url, City(code="tiny", name="小城区", partitions=PARTITIONS))
    async with open_city(url, exclusive=True, clock=clock) as city:
        await publish_edition(city, tiny_city())
    async with running(url, clock) as city:
        for number in range(30):
            await report(city, f"r{number}", list(MIDDLE)[number % len(MIDDLE)])
        await until(lambda: _is(cases(city), 2))
        await until(lambda: _settled(city))
        before = await stored(city, "intake.reports")
        assert sum(before) == 30
        clock.by = timedelta(days=31)
        await until(lambda: _is(stored(city, "intake.reports"), [1] * len(before)))
    async with running(url, clock) as city:
        again = await cases(city)
        await report(city, "later", "G11")
        await until(lambda: _is(cases(city), again + 1))
        await until(lambda: _settled(city))
        assert equal_for_all(await read(city)) > 100
    assert await republished(url) == []


async def _is(found: Any, expected: Any) -> bool:
    value = await found
    return value >= expected if isinstance(expected, int) else sorted(value) == expected


async def _settled(city: LiveCity) -> bool:
    """Nothing is written for a while."""
    before = [worker.handled for worker in city.host.workers]
    await asyncio.sleep(0.3)
    return before == [worker.handled for worker in city.host.workers]


async def test_a_city_in_a_file_forgets_and_goes_on(tmp_path: Path) -> None:
    await lives_on(f"sqlite:///{tmp_path}/city.db")


async def test_a_city_in_postgresql_forgets_and_goes_on(
    own_postgres: Callable[..., PostgresServer],
) -> None:
    await lives_on(own_postgres().start().url())


async def test_a_step_that_fails_ends_nothing_and_is_tried_again() -> None:
    tried = 0

    async def failing() -> int:
        nonlocal tried
        tried += 1
        if tried == 2:
            raise OSError("the database is away")
        return tried % 2

    host = Embedded([Idle(lambda: tried > 4)], None, failing, 0.001)  # type: ignore[arg-type]
    async with asyncio.timeout(5):
        await host.run(lambda: tried > 4)
    assert tried > 4, "the pruning ended, and then the worker that waited for it"
    ended = tried
    await asyncio.sleep(0.02)
    assert tried == ended


async def test_a_log_that_cannot_be_written_does_not_end_it(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = 0

    async def failing() -> int:
        nonlocal tried
        tried += 1
        if tried % 2:
            raise OSError("the database is away")
        return 1

    def closed(*said: object, **facts: object) -> None:
        raise ValueError("I/O operation on closed file")

    monkeypatch.setattr(embedded, "logger", lambda: SimpleNamespace(warning=closed, info=closed))
    host = Embedded([Idle(lambda: tried > 4)], None, failing, 0.001)  # type: ignore[arg-type]
    async with asyncio.timeout(5):
        await host.run(lambda: tried > 4)
    assert tried > 4, "the pruning ended, and then the worker that waited for it"


class Idle:
    """A worker with nothing to do."""

    def __init__(self, over: Callable[[], bool]) -> None:
        self.decider = self
        self.processor = self
        self.name = "idle"
        self._over = over

    async def run(self, stopped: Callable[[], bool]) -> None:
        for _ in range(5000):
            if stopped():
                return
            await asyncio.sleep(0.001)
