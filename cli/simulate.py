"""`gridcase simulate`: a city of several workers with faults at every port, reproducible from one number."""

from pathlib import Path
from typing import Annotated, Any, ClassVar

import typer
from rich.text import Text

from cli.bundles import bundle_of
from cli.options import AsJson, one_of
from cli.output import Exit, NotThere, bar, emit, table
from cli.simulation import plan
from kernel.errors import Fault
from kernel.hosts.simulator.run import Outcome, run_seed
from kernel.hosts.simulator.world import PROFILES

_TRACE_LINES = 60


class SeedBroken(Fault):
    """Seed {seed} ({profile}) broke a rule: expected all of design.md §4 to hold, found: {broken}. Do:
    gridcase simulate --seed {seed} --steps {steps} --profile {profile} --trace.
    """

    exit_code: ClassVar[int] = Exit.DIFFERENT


def simulate(
    seed: Annotated[int, typer.Option(help="The first seed.")] = 1,
    seeds: Annotated[int, typer.Option(min=1, help="How many seeds, one after the other.")] = 1,
    steps: Annotated[
        int, typer.Option(min=1, help="Steps with faults, before the city comes to rest.")
    ] = 4000,
    profile: Annotated[
        str, typer.Option(help="calm, chaos or quiet.", autocompletion=one_of(PROFILES))
    ] = "chaos",
    trace: Annotated[
        bool, typer.Option("--trace", help="Print what happened, the last lines of it.")
    ] = False,
    city: Annotated[Path, typer.Option(help="The bundle of the city: a folder or an Excel workbook.")] = Path(
        "cities/demo"
    ),
    as_json: AsJson = False,
) -> None:
    """Simulate (推演) crashes, lost answers, repeats, rebalances; ends at the first broken seed."""
    if profile not in PROFILES:
        raise NotThere(what=f"profile {profile}", do=f"take one of {', '.join(PROFILES)}")
    bundle = bundle_of(city)
    planned = plan(bundle)
    outcomes: list[Outcome] = []
    with bar(hidden=as_json) as progress:
        task = progress.add_task("seeds 种子", total=seeds)
        for number in range(seed, seed + seeds):
            outcomes.append(run_seed(planned, number, PROFILES[profile], steps, traced=trace))
            progress.advance(task)
            if outcomes[-1].broken:
                break
    last = outcomes[-1]
    lines = [Text(line, style="dim") for line in last.trace[-_TRACE_LINES:]] if trace else []
    emit([_value(one) for one in outcomes], *lines, _page(outcomes), as_json=as_json)
    if last.broken:
        raise SeedBroken(seed=last.seed, profile=last.profile, steps=steps, broken=last.broken)


def _page(outcomes: list[Outcome]) -> Any:
    kinds = sorted({kind for one in outcomes for kind in one.counts})
    rows: list[tuple[str, str]] = [
        ("seeds 种子", f"{outcomes[0].seed} to {outcomes[-1].seed}, {outcomes[0].profile}"),
        ("inputs decided", f"{sum(one.handled for one in outcomes):,}"),
        ("steps", f"{sum(one.steps for one in outcomes):,}"),
        *((f"  {kind}", f"{sum(one.counts.get(kind, 0) for one in outcomes):,}") for kind in kinds),
        ("broken", next((one.broken for one in outcomes if one.broken), "none")),
    ]
    return table("simulated city 推演", ("what", "how many"), rows)


def _value(outcome: Outcome) -> dict[str, Any]:
    return {
        "seed": outcome.seed, "profile": outcome.profile, "handled": outcome.handled, "steps": outcome.steps,
        "faults": outcome.counts, "broken": outcome.broken,
    }  # fmt: skip
