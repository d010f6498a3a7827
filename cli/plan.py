"""What a demonstration lives: a bundle, a day, its reports and people, and for how long."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from pathlib import Path
from typing import Annotated, Final, TypeAlias
from zoneinfo import ZoneInfo

import typer
from rich.live import Live

from cities.day import Arrival
from cities.day import reports as made_up
from cities.people import People
from cli.bundles import bundle_of
from cli.conductor import Conductor
from cli.live import board
from cli.output import console
from cli.sheets import read_arrivals
from cli.stage import Stage
from cli.tally import Tally
from rules.bundle import Bundle

_FRAMES_PER_SECOND: Final = 8
_PATIENCE: Final = timedelta(days=120)
"""How much city time `--until-done` gives a city to finish all its cases."""

DAY: Final = datetime(2026, 3, 10)  # noqa: DTZ001 - a date; typer gives dates as naive times
Reports: TypeAlias = Annotated[
    str,
    typer.Option(
        "--reports", help="How many reports to make up, or a CSV file with a mapping.yaml in the city."
    ),
]
Day: TypeAlias = Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="The day that is lived.")]
Seed: TypeAlias = Annotated[int, typer.Option(help="The seed of reports and people.")]
UntilDone: TypeAlias = Annotated[
    bool, typer.Option("--until-done", help="Go on until every case is written off or void.")
]
Step: TypeAlias = Annotated[
    int, typer.Option("--step", min=1, max=1440, help="Minutes of city time that are lived together.")
]
ShowLive: TypeAlias = Annotated[bool, typer.Option("--live/--no-live", help="The live view.")]


@dataclass(frozen=True, slots=True)
class Plan:
    """The bundle, the day, the seed of its people, the reports, how long, and in which steps."""

    bundle: Bundle
    day: date
    seed: int
    arrivals: Sequence[Arrival]
    step: timedelta
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


def planned(
    city: Path, reports: str, day: datetime, seed: int, step: int, *, until_done: bool, live: bool
) -> Plan:
    """The plan that the options name; a bundle with faults is refused."""
    bundle = bundle_of(city)
    if reports.isdigit():
        arrivals, lived = made_up(bundle, seed, int(reports), day=day.date()), day.date()
    else:
        arrivals = read_arrivals(city, Path(reports))
        lived = min((arrival.at for arrival in arrivals), default=day).date()
    return Plan(
        bundle, lived, seed, arrivals, timedelta(minutes=step), until_done, live and console.is_terminal
    )


async def lived(plan: Plan, stage: Stage) -> tuple[Conductor, Tally]:
    """Live the plan on a stage, with the live view where somebody watches."""
    tally = Tally(plan.bundle.city.centre)
    conductor = Conductor(stage, People(plan.bundle, plan.seed), plan.arrivals, tally.hears, plan.step)
    await _shown(plan, conductor, tally, lambda show: _until_over(plan, conductor, tally, show))
    return conductor, tally


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
    if not plan.live:
        await work(lambda: None)
        return
    with Live(console=console, refresh_per_second=_FRAMES_PER_SECOND, transient=True) as view:

        def show() -> None:
            came_in = conductor.receipts.get("accepted", 0)
            view.update(board(tally, plan.bundle, conductor.stage.now(), plan.zone, came_in))

        await work(show)
