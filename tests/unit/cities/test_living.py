from collections import Counter
from datetime import date, timedelta

import pytest

from cities.day import reports
from cities.people import People
from rules.bundle import Bundle
from schemas.case import closing, handling, objecting, opening, timing
from schemas.case.states import State
from tests.unit.cities.living import Life

MONDAY = date(2026, 11, 23)


@pytest.fixture(scope="module")
def life(demo: Bundle) -> Life:
    arrivals = reports(demo, 3, 600, day=MONDAY)
    life = Life(demo, People(demo, 3))
    for arrival in arrivals:
        life.arrives(arrival)
    life.live(arrivals[0].at + timedelta(days=45))
    return life


def seen(life: Life, event: type) -> int:
    return sum(isinstance(one, event) for history in life.cases.values() for _, one in history)


def test_every_case_comes_to_an_end_mostly_within_three_weeks(life: Life) -> None:
    assert not life.people.unfinished()
    days = sorted((history[-1][0] - history[0][0]).days for history in life.cases.values())
    assert days[int(len(days) * 0.98)] <= 21


def test_some_cases_go_each_of_the_ways_that_a_day_has(life: Life) -> None:
    ways = (
        objecting.ObjectionRaised,
        objecting.ObjectionRefused,
        handling.SignatureDeemed,
        closing.InspectionFailed,
        closing.ReworkOrdered,
        closing.CaseReopened,
        timing.ClockBreached,
        opening.CaseVoided,
        opening.ReportAttached,
        opening.CheckOrdered,
        handling.SupervisionAnswered,
        closing.CaseWrittenOff,
    )
    assert [way.__name__ for way in ways if not seen(life, way)] == []


def test_people_are_seldom_refused(life: Life) -> None:
    refused = Counter(
        one.refusal.code
        for history in life.cases.values()
        for _, one in history
        if isinstance(one, opening.CommandRefused) and one.by.startswith("P-")
    )
    assert refused.total() < 0.02 * life.handled


def test_nonsense_ends_void_or_dead(life: Life) -> None:
    assert life.dead
    states = Counter(known.state for known in life.people.cases.values())
    assert states[State.VOID] > 0
