"""A database that sorts by the rules of a language takes the same timers as one that sorts by code point."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from kernel.sql import postgres
from kernel.sql.journal import SqlJournal
from tests.contract.stores import START, Hands, postgres_store
from tests.contract.test_journal import move, timer

DUE = START + timedelta(hours=1)
NAMES = ("a", "B", "c", "D", "_", "é", "中")


@pytest.fixture
async def english(postgres_url: str) -> AsyncIterator[str]:
    """The address of a database whose text is sorted as in English: a B c D, not B D a c."""
    engine = postgres.engine_of(postgres_url).execution_options(isolation_level="AUTOCOMMIT")
    name = f"{postgres_url.rpartition('/')[2].partition('?')[0]}_english"
    create = f"create database {name} template template0 locale_provider icu icu_locale 'en-US'"
    try:
        async with engine.connect() as connection:
            try:
                await connection.execute(text(create))
            except DBAPIError as error:
                pytest.skip(f"this PostgreSQL has no ICU: {error.orig}")
        yield str(engine.url.set(database=name).render_as_string(hide_password=False))
        async with engine.connect() as connection:
            await connection.execute(text(f"drop database {name} with (force)"))
    finally:
        await engine.dispose()


async def test_due_timers_are_cut_by_code_point(english: str) -> None:
    async with postgres_store(english, Hands()) as store:
        journal = SqlJournal(store, "router.case", delivers=True)
        claim = (await journal.claim([0]))[0]
        await journal.commit([move(claim, timers=[timer(name, DUE, stream=name) for name in NAMES])])
        for most in range(1, len(NAMES) + 1):
            found = await journal.due({0: DUE}, most)
            assert [one.stream for one in found] == sorted(NAMES)[:most]


async def test_columns_and_index_of_timers_go_by_code_point(postgres_url: str) -> None:
    """What can be seen on a server without any language: what the database itself says of them."""
    asked = text(
        "select relname, attname, collname from pg_attribute join pg_class on pg_class.oid = attrelid "
        "join pg_collation on pg_collation.oid = attcollation "
        "where relname in ('timers', 'timers_due', 'timers_pkey') and attname in ('stream', 'name')"
    )
    async with postgres_store(postgres_url, Hands()) as store:
        found = await store.read(lambda connection: list(connection.execute(asked)))
    assert len(found) == 6
    assert {row.collname for row in found} == {"C"}
