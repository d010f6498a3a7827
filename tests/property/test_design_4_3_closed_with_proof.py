"""A case closes only by a closing kind with its proof, whatever anybody does to it (design §4.3)."""

import pytest

from schemas.case.closing import CallbackRecorded, CaseClosed, InspectionPassed
from schemas.case.opening import CaseVoided
from schemas.case.states import State
from tests.integration.invariants import closed_with_proof
from tests.walking import SEEDS, walked

KINDS = {"called_back", "unreasonable", "no_contact", "no_reporter", "not_satisfied"}


@pytest.mark.parametrize("first", SEEDS)
def test_every_close_has_its_inspection_and_its_call_and_every_void_its_remedy(first: int) -> None:
    for seed in range(first, first + 8):
        events: list[object] = []
        for step in walked(seed):
            events += step.events
            for event in step.events:
                assert not isinstance(event, CaseClosed) or event.how in KINDS
            if step.after.state is State.CLOSED and step.before.state is not State.CLOSED:
                assert any(isinstance(one, CaseClosed) for one in step.events) or _taken_back(step.events)
        closed_with_proof(events)


def _taken_back(events: tuple[object, ...]) -> bool:
    return any(type(one).__name__ == "WriteOffTakenBack" for one in events)


@pytest.mark.parametrize("proof", [InspectionPassed, CallbackRecorded])
def test_a_close_without_its_proof_is_seen(proof: type) -> None:
    seen = 0
    for seed in range(100):
        events = [event for step in walked(seed) for event in step.events]
        robbed = [event for event in events if not isinstance(event, proof)]
        try:
            closed_with_proof(robbed)
        except AssertionError:
            seen += 1
    assert seen > 10


def test_the_walks_close_and_void() -> None:
    kinds = {type(event) for seed in range(100) for step in walked(seed) for event in step.events}
    assert kinds >= {CaseClosed, CaseVoided}
