from dataclasses import replace

from kernel.processor import CancelTimer
from rules.inforce import Mode, Rules
from schemas.case.timing import Term
from schemas.sla import ClockRang, TimerIdle
from tests.builders_case import (
    DAYS_3,
    HOURS_4,
    URGENT_2,
    accepted,
    assigned,
    closed,
    deemed,
    deemed_taken_back,
    objected,
    objection_accepted,
    opened,
    passed,
    referred,
    reopened,
    resolved,
    rework,
    signed,
    stage_finished,
    write_off_taken_back,
    written_off,
)
from tests.builders_city import MANHOLE, tiny_city
from tests.unit.sla.telling import RULES, TIMER, at, clocks, due, ring, running, timers, told

OPENED = opened(at("02 09:00"))
ACCEPTED = accepted(at("02 09:05"))
ASSIGNED = assigned(at("02 09:10"))


def test_a_limit_in_office_hours_skips_the_night() -> None:
    tale = told(OPENED, accepted(at("02 15:00"), HOURS_4))
    assert due(tale, "case") == at("03 09:00")
    assert clocks(tale)["case"].run.calendar == RULES.bundle.calendars.get("office").version


def test_an_urgent_limit_runs_through_the_night() -> None:
    tale = told(OPENED, accepted(at("02 23:00"), URGENT_2))
    assert due(tale, "case") == at("03 01:00")
    assert clocks(tale)["case"].run.calendar == ""


def test_a_deadline_says_what_it_was_computed_from() -> None:
    run = clocks(told(OPENED, ACCEPTED, ASSIGNED))["leg"].run
    assert (run.unit, run.since, run.start, run.basis, run.mode) == (
        "JW1",
        3,
        at("02 09:10"),
        "condition",
        "working",
    )
    assert (run.term, run.provisional) == (DAYS_3, False)


def test_a_due_in_an_unpublished_year_is_provisional() -> None:
    start = at("02 09:00").replace(year=2026, month=12, day=30)
    tale = told(opened(start), accepted(start))
    assert clocks(tale)["case"].run.provisional


def test_the_sign_window_is_a_working_day_or_the_limit_if_that_is_short() -> None:
    assert due(told(OPENED, ACCEPTED, ASSIGNED), "sign") == at("03 09:10")
    short = (accepted(at("02 09:05"), URGENT_2), assigned(at("02 09:10"), limit=URGENT_2))
    assert due(told(OPENED, *short), "sign") == at("02 11:10")


def test_an_objection_pauses_neither_case_nor_leg() -> None:
    before = clocks(told(OPENED, ACCEPTED, ASSIGNED))
    after = clocks(told(OPENED, ACCEPTED, ASSIGNED, objected(at("02 11:00"))))
    assert {name: after[name].run for name in ("case", "leg")} == {
        name: before[name].run for name in ("case", "leg")
    }


def test_each_level_of_an_objection_has_a_clock_of_its_own() -> None:
    tale = told(OPENED, ACCEPTED, ASSIGNED, objected(at("02 11:00")))
    first = clocks(tale)["decide"].run
    tale.when(referred(at("03 11:00")), at=at("03 11:00"))
    second = clocks(tale)["decide"].run
    assert (second.since, second.start) == (5, at("03 11:00"))
    assert second.run > first.run


def test_a_new_lead_gets_a_new_leg_and_the_case_clock_goes_on() -> None:
    tale = told(OPENED, ACCEPTED, ASSIGNED, objected(at("02 11:00")), objection_accepted(at("02 12:00")))
    promised = due(tale, "case")
    tale.when(assigned(at("03 09:00"), lead="JD"), at=at("03 09:00"))
    leg = clocks(tale)["leg"].run
    assert (leg.unit, leg.start, leg.since) == ("JD", at("03 09:00"), 6)
    assert due(tale, "case") == promised


def test_the_same_lead_keeps_its_leg_and_gets_a_new_sign_window() -> None:
    tale = told(OPENED, ACCEPTED, ASSIGNED)
    leg = clocks(tale)["leg"].run
    tale.when(assigned(at("02 15:00"), same_lead=True), at=at("02 15:00"))
    assert clocks(tale)["leg"].run == leg
    assert clocks(tale)["sign"].run.start == at("02 15:00")


def test_rework_starts_leg_and_handle_with_the_limit_that_the_case_gave() -> None:
    tale = told(OPENED, ACCEPTED, ASSIGNED, signed(at("02 10:00")), resolved(at("02 16:00")))
    tale.when(rework(at("03 09:00"), HOURS_4), at=at("03 09:00"))
    for name in ("handle", "leg"):
        run = clocks(tale)[name].run
        assert (run.term, run.basis, run.due) == (HOURS_4, "rework", at("03 15:00"))


def test_stages_run_in_series() -> None:
    stages = (
        Term(text="停工 4工作时", minutes=240, working=True),
        Term(text="拆除 3工作日", minutes=1_440, working=True),
    )
    tale = told(OPENED, accepted(at("02 09:05"), stages=stages), ASSIGNED, signed(at("02 10:00")))
    assert clocks(tale)["handle"].run.term == stages[0]
    tale.when(stage_finished(at("02 15:00"), 1), at=at("02 15:00"))
    assert (clocks(tale)["handle"].run.term, clocks(tale)["handle"].run.start) == (stages[1], at("02 15:00"))


def test_a_reopening_starts_another_case_clock() -> None:
    tale = told(
        OPENED, ACCEPTED, ASSIGNED, signed(at("02 10:00")), resolved(at("02 16:00")), passed(at("02 16:10"))
    )
    tale.when(closed(at("02 16:20")), at=at("02 16:20"))
    assert running(tale) == {"after_close"}
    tale.when(reopened(at("04 09:00")), at=at("04 09:00"))
    assert (clocks(tale)["case"].run.start, clocks(tale)["case"].run.since) == (at("04 09:00"), 8)


def test_a_deemed_signature_taken_back_gives_the_sign_clock_back_as_it_was() -> None:
    tale = told(OPENED, ACCEPTED, ASSIGNED)
    sign = clocks(tale)["sign"].run
    ring(ring(tale, "sign"), "sign")
    tale.when(deemed(at("03 09:10")), at=at("03 09:11"))
    assert running(tale) == {"handle", "case", "leg"}
    tale.when(deemed_taken_back(at("03 09:00")), at=at("03 09:12"))
    assert running(tale) == {"sign", "case", "leg"}
    back = clocks(tale)["sign"].run
    assert (back.run, back.since, back.start, back.due) == (sign.run, sign.since, sign.start, sign.due)
    tale.when(objected(at("03 09:00")), at=at("03 09:12"))
    assert running(tale) == {"decide", "case", "leg"}


def test_a_write_off_taken_back_opens_the_window_again() -> None:
    tale = told(
        OPENED, ACCEPTED, ASSIGNED, signed(at("02 10:00")), resolved(at("02 16:00")), passed(at("02 16:10"))
    )
    for event in (closed(at("02 16:20")), written_off(at("09 16:20")), write_off_taken_back(at("09 16:00"))):
        tale.when(event, at=at("09 16:30"))
    assert running(tale) == {"after_close"}


def test_each_running_clock_has_one_timer_and_a_stopped_one_none() -> None:
    tale = told(OPENED, ACCEPTED, ASSIGNED)
    assert timers(tale) == {"sign": at("02 16:46"), "leg": at("04 09:58")}
    tale.when(signed(at("02 10:00")), at=at("02 10:00"))
    assert CancelTimer("sign") in tale.effects


def test_an_imported_case_has_clocks_and_no_timers() -> None:
    tale = told(replace(OPENED, historic=True), ACCEPTED, ASSIGNED)
    assert running(tale) == {"sign", "case", "leg"}
    assert timers(tale) == {}
    assert due(tale, "sign") == at("03 09:10")


def test_emergency_is_continuous_only_where_the_matter_says_so() -> None:
    emergency = Rules(number=2, bundle=tiny_city(), modes={"S1": Mode.EMERGENCY})
    plain = told(OPENED, accepted(at("02 15:00"), HOURS_4), rules=emergency)
    assert clocks(plain)["case"].run.mode == "working"
    told_of = told(
        opened(at("02 14:00"), MANHOLE), accepted(at("02 15:00"), HOURS_4, matter=MANHOLE), rules=emergency
    )
    assert (clocks(told_of)["case"].run.mode, due(told_of, "case")) == ("emergency", at("02 19:00"))


def test_a_timer_of_a_clock_that_was_stopped_is_idle() -> None:
    tale = told(OPENED)
    run = clocks(tale)["accept"].run
    tale.when(ACCEPTED, at=at("02 09:05"))
    tale.when(ClockRang(clock="accept", run=run.run, step="due"), sender=TIMER, at=at("02 09:15"))
    tale.then(TimerIdle(clock="accept", run=run.run, step="due")).sends()


def test_a_timer_of_an_earlier_start_is_idle() -> None:
    tale = told(OPENED, ACCEPTED, ASSIGNED)
    run = clocks(tale)["sign"].run
    tale.when(assigned(at("02 15:00"), same_lead=True), at=at("02 15:00"))
    tale.when(ClockRang(clock="sign", run=run.run, step="warn70"), sender=TIMER, at=at("03 09:10"))
    tale.then(TimerIdle(clock="sign", run=run.run, step="warn70"))
