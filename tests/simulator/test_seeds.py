"""As many short seeds as fit three minutes on two processes, half calm, half chaos, each to real idleness."""

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from multiprocessing import get_context
from time import monotonic

import pytest

from kernel.hosts.simulator.run import Outcome
from kernel.hosts.simulator.world import CALM, CHAOS
from tests.simulator.matrix import CITY, planned, run

LEAST, LEAST_SOAK = 1500, 20_000
SECONDS = 170
CHUNK = 10
PROCESSES = 2


def seeds() -> Iterator[tuple[int, str]]:
    """0 calm, 0 chaos, 1 calm, …"""
    number = 0
    while True:
        yield number, CALM.name
        yield number, CHAOS.name
        number += 1


def run_some(some: list[tuple[int, str]]) -> list[Outcome]:
    return [run(seed, profile) for seed, profile in some]


@pytest.mark.timeout(0)
def test_every_seed_holds(capsys: pytest.CaptureFixture[str]) -> None:
    soak = os.environ.get("GRIDCASE_SOAK") == "1"
    outcomes = all_of(LEAST_SOAK if soak else LEAST, 0 if soak else SECONDS)
    broken = [one for one in outcomes if one.broken]
    handled = sum(one.handled for one in outcomes)
    with capsys.disabled():
        print(f"\nsimulator: {len(outcomes)} seeds, {handled} inputs decided, {len(broken)} broken")  # noqa: T201
    assert not broken, "\n".join(told(one) for one in broken)
    assert not [(one.seed, one.profile) for one in outcomes if not one.handled], (
        "a city in which nothing happens"
    )


def all_of(least: int, seconds: float) -> list[Outcome]:
    """At least so many seeds, and more while there is time; none after the first broken ones."""
    planned()
    end = monotonic() + seconds
    source = seeds()
    outcomes: list[Outcome] = []
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("fork")) as pool:
        while (len(outcomes) < least or monotonic() < end) and not any(one.broken for one in outcomes):
            chunks = [list(islice(source, CHUNK)) for _ in range(PROCESSES * 4)]
            for found in pool.map(run_some, chunks):
                outcomes += found
    return outcomes


def told(one: Outcome) -> str:
    """How to see it again."""
    return (
        f"{one.broken}\n  again: .venv/bin/gridcase simulate --city {CITY} --seed {one.seed} "
        f"--profile {one.profile} --trace"
    )
