"""`gridcase up`: a whole city on Kafka on this machine, a process for each service."""

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from cli.opening import url_of
from cli.options import AsJson, Database
from cli.outcome import Lived, print_outcome
from cli.output import console
from cli.plan import DAY, Day, Plan, Reports, Seed, ShowLive, Step, UntilDone, lived, planned
from cli.processes import Processes
from cli.worker import SERVICES
from kernel import settings
from kernel.edge import EDGE
from kernel.settings import hide_password

if TYPE_CHECKING:
    from cli.assemble import MemberCity
    from cli.distant import DistantStage

_STEPPED: Final = {"GRIDCASE_TICK_SECONDS": "0.05"}
"""A stepped city waits for its workers to have looked at their timers, at every step."""


def up(
    kafka: Annotated[bool, typer.Option("--kafka", help="On the brokers of GRIDCASE_KAFKA_BOOTSTRAP.")],
    slot: Annotated[str, typer.Option(help="Name of this machine among those of the city.")] = "up",
    database: Database = None,
    city: Annotated[
        Path | None,
        typer.Option(help="A bundle folder: found a demonstration city, live its day and stop."),
    ] = None,
    reports: Reports = "2000",
    day: Day = DAY,
    seed: Seed = 7,
    step: Step = 5,
    until_done: UntilDone = False,
    live: ShowLive = True,
    as_json: AsJson = False,
) -> None:
    """Run every service of a city on Kafka as a process of its own, until stopped (起整座城)."""
    if not kafka:
        raise typer.BadParameter("a city in one process is run by: gridcase run", param_hint="--kafka")
    url = url_of(database)
    if city is None:
        raise typer.Exit(asyncio.run(_up(url, slot)))
    plan = planned(city, reports, day, seed, step, until_done=until_done, live=live and not as_json)
    print_outcome(asyncio.run(_live(plan, url, slot)), as_json=as_json)


async def _up(url: str, slot: str) -> int:
    """Say once, instead of once for each service, what keeps the city from running."""
    from cli.fit import refuse_unfit  # noqa: PLC0415 - needs the extra kafka

    await refuse_unfit(settings.read(database_url=url), slot)
    return await Processes(url, slot).run()


async def _live(plan: Plan, url: str, slot: str) -> Lived:
    """Found a demonstration, let every service work in a process of its own, and live the plan.

    The edge is here, for whoever brings reports and commands is here.
    """
    from cli.distant import DistantStage, founded_stepped  # noqa: PLC0415 - needs the extra kafka
    from cli.member import open_member  # noqa: PLC0415 - as above

    given = settings.read(database_url=url)
    await founded_stepped(plan, given)
    said = Path(".gridcase") / f"{plan.bundle.city.code}-workers.log"
    said.parent.mkdir(exist_ok=True)
    inner = [service for service in SERVICES if service != EDGE]
    services = Processes(url, slot, inner, said, _STEPPED)
    async with open_member(given, "conductor", processors=(), instance=0) as member:
        stage = DistantStage(member)
        working = asyncio.create_task(services.run())
        living = asyncio.create_task(_lived(plan, stage, member, given.database_url))
        await asyncio.wait([living, working], return_when=asyncio.FIRST_COMPLETED)
        services.stop.set()
        living.cancel()
        code = await working
        if living.cancelled() or (code and not living.done()):
            console.print(f"stopped before the plan was lived; what the services said is in {said}")
            raise typer.Exit(code or 1)
        return await living


async def _lived(plan: Plan, stage: "DistantStage", member: "MemberCity", url: str) -> Lived:
    await stage.settle()  # the services have come up and know the rules
    started = time.monotonic()
    conductor, tally = await lived(plan, stage)
    seconds = time.monotonic() - started
    return await Lived.of(plan.bundle, hide_password(url), member, conductor, tally, seconds)
