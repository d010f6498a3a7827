"""From every reachable state a close is reachable (design §4.8): by the table, and by what people do."""

from datetime import timedelta

import pytest

from kernel.processor import Sender
from schemas.case.assigning import AssignCase
from schemas.case.closing import RecordCallback
from schemas.case.handling import SignCase
from schemas.case.objecting import DecideObjection
from schemas.case.opening import AcceptCase, VoidCase
from schemas.case.states import State
from services.router.lifecycle import LIFECYCLE
from services.router.state import Case
from tests.unit.router.telling import DESK, centre, handler, inspection, resolution
from tests.walking import Step, taken, walk

LATER = {State.DELIBERATING, State.SUSPENDED, State.MERGED}
ENDS = {State.CLOSED, State.WRITTEN_OFF, State.VOID}


def reachable(start: State) -> set[State]:
    found, waiting = {start}, [start]
    while waiting:
        state = waiting.pop()
        for row in LIFECYCLE:
            if state in row.sources:
                waiting.extend(row.targets - found)
                found |= row.targets
    return found


def test_by_the_table_a_close_is_reachable_from_every_state() -> None:
    states = reachable(State.NONE)
    assert states == set(State) - LATER
    for state in states:
        assert State.CLOSED in reachable(state), state


def next_of(case: Case) -> tuple[object, Sender]:
    """What honest people who want the case closed do next."""
    lead = handler(case.lead) if case.lead else DESK
    if case.escalated:
        return RecordCallback(contacted=True, solved=True), centre("supervisor")
    return {
        State.RECEIVED: (AcceptCase(matter=case.matter or "Q-01-01", condition="1"), DESK),
        State.TO_ROUTE: (AssignCase(lead="GOV", reason="兜底"), centre("supervisor")),
        State.TO_SIGN: (SignCase(), lead),
        State.DISPUTED: (
            DecideObjection(verdict="refuse", reason="裁定"),
            centre(f"meeting{case.level}" if case.level else "dispatcher"),
        ),
        State.HANDLING: (resolution(case), lead),
        State.TO_VERIFY: (inspection(case), centre("inspector")),
        State.TO_CALL_BACK: (RecordCallback(contacted=True, solved=True), centre("caller")),
    }[case.state]


def closes(step: Step) -> None:
    """Few honest steps end the case, wherever it stands."""
    case, now, rules = step.after, step.context.now, step.context.rules
    for _ in range(30):
        if case.state in ENDS or case.state is State.NONE:
            return
        now += timedelta(hours=1)
        command, sender = next_of(case)
        done = taken(case, command, sender, rules, now)
        if done.after.state is case.state and case.state is State.TO_ROUTE:
            void = VoidCase(reason="not_ours", remedy="告知")
            done = taken(case, void, centre("supervisor"), rules, now)
        case = done.after
    pytest.fail(f"still {case.state}: {case}")


@pytest.mark.parametrize("first", range(2_000, 2_120, 4))
def test_wherever_random_people_left_a_case_honest_ones_close_it(first: int) -> None:
    for seed in range(first, first + 4):
        for step in walk(seed, 40):
            closes(step)
