from typing import get_args

import pytest

from rules.clocks import DEFAULTS, LAWS, ROWS, WHEN
from rules.policies import CLOCKS
from schemas.case.states import OPEN, State
from schemas.case.union import CaseEvent
from services.sla.facts import FOLD
from services.sla.react import ASKS
from tests.builders_case import (
    accepted,
    assigned,
    check_ordered,
    check_recorded,
    closed,
    contacted,
    objected,
    objection_accepted,
    objection_refused,
    opened,
    passed,
    referred,
    reopened,
    resolved,
    rework,
    signed,
    voided,
    written_off,
)
from tests.unit.sla.telling import at, clocks, running, told

TO_ROUTE = (opened(at("02 09:00")), accepted(at("02 09:05")))
TO_SIGN = (*TO_ROUTE, assigned(at("02 09:10")))
HANDLING = (*TO_SIGN, signed(at("02 10:00"), reachable=True))
TO_VERIFY = (*HANDLING, resolved(at("02 16:00")))
CLOSED = (*TO_VERIFY, passed(at("02 16:10")), closed(at("02 16:20")))


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ((opened(at("02 09:00")),), {"accept"}),
        ((opened(at("02 09:00")), voided(at("02 09:10"))), set()),
        (TO_ROUTE, {"route", "case"}),
        (TO_SIGN, {"sign", "case", "leg"}),
        ((*TO_SIGN, objected(at("02 11:00"))), {"decide", "case", "leg"}),
        ((*TO_SIGN, objected(at("02 11:00")), referred(at("03 11:00"))), {"decide", "case", "leg"}),
        ((*TO_SIGN, objected(at("02 11:00")), objection_accepted(at("02 12:00"))), {"route", "case"}),
        ((*TO_SIGN, objected(at("02 11:00")), objection_refused(at("02 12:00"))), {"handle", "case", "leg"}),
        (HANDLING, {"contact", "handle", "case", "leg"}),
        ((*HANDLING, contacted(at("02 11:00"))), {"handle", "case", "leg"}),
        (TO_VERIFY, {"verify", "case"}),
        ((*TO_VERIFY, rework(at("02 16:30"))), {"handle", "case", "leg"}),
        ((*TO_VERIFY, rework(at("02 16:30"), reachable=True)), {"contact", "handle", "case", "leg"}),
        ((*TO_VERIFY, passed(at("02 16:10"))), {"callback", "case"}),
        (CLOSED, {"after_close"}),
        ((*CLOSED, written_off(at("09 16:20"))), set()),
        ((*CLOSED, reopened(at("03 09:00"))), {"route", "case"}),
    ],
)
def test_exactly_the_clocks_of_the_row_run(events: tuple[object, ...], expected: set[str]) -> None:
    tale = told(*events)
    assert running(tale) == expected == set(clocks(tale))


def test_a_check_pauses_acceptance_and_has_a_clock_of_its_own() -> None:
    tale = told(opened(at("02 09:00")), check_ordered(at("02 09:05")))
    assert running(tale) == {"check"}
    assert clocks(tale)["accept"].paused
    tale.when(check_recorded(at("02 09:25")), at=at("02 09:25"))
    assert running(tale) == {"accept"}
    assert clocks(tale)["accept"].run.due == at("02 09:35")


def test_short_work_is_counted_from_dispatch() -> None:
    short = accepted(at("02 09:05")).limit.__class__(text="4工作时", minutes=240, working=True)
    tale = told(
        opened(at("02 09:00")), accepted(at("02 09:05"), short), assigned(at("02 09:10"), limit=short)
    )
    assert running(tale) == {"sign", "handle", "case", "leg"}
    handle = clocks(tale)["handle"].run.run
    tale.when(signed(at("02 09:30")), at=at("02 09:30"))
    assert clocks(tale)["handle"].run.run == handle


def test_every_open_state_has_a_clock_and_the_three_ends_have_none() -> None:
    assert all(ROWS[state] for state in OPEN)
    assert not any(ROWS[state] for state in (State.WRITTEN_OFF, State.MERGED, State.VOID))
    assert set(ROWS) == set(State)


def test_the_tables_know_each_other() -> None:
    named = {entry.clock for row in ROWS.values() for entry in row}
    assert named == set(LAWS) <= set(CLOCKS)
    assert {entry.when for row in ROWS.values() for entry in row} <= set(WHEN)
    assert {law.at_due for law in LAWS.values()} <= set(ASKS)
    assert set(DEFAULTS) <= set(LAWS)
    assert set(FOLD) <= set(get_args(CaseEvent))


def test_every_case_event_that_carries_a_state_is_followed() -> None:
    carrying = {event for event in get_args(CaseEvent) if "state" in event.__dataclass_fields__}
    assert {event.__name__ for event in carrying - set(FOLD)} == {"ReportReturned"}
