"""Nothing is rewritten: what is taken back or reopened is a new event over kept facts (design §4.4)."""

from functools import reduce

import msgspec
import pytest

from schemas.case.closing import CaseClosed, CaseReopened, CaseWrittenOff, WriteOffTakenBack
from schemas.case.handling import SignatureDeemed
from schemas.case.objecting import DeemedSignatureTakenBack
from schemas.case.supervising import SupervisionLifted, SupervisionOpened
from schemas.case.timing import BreachTakenBack, ClockBreached
from services.router.evolve import evolve
from services.router.state import NO_CASE, Case
from tests.walking import SEEDS, STEPS, walk, walked

UNDOES: dict[type, type] = {
    WriteOffTakenBack: CaseWrittenOff,
    DeemedSignatureTakenBack: SignatureDeemed,
    BreachTakenBack: ClockBreached,
    SupervisionLifted: SupervisionOpened,
    CaseReopened: CaseClosed,
}
"""What each event takes back or ends: that one stays in the history before it."""


@pytest.mark.parametrize("first", SEEDS)
def test_later_events_change_no_earlier_one_and_no_earlier_state(first: int) -> None:
    for seed in range(first, first + 8):
        events: list[object] = []
        written: list[bytes] = []
        states: list[tuple[Case, bytes]] = []
        for step in walk(seed, STEPS):
            events += step.events
            written += [msgspec.json.encode(event) for event in step.events]
            states.append((step.after, msgspec.json.encode(step.after)))
            assert step.after.version == len(events)
        assert [msgspec.json.encode(event) for event in events] == written
        assert all(msgspec.json.encode(state) == known for state, known in states)
        for state, _ in states:
            assert reduce(evolve, events[: state.version], NO_CASE) == state  # type: ignore[arg-type]


@pytest.mark.parametrize("first", SEEDS)
def test_what_is_taken_back_stays_on_record(first: int) -> None:
    for seed in range(first, first + 8):
        known: set[type] = set()
        before = NO_CASE
        for step in walked(seed):
            for event in step.events:
                undone = UNDOES.get(type(event))
                assert undone is None or undone in known or isinstance(event, CaseReopened), type(event)
                known.add(type(event))
            after = step.after
            assert after.reports[: len(before.reports)] == before.reports, "reports only come"
            assert after.assignments >= before.assignments
            assert after.supervised >= before.supervised
            assert after.round >= before.round
            before = after
