from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from kernel.processor import Sender
from rules.inforce import Rules
from schemas.case.closing import ReopenCase
from schemas.case.opening import AcceptCase, AttachReport, OpenCase
from schemas.intake import (
    Acceptance,
    CaseEnded,
    CaseEndNoted,
    CaseNumbered,
    CaseReopenedForDesk,
    CaseReturnNoted,
    DeskReport,
    ReadReport,
    RepeatFound,
    ReportBounced,
    ReportMerged,
)
from schemas.topics import CASE_COMMANDS
from services.intake.desk.processor import DESK
from tests.builders_city import CLUTTER, STREET_TRADING, tiny_city
from tests.builders_intake import minutes, point, read
from tests.stories import START, Story

FIRST, SECOND = "20260302-C1-0001", "20260302-C1-0002"
DAYS_30 = timedelta(days=30)
ROUTER = Sender("processor", "router.case")
BYSTANDER = "完全是另外一件事情"


@pytest.fixture
def desk() -> Story:
    return Story(DESK, Rules(1, tiny_city()), "C1", Sender("processor", "intake.reader"))


def numbered(report: ReadReport, number: int = 1, *, accept: bool = True, after: str = "") -> CaseNumbered:
    said = Acceptance(matter=report.matter, condition=report.condition, triage=report.triage)
    return CaseNumbered(
        case=f"20260302-C1-{number:04}",
        day="20260302",
        number=number,
        report=report,
        acceptance=said if accept else None,
        after=after,
    )


def merged(
    case: str, report: ReadReport, score: int = 1000, likeness: int = 1000, metres: int | None = 0
) -> ReportMerged:
    return ReportMerged(case=case, report=report, score=score, likeness=likeness, metres=metres)


def closed(case: str = FIRST, at: datetime = START) -> CaseEndNoted:
    return CaseEndNoted(case=case, how="closed", survivor="", ended=at, until=at + DAYS_30)


def test_the_first_report_opens_a_numbered_case_that_is_accepted_at_once(desk: Story) -> None:
    desk.when(DeskReport(report=read())).then(numbered(read())).sends(
        CASE_COMMANDS.send(FIRST, OpenCase(case=FIRST, desk="C1", report=read())),
        CASE_COMMANDS.send(FIRST, AcceptCase(matter=read().matter, condition="1", triage="big")),
    )


@pytest.mark.parametrize(
    "report",
    [
        read(confidence=799),
        read(located=0, areas=(), position=point("G11")),
        read(matter="Q-01-01"),
        read(matter=""),
    ],
)
def test_what_is_not_sure_or_not_automatic_waits_for_the_clerk(desk: Story, report: ReadReport) -> None:
    desk.when(DeskReport(report=report)).then(numbered(report, accept=False))
    desk.sends(CASE_COMMANDS.send(FIRST, OpenCase(case=FIRST, desk="C1", report=report)))


def test_numbers_go_on_without_gaps_and_start_anew_each_day_of_the_city(desk: Story) -> None:
    desk.given(numbered(read()))
    other = read("12345/2", position=point("G12"))
    desk.when(DeskReport(report=other)).then(numbered(other, 2))
    next_day = read("12345/3", position=point("G12", 500), at=START + timedelta(hours=15))
    desk.when(DeskReport(report=next_day), at=START + timedelta(hours=15))
    assert [event.case for event in desk.events] == ["20260303-C1-0001"]


def test_beyond_9999_a_number_grows_longer(desk: Story) -> None:
    desk.given(numbered(read(), 9999))
    desk.when(DeskReport(report=read("12345/2", matter="")))
    assert desk.events[0].case == "20260302-C1-10000"


def test_the_same_matter_at_the_same_place_joins_the_case(desk: Story) -> None:
    desk.given(numbered(read()))
    desk.when(DeskReport(report=read("12345/2"))).then(merged(FIRST, read("12345/2")))
    desk.sends(CASE_COMMANDS.send(FIRST, AttachReport(desk="C1", report=read("12345/2"), score=1000)))


def test_the_score_falls_with_distance_time_and_unlike_words(desk: Story) -> None:
    desk.given(numbered(read()))
    later = read("12345/2", "井盖缺失，路口很危险", at=START + timedelta(hours=36), position=point("G11", 5))
    desk.when(DeskReport(report=later), after=timedelta(hours=36)).then(merged(FIRST, later, 601, 444, 4))


@pytest.mark.parametrize(
    "report",
    [
        read("12345/2", position=point("G11", 40)),
        read("12345/2", matter=STREET_TRADING),
        read("12345/2", at=START + timedelta(hours=73)),
    ],
)
def test_another_place_another_matter_or_too_late_is_another_case(desk: Story, report: ReadReport) -> None:
    desk.given(numbered(read()))
    desk.when(DeskReport(report=report)).then(numbered(report, 2))


def test_what_only_resembles_a_case_is_shown_to_the_clerk(desk: Story) -> None:
    desk.given(numbered(read()))
    report = read("12345/2", BYSTANDER)
    [event] = desk.when(DeskReport(report=report)).events
    assert isinstance(event, CaseNumbered)
    assert [(one.case, one.score) for one in event.alike] == [(FIRST, 500)]


def test_the_same_address_joins_without_a_point_and_an_area_alone_needs_like_words(desk: Story) -> None:
    first = read(matter=CLUTTER, place="柳树路 3 号", position=point("G11"))
    desk.given(numbered(first))
    flat = replace(read("12345/2", matter=CLUTTER, place="柳树路3号"), position=None)
    desk.when(DeskReport(report=flat)).then(merged(FIRST, flat, metres=None))
    nowhere = replace(read("12345/3", matter=CLUTTER), position=None)
    desk.when(DeskReport(report=nowhere)).then(numbered(nowhere, 2))
    again = replace(nowhere, report="12345/4")
    desk.when(DeskReport(report=again)).then(merged(SECOND, again, 720, metres=None))
    unlike = replace(nowhere, report="12345/5", text=BYSTANDER)
    desk.when(DeskReport(report=unlike)).then(numbered(unlike, 3))


def test_the_window_goes_on_from_the_last_report(desk: Story) -> None:
    desk.given(numbered(read()))
    for day in (2, 4, 6):
        report = read(f"12345/{day}", at=START + timedelta(days=day))
        desk.when(DeskReport(report=report), at=START + timedelta(days=day))
        assert isinstance(desk.events[0], ReportMerged)


def test_a_repeat_of_a_closed_case_asks_to_reopen_it(desk: Story) -> None:
    desk.given(numbered(read()))
    desk.when(CaseEnded(case=FIRST, how="closed"), sender=ROUTER).then(closed()).sends()
    report = read("12345/2", at=START + timedelta(days=20))
    desk.when(DeskReport(report=report), at=START + timedelta(days=20))
    desk.then(RepeatFound(case=FIRST, report=report, how="closed", score=950))
    desk.sends(CASE_COMMANDS.send(FIRST, ReopenCase(reason="repeat", report=report, desk="C1")))


def test_after_the_repeat_window_a_case_is_opened(desk: Story) -> None:
    desk.given(numbered(read()), closed())
    report = read("12345/2", at=START + DAYS_30)
    desk.when(DeskReport(report=report), at=START + DAYS_30)
    assert isinstance(desk.events[0], CaseNumbered)


def test_an_open_case_comes_before_one_that_is_over(desk: Story) -> None:
    again = read("12345/2", "井盖缺失了，路口很危险", position=point("G11", 3))
    desk.given(numbered(read()), closed(), numbered(again, 2))
    report = read("12345/3")
    [event] = desk.when(DeskReport(report=report)).events
    assert (event.case, type(event)) == (SECOND, ReportMerged)


def test_a_reopened_case_takes_reports_again(desk: Story) -> None:
    desk.given(numbered(read()), closed())
    desk.when(CaseReopenedForDesk(case=FIRST), sender=ROUTER).then(CaseReturnNoted(case=FIRST)).sends()
    desk.when(DeskReport(report=read("12345/2"))).then(merged(FIRST, read("12345/2")))


def test_a_merged_case_hands_reports_on_to_its_survivor(desk: Story) -> None:
    desk.given(numbered(read()))
    desk.when(CaseEnded(case=FIRST, how="merged", survivor="20260302-C2-0007"), sender=ROUTER)
    desk.when(DeskReport(report=read("12345/2"))).then(merged(FIRST, read("12345/2")))


def test_a_bounced_report_asks_to_reopen_within_the_window(desk: Story) -> None:
    desk.given(numbered(read()), closed())
    bounced = ReportBounced(case=FIRST, report=read("12345/2"), state="closed", ended=START)
    desk.when(bounced, sender=ROUTER, after=minutes(5))
    desk.then(RepeatFound(case=FIRST, report=read("12345/2"), how="closed"))


def test_a_bounced_report_opens_a_case_after_the_window_or_after_a_refusal(desk: Story) -> None:
    report = read("12345/2")
    desk.given(numbered(read()), closed())
    late = ReportBounced(case=FIRST, report=report, state="closed", ended=START)
    desk.when(late, sender=ROUTER, at=START + DAYS_30)
    assert desk.events[0].after == FIRST
    refused = ReportBounced(case=FIRST, report=report, state="closed", ended=START, refused=True)
    desk.when(refused, sender=ROUTER)
    assert [type(event) for event in desk.events] == [CaseNumbered]


@pytest.mark.parametrize("state", ["closed", "handling", "merged"])
def test_a_refusal_never_leads_back_to_the_case(desk: Story, state: str) -> None:
    desk.given(numbered(read()), closed())
    refused = ReportBounced(case=FIRST, report=read("12345/2"), state=state, refused=True)
    desk.when(refused, sender=ROUTER).then(numbered(read("12345/2"), 2, after=FIRST))


def test_a_bounce_from_a_case_that_nobody_remembers_opens_a_case(desk: Story) -> None:
    report = read("12345/2")
    desk.when(ReportBounced(case="20250101-C1-0001", report=report, state="written_off"), sender=ROUTER)
    desk.then(numbered(report, after="20250101-C1-0001"))


def test_what_is_over_is_forgotten_and_the_state_stays_small(desk: Story) -> None:
    desk.given(numbered(read()), closed(), numbered(read("12345/2", position=point("G12")), 2))
    desk.when(CaseEnded(case=SECOND, how="void"), sender=ROUTER, at=START + DAYS_30)
    assert [case.case for row in desk.state.cases for book in row for case in book.values()] == [SECOND]
    assert len(desk.state.fading) == 1


def test_writing_a_case_off_does_not_move_its_repeat_window(desk: Story) -> None:
    desk.given(numbered(read()), closed())
    desk.when(CaseEnded(case=FIRST, how="written_off"), sender=ROUTER, after=timedelta(days=5))
    assert [event.until for event in desk.events] == [START + DAYS_30]


def test_the_end_of_an_unknown_case_is_only_noted(desk: Story) -> None:
    desk.when(CaseEnded(case="20250101-C1-0001", how="closed"), sender=ROUTER)
    desk.then(closed("20250101-C1-0001"))
    assert desk.state == DESK.initial
