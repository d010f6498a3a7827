"""How each event changes the case: one small applier for each, in a table that must be complete."""

from typing import Any, TypeAlias

from msgspec.structs import replace

from kernel.table import folding, when
from rules.clocks import LAWS, ROWS
from schemas.case import assigning, closing, handling, objecting, opening, supervising, timing
from schemas.case.states import State
from schemas.case.union import CaseEvent
from schemas.intake import ReadReport
from services.router.state import Calls, Case, Deemed, Run, Supervision

Clocks: TypeAlias = dict[str, Run]

OWN_CLOCK = {state: entry.clock for state, row in ROWS.items() for entry in row if LAWS[entry.clock].own}
"""The clock of a state itself: it starts anew when the state is entered and stops when it is left."""

OF_LEAD = ("leg", "handle", "contact")
"""The clocks that belong to the unit that leads."""


def changed(case: Case, **fields: Any) -> Case:
    """The next state: one event and one revision later."""
    return replace(case, version=case.version + 1, revision=case.revision + 1, **fields)


def recorded(case: Case, event: object) -> Case:  # noqa: ARG001 - the shape of every applier
    """For what is on record and changes nothing: a refusal breaks nobody's edit."""
    return replace(case, version=case.version + 1)


def noted(case: Case, event: object) -> Case:  # noqa: ARG001 - the shape of every applier
    """For facts that no later decision asks for."""
    return changed(case)


Names: TypeAlias = tuple[str, ...]


def moved(case: Case, event: Any, start: Names = (), stop: Names = (), **fields: Any) -> Case:
    """The next state, with the clock of the state left stopped and that of the state entered started."""
    state: State = event.state
    clocks = case.clocks
    if state is not case.state:
        left, entered = OWN_CLOCK.get(case.state), OWN_CLOCK.get(state)
        stop = (*stop, left) if left else stop
        start = (*start, entered) if entered else start
    if start or stop:
        clocks = ticking(case, event.at, start, stop, fields.get("lead"))
    # `changed` written out: most events move, and its second pass of the fields costs a tenth of folding
    return replace(
        case, version=case.version + 1, revision=case.revision + 1, state=state, clocks=clocks, **fields
    )


def ticking(case: Case, at: Any, start: Names = (), stop: Names = (), lead: str | None = None) -> Clocks:
    """The clocks after some were stopped and some started anew at `at` by the event that comes next."""
    clocks = dict(case.clocks)
    for name in stop:
        run = clocks.get(name)
        if run is not None and run.stopped is None:
            clocks[name] = Run(run.since, run.at, run.unit, at, run.breached, run.before)
    for name in start:
        run = clocks.get(name)
        before = run and Run(run.since, run.at, run.unit, run.stopped or at, run.breached)
        clocks[name] = Run(case.version + 1, at, case.lead if lead is None else lead, before=before)
    return clocks


def running(case: Case, name: str) -> bool:
    run = case.clocks.get(name)
    return run is not None and run.stopped is None


def _open(case: Case, event: opening.CaseOpened) -> Case:
    report = event.report
    return moved(
        case,
        event,
        id=event.case,
        desk=event.desk,
        area=event.area,
        places=tuple((place.layer, place.area) for place in report.areas),
        matter=event.matter,
        matter_hint=event.matter,
        condition_hint=report.condition,
        triage=report.triage,
        reports=(report.report,),
        reporters=(report.reporter,) if report.reporter else (),
    )


def _check_ordered(case: Case, event: opening.CheckOrdered) -> Case:
    return changed(case, checked="ordered", clocks=ticking(case, event.at, start=("check",)))


def _attach(case: Case, event: opening.ReportAttached) -> Case:
    return changed(case, **_with(case, event.report))


def _with(case: Case, report: ReadReport) -> dict[str, Any]:
    reporter = report.reporter
    fresh = reporter and reporter not in case.reporters
    return {
        "reports": (*case.reports, report.report),
        "reporters": (*case.reporters, reporter) if fresh else case.reporters,
    }


def _accept(case: Case, event: opening.CaseAccepted) -> Case:
    return moved(
        case,
        event,
        start=("case",),
        stop=("check",),
        matter=event.matter,
        triage=event.triage,
        limit=event.limit,
        leg_limit=event.leg_limit,
        leg_rest=event.leg_limit,
        stages=len(event.stages),
        closing=event.closing,
        calendar=event.calendar,
    )


def _void(case: Case, event: opening.CaseVoided) -> Case:
    return moved(case, event, stop=(*OF_LEAD, "case", "check"), ended=event.at, supervisions=())


def _assign(case: Case, event: assigning.CaseAssigned) -> Case:
    start: list[str] = [] if event.same_lead and running(case, "leg") else ["leg"]
    if event.handle_at_once and not (event.same_lead and running(case, "handle")):
        start.append("handle")
    if event.state is State.TO_SIGN and case.state is State.TO_SIGN:
        start.append("sign")
    if event.state is State.HANDLING and event.reachable:
        start.append("contact")
    return moved(
        case,
        event,
        start=tuple(start),
        stop=() if event.same_lead else OF_LEAD,
        lead=event.lead,
        assistants=event.assistants,
        supervising=event.supervising,
        leg_rest=event.leg_limit if "leg" in start else case.leg_rest,
        assignments=event.number,
        dispatched_by=event.by,
        stage=case.stage if event.same_lead else 0,
        deemed=None,
        calendar=event.calendar,
    )


def _relieve(case: Case, event: assigning.LeadRelieved) -> Case:
    """The successor leads already, if there is one: at each moment just one unit is accountable."""
    if event.unit != case.lead:
        return changed(case, relieved=case.relieved + 1)
    clocks = ticking(case, event.at, stop=OF_LEAD)
    return changed(case, relieved=case.relieved + 1, **NOBODY, clocks=clocks, deemed=None)


NOBODY: dict[str, Any] = {"lead": "", "assistants": (), "supervising": ()}


def _stop_routing(case: Case, event: assigning.RoutingStopped) -> Case:
    return moved(case, event)


def _sign(case: Case, event: handling.CaseSigned) -> Case:
    return moved(case, event, start=_work(case, contact=event.reachable), deemed=None)


def _deem(case: Case, event: handling.SignatureDeemed) -> Case:
    sign = case.clocks.get("sign") or Run(0, event.at)
    deemed = Deemed(event.at, case.version + 1, sign)
    return moved(case, event, start=_work(case, contact=event.reachable), deemed=deemed)


def _work(case: Case, *, contact: bool) -> tuple[str, ...]:
    """The clocks that the unit's work starts, but for those that run already."""
    wanted = ("handle", "contact") if contact else ("handle",)
    return tuple(name for name in wanted if not running(case, name))


def _take_back_deemed(case: Case, event: objecting.DeemedSignatureTakenBack) -> Case:
    """The sign clock runs on as before; what the deemed signature started stops."""
    deemed = case.deemed
    if deemed is None:
        return changed(case, state=event.state)
    started = tuple(name for name, run in case.clocks.items() if run.since == deemed.version)
    clocks = ticking(case, event.at, stop=started)
    clocks["sign"] = deemed.sign
    return changed(case, state=event.state, clocks=clocks, deemed=None)


def _object(case: Case, event: objecting.ObjectionRaised) -> Case:
    return moved(
        case,
        event,
        objections=event.number,
        refused_by=(*case.refused_by, event.unit),
        proposed=event.proposed,
        level=event.level,
        deemed=None,
    )


def _refer(case: Case, event: objecting.ObjectionReferred) -> Case:
    clocks = ticking(case, event.at, start=("decide",))
    return changed(case, level=event.level, meeting_level=max(case.meeting_level, event.level), clocks=clocks)


def _uphold(case: Case, event: objecting.ObjectionAccepted) -> Case:
    return moved(case, event, stop=OF_LEAD, left=(*case.left, event.unit), **NOBODY)


def _overrule(case: Case, event: objecting.ObjectionRefused) -> Case:
    return moved(case, event, start=_work(case, contact=event.reachable), proposed="")


def _contact(case: Case, event: handling.ReporterContacted) -> Case:
    return changed(case, clocks=ticking(case, event.at, stop=("contact",)))


def _finish_stage(case: Case, event: handling.StageFinished) -> Case:
    clocks = ticking(case, event.at, start=("handle",), stop=("handle",))
    return changed(case, stage=event.stage, clocks=clocks)


def _answer(case: Case, event: handling.SupervisionAnswered) -> Case:
    answered = tuple(
        replace(one, answered=True) if one.number == event.number else one for one in case.supervisions
    )
    return changed(case, supervisions=answered)


def _supervise(case: Case, event: supervising.SupervisionOpened) -> Case:
    bound = event.reason == AT_BOUND
    one = Supervision(
        event.number,
        event.kind,
        event.level,
        event.unit,
        event.by,
        event.clock,
        event.since,
        at_bound=bound,
    )
    kept = tuple(other for other in case.supervisions if other.number != event.replaces)
    escalated = case.escalated or bound
    return changed(case, supervisions=(*kept, one), supervised=event.number, escalated=escalated)


AT_BOUND = "rounds"
"""Why the bound of rounds opens a supervision: from there on only a supervisor or a meeting decides."""


def _lift(case: Case, event: supervising.SupervisionLifted) -> Case:
    return changed(case, supervisions=tuple(one for one in case.supervisions if one.number != event.number))


def _resolve(case: Case, event: closing.ResolutionReported) -> Case:
    return moved(case, event, stop=OF_LEAD, deemed=None)


def _check(case: Case, event: closing.CheckRecorded) -> Case:
    clocks = ticking(case, event.at, stop=("check",))
    return changed(case, checked="passed" if event.passed else "failed", clocks=clocks)


def _pass_inspection(case: Case, event: closing.InspectionPassed) -> Case:
    return moved(case, event)


def _rework(case: Case, event: closing.ReworkOrdered) -> Case:
    start = ("leg", "handle", "contact") if event.reachable else ("leg", "handle")
    last = case.last_rework or event.why == "last"
    return moved(
        case,
        event,
        start=start,
        round=event.round,
        leg_rest=event.limit,
        calls={},
        last_rework=last,
        escalated=False,
    )


def _call(case: Case, event: closing.CallbackRecorded) -> Case:
    if case.state is State.CLOSED:
        return changed(case)
    before = case.calls.get(event.reporter, Calls())
    calls = Calls((*before.attempts, event.at), event.over, event.outcome)
    return changed(case, calls={**case.calls, event.reporter: calls})


def _close(case: Case, event: closing.CaseClosed) -> Case:
    stop = (*OF_LEAD, "case")
    return moved(case, event, stop=stop, ended=event.at, window_due=None, escalated=False)


def _write_off(case: Case, event: closing.CaseWrittenOff) -> Case:
    return moved(case, event, window_due=event.due)


def _hold(case: Case, event: closing.WriteOffHeld) -> Case:
    return changed(case, window_due=event.due)


def _take_back_write_off(case: Case, event: closing.WriteOffTakenBack) -> Case:
    return moved(case, event, window_due=None)


def _reopen(case: Case, event: closing.CaseReopened) -> Case:
    return moved(
        case,
        event,
        start=("case",) if event.limit else (),
        round=event.round,
        calls={},
        left=(),
        proposed="",
        stage=0,
        ended=None,
        **NOBODY,
        window_due=None,
        checked="" if event.state is State.RECEIVED else case.checked,
    )


def _breach(case: Case, event: timing.ClockBreached) -> Case:
    return _marked(case, event.clock, event.since, event.due)


def _take_back_breach(case: Case, event: timing.BreachTakenBack) -> Case:
    return _marked(case, event.clock, event.since, None)


def _marked(case: Case, clock: str, since: int, due: Any) -> Case:
    run = case.clocks[clock]
    if run.since == since:
        run = replace(run, breached=due)
    elif run.before is not None and run.before.since == since:
        run = replace(run, before=replace(run.before, breached=due))
    return changed(case, clocks={**case.clocks, clock: run}, breaches=case.breaches + (1 if due else -1))


evolve = folding(
    CaseEvent,
    when(opening.CaseOpened, _open),
    when(opening.CheckOrdered, _check_ordered),
    when(opening.ReportAttached, _attach),
    when(opening.RepeatNoted, noted),
    when(opening.ReportReturned, recorded),
    when(opening.CaseAccepted, _accept),
    when(opening.CaseVoided, _void),
    when(opening.CommandRefused, recorded),
    when(assigning.AdmissionDecided, noted),
    when(assigning.AdmissionGap, noted),
    when(assigning.FundingDue, noted),
    when(assigning.FundingDebt, noted),
    when(assigning.Understaffed, noted),
    when(assigning.CaseAssigned, _assign),
    when(assigning.LeadRelieved, _relieve),
    when(assigning.RoutedToFallback, noted),
    when(assigning.RoutingStopped, _stop_routing),
    when(handling.CaseSigned, _sign),
    when(handling.SignatureDeemed, _deem),
    when(handling.ProgressRecorded, noted),
    when(handling.ReporterContacted, _contact),
    when(handling.StageFinished, _finish_stage),
    when(handling.SupervisionAnswered, _answer),
    when(objecting.DeemedSignatureTakenBack, _take_back_deemed),
    when(objecting.ObjectionRaised, _object),
    when(objecting.ObjectionReferred, _refer),
    when(objecting.ObjectionAccepted, _uphold),
    when(objecting.ObjectionRefused, _overrule),
    when(supervising.SupervisionOpened, _supervise),
    when(supervising.SupervisionLifted, _lift),
    when(closing.ResolutionReported, _resolve),
    when(closing.CheckRecorded, _check),
    when(closing.InspectionPassed, _pass_inspection),
    when(closing.InspectionFailed, noted),
    when(closing.ReworkOrdered, _rework),
    when(closing.CallbackRecorded, _call),
    when(closing.CaseClosed, _close),
    when(closing.CaseWrittenOff, _write_off),
    when(closing.WriteOffHeld, _hold),
    when(closing.WriteOffTakenBack, _take_back_write_off),
    when(closing.CaseReopened, _reopen),
    when(timing.ClockBreached, _breach),
    when(timing.BreachNotConfirmed, recorded),
    when(timing.BreachTakenBack, _take_back_breach),
)
