from schemas.case.closing import WriteOff
from schemas.case.handling import SignCase
from schemas.case.objecting import DecideObjection
from schemas.case.supervising import LiftSupervision, Supervise
from schemas.case.timing import Firing, RecordBreach
from schemas.sla import BreachAnswered, DeadlinesRecomputed, RecomputeDeadlines
from tests.builders_case import (
    HOURS_4,
    accepted,
    assigned,
    breached,
    closed,
    not_breached,
    objected,
    opened,
    passed,
    resolved,
    signed,
    written_off,
)
from tests.stories import Story
from tests.unit.sla.telling import RULES, at, clocks, commands, ring, timers, told

OPENED = opened(at("02 09:00"))
DISPATCHED = (OPENED, accepted(at("02 09:05")), assigned(at("02 09:10")))
HANDLING = (*DISPATCHED, signed(at("02 10:00")))


def firing(tale: Story, clock: str) -> Firing:
    run = clocks(tale)[clock].run
    assert run.due is not None
    return Firing(clock=clock, due=run.due, since=run.since, seen=tale.state.version)


def to_due(tale: Story, clock: str) -> Story:
    """The clock rings until its due has fired."""
    while not clocks(tale)[clock].asked:
        ring(tale, clock)
    return tale


def test_a_warning_urges_who_has_to_move() -> None:
    tale = ring(told(OPENED), "accept")
    assert tale.now == at("02 09:10:30")
    assert commands(tale) == [Supervise(kind="urge", to="clerk", reason="70%", firing=firing(tale, "accept"))]
    assert timers(tale) == {"accept": at("02 09:15")}


def test_acceptance_overdue_presses_the_lead_officer_and_asks_for_the_breach_in_one_command() -> None:
    tale = to_due(told(OPENED), "accept")
    assert commands(tale) == [
        Supervise(kind="urge", to="lead_officer", firing=firing(tale, "accept"), breach=True)
    ]


def test_a_silent_unit_has_deemed_to_sign() -> None:
    tale = to_due(told(*DISPATCHED), "sign")
    assert commands(tale) == [SignCase(firing=firing(tale, "sign"))]


def test_an_objection_without_answer_is_referred() -> None:
    tale = to_due(told(*DISPATCHED, objected(at("02 11:00"))), "decide")
    assert commands(tale) == [DecideObjection(verdict="refer", firing=firing(tale, "decide"))]


def test_case_and_leg_overdue_are_recorded() -> None:
    for clock in ("case", "leg"):
        tale = to_due(told(*DISPATCHED), clock)
        assert commands(tale) == [RecordBreach(firing=firing(tale, clock))]


def test_the_window_after_closing_ends_in_a_write_off() -> None:
    tale = told(*HANDLING, resolved(at("02 16:00")), passed(at("02 16:10")), closed(at("02 16:20")))
    to_due(tale, "after_close")
    assert commands(tale) == [WriteOff(firing=firing(tale, "after_close"))]
    assert tale.now == at("09 16:20")


def test_a_case_written_off_ends_by_itself_what_the_window_pressed_for() -> None:
    tale = told(*HANDLING, resolved(at("02 16:00")), passed(at("02 16:10")), closed(at("02 16:20")))
    ring(tale, "after_close")
    assert clocks(tale)["after_close"].presses
    tale.when(written_off(at("09 16:20")), at=at("09 16:20"))
    assert commands(tale) == []


def test_handling_climbs_its_ladder_rung_by_rung() -> None:
    tale = to_due(told(*HANDLING), "handle")
    assert commands(tale) == [
        Supervise(kind="urge", to="guiding", firing=firing(tale, "handle"), breach=True)
    ]
    assert timers(tale) == {"handle": at("06 10:00")}
    ring(tale, "handle")
    assert commands(tale) == [Supervise(kind="oversee", level=1, to="parent", firing=firing(tale, "handle"))]
    assert timers(tale) == {"handle": at("12 10:00")}
    ring(tale, "handle")
    assert commands(tale) == [
        Supervise(kind="escalate", level=2, to="meeting1", firing=firing(tale, "handle"))
    ]
    assert timers(tale) == {}


def test_what_a_clock_opened_ends_with_the_clock() -> None:
    tale = ring(told(*HANDLING), "handle")
    since = clocks(tale)["handle"].run.since
    tale.when(resolved(at("04 16:00")), at=at("04 16:00"))
    assert commands(tale) == [LiftSupervision(clock="handle", since=since)]


def test_a_clock_whose_supervision_another_replaced_has_nothing_to_lift() -> None:
    tale = told(*HANDLING)
    for name in ("handle", "leg"):
        while not clocks(tale)[name].presses:
            ring(tale, name)
    assert [(name, clock.presses) for name, clock in clocks(tale).items() if clock.presses] == [
        ("leg", (("urge", 0),))
    ]
    since = clocks(tale)["leg"].run.since
    tale.when(resolved(at("04 16:00")), at=at("04 16:00"))
    assert commands(tale) == [LiftSupervision(clock="leg", since=since)]


def test_the_breach_is_the_cases_word() -> None:
    tale = to_due(told(*HANDLING), "handle")
    since = clocks(tale)["handle"].run.since
    assert not clocks(tale)["handle"].breached
    tale.when(breached(at("05 10:00"), "handle", since), at=at("05 10:01"))
    version = len(tale.told)
    tale.then(BreachAnswered(clock="handle", since=since, confirmed=True, case_version=version)).sends()
    assert clocks(tale)["handle"].breached


def test_a_breach_that_the_case_refuses_stays_a_fact_of_the_clock_only() -> None:
    tale = to_due(told(*HANDLING), "handle")
    since = clocks(tale)["handle"].run.since
    tale.when(resolved(at("05 09:59")), at=at("05 10:01"))
    assert "handle" not in clocks(tale)
    tale.when(not_breached(at("05 10:00"), "handle", since), at=at("05 10:01"))
    tale.then(BreachAnswered(clock="handle", since=since, confirmed=False, case_version=len(tale.told)))


def test_the_stop_says_what_was_left() -> None:
    tale = told(OPENED, accepted(at("02 09:05"), HOURS_4), assigned(at("02 09:10"), limit=HOURS_4))
    tale.when(resolved(at("02 11:10")), at=at("02 11:10"))
    [event] = tale.events
    rests = {halt.clock: halt.rest for halt in event.stopped}
    assert rests == {"sign": 7_200, "handle": 7_200, "leg": 7_200}


def test_a_recomputation_with_nothing_changed_moves_nothing() -> None:
    tale = told(*HANDLING)
    tale.when(RecomputeDeadlines(reason="2027 published"), at=at("02 11:00"))
    tale.then(DeadlinesRecomputed(reason="2027 published", edition=RULES.bundle.hash)).sends()
