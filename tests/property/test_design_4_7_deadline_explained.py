"""Every deadline is explained: counted and skipped intervals lie end to end and add up (design §4.7)."""

from datetime import timedelta
from functools import cache
from typing import Any

import pytest

from kernel.processor import Context, Sender, step
from schemas.case.timing import Term
from services.sla.explain import Explanation, Told, clocks_of, explain
from services.sla.processor import CLOCK
from tests.integration.invariants import explained
from tests.walking import SEEDS, walked

ROUTER = Sender("processor", "router.case")


@cache
def followed(seed: int) -> list[Explanation]:
    """The clocks of a case that random people do random things to, explained some days later."""
    state: Any = CLOCK.initial
    history: list[Told] = []
    found: list[Explanation] = []
    rules = now = None
    for one in walked(seed):
        rules, now, version = one.context.rules, one.context.now, one.before.version
        for number, event in enumerate(one.events, version + 1):
            if isinstance(event, CLOCK.handles):
                told = f"{one.context.stream}/{number}"
                context = Context(now, now, rules, ROUTER, one.context.stream, told)
                state, events = step(CLOCK, state, event, context)
                history += [Told(now, said) for said in events]
    if rules is not None and now is not None:
        for clock in clocks_of(history):
            found += explain(history, clock, rules.bundle.calendars.of_version, now + timedelta(days=9))
    return found


@pytest.mark.parametrize("first", SEEDS[:30])
def test_every_stretch_of_every_clock_is_counted_or_skipped_with_a_reason(first: int) -> None:
    for seed in range(first, first + 8):
        for one in followed(seed):
            explained(f"seed {seed} {one.clock}", one)
            for stretch in one.stretches:
                assert all(part.counted for part in stretch.intervals) or stretch.calendar


def test_the_walks_have_every_clock_and_hours_that_do_not_count() -> None:
    found = [one for seed in range(60) for one in followed(seed)]
    terms = [one.term for one in found]
    assert any(isinstance(term, Term) and term.working for term in terms)
    assert any(not part.counted for one in found for stretch in one.stretches for part in stretch.intervals)
    assert {one.clock for one in found} >= {"accept", "route", "sign", "handle", "leg", "case", "verify"}
