"""An open case has exactly one accountable unit at every moment (design §4.1); a refusal changes nothing."""

import pytest

from schemas.case.assigning import CaseAssigned
from schemas.case.opening import CommandRefused, ReportReturned
from schemas.case.states import OPEN, State
from schemas.case.timing import BreachNotConfirmed
from services.router.evolve import evolve
from services.router.lifecycle import LIFECYCLE
from services.router.state import CENTRE_STATES
from tests.walking import SEEDS, Step, unchanged, walked

ROWS = {row.command: row for row in LIFECYCLE}
RECORDS = (CommandRefused, BreachNotConfirmed, ReportReturned)


def one_accountable(step: Step) -> None:
    """After each event, not only after each decision."""
    case = step.before
    units = step.context.rules.bundle.units
    for event in step.events:
        case = evolve(case, event)
        if case.state in OPEN:
            unit = case.accountable("OPS")
            assert unit in units, (case.state, event)
            assert (unit == "OPS") == (case.state in CENTRE_STATES)
            assert bool(case.lead) == (case.state not in CENTRE_STATES)
            assert case.lead not in case.assistants


def within_its_row(step: Step) -> None:
    """The case stands where the row of the table says, or where it stood."""
    row = ROWS[type(step.command)]
    assert step.after.state is step.before.state or step.after.state in row.targets
    if step.after.state is not step.before.state:
        assert step.before.state in row.sources


def refusals_change_nothing(step: Step) -> None:
    if any(isinstance(event, RECORDS) for event in step.events):
        assert unchanged(step.before, step.after)
        assert step.after.version == step.before.version + len(step.events)


def bounds_hold(step: Step) -> None:
    case, bounds = step.after, step.context.rules.bundle.bounds
    assert case.objections <= len(step.context.rules.bundle.units.rows)
    assert case.level <= 3
    assert len(case.supervisions) == len({(one.kind, one.level) for one in case.supervisions})
    if case.round > bounds.rounds:
        assert case.last_rework or step.before.round > bounds.rounds or _by_supervisor(step)
    assert case.version - case.revision >= 0
    for event in step.events:
        assert not isinstance(event, CaseAssigned) or event.number == step.before.assignments + 1


def _by_supervisor(step: Step) -> bool:
    return step.context.sender.id in ("OPS-supervisor", "OPS-lead_officer")


@pytest.mark.parametrize("first", SEEDS)
def test_one_unit_is_accountable_whatever_anybody_does(first: int) -> None:
    for seed in range(first, first + 8):
        for step in walked(seed):
            one_accountable(step)
            within_its_row(step)
            refusals_change_nothing(step)
            bounds_hold(step)


def test_the_walks_reach_every_state_and_every_command_is_taken() -> None:
    states: set[State] = set()
    taken: set[type] = set()
    for seed in range(250):
        for step in walked(seed):
            states.add(step.after.state)
            if not any(isinstance(event, RECORDS) for event in step.events):
                taken.add(type(step.command))
    later = {State.DELIBERATING, State.SUSPENDED, State.MERGED}
    assert states - {State.NONE} == set(State) - later - {State.NONE}
    assert taken == set(ROWS)
