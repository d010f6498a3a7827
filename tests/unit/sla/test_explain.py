from datetime import datetime

from rules.workdays import Calendar
from services.sla.explain import Explanation, Told, clocks_of, explain
from services.sla.words import EN, ZH, lines
from tests.builders_case import (
    HOURS_4,
    accepted,
    assigned,
    breached,
    check_ordered,
    check_recorded,
    deemed,
    deemed_taken_back,
    opened,
    resolved,
    rework,
    signed,
)
from tests.stories import Story
from tests.unit.sla.telling import RULES, at, clocks, ring, told

CALENDARS = RULES.bundle.calendars
OPENED, ACCEPTED = opened(at("02 09:00")), accepted(at("02 15:00"), HOURS_4)


def explained(tale: Story, clock: str, now: datetime) -> tuple[Explanation, ...]:
    history = [Told(at=now, event=event) for event in tale.history]
    return explain(history, clock, CALENDARS.of_version, now)


def test_a_running_deadline_lists_each_counted_and_skipped_stretch() -> None:
    [case] = explained(told(OPENED, ACCEPTED), "case", at("03 08:30"))
    assert (case.state, case.due, case.rest) == ("running", at("03 09:00"), 30 * 60)
    [stretch] = case.stretches
    assert [(part.start, part.end, part.why) for part in stretch.intervals] == [
        (at("02 15:00"), at("02 18:00"), "open"),
        (at("02 18:00"), at("03 08:00"), "closed"),
        (at("03 08:00"), at("03 08:30"), "open"),
    ]


def test_a_pause_is_a_gap_between_two_stretches() -> None:
    tale = told(OPENED, check_ordered(at("02 09:05")), check_recorded(at("02 09:25")))
    [accept] = explained(tale, "accept", at("02 09:30"))
    assert [(part.start, part.end) for part in accept.stretches] == [
        (at("02 09:00"), at("02 09:05")),
        (at("02 09:25"), at("02 09:30")),
    ]
    assert [step.what for step in accept.steps] == ["started", "paused", "resumed"]
    assert accept.rest == 5 * 60


def test_rework_is_a_run_of_its_own() -> None:
    tale = told(OPENED, accepted(at("02 09:05")), assigned(at("02 09:10")), signed(at("02 10:00")))
    for event in (resolved(at("02 16:00")), rework(at("02 16:30"))):
        tale.when(event, at=event.at)
    first, second = explained(tale, "leg", at("02 17:00"))
    assert (first.state, first.basis, second.state, second.basis) == (
        "stopped",
        "condition",
        "running",
        "rework",
    )
    assert first.rest == 1_440 * 60 - (170 + 120) * 60


def test_a_breach_tells_who_was_asked_and_what_the_case_said() -> None:
    tale = told(OPENED, ACCEPTED)
    while not clocks(tale)["case"].asked:
        ring(tale, "case")
    tale.when(breached(at("03 09:00"), "case", 2), at=at("03 09:00"))
    [case] = explained(tale, "case", at("03 10:00"))
    assert [step.what for step in case.steps] == ["started", "warned", "asked", "breached"]
    assert case.rest == -60 * 60


def test_a_deemed_signature_taken_back_leaves_one_unbroken_stretch() -> None:
    tale = told(OPENED, accepted(at("02 09:05")), assigned(at("02 09:10")), deemed(at("03 09:10")))
    tale.when(deemed_taken_back(at("03 09:00")), at=at("03 09:20"))
    [sign] = explained(tale, "sign", at("03 09:20"))
    assert (sign.state, len(sign.stretches)) == ("running", 1)


def test_a_calendar_that_the_edition_no_longer_has_is_said_to_be_unknown() -> None:
    tale = told(OPENED, ACCEPTED)
    history = [Told(at=at("02 15:00"), event=event) for event in tale.history]
    [case] = explain(history, "case", lambda _: None, at("02 16:00"))
    assert case.stretches[0].intervals[0].why == "calendar_unknown"


def test_the_words_are_there_in_both_languages() -> None:
    assert set(ZH) == set(EN)
    tale = told(OPENED, ACCEPTED, assigned(at("02 15:10"), limit=HOURS_4))
    office: Calendar = CALENDARS.get("office")
    assert clocks_of([Told(at=at("02 09:00"), event=event) for event in tale.history])[0] == "accept"
    for clock in ("accept", "case", "sign", "handle", "leg"):
        for run in explained(tale, clock, at("03 10:00")):
            for language in ("zh", "en"):
                assert list(lines(run, office.local, language))
    [case] = explained(tale, "case", at("03 10:00"))
    assert next(iter(lines(case, office.local, "en"))) == (
        "case: limit 4工作时, from 2026-03-02 15:00, due 2026-03-03 09:00, running, 1 h 0 min late"
    )
