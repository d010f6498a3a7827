"""Result (办结), inspection (核查·核实), call-back (回访) and closing (结案), with the rounds of rework."""

from kernel.processor import Context
from schemas.case.closing import (
    CallbackRecorded,
    CaseClosed,
    CheckRecorded,
    InspectionFailed,
    InspectionPassed,
    RecordCallback,
    RecordInspection,
    ReportResolved,
    ResolutionReported,
    ReworkOrdered,
)
from schemas.case.states import State
from schemas.case.timing import Term
from schemas.case.union import CaseEvent
from services.router.decisions.lifting import decided, lifted
from services.router.decisions.supervising import opened
from services.router.evolve import AT_BOUND
from services.router.guards import called
from services.router.state import Calls, Case


def report_resolved(case: Case, command: ReportResolved, context: Context) -> list[CaseEvent]:
    """办结反馈: the unit says that it is done; the first completion stays a fact whatever follows."""
    return [
        ResolutionReported(
            unit=case.lead,
            outcome=command.outcome,
            answer=command.answer,
            items=command.items,
            settled_level=command.settled_level,
            round=case.round,
            by=context.sender.id,
            at=context.received,
        )
    ]


def record_inspection(case: Case, command: RecordInspection, context: Context) -> list[CaseEvent]:
    """核查 before filing; 核实 before closing: passed, or done again while rounds are left."""
    by, at = context.sender.id, context.received
    items, photos, note = command.items, command.photos, command.note
    if case.state is State.RECEIVED:
        return [CheckRecorded(passed=command.passed, items=items, photos=photos, note=note, by=by, at=at)]
    if not command.passed:
        failed = InspectionFailed(items=items, photos=photos, note=note, by=by, at=at)
        return [failed, *again(case, "inspection", context)]
    if case.reporters:
        return [InspectionPassed(items=items, photos=photos, note=note, by=by, at=at)]
    passed = InspectionPassed(items=items, photos=photos, note=note, by=by, at=at, state=State.TO_VERIFY)
    return [passed, *closed(case, "no_reporter", context, satisfied=False)]


def record_callback(case: Case, command: RecordCallback, context: Context) -> list[CaseEvent]:
    """回访: every reporter is called; solved for all closes, not solved for one means rework (重办)."""
    reporter = called(case, command)
    before = case.calls.get(reporter, Calls())
    attempt = len(before.attempts) + 1
    outcome = _outcome(command, attempt, context)
    over = outcome in ENDS
    recorded = CallbackRecorded(
        reporter=reporter,
        attempt=attempt,
        contacted=command.contacted,
        solved=command.solved,
        score=command.score,
        note=command.note,
        unreasonable=command.unreasonable,
        outcome=outcome,
        over=over,
        by=context.sender.id,
        at=context.received,
    )
    if case.state is State.CLOSED:
        return [recorded]
    if case.escalated:
        return [recorded, *_at_bound(case, command, context)]
    if outcome == "not_solved":
        return [recorded, *again(case, "callback", context)]
    ends = {name: calls.outcome for name, calls in case.calls.items() if calls.over}
    if over:
        ends[reporter] = outcome
    if any(name not in ends for name in case.reporters):
        return [recorded]
    how = next(word for word in ENDS if word in ends.values())
    return [recorded, *closed(case, how, context, satisfied="called_back" in ends.values())]


ENDS = ("unreasonable", "called_back", "no_contact")
"""What ends the calling of a reporter; the first of them that any reporter gave is how the case closed."""


def _outcome(command: RecordCallback, attempt: int, context: Context) -> str:
    if not command.contacted:
        return "no_contact" if attempt >= context.rules.bundle.bounds.callbacks else "not_reached"
    if command.solved:
        return "called_back"
    return "unreasonable" if command.unreasonable else "not_solved"


def _at_bound(case: Case, command: RecordCallback, context: Context) -> list[CaseEvent]:
    """At the bound of rounds a supervisor or a meeting decides: one last rework, or closed as it is.

    It closes as called back only where the last inspection passed; a failed one leaves no proof to close on.
    """
    if command.last_rework:
        return [*decided(case, context), rework(case, "last", context)]
    settled = command.solved and case.state is State.TO_CALL_BACK
    how = "called_back" if settled else "not_satisfied"
    return [*decided(case, context), *closed(case, how, context, satisfied=settled)]


def again(case: Case, why: str, context: Context) -> list[CaseEvent]:
    """Rework while rounds are left; at the bound the case goes up, and only sup or a meeting decides."""
    if case.round < context.rules.bundle.bounds.rounds:
        return [rework(case, why, context)]
    return [opened(case, context, kind="escalate", level=3, to="centre", unit="", reason=AT_BOUND)]


def rework(case: Case, why: str, context: Context) -> ReworkOrdered:
    return ReworkOrdered(
        unit=case.lead,
        round=case.round + 1,
        why=why,
        limit=_rest(case, context),
        reachable=case.reachable,
        at=context.received,
    )


def _rest(case: Case, context: Context) -> Term:
    """What is left of the unit's limit, but not less than the city's share of it (返工时限)."""
    whole, given = case.leg_limit, case.leg_rest
    assert whole is not None, "limits are pinned at acceptance"
    assert given is not None, "limits are pinned at acceptance"
    leg = case.clocks["leg"]
    end = leg.stopped or context.received
    if given.working:
        used = context.rules.bundle.calendars.get(case.calendar).between(leg.at, end)
    else:
        used = int((end - leg.at).total_seconds()) // 60
    least = whole.minutes * context.rules.bundle.bounds.rework_percent // 100
    return Term(
        text=whole.text, minutes=max(given.minutes - used, least), working=whole.working, urgent=whole.urgent
    )


def closed(case: Case, how: str, context: Context, *, satisfied: bool) -> list[CaseEvent]:
    """结案: what the clocks pressed for ends with it."""
    event = CaseClosed(
        case=case.id,
        desk=case.desk,
        how=how,
        satisfied=satisfied,
        lead=case.lead,
        round=case.round,
        at=context.received,
    )
    return [*lifted(case, context), event]
