"""The state's row is the law: after any case event exactly its clocks run, and the case agrees since when."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from rules.clocks import row
from schemas.case.states import State
from services.router.evolve import evolve as evolve_case
from services.router.state import NO_CASE, Case
from tests import builders_case as case
from tests.stories import Story
from tests.unit.sla.telling import at, ring, story

Make = Callable[[datetime, Case], Any]


def _dispatched(at: datetime, known: Case, lead: str) -> Any:
    return case.assigned(
        at,
        lead,
        known.limit or case.DAYS_3,
        same_lead=known.lead == lead,
    )


def _reopened(at: datetime, known: Case) -> Any:
    accepted = known.limit is not None
    return case.reopened(at, State.TO_ROUTE if accepted else State.RECEIVED, known.limit)


NEXT: dict[State, tuple[Make, ...]] = {
    State.NONE: (lambda t, _: case.opened(t),),
    State.RECEIVED: (
        lambda t, c: case.check_ordered(t) if not c.checked else case.check_recorded(t),
        lambda t, _: case.accepted(t),
        lambda t, _: case.accepted(t, case.HOURS_4),
        lambda t, _: case.voided(t),
    ),
    State.TO_ROUTE: (
        lambda t, c: _dispatched(t, c, "JW1"),
        lambda t, c: _dispatched(t, c, "JD"),
        lambda t, c: case.assigned(
            t, "JW1", state=State.HANDLING, handle_at_once=True, reachable=c.reachable
        ),
    ),
    State.TO_SIGN: (
        lambda t, c: case.signed(t, c.lead, reachable=c.reachable),
        lambda t, c: case.deemed(t, c.lead),
        lambda t, c: case.objected(t, c.lead),
        lambda t, c: _dispatched(t, c, "JW1"),
        lambda t, c: _dispatched(t, c, "JD"),
    ),
    State.DISPUTED: (
        lambda t, _: case.referred(t),
        lambda t, _: case.objection_accepted(t),
        lambda t, c: case.objection_refused(t, reachable=c.reachable),
    ),
    State.HANDLING: (
        lambda t, _: case.contacted(t),
        lambda t, _: case.resolved(t),
        lambda t, c: _dispatched(t, c, "JD"),
        lambda t, c: case.deemed_taken_back(t) if c.deemed else case.resolved(t),
    ),
    State.TO_VERIFY: (
        lambda t, _: case.failed(t),
        lambda t, _: case.passed(t),
        lambda t, c: case.rework(t, reachable=c.reachable),
        lambda t, _: case.closed(t),
    ),
    State.TO_CALL_BACK: (
        lambda t, _: case.called_back(t),
        lambda t, _: case.closed(t),
        lambda t, _: case.rework(t),
    ),
    State.CLOSED: (lambda t, _: case.written_off(t), _reopened),
    State.WRITTEN_OFF: (_reopened, lambda t, _: case.write_off_taken_back(t)),
    State.VOID: (_reopened,),
}


def told(choices: list[int], gaps: list[int], check: Callable[[Story, Case], None]) -> None:
    """Walk through the lifecycle; each choice is a case event or, now and then, a timer that fires."""
    tale, known, now = story(), NO_CASE, at("02 09:00")
    for choice, gap in zip(choices, gaps, strict=False):
        now += timedelta(minutes=gap)
        armed = [name for name, clock in tale.state.clocks.items() if clock.run.alarm and not clock.paused]
        if armed and choice % 3 == 0:
            ring(tale, armed[choice % len(armed)])
            now = max(now, tale.now)
            continue
        options = NEXT[known.state]
        event = options[choice % len(options)](now, known)
        known = evolve_case(known, event)
        if type(event) in tale.processor.handles:
            tale.when(event, at=now, message_id=f"{case.CASE}/{known.version}")
            check(tale, known)


def agrees(tale: Story, known: Case) -> None:
    clocks = tale.state.clocks
    assert tale.state.facts.state is known.state
    assert {name: not clock.paused for name, clock in clocks.items()} == row(tale.state.facts)
    theirs = {name: run.since for name, run in known.clocks.items() if run.stopped is None}
    assert {name: clock.run.since for name, clock in clocks.items()} == theirs
    assert all(clock.run.alarm or clock.asked or clock.paused for clock in clocks.values())


@settings(max_examples=300)
@given(
    st.lists(st.integers(0, 10_000), min_size=5, max_size=25),
    st.lists(st.integers(0, 2_000), min_size=25, max_size=25),
)
def test_the_row_of_the_state_is_the_law_and_the_case_agrees(choices: list[int], gaps: list[int]) -> None:
    told(choices, gaps, agrees)
