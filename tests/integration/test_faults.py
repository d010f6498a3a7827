"""Faults under load, each with an exact count at the end: nothing lost, nothing done twice (design §4.6)."""

import asyncio
import contextlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from kernel.errors import CityRunsAlready
from kernel.sql.city import open_city
from tests.e2e.gridcase import figures
from tests.integration.faults import record
from tests.integration.load import Load, counted, found
from tests.integration.proxy import CuttingProxy
from tests.postgres import PostgresServer

KILLS = [pytest.param(2, id="twice"), pytest.param(20, id="20-times", marks=pytest.mark.soak)]
REPORTS_PER_KILL = 130
CUTS = 4
"""How many COMMITs are lost before the server has them, and how many answers after."""


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    """A database's name and the URL of an empty one."""
    if request.param == "SQLite":
        return request.param, f"sqlite:///{tmp_path}/city.db"
    return request.param, request.getfixturevalue("postgres_url")


@pytest.mark.parametrize("times", KILLS)
async def test_a_city_that_is_killed_goes_on_where_it_was(place: tuple[str, str], times: int) -> None:
    name, url = place
    city, dice, seconds = await found(url), random.Random(times), list[float]()
    async with Load(url, REPORTS_PER_KILL * times) as load:
        for _ in range(times):
            await load.recovered(time.monotonic())
            await asyncio.sleep(dice.uniform(0.1, 2.0))
            seconds.append(await load.recovered(await load.kill()))
        await load.finish()
    assert load.ends == [-signal.SIGKILL] * times + [0]
    whole, (cases, _) = await counted(load, city)
    assert cases > REPORTS_PER_KILL
    record(f"kill -9, {name}", times, whole, seconds)


async def test_a_restart_of_postgresql_is_survived(own_postgres: Callable[..., PostgresServer]) -> None:
    server = own_postgres().start()
    city, seconds = await found(server.url()), list[float]()
    async with Load(server.url(), 2 * REPORTS_PER_KILL) as load:
        for how in (signal.SIGINT, signal.SIGQUIT):
            await load.recovered(time.monotonic())
            await asyncio.to_thread(server.stop, how)
            at = time.monotonic()
            await asyncio.to_thread(server.start)
            seconds.append(await load.recovered(at))
            await asyncio.sleep(1)
            with pytest.raises(CityRunsAlready):
                await open_city(server.url(), exclusive=True)
        await load.finish()
    assert load.ends == [0]
    whole, _ = await counted(load, city)
    record("PostgreSQL restarted", 2, whole, seconds)


async def test_connections_cut_in_the_middle_of_commit_are_doubt_and_no_loss(
    postgres_server: PostgresServer, postgres_url: str
) -> None:
    city = await found(postgres_url)
    async with CuttingProxy(postgres_server.port, every=5) as proxy:
        url = postgres_url.replace(f":{postgres_server.port}/", f":{proxy.own}/")
        async with Load(url, REPORTS_PER_KILL) as load:
            await load.recovered(time.monotonic())
            proxy.cutting = True
            await load.until(lambda: min(proxy.cuts.values()) >= CUTS)
            proxy.cutting = False
            seconds = [await load.recovered(time.monotonic())]
            await load.finish()
    whole, _ = await counted(load, city, postgres_url)
    record("connection cut in COMMIT", sum(proxy.cuts.values()), whole, seconds)


async def test_a_full_disk_is_waited_for_on_sqlite(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/city.db"
    city = await found(url)
    async with Load(url, REPORTS_PER_KILL, "24") as load:
        await load.until(lambda: load.refused > 20)
        last = load.works[-1]
        await asyncio.sleep(1)
        assert load.works[-1] == last, "something was written to a full disk"
        load.tell(signal.SIGUSR1)
        seconds = [await load.recovered(time.monotonic())]
        await load.finish()
    whole, _ = await counted(load, city)
    record("disk full, SQLite", 1, whole, seconds)


@pytest.mark.soak
async def test_a_disk_that_stays_full_ends_the_city_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRIDCASE_FAILURES_MOST", "8")
    url = f"sqlite:///{tmp_path}/city.db"
    city = await found(url)
    async with Load(url, REPORTS_PER_KILL, "60") as load:
        assert await load.ends_itself() == 1
        assert any("failed 8 times" in line and "full" in line for line in load.said), load.said[-5:]
        at = time.monotonic()
        await load.start("1000000")
        seconds = [await load.recovered(at)]
        await load.finish()
    whole, _ = await counted(load, city)
    record("disk full until it gave up", 1, whole, seconds)


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A file system of its own, where PostgreSQL's user may walk (`tmp_path` is for us alone)."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("a small tmpfs needs Linux and root")
    where = Path(tempfile.mkdtemp(prefix="gridcase-disk-"))
    said = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=72m,mode=755", "tmpfs", where],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if said.returncode:
        pytest.skip(f"a small tmpfs cannot be mounted here: {said.stderr.strip()}")
    try:
        yield where
    finally:
        with contextlib.suppress(OSError):
            subprocess.run(["umount", "-l", where], check=False)
            where.rmdir()


async def test_a_full_disk_is_waited_for_on_postgresql(
    own_postgres: Callable[..., PostgresServer], small_disk: Path
) -> None:
    server = own_postgres(
        place=small_disk, max_wal_size="32MB", min_wal_size="32MB", wal_recycle="off"
    ).start()
    city = await found(server.url())
    ballast = small_disk / "ballast"
    async with Load(server.url(), REPORTS_PER_KILL) as load:
        await load.recovered(time.monotonic())
        fill(ballast)
        await load.until(lambda: server.log.read_text("utf-8").count("No space left on device") > 20)
        await asyncio.sleep(1)
        ballast.unlink()
        at = time.monotonic()
        await asyncio.to_thread(server.restart, signal.SIGQUIT)
        seconds = [await load.recovered(at)]
        await load.finish()
    whole, _ = await counted(load, city)
    record("disk full, PostgreSQL", 1, whole, seconds)


def fill(ballast: Path) -> None:
    """Take all the space that is left."""
    with ballast.open("wb") as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(1 << 16))
            file.flush()


async def test_a_restored_backup_is_refused_until_somebody_accepts_what_is_lost(tmp_path: Path) -> None:
    path, backup = tmp_path / "city.db", tmp_path / "backup.db"
    url = f"sqlite:///{path}"
    city = await found(url)
    async with Load(url, REPORTS_PER_KILL) as load:
        await load.recovered(time.monotonic())
        copy(path, backup)
        await load.finish()
    restore(path, backup)
    async with Load(url, REPORTS_PER_KILL) as load:
        assert await load.ends_itself() == 1
        assert any("gridcase recover" in line for line in load.said), load.said
        told = await asyncio.to_thread(figures, tmp_path, "recover", "--database", url)
        assert told["rows_missing_since_the_backup"] > REPORTS_PER_KILL
        at = time.monotonic()
        await load.start()
        seconds = [await load.recovered(at)]
        await load.finish()
    whole, _ = await counted(load, city)
    record("restored from a backup", 1, whole, seconds)


def restore(path: Path, backup: Path) -> None:
    """The backup instead of the city's file, and nothing of its log."""
    for leftover in path.parent.glob(f"{path.name}-*"):
        leftover.unlink()
    backup.replace(path)


def copy(path: Path, backup: Path) -> None:
    """A backup of a running city, as an operator takes it."""
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(backup)) as target:
        source.backup(target)
