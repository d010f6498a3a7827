"""The simulator is not blind: each rule switched off is found within 200 seeds by a named check."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from kernel.hosts.simulator.disasters import DISASTERS
from tests.simulator.matrix import BY_NAME, HEAD, MUTANTS, Found, hunt, line, order, planned, run


def hunt_by_name(name: str) -> Found | None:
    """In another process: mutants hold functions, which do not travel."""
    return hunt(BY_NAME[name], order(BY_NAME[name]))


@pytest.mark.timeout(600)
def test_each_rule_switched_off_is_found(capsys: pytest.CaptureFixture[str]) -> None:
    planned()
    with ProcessPoolExecutor(2, mp_context=get_context("fork")) as pool:
        found = dict(zip(BY_NAME, pool.map(hunt_by_name, BY_NAME), strict=True))
    with capsys.disabled():
        print("\n".join(["", HEAD, *(line(mutant, found[mutant.name]) for mutant in MUTANTS)]))  # noqa: T201
    assert [name for name, one in found.items() if one is None] == []


@pytest.mark.parametrize("disaster", DISASTERS)
@pytest.mark.parametrize("seed", range(3))
def test_what_must_be_refused_is_refused(disaster: str, seed: int) -> None:
    assert run(seed, "calm", disaster).broken == ""
