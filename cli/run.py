"""`gridcase run`: live a city from its bundle, with its people, in stepped city time."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from pathlib import Path
from typing import Annotated, Final
from zoneinfo import ZoneInfo

import typer
from rich.live import Live

from cities.day import Arrival, reports
from cities.people import People
from cli.assemble import forget_demonstration, found_city
from cli.conductor import Conductor
from cli.live import board
from cli.outcome import Lived, print_outcome
from cli.output import BundleFaults, console
from cli.serve import serve
from cli.sheets import read_arrivals
from cli.tally import Tally
from kernel import settings
from kernel.clock import SteppedClock
from rules.bundle import Bundle
from rules.faults import Faults
from rules.folder import compile_folder

_FRAMES_PER_SECOND: Final = 8
_DAY: Final = datetime(2026, 3, 10)  # noqa: DTZ001 - a date; typer gives dates as naive times
_PATIENCE: Final = timedelta(days=120)
"""How much city time `--until-done` gives a city to finish all its cases."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is lived: the bundle, the day, the seed of its people, the reports, and how long."""

    bundle: Bundle
    day: date
    seed: int
    arrivals: Sequence[Arrival]
    until_done: bool
    live: bool

    @property
    def zone(self) -> tzinfo:
        """The city's zone."""
        return ZoneInfo(self.bundle.city.zone)

    @property
    def start(self) -> datetime:
        """When city time begins: midnight of the day, or shortly before the first report."""
        midnight = datetime.combine(self.day, time(), self.zone)
        return min([midnight, *(arrival.at for arrival in self.arrivals)])


def run(
    city: Annotated[
        Path | None,
        typer.Option(
            help="A bundle folder: found a demonstration city and live its day; else the city of --database."
        ),
    ] = None,
    reports: Annotated[
        str,
        typer.Option(
            "--reports", help="How many reports to make up, or a CSV file with a mapping.yaml in the city."
        ),
    ] = "2000",
    day: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="The day that is lived.")] = _DAY,
    seed: Annotated[int, typer.Option(help="The seed of reports and people.")] = 7,
    database: Annotated[str, typer.Option(help="Where the city is kept; begun afresh.")] = "",
    until_done: Annotated[
        bool, typer.Option("--until-done", help="Go on until every case is written off or void.")
    ] = False,
    live: Annotated[bool, typer.Option("--live/--no-live", help="The live view.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="The outcome as one JSON object.")] = False,
) -> None:
    """Run a city until it is stopped; with --city, found a demonstration and live its day (过一天)."""
    if city is None:
        serve(settings.read(database_url=database or None), console.print)
        return
    bundle = compile_folder(city)
    if isinstance(bundle, Faults):
        raise BundleFaults(city, bundle)
    made_up = read_arrivals(city, Path(reports)) if not reports.isdigit() else None
    arrivals = made_up if made_up is not None else _day(bundle, seed, int(reports), day.date())
    first = min((arrival.at for arrival in arrivals), default=None)
    lived_day = day.date() if made_up is None or first is None else first.date()
    plan = Plan(bundle, lived_day, seed, arrivals, until_done, live and not as_json and console.is_terminal)
    lived = asyncio.run(_live(plan, database or f"sqlite:///.gridcase/{bundle.city.code}.db"))
    print_outcome(lived, as_json=as_json)


def _day(bundle: Bundle, seed: int, count: int, day: date) -> Sequence[Arrival]:
    return reports(bundle, seed, count, day=day)


async def _live(plan: Plan, database: str) -> Lived:
    clock = SteppedClock(plan.start)
    await forget_demonstration(database)
    tally = Tally(plan.bundle.city.centre)
    people = People(plan.bundle, plan.seed)
    started = asyncio.get_running_loop().time()
    async with found_city(database, plan.bundle, clock) as city:
        conductor = Conductor(city, clock, people, plan.arrivals, tally.hears)
        await _shown(plan, conductor, tally, lambda show: _until_over(plan, conductor, tally, show))
        return await Lived.of(
            plan.bundle, database, city, conductor, tally, asyncio.get_running_loop().time() - started
        )


async def _until_over(plan: Plan, conductor: Conductor, tally: Tally, show: Callable[[], None]) -> None:
    end = plan.start + timedelta(days=1)
    while await conductor.advance(end):
        show()
    limit = max(end, max((arrival.at for arrival in plan.arrivals), default=end)) + _PATIENCE
    while plan.until_done and not (conductor.arrived and tally.over()):
        if not await conductor.advance(limit):
            break
        show()


async def _shown(
    plan: Plan, conductor: Conductor, tally: Tally, work: Callable[[Callable[[], None]], Awaitable[None]]
) -> None:
    """Do the work, with the live view where somebody watches."""
    if not plan.live:
        await work(lambda: None)
        return
    with Live(console=console, refresh_per_second=_FRAMES_PER_SECOND, transient=True) as view:

        def show() -> None:
            came_in = conductor.receipts.get("accepted", 0)
            view.update(board(tally, plan.bundle, conductor.clock.wall(), plan.zone, came_in))

        await work(show)
