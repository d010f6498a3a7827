"""`gridcase db`: where the city lies, and the schema of its database."""

import asyncio
from typing import Annotated, Any

import typer

from cli.opening import look, url_of
from cli.options import AsJson, Database
from cli.output import emit, facts, table
from cli.reading import View
from kernel.journal import HeldKind
from kernel.settings import hide_password

app = typer.Typer(help="The city's database: its place, its schema, its soundness.", no_args_is_help=True)


@app.command("path")
def path(database: Database = None, as_json: AsJson = False) -> None:
    """Print which database is meant, and what it holds."""
    from kernel.sql.city import open_city, schema_of  # noqa: PLC0415 - only these commands need migrations

    async def found() -> dict[str, Any]:
        url = url_of(database)
        schema, newest = await schema_of(url)
        value: dict[str, Any] = {"database": hide_password(url), "schema": schema, "newest": newest}
        if schema == newest:
            async with await open_city(url, exclusive=False) as opened:
                city = opened.city
                value |= {
                    "city": city.code,
                    "name": city.name,
                    "partitions": city.partitions,
                    "clock": city.clock,
                }
                value |= {"speed": city.speed, "mark": city.mark}
        return value

    value = asyncio.run(found())
    emit(value, facts("", list(value.items())), as_json=as_json)


@app.command("upgrade")
def upgrade(
    to: Annotated[str, typer.Option(help="The schema to reach.")] = "head",
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Bring the database to the schema of this release. Make a backup first."""
    from kernel.sql.city import upgrade_city  # noqa: PLC0415 - only these commands need migrations

    _migrated(asyncio.run(upgrade_city(url_of(database), to)), as_json=as_json)


@app.command("downgrade")
def downgrade(
    to: Annotated[str, typer.Option(help="The schema to go back to, for example 0001.")],
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Go back to an older schema, for an older release; what only the newer one holds is lost."""
    from kernel.sql.city import downgrade_city  # noqa: PLC0415 - only these commands need migrations

    _migrated(asyncio.run(downgrade_city(url_of(database), to)), as_json=as_json)


@app.command("check")
def check(database: Database = None, as_json: AsJson = False) -> None:
    """Count rows, held messages and waiting timers, and read every journal from its first row to its last."""
    value, page = look(database, checked)
    emit(value, page, as_json=as_json)


async def checked(city: View) -> tuple[Any, Any]:
    """Every journal, for programs and for people: dense, and readable to its end."""
    found = [await _journal(city, name) for name in city.journals]
    columns = ("journal", "rows", "published up to", "holes", "dead 死信", "parked 挂起", "next timer")
    rows = [
        (
            one["journal"],
            one["rows"],
            one["published"],
            one["holes"],
            one["dead"],
            one["parked"],
            city.local(one["next_timer"]),
        )
        for one in found
    ]
    return found, table(
        f"{city.code}: {sum(one['rows'] for one in found):,} rows", columns, rows, right=(1, 2, 3, 4, 5)
    )


async def _journal(city: View, name: str) -> dict[str, Any]:
    journal = city.journals[name]
    rows, holes = 0, 0
    for partition in range(city.partitions):
        last = 0
        async for record in journal.records(partition):
            rows += 1
            holes += record.seq != last + 1
            last = record.seq
    claims = await journal.claim(range(city.partitions))
    kinds = [held.kind async for held in journal.held()]
    return {
        "journal": name,
        "rows": rows,
        "published": sum(claim.cursor.published for claim in claims),
        "holes": holes,
        "dead": kinds.count(HeldKind.DEAD),
        "parked": kinds.count(HeldKind.PARKED),
        "next_timer": await journal.next_due(),
    }


def _migrated(schema: str, *, as_json: bool) -> None:
    emit({"schema": schema}, f"the database is at schema {schema}", as_json=as_json)
