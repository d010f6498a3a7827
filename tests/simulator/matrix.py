"""Each rule of design.md §3 switched off in turn: which seed finds it first, and by which check.

`python -m tests.simulator.matrix [NAME …]` prints the table, with `--why` what each check saw.
"""

import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from time import perf_counter

from cli.simulation import plan
from kernel.hosts.simulator.city import Plan
from kernel.hosts.simulator.run import Outcome, run_seed
from kernel.hosts.simulator.world import PROFILES
from rules.bundle import Bundle
from rules.folder import compile_folder
from tests.simulator.hints import HINTS
from tests.simulator.mutants import committing, holding, receiving, recovering, sending, timing
from tests.simulator.mutants.swap import Mutant

MUTANTS: tuple[Mutant, ...] = (
    *committing.MUTANTS,
    *receiving.MUTANTS,
    *sending.MUTANTS,
    *timing.MUTANTS,
    *holding.MUTANTS,
    *recovering.MUTANTS,
)
BY_NAME: Mapping[str, Mutant] = {mutant.name: mutant for mutant in MUTANTS}
assert len(BY_NAME) == len(MUTANTS), "two mutants of one name: one of them would never be hunted"
SEEDS = 200
"""Within so many seeds a switched-off rule must be found."""

CITY = Path("cities/demo")


@dataclass(frozen=True, slots=True)
class Found:
    """The first failing seed, how many were tried, the check that saw it and what it saw."""

    seed: int
    tried: int
    check: str
    broken: str


@cache
def planned() -> Plan:
    """The city that is simulated: the one that `gridcase simulate` takes."""
    bundle = compile_folder(Path(__file__).parents[2] / CITY)
    assert isinstance(bundle, Bundle), bundle
    return plan(bundle)


def run(seed: int, profile: str, disaster: str = "", *, traced: bool = False) -> Outcome:
    return run_seed(planned(), seed, PROFILES[profile], traced=traced, disaster=disaster)


def hunt(mutant: Mutant, seeds: Iterable[int]) -> Found | None:
    """Run seeds with the rule switched off until one fails."""
    for tried, seed in enumerate(seeds, 1):
        with mutant.off():
            outcome = run(seed, mutant.profile, mutant.disaster)
        if outcome.broken:
            return Found(seed, tried, outcome.check, outcome.broken)
    return None


def order(mutant: Mutant) -> Iterator[int]:
    """Seeds that found it before, then all others."""
    known = HINTS.get(mutant.name, ())
    yield from known
    yield from (seed for seed in range(SEEDS - len(known)) if seed not in known)


def line(mutant: Mutant, found: Found | None) -> str:
    where = f"{mutant.profile}{' + ' + mutant.disaster if mutant.disaster else ''}"
    seed, check = (f"{found.seed}", found.check) if found else ("none", "NOT FOUND")
    return f"| {mutant.rule} | {where} | {seed} | {check} |"


HEAD = "| switched off | profile | seed | found by |\n|---|---|---|---|"


def main(names: list[str]) -> int:
    """Hunt from seed 0 on, so that the table gives the first failing seed."""
    missing = 0
    details = "--why" in names
    wanted = [name for name in names if not name.startswith("--")]
    print(HEAD)  # noqa: T201 - a table for the terminal
    for mutant in MUTANTS:
        if wanted and mutant.name not in wanted:
            continue
        start = perf_counter()
        found = hunt(mutant, range(SEEDS))
        missing += found is None
        print(line(mutant, found), f"{mutant.name} {perf_counter() - start:.1f} s", flush=True)  # noqa: T201
        if found and details:
            print("   ", found.broken[:600])  # noqa: T201
    return missing


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
