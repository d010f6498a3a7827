"""A question about a few rows among many walks through an index, also before anybody counted the rows."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text

from kernel.sql import bulk, log, reading
from kernel.sql.city import City, create_city
from kernel.sql.place import place_of
from kernel.sql.tables import timers

CITY = City(code="yx", name="云溪")
LOOKUPS = {
    "behind": (reading._BEHIND, (3, "s-77", 0)),
    "snapshot": (reading._SNAPSHOT, (3, "s-77", "fold")),
    "due": (reading._DUE, (3, 1, 1000)),
    "commands": (log._COMMANDS, (3, 500, 600)),
    "events": (log._EVENTS, (3, 500, 600)),
}
SERIES = {
    "journal": "n % 24, n / 24, 's-' || n, 1, 0, 0, 0, '', '', ''",
    "messages": "n % 24, n / 24, 'k', 0, '', ''",
    "timers": "n % 24, 's-' || n, 't', n, 'k', '', 'e'",
    "snapshots": "n % 24, 's-' || n, 'fold', n, ''",
}


def filled(connection: Connection) -> None:
    """Many rows of which the planner knows nothing."""
    for table, row in SERIES.items():
        connection.execute(text(f"alter table {table} set (autovacuum_enabled = false)"))
        connection.execute(text(f"insert into {table} select {row} from generate_series(1, 60000) n"))


def plan(connection: Connection, sql: str, parameters: tuple[Any, ...]) -> str:
    explain = "explain query plan " if bulk.is_sqlite(connection) else "explain "
    return "\n".join(str(row) for row in connection.exec_driver_sql(explain + sql, parameters))


@pytest.mark.parametrize("name", LOOKUPS)
async def test_sqlite_searches(tmp_path: Path, name: str) -> None:
    url = f"sqlite:///{tmp_path}/city.db"
    await create_city(url, CITY)
    lookup, row = LOOKUPS[name]
    sql = bulk._given_values(lookup.given, 1) + bulk._crossed(lookup)
    said = await place_of(url).run(lambda connection: plan(connection, sql, row))
    assert "SEARCH t USING" in said
    assert "SCAN t" not in said


async def test_postgresql_searches(postgres_url: str) -> None:
    await create_city(postgres_url, CITY)
    place = place_of(postgres_url)
    await place.run(filled)
    for name, (lookup, row) in LOOKUPS.items():
        given = tuple([value] * 24 for value in row)
        said = await place.run(lambda connection: plan(connection, bulk._lateral(lookup), given))  # noqa: B023
        assert "Seq Scan" not in said, name


async def test_postgresql_deletes_timers_by_their_index(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await create_city(postgres_url, CITY)
    place = place_of(postgres_url)
    await place.run(filled)
    seen: list[tuple[str, Any]] = []
    monkeypatch.setattr(
        bulk, "execute", lambda _, given, sql, rows: seen.append((bulk._given_arrays(given) + sql, rows))
    )
    keys = [(n % 24, f"s-{n}", "t") for n in range(1, 300)]
    await place.run(lambda connection: bulk.delete(connection, timers, keys))
    sql, rows = seen[0]
    said = await place.run(lambda connection: plan(connection, sql, bulk._arrays(rows)))
    assert "Seq Scan" not in said
