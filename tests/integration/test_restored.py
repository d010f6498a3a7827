"""A database restored from a backup is refused at start, and `gridcase recover` goes on from it."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from cli.assemble import found_city, open_city
from cli.mend import _recovered as recovered
from kernel.clock import SteppedClock
from kernel.errors import JournalRestored
from kernel.sql.city import accept_restored
from rules.bundle import Bundle
from tests.builders_city import tiny_city
from tests.postgres import PostgresServer
from tests.stories import START


async def _found(url: str, bundle: Bundle) -> None:
    async with found_city(url, bundle, SteppedClock(START)):
        pass


async def _open(url: str) -> int:
    async with open_city(url, exclusive=True) as city:
        return len(city.journals)


def _restore(backup: Path, path: Path) -> None:
    for leftover in path.parent.glob(f"{path.name}-*"):
        leftover.unlink()
    shutil.copy(backup, path)


async def test_an_older_file_is_refused_until_somebody_accepts_what_is_missing(tmp_path: Path) -> None:
    path, backup = tmp_path / "city.db", tmp_path / "backup.db"
    url = f"sqlite:///{path}"
    await _found(url, tiny_city())
    shutil.copy(path, backup)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("update journals set seq = seq + 7 where id = (select min(id) from journals)")
    await _open(url)
    _restore(backup, path)
    with pytest.raises(JournalRestored, match="gridcase recover"):
        await _open(url)
    found = await recovered(url)
    assert found["rows_missing_since_the_backup"] == 7
    assert await _open(url)


async def test_a_dump_read_into_another_database_is_refused(
    own_postgres: Callable[..., PostgresServer],
) -> None:
    server = own_postgres().start()
    server.execute("create database first")
    await _found(server.url("first"), tiny_city())
    server.execute("create database copied template first")
    with pytest.raises(JournalRestored, match="where it was founded"):
        await _open(server.url("copied"))
    assert await accept_restored(server.url("copied")) == 0
    assert await _open(server.url("copied"))
