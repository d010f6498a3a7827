from datetime import timedelta

from schemas.case.assigning import CaseAssigned
from schemas.case.closing import CaseReopened, ReopenCase, WriteOff
from schemas.case.opening import AcceptCase, ReportAttached, VoidCase
from schemas.case.states import State
from schemas.intake import CaseReopenedForDesk, ReportBounced
from schemas.topics import INTAKE_DESK
from tests.builders_city import STREET_TRADING
from tests.builders_intake import read
from tests.stories import START
from tests.unit.router.telling import CASE, CLOCK, DESK, LATER, Life, centre, firing, life, strict_city

AGAIN = read("12345/9", reporter="token-9")
REPEAT = ReopenCase(reason="repeat", report=AGAIN, desk="C1")
DUE = START + timedelta(days=7)


def test_a_repeat_reopens_under_the_same_number_for_the_last_lead() -> None:
    case = life().closed()
    case.when(REPEAT, sender=DESK, after=timedelta(days=1))
    case.wrote("CaseReopened", "ReportAttached", "AdmissionDecided", "CaseAssigned")
    case.sends(INTAKE_DESK.send("C1", CaseReopenedForDesk(case=CASE)))
    assert (case.last(CaseReopened).round, case.state.state, case.state.lead) == (2, State.HANDLING, "JW1")
    running = {name for name, run in case.state.clocks.items() if run.stopped is None}
    assert running == {"case", "leg", "handle", "contact"}
    case.resolve().verify().call().call()
    assert case.state.state is State.CLOSED


def test_a_last_lead_that_is_no_longer_admitted_does_not_get_it_back() -> None:
    case = life().open(area="G21").accept(triage="big").sign().resolve().verify().call()
    assert case.state.lead == "JW2"
    case.rules = life(strict_city()).rules
    case.sent(ReopenCase(reason="复发"), centre("dispatcher"))
    case.wrote("CaseReopened", "AdmissionDecided", "AdmissionGap", "RoutingStopped")
    assert (case.state.state, case.state.lead) == (State.TO_ROUTE, "")


def test_after_the_repeat_window_the_report_goes_back_for_a_new_case() -> None:
    case = life().closed()
    case.when(REPEAT, sender=DESK, after=timedelta(days=31)).refused("window_over")
    bounced = ReportBounced(
        case=CASE, report=AGAIN, state="closed", refused=True, reason="not_reopened", ended=case.state.ended
    )
    case.sends(INTAKE_DESK.send("C1", bounced))


def test_a_case_that_is_open_again_just_takes_the_report() -> None:
    case = life().handled()
    case.when(REPEAT, sender=DESK)
    case.then(ReportAttached(report=AGAIN, score=1000, count=2, at=case.now))
    case.when(ReopenCase(reason="x"), sender=centre("supervisor")).refused("wrong_state")


def test_a_void_case_comes_back_as_received() -> None:
    case = life().open().sent(VoidCase(reason="untrue", remedy="可再次反映"), centre("clerk"))
    case.sent(REPEAT, DESK).wrote("CaseReopened", "ReportAttached")
    assert case.state.state is State.RECEIVED
    assert case.state.clocks["accept"].stopped is None
    case.sent(AcceptCase(), DESK)


def rounds(case: Life, number: int) -> Life:
    for _ in range(number):
        case.sent(ReopenCase(reason="复发"), centre("supervisor"))
        case.resolve().verify().call()
    return case


def test_from_the_bound_of_rounds_on_only_a_supervisor_reopens() -> None:
    case = rounds(life().closed(), 2)
    case.when(ReopenCase(reason="复发"), sender=centre("dispatcher")).refused("too_many_rounds")
    case.when(REPEAT, sender=DESK).refused("too_many_rounds")
    case.sent(ReopenCase(reason="复发"), centre("supervisor"))


def test_after_write_off_the_dispatcher_is_late_and_the_supervisor_is_not() -> None:
    case = life().written_off()
    case.when(ReopenCase(reason="复发"), sender=centre("dispatcher")).refused("not_permitted")
    case.sent(ReopenCase(reason="复发"), centre("supervisor"))


def test_what_was_received_before_the_window_ended_undoes_the_write_off() -> None:
    case = life().closed()
    case.sent(WriteOff(firing=firing(case.state, "after_close", DUE)), CLOCK, at=DUE + timedelta(seconds=5))
    case.when(ReopenCase(reason="复发"), sender=centre("dispatcher"), received=DUE)
    case.wrote("WriteOffTakenBack", "CaseReopened", "AdmissionDecided", "CaseAssigned")


def test_a_row_8_case_is_reopened_to_its_department() -> None:
    case = life().closed(STREET_TRADING)
    case.sent(ReopenCase(reason="回潮"), centre("dispatcher"), at=START + timedelta(days=2))
    assert case.last(CaseAssigned).lead == "CG"
    assert case.now < LATER
