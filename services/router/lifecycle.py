"""The whole lifecycle of a case (案件流转) on one page. Docs and console draw it from here."""

from typing import Final

from kernel.table import by, from_, needs, to
from schemas.case.assigning import AssignCase
from schemas.case.closing import RecordCallback, RecordInspection, ReopenCase, ReportResolved, WriteOff
from schemas.case.handling import RecordProgress, SignCase
from schemas.case.objecting import DecideObjection, ObjectToCase
from schemas.case.opening import AcceptCase, AttachReport, OpenCase, VoidCase
from schemas.case.states import OPEN, State
from schemas.case.supervising import LiftSupervision, Supervise
from schemas.case.timing import RecordBreach
from schemas.case.union import CaseCommand
from services.router.decisions.assigning import assign_case, named_admitted
from services.router.decisions.closing import record_callback, record_inspection, report_resolved
from services.router.decisions.handling import record_progress, sign_case
from services.router.decisions.objecting import decide_objection, new_lead_admitted, object_to_case
from services.router.decisions.opening import accept_case, attach_report, not_attached, open_case, void_case
from services.router.decisions.reopening import not_reopened, reopen_case
from services.router.decisions.supervising import lift_supervision, supervise
from services.router.decisions.timing import record_breach
from services.router.decisions.writing_off import write_off
from services.router.guards import (
    answer_sound,
    callback_sound,
    check_passed,
    condition_met,
    decides_not_the_own,
    first_of_unit,
    independent,
    inspection_sound,
    lead_named,
    matter_known,
    nothing_holds,
    objection_reasoned,
    progress_sound,
    reason_and_remedy,
    reason_if_led,
    relieved_within_bound,
    reopenable,
    resolution_sound,
    round_open,
    supervision_kind,
    supervision_open,
    triage_known,
    units_known,
    verdict_known,
    window_over,
    within_window,
)
from services.router.senders import (
    asst,
    at_bound,
    before_write_off,
    caller,
    clock,
    decider,
    desk,
    disp,
    in_state,
    insp,
    keep,
    lead,
    lifter,
    meet,
    opener,
    rep,
    router,
    sup,
    up,
    when_late,
)
from services.router.table import Row, on, table

NONE, RECEIVED, DELIBERATING, TO_ROUTE = State.NONE, State.RECEIVED, State.DELIBERATING, State.TO_ROUTE
TO_SIGN, DISPUTED, HANDLING, SUSPENDED = State.TO_SIGN, State.DISPUTED, State.HANDLING, State.SUSPENDED
TO_VERIFY, TO_CALL_BACK, CLOSED = State.TO_VERIFY, State.TO_CALL_BACK, State.CLOSED
WRITTEN_OFF, VOID = State.WRITTEN_OFF, State.VOID
OVER = (CLOSED, WRITTEN_OFF, VOID)

# fmt: off
LIFECYCLE: Final[tuple[Row, ...]] = (
    #  command           decision           from                                  to                                                 by                                                            needs (guards.py)
    on(OpenCase,         open_case,         from_(NONE),                          to(RECEIVED),                                      by(desk)),
    on(AttachReport,     attach_report,     from_(*OPEN, *OVER),                  to(),                                              by(desk),                                                     otherwise=not_attached),
    on(AcceptCase,       accept_case,       from_(RECEIVED),                      to(TO_ROUTE, TO_SIGN),                             by(desk, when_late("accept", sup)),                           needs(matter_known, condition_met, check_passed, triage_known)),
    on(VoidCase,         void_case,         from_(RECEIVED, DELIBERATING, TO_ROUTE), to(VOID),                                       by(in_state(desk, RECEIVED), in_state(meet, DELIBERATING), in_state(sup, DELIBERATING, TO_ROUTE)), needs(reason_and_remedy)),
    on(AssignCase,       assign_case,       from_(TO_ROUTE, TO_SIGN, HANDLING),   to(TO_SIGN, TO_ROUTE),                             by(disp, sup, router),                                        needs(lead_named, units_known, reason_if_led, relieved_within_bound, named_admitted)),
    on(SignCase,         sign_case,         from_(TO_SIGN, HANDLING),             to(HANDLING),                                      by(lead, clock),                                              needs(within_window)),
    on(ObjectToCase,     object_to_case,    from_(TO_SIGN, HANDLING),             to(DISPUTED),                                      by(lead),                                                     needs(within_window, first_of_unit, objection_reasoned)),
    on(DecideObjection,  decide_objection,  from_(DISPUTED),                      to(TO_SIGN, HANDLING, TO_ROUTE, DISPUTED),         by(decider, clock),                                           needs(verdict_known, decides_not_the_own, new_lead_admitted)),
    on(RecordProgress,   record_progress,   from_(HANDLING, SUSPENDED),           to(),                                              by(lead, asst),                                               needs(progress_sound, answer_sound)),
    on(Supervise,        supervise,         from_(*OPEN),                         to(),                                              by(sup, up, meet, clock),                                     needs(supervision_kind)),
    on(LiftSupervision,  lift_supervision,  from_(*OPEN, *OVER),                  to(WRITTEN_OFF),                                   by(opener, sup, lifter),                                      needs(supervision_open)),
    on(ReportResolved,   report_resolved,   from_(HANDLING),                      to(TO_VERIFY),                                     by(lead),                                                     needs(resolution_sound)),
    on(RecordInspection, record_inspection, from_(RECEIVED, TO_VERIFY),           to(TO_CALL_BACK, CLOSED, HANDLING),                by(insp, when_late("verify", sup), when_late("check", sup)),  needs(independent, inspection_sound)),
    on(RecordCallback,   record_callback,   from_(TO_CALL_BACK, TO_VERIFY, CLOSED), to(CLOSED, HANDLING),                            by(caller, rep, at_bound(sup), at_bound(meet)),               needs(independent, round_open, callback_sound)),
    on(WriteOff,         write_off,         from_(CLOSED),                        to(WRITTEN_OFF),                                   by(keep, clock),                                              needs(window_over, nothing_holds)),
    on(ReopenCase,       reopen_case,       from_(*OPEN, *OVER),                  to(RECEIVED, TO_ROUTE, HANDLING),                  by(desk, before_write_off(rep), before_write_off(disp), sup), needs(reopenable), otherwise=not_reopened),
    on(RecordBreach,     record_breach,     from_(*OPEN, *OVER),                  to(),                                              by(clock)),
)
# fmt: on

decide = table(CaseCommand, *LIFECYCLE)
