from datetime import timedelta

import msgspec

from schemas.case.closing import RecordInspection
from schemas.case.opening import (
    AcceptCase,
    AttachReport,
    CaseAccepted,
    CaseOpened,
    CheckOrdered,
    CommandRefused,
    OpenCase,
    ReportAttached,
    ReportReturned,
    VoidCase,
)
from schemas.case.states import State
from schemas.case.supervising import Supervise
from schemas.case.timing import Term
from schemas.intake import CaseEnded, ReportBounced
from schemas.topics import INTAKE_DESK
from tests.builders_city import CLUTTER, MANHOLE, QUARREL, tiny_parts
from tests.builders_intake import read
from tests.stories import START
from tests.unit.router.telling import CASE, CLOCK, DESK, centre, city, firing, life, post


def test_a_valid_report_becomes_a_case() -> None:
    case = life()
    report = read(matter=CLUTTER)
    case.when(OpenCase(case=CASE, desk="C1", report=report), sender=DESK)
    case.then(
        CaseOpened(
            case=CASE, desk="C1", area="G11", matter=CLUTTER, matter_name="楼道堆物", report=report,
            historic=False, at=START,
        )
    ).sends()  # fmt: skip
    assert case.state.state is State.RECEIVED
    assert case.state.accountable("OPS") == "OPS"


def test_a_report_without_place_lies_in_its_desk_area() -> None:
    assert life().open(areas=(), located=0).state.area == "C1"


def test_a_matter_that_asks_for_it_is_checked_before_it_is_accepted() -> None:
    matters = tuple(msgspec.structs.replace(one, check=True) for one in tiny_parts().matters)
    case = life(city(matters=matters)).open()
    case.then(case.events[0], CheckOrdered(area="G11", at=START))
    case.when(AcceptCase(condition="1"), sender=centre("clerk")).refused("check_not_passed")
    case.sent(RecordInspection(passed=True), centre("inspector"))
    case.accept(condition="1")
    assert case.state.state is State.TO_SIGN


def test_a_check_that_finds_nothing_keeps_the_case_from_acceptance() -> None:
    matters = tuple(msgspec.structs.replace(one, check=True) for one in tiny_parts().matters)
    case = life(city(matters=matters)).open()
    case.sent(RecordInspection(passed=False), centre("inspector"))
    case.when(AcceptCase(condition="1"), sender=DESK).refused("check_not_passed")
    case.sent(VoidCase(reason="untrue", remedy="可再次反映"), centre("clerk"))


def test_acceptance_pins_limits_and_routes_at_once() -> None:
    case = life().routed()
    case.wrote("CaseAccepted", "AdmissionDecided", "CaseAssigned")
    accepted = case.last(CaseAccepted)
    assert accepted.limit == Term(text="1工作日", minutes=480, working=True)
    assert (accepted.triage, accepted.closing, accepted.automatic) == ("small", ("清理干净",), True)


def test_a_matter_dispatched_by_hand_waits_for_the_dispatcher() -> None:
    case = life().routed(QUARREL)
    case.wrote("CaseAccepted", "RoutingStopped")
    assert case.state.state is State.TO_ROUTE


def test_two_filing_conditions_need_a_choice() -> None:
    case = life().open(MANHOLE)
    case.when(AcceptCase(), sender=centre("clerk"))
    assert case.refused("unknown_condition").expected == "1 or 2"
    case.accept(condition="2")


def test_the_condition_that_the_reader_found_is_taken() -> None:
    assert life().open(MANHOLE, condition="2").accept().last(CaseAccepted).condition == "2"


def test_an_unknown_matter_is_not_accepted() -> None:
    case = life().open("")
    case.when(AcceptCase(), sender=DESK).refused("unknown_matter")
    case.when(AcceptCase(matter=CLUTTER, triage="huge"), sender=DESK).refused("unknown_triage")
    case.accept(matter=CLUTTER)


def test_the_lead_officer_accepts_only_after_the_accept_clock_was_breached() -> None:
    case = life().open()
    case.when(AcceptCase(), sender=centre("lead_officer")).refused("not_permitted")
    due = START + timedelta(minutes=15)
    pressed = Supervise(kind="urge", to="lead_officer", firing=firing(case.state, "accept", due), breach=True)
    case.sent(pressed, CLOCK, at=due).wrote("ClockBreached", "SupervisionOpened")
    case.sent(AcceptCase(), centre("lead_officer"))


def test_a_second_report_joins_and_a_repeat_is_noted() -> None:
    case = life().open()
    other = read("12345/2", reporter="token-2")
    case.when(AttachReport(desk="C1", report=other, score=800), sender=DESK)
    case.then(ReportAttached(report=other, score=800, count=2, at=START)).sends()
    assert case.state.reporters == ("token-1", "token-2")
    case.when(AttachReport(desk="C1", report=other), sender=DESK).wrote("RepeatNoted")
    again = read("12345/3", reporter="token-2")
    case.when(AttachReport(desk="C1", report=again), sender=DESK).wrote("RepeatNoted")


def test_a_report_that_meets_a_case_that_is_over_goes_back_to_the_desk() -> None:
    case = life().closed()
    late = read("12345/2", reporter="token-2")
    case.when(AttachReport(desk="C2", report=late), sender=DESK)
    case.then(
        ReportReturned(
            case=CASE, desk="C2", report=late, state=State.CLOSED, refused=False, reason="",
            ended=case.state.ended,
        )
    ).sends(
        INTAKE_DESK.send("C2", ReportBounced(case=CASE, report=late, state="closed", ended=case.state.ended))
    )  # fmt: skip


def test_a_report_for_a_case_that_does_not_exist_is_not_lost() -> None:
    case = life()
    case.when(AttachReport(desk="C1", report=read()), sender=DESK)
    case.refused("no_such_case")
    bounced = ReportBounced(case=CASE, report=read(), state="none", refused=True, reason="not_attached")
    case.sends(INTAKE_DESK.send("C1", bounced))


def test_only_the_desk_opens_and_nobody_opens_twice() -> None:
    case = life()
    case.when(OpenCase(case=CASE, desk="C1", report=read()), sender=centre("caller")).refused("not_permitted")
    case.open()
    case.when(OpenCase(case=CASE, desk="C1", report=read()), sender=DESK).refused("wrong_state")


def test_a_void_case_told_its_remedy_and_ends_for_the_desk() -> None:
    case = life().open()
    case.when(VoidCase(reason="court", remedy=""), sender=centre("clerk")).refused("no_remedy")
    case.when(VoidCase(reason="mood", remedy="法院"), sender=centre("clerk")).refused("unknown_reason")
    case.sent(VoidCase(reason="court", remedy="向人民法院起诉"), centre("clerk")).wrote("CaseVoided")
    case.sends(INTAKE_DESK.send("C1", CaseEnded(case=CASE, how="void")))
    assert case.state.state is State.VOID
    assert all(run.stopped for run in case.state.clocks.values())


def test_after_acceptance_only_a_supervisor_voids() -> None:
    case = life().routed(QUARREL)
    void = VoidCase(reason="market", remedy="民事途径")
    case.when(void, sender=centre("clerk")).refused("not_permitted")
    case.sent(void, centre("supervisor"))


def test_a_post_that_nobody_holds_sends_nothing() -> None:
    case = life().open()
    case.when(AcceptCase(), sender=post("gone"))
    case.then(
        CommandRefused(
            command="AcceptCase",
            refusal=case.refused("post_not_held"),
            by="gone",
        )
    )


def test_a_stale_revision_is_refused_and_a_refusal_makes_none_stale() -> None:
    case = life().open()
    seen = case.state.revision
    case.when(AcceptCase(condition="9"), sender=DESK).refused("unknown_condition")
    case.when(AcceptCase(expected_revision=seen + 1), sender=DESK).refused("stale_revision")
    assert case.state.revision == seen
    case.accept(expected_revision=seen)
