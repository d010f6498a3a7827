"""Up, down and up again on both databases; what the migrations build is what the code believes."""

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect, text

from kernel.errors import DatabaseNewer, DatabaseOlder
from kernel.sql import migrate
from kernel.sql.city import City, create_city, downgrade_city, open_city, schema_of, upgrade_city
from kernel.sql.journal import SqlJournal
from kernel.sql.place import place_of
from kernel.sql.tables import metadata
from tests.contract.test_journal import move, record

T = TypeVar("T")


@pytest.fixture(params=["sqlite", "postgresql"])
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/city.db"
    else:
        yield request.getfixturevalue("postgres_url")


async def run(url: str, work: Callable[[Connection], T], *, create: bool = False) -> T:
    return await place_of(url).run(work, create=create)


def shape(connection: Connection) -> dict[str, Any]:
    """Tables, columns, keys and indexes, as the database itself reports them."""
    found = inspect(connection)
    return {
        name: (
            [(c["name"], str(c["type"]), c["nullable"]) for c in found.get_columns(name)],
            found.get_pk_constraint(name)["constrained_columns"],
            sorted(str(u["column_names"]) for u in found.get_unique_constraints(name)),
            sorted(
                (str(i["name"]), str(i["column_names"]), bool(i.get("dialect_options")))
                for i in found.get_indexes(name)
            ),
        )
        for name in found.get_table_names()
        if name != "alembic_version"
    }


def differences(connection: Connection) -> list[Any]:
    return compare_metadata(MigrationContext.configure(connection), metadata)


async def test_the_migrations_build_the_tables_that_the_code_declares(url: str, tmp_path: Path) -> None:
    await run(url, migrate.upgrade, create=True)
    assert await run(url, differences) == []
    built = await run(url, shape)
    await run(url, lambda connection: migrate.downgrade(connection, "base"))
    await run(url, metadata.create_all)
    assert await run(url, shape) == built


async def test_every_step_goes_up_down_and_up_again(url: str) -> None:
    shapes: list[Any] = []
    for step in migrate.REVISIONS:
        await run(url, partial(migrate.upgrade, to=step), create=True)
        shapes.append(await run(url, shape))
    for number in range(len(migrate.REVISIONS) - 1, 0, -1):
        await run(url, partial(migrate.downgrade, to=migrate.REVISIONS[number - 1]))
        assert await run(url, shape) == shapes[number - 1]
    await run(url, lambda connection: migrate.downgrade(connection, "base"))
    assert await run(url, shape) == {}
    await run(url, migrate.upgrade)
    assert await run(url, shape) == shapes[-1]


async def test_what_is_stored_stays_when_the_schema_is_that_of_this_release(url: str) -> None:
    await create_city(url, City(code="yx", name="云溪"))
    async with await open_city(url) as opened:
        journal = SqlJournal(opened.store, "router.case", delivers=True)
        await journal.commit([move((await journal.claim([0]))[0], records=[record(1), record(2)])])
    assert await upgrade_city(url) == migrate.REVISIONS[-1]
    async with await open_city(url) as opened:
        journal = SqlJournal(opened.store, "router.case", delivers=True)
        assert [row async for row in journal.records(0)] == [record(1), record(2)]


async def test_a_migration_that_fails_leaves_nothing_half_done(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = migrate.upgrade

    def fails(connection: Connection, to: str = "head") -> None:
        whole(connection, to)
        raise RuntimeError("the power is gone")

    monkeypatch.setattr(migrate, "upgrade", fails)
    with pytest.raises(RuntimeError):
        await create_city(url, City(code="yx", name="云溪"))
    monkeypatch.undo()
    assert (await create_city(url, City(code="yx", name="云溪"))).code == "yx"


async def test_the_schema_is_told_beside_that_of_this_release(url: str) -> None:
    await create_city(url, City(code="yx", name="云溪"))
    newest = migrate.REVISIONS[-1]
    assert await schema_of(url) == (newest, newest)


async def test_a_database_of_a_newer_release_is_refused_and_untouched(url: str) -> None:
    await create_city(url, City(code="yx", name="云溪"))
    await run(
        url, lambda connection: connection.execute(text("update alembic_version set version_num = '9999'"))
    )
    for opening in (
        open_city(url),
        upgrade_city(url),
        downgrade_city(url, "base"),
        create_city(url, City(code="yx", name="云溪")),
    ):
        with pytest.raises(DatabaseNewer, match="found 9999"):
            await opening
    assert (await schema_of(url))[0] == "9999"
    assert "journal" in await run(url, migrate.tables)


async def test_a_database_of_an_older_release_waits_for_its_upgrade(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await create_city(url, City(code="yx", name="云溪"))
    monkeypatch.setattr(migrate, "REVISIONS", (*migrate.REVISIONS, "0999"))
    with pytest.raises(DatabaseOlder, match="expected schema 0999"):
        await open_city(url)


async def test_the_schema_is_changed_by_nobody_while_the_city_runs(url: str) -> None:
    await create_city(url, City(code="yx", name="云溪"))
    async with await open_city(url):
        for change in (upgrade_city(url), downgrade_city(url, "base")):
            with pytest.raises(Exception, match="runs already"):
                await change
    await asyncio.sleep(0)
    assert await upgrade_city(url) == migrate.REVISIONS[-1]
