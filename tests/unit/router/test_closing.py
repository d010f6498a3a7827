from datetime import timedelta
from typing import Any

import msgspec
import pytest

from rules.posts import Post
from schemas.case.assigning import AssignCase
from schemas.case.closing import (
    CallbackRecorded,
    CaseClosed,
    RecordCallback,
    RecordInspection,
    ReportResolved,
    ReworkOrdered,
    WriteOff,
)
from schemas.case.opening import AttachReport
from schemas.case.states import State
from schemas.case.supervising import LiftSupervision, Supervise
from schemas.intake import CaseEnded
from schemas.topics import INTAKE_DESK
from tests.builders_city import tiny_parts
from tests.builders_intake import read
from tests.stories import START
from tests.unit.router.telling import (
    CASE,
    CLOCK,
    DESK,
    LATER,
    Life,
    centre,
    city,
    firing,
    handler,
    inspection,
    life,
    post,
    resolution,
)

HOUR = timedelta(hours=1)


def test_a_happy_life_from_the_report_to_the_docket() -> None:
    case = life().open().accept().sign().resolve().verify().call()
    case.wrote("CallbackRecorded", "CaseClosed")
    case.sends(INTAKE_DESK.send("C1", CaseEnded(case=CASE, how="closed")))
    case.sent(WriteOff(), centre("keeper"), at=LATER).wrote("CaseWrittenOff")
    assert [type(event).__name__ for event in case.history] == [
        "CaseOpened", "CaseAccepted", "AdmissionDecided", "CaseAssigned", "CaseSigned", "ResolutionReported",
        "InspectionPassed", "CallbackRecorded", "CaseClosed", "CaseWrittenOff",
    ]  # fmt: skip
    assert (case.state.state, case.state.version, case.state.revision) == (State.WRITTEN_OFF, 10, 10)
    assert all(run.stopped for run in case.state.clocks.values())


def test_each_closing_item_is_answered_with_evidence() -> None:
    case = life().handled()
    done = ReportResolved(outcome="solved", answer="好了")
    assert case.when(done, sender=handler("JW1")).refused("items_missing").found == "清理干净"
    good = resolution(case.state)
    case.when(ReportResolved(outcome="gone", answer="", items=good.items), sender=handler("JW1")).refused(
        "unknown_outcome"
    )
    case.when(ReportResolved(outcome="solved", answer="", items=good.items), sender=handler("JW1")).refused(
        "no_answer"
    )
    case.resolve()


def test_a_pass_means_that_each_item_passed() -> None:
    case = life().handled().resolve()
    case.when(RecordInspection(passed=True), sender=centre("inspector")).refused("items_not_passed")
    case.verify()


def test_a_failed_inspection_means_rework_with_the_rest_of_the_limit() -> None:
    case = life().handled().resolve(at=START + 2 * HOUR).verify(passed=False)
    case.wrote("InspectionFailed", "ReworkOrdered")
    rework = case.last(ReworkOrdered)
    assert (rework.round, rework.why, rework.limit.minutes) == (2, "inspection", 360)
    assert case.state.state is State.HANDLING


def test_rework_gets_at_least_the_citys_share_of_the_limit() -> None:
    case = life().handled().resolve(at=START + timedelta(days=9)).verify(passed=False)
    assert case.last(ReworkOrdered).limit.minutes == 240


def with_inspector(unit: str) -> Any:
    extra = Post(code="INSP", role="inspector", unit=unit, area="D", person="x")
    return city(posts=(*tiny_parts().posts, extra))


@pytest.mark.parametrize(("unit", "allowed"), [("JW1", False), ("JD", True), ("JW2", True)])
def test_the_inspector_is_neither_of_the_lead_nor_under_it(unit: str, allowed: bool) -> None:
    case = life(with_inspector(unit)).handled().resolve()
    case.when(inspection(case.state), sender=post("INSP"))
    if allowed:
        case.wrote("InspectionPassed")
    else:
        case.refused("not_independent")


def test_a_unit_under_the_lead_does_not_inspect_it() -> None:
    case = life(with_inspector("JW2")).routed()
    case.sent(AssignCase(lead="JD", reason="跨社区"), centre("dispatcher")).sign().resolve()
    case.when(inspection(case.state), sender=post("INSP")).refused("not_independent")
    case.sent(inspection(case.state), centre("inspector"))


def test_where_nobody_can_be_called_the_inspection_closes() -> None:
    case = life().handled(reporter="").resolve().verify()
    case.wrote("InspectionPassed", "CaseClosed")
    assert case.last(CaseClosed).how == "no_reporter"


def test_a_stand_in_verifies_only_after_the_breach() -> None:
    case = life().handled().resolve()
    case.when(inspection(case.state), sender=centre("supervisor")).refused("not_permitted")
    fired = firing(case.state, "verify", START + HOUR)
    pressed = Supervise(kind="urge", to="centre", firing=fired, breach=True)
    case.sent(pressed, CLOCK, at=START + HOUR)
    case.sent(inspection(case.state), centre("supervisor"))


def test_a_reporter_who_is_not_satisfied_means_rework() -> None:
    case = life().handled().resolve().verify().call(solved=False)
    case.wrote("CallbackRecorded", "ReworkOrdered")
    assert (case.last(ReworkOrdered).why, case.state.round) == ("callback", 2)


def test_every_reporter_is_called() -> None:
    case = life().handled()
    case.sent(AttachReport(desk="C1", report=read("12345/2", reporter="token-2")), DESK)
    case.resolve().verify().call().wrote("CallbackRecorded")
    assert case.state.state is State.TO_CALL_BACK
    case.call()
    assert [event.reporter for event in case.history if isinstance(event, CallbackRecorded)] == [
        "token-1",
        "token-2",
    ]
    assert case.state.state is State.CLOSED


def missed(case: Life, hours: int) -> Life:
    return case.when(RecordCallback(contacted=False), sender=centre("caller"), at=START + hours * HOUR)


def test_three_vain_calls_at_different_hours_close_without_a_valid_callback() -> None:
    case = life().handled().resolve().verify()
    missed(case, 1).wrote("CallbackRecorded")
    missed(case, 25).refused("same_hour")
    missed(case, 26).wrote("CallbackRecorded")
    missed(case, 27).wrote("CallbackRecorded", "CaseClosed")
    closed = case.last(CaseClosed)
    assert (closed.how, closed.satisfied) == ("no_contact", False)


def test_an_unreasonable_refusal_needs_a_second_officer() -> None:
    case = life().handled().resolve().verify()
    alone = RecordCallback(contacted=True, solved=False, unreasonable="OPS-caller")
    case.when(alone, sender=centre("caller")).refused("no_second_officer")
    agreed = RecordCallback(contacted=True, solved=False, unreasonable="OPS-supervisor")
    case.sent(agreed, centre("caller"))
    assert case.last(CaseClosed).how == "unreasonable"


def test_only_reporters_of_the_case_are_called() -> None:
    case = life().handled().resolve().verify()
    case.when(RecordCallback(reporter="x", contacted=True), sender=centre("caller")).refused("not_a_reporter")


def at_the_bound(case: Life) -> Life:
    for _ in range(2):
        case.resolve().verify().call(solved=False)
    return case.resolve().verify().call(solved=False)


def test_at_the_bound_of_rounds_only_a_supervisor_or_meeting_decides() -> None:
    case = at_the_bound(life().handled())
    case.wrote("CallbackRecorded", "SupervisionOpened")
    assert (case.state.round, case.state.state) == (3, State.TO_CALL_BACK)
    case.when(RecordCallback(contacted=True), sender=centre("caller")).refused("bound_reached")
    case.sent(RecordCallback(contacted=True, last_rework=True), centre("supervisor"))
    case.wrote("CallbackRecorded", "SupervisionLifted", "ReworkOrdered")
    case.resolve().verify().call(solved=False).wrote("CallbackRecorded", "SupervisionOpened")
    case.when(RecordCallback(contacted=True, last_rework=True), sender=centre("meeting1")).refused(
        "no_last_rework"
    )
    case.sent(RecordCallback(contacted=True), centre("meeting1")).wrote(
        "CallbackRecorded", "SupervisionLifted", "CaseClosed"
    )
    assert case.last(CaseClosed).how == "not_satisfied"


def test_inspections_order_no_rework_beyond_the_bound_either() -> None:
    case = life().handled()
    for _ in range(2):
        case.resolve().verify(passed=False)
    case.resolve().verify(passed=False).wrote("InspectionFailed", "SupervisionOpened")
    case.when(inspection(case.state), sender=centre("inspector")).refused("bound_reached")
    case.sent(RecordCallback(contacted=False), centre("supervisor")).wrote(
        "CallbackRecorded", "SupervisionLifted", "CaseClosed"
    )
    assert not case.state.supervisions


def test_what_an_inspection_failed_is_never_closed_as_solved() -> None:
    case = life().handled()
    for _ in range(3):
        case.resolve().verify(passed=False)
    case.sent(RecordCallback(contacted=True, solved=True), centre("supervisor"))
    assert (case.last(CaseClosed).how, case.last(CaseClosed).satisfied) == ("not_satisfied", False)


def test_no_last_rework_below_the_bound() -> None:
    case = life().handled().resolve().verify()
    case.when(RecordCallback(contacted=True, last_rework=True), sender=centre("caller")).refused(
        "no_last_rework"
    )


def test_an_evaluation_after_closing_is_on_record_only() -> None:
    case = life().closed()
    case.when(RecordCallback(contacted=True, score=1), sender=centre("caller")).wrote("CallbackRecorded")
    assert case.state.state is State.CLOSED


def test_the_keeper_waits_for_the_window() -> None:
    case = life().closed()
    case.when(WriteOff(), sender=centre("keeper")).refused("window_open")
    case.sent(WriteOff(), centre("keeper"), at=LATER)


def test_an_open_supervision_holds_the_write_off_until_it_is_lifted() -> None:
    case = life().handled().sent(Supervise(kind="oversee"), centre("supervisor")).resolve().verify().call()
    case.when(WriteOff(), sender=centre("keeper"), at=LATER).refused("held")
    due = START + timedelta(days=7)
    case.sent(WriteOff(firing=firing(case.state, "after_close", due)), CLOCK).wrote("WriteOffHeld")
    case.sent(LiftSupervision(number=1, reason="已落实"), centre("supervisor"))
    case.wrote("SupervisionLifted", "CaseWrittenOff")


def test_what_the_clock_pressed_for_ends_with_the_closing() -> None:
    case = life().handled()
    case.sent(Supervise(kind="urge", firing=firing(case.state, "case", START + HOUR)), CLOCK, at=START + HOUR)
    case.resolve().verify().call().wrote("CallbackRecorded", "SupervisionLifted", "CaseClosed")


def test_what_the_window_itself_pressed_for_does_not_hold_the_write_off() -> None:
    case, due = life().closed(), START + timedelta(days=7)
    warned = Supervise(kind="urge", to="keeper", firing=firing(case.state, "after_close", due))
    case.sent(warned, CLOCK, at=START + timedelta(days=5)).wrote("SupervisionOpened")
    case.sent(WriteOff(firing=firing(case.state, "after_close", due)), CLOCK, at=due)
    case.wrote("SupervisionLifted", "CaseWrittenOff")
    assert not case.state.supervisions


def test_the_keeper_whom_the_window_pressed_may_write_off() -> None:
    case, due = life().closed(), START + timedelta(days=7)
    case.sent(Supervise(kind="urge", firing=firing(case.state, "after_close", due)), CLOCK)
    case.sent(WriteOff(), centre("keeper"), at=LATER).wrote("SupervisionLifted", "CaseWrittenOff")


def test_the_last_hold_of_a_person_ends_what_the_window_pressed_for_too() -> None:
    case = life().handled().sent(Supervise(kind="oversee"), centre("supervisor")).resolve().verify().call()
    due = START + timedelta(days=7)
    case.sent(Supervise(kind="urge", firing=firing(case.state, "after_close", due)), CLOCK)
    case.sent(WriteOff(firing=firing(case.state, "after_close", due)), CLOCK, at=due)
    assert case.events[0].holds == 1
    case.sent(LiftSupervision(number=1, reason="已落实"), centre("supervisor"))
    case.wrote("SupervisionLifted", "SupervisionLifted", "CaseWrittenOff")


def test_the_clock_writes_off_at_the_end_of_the_window() -> None:
    case = life().closed()
    due = START + timedelta(days=7)
    case.sent(WriteOff(firing=firing(case.state, "after_close", due)), CLOCK, at=due).wrote("CaseWrittenOff")
    assert case.state.window_due == due


def test_the_area_of_a_post_must_cover_the_case() -> None:
    posts = tuple(
        msgspec.structs.replace(one, area="C2") if one.code == "OPS-inspector" else one
        for one in tiny_parts().posts
    )
    case = life(city(posts=posts)).handled().resolve()
    case.when(inspection(case.state), sender=centre("inspector")).refused("not_permitted")
