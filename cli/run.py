"""`gridcase run`: live a city from its bundle, with its people, in stepped city time."""

import asyncio
import time
from pathlib import Path
from typing import Annotated

import typer

from cli.assemble import forget_demonstration, found_city
from cli.outcome import Lived, print_outcome
from cli.output import console
from cli.plan import DAY, Day, Plan, Reports, Seed, ShowLive, Step, UntilDone, lived, planned
from cli.serve import serve
from cli.stage import OneProcess
from kernel import settings
from kernel.clock import SteppedClock


def run(
    city: Annotated[
        Path | None,
        typer.Option(
            help="A bundle (folder or workbook): found a demonstration and live its day; else --database."
        ),
    ] = None,
    reports: Reports = "2000",
    day: Day = DAY,
    seed: Seed = 7,
    step: Step = 1,
    database: Annotated[str, typer.Option(help="Where the city is kept; begun afresh.")] = "",
    until_done: UntilDone = False,
    live: ShowLive = True,
    as_json: Annotated[bool, typer.Option("--json", help="The outcome as one JSON object.")] = False,
) -> None:
    """Run a city until it is stopped; with --city, found a demonstration and live its day (过一天)."""
    if city is None:
        serve(settings.read(database_url=database or None), console.print)
        return
    plan = planned(city, reports, day, seed, step, until_done=until_done, live=live and not as_json)
    outcome = asyncio.run(_live(plan, database or f"sqlite:///.gridcase/{plan.bundle.city.code}.db"))
    print_outcome(outcome, as_json=as_json)


async def _live(plan: Plan, database: str) -> Lived:
    clock = SteppedClock(plan.start)
    await forget_demonstration(database)
    started = time.monotonic()
    async with found_city(database, plan.bundle, clock) as city:
        conductor, tally = await lived(plan, OneProcess(city.host, clock))
        return await Lived.of(plan.bundle, database, city, conductor, tally, time.monotonic() - started)
