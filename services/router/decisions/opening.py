"""Opening (建案), attaching (并入), accepting (受理立案) and voiding (作废)."""

from kernel.processor import Context
from rules.limits import Limit
from rules.matters import FilingCondition, Matter
from schemas.case.opening import (
    AcceptCase,
    AttachReport,
    CaseAccepted,
    CaseOpened,
    CaseVoided,
    CheckOrdered,
    OpenCase,
    RepeatNoted,
    ReportAttached,
    ReportReturned,
    VoidCase,
)
from schemas.case.states import OPEN
from schemas.case.timing import Term
from schemas.case.union import CaseEvent
from schemas.intake import ReadReport
from services.router.decisions.assigning import routed, stopped
from services.router.decisions.lifting import lifted
from services.router.guards import condition_of, matter_of
from services.router.state import Case


def open_case(case: Case, command: OpenCase, context: Context) -> list[CaseEvent]:  # noqa: ARG001
    """建案: a valid report always becomes a case. Where the matter asks so, somebody looks first (核查)."""
    report = command.report
    matter = context.rules.bundle.matters.get(report.matter)
    opened = CaseOpened(
        case=command.case,
        desk=command.desk,
        area=report.areas[0].area if report.areas else command.desk,
        matter=matter.code if matter else "",
        matter_name=matter.name if matter else "",
        report=report,
        historic=report.historic,
        at=report.received,
    )
    if matter is None or not matter.check:
        return [opened]
    return [opened, CheckOrdered(area=opened.area, at=report.received)]


def attach_report(case: Case, command: AttachReport, context: Context) -> list[CaseEvent]:
    """并入报告: an open case takes it, one that is over sends it back to the desk."""
    if case.state in OPEN:
        return [attached(case, command.report, command.score, context)]
    return [returned(case, command.report, command.desk, context)]


def attached(case: Case, report: ReadReport, score: int, context: Context) -> CaseEvent:
    """A further reporter joins the case; who says it again, or the same report, is a repeat (重复来件)."""
    if report.report in case.reports or (report.reporter and report.reporter in case.reporters):
        return RepeatNoted(report=report, at=context.received)
    return ReportAttached(report=report, score=score, count=len(case.reports) + 1, at=context.received)


def returned(
    case: Case, report: ReadReport, desk: str, context: Context, *, refused: bool = False, reason: str = ""
) -> ReportReturned:
    return ReportReturned(
        case=context.stream,
        desk=desk or case.desk,
        report=report,
        state=case.state,
        refused=refused,
        reason=reason,
        ended=case.ended,
    )


def not_attached(case: Case, command: AttachReport, context: Context) -> list[CaseEvent]:
    """A refused report goes back to its desk, so that it ends in a case all the same."""
    return [returned(case, command.report, command.desk, context, refused=True, reason="not_attached")]


def accept_case(case: Case, command: AcceptCase, context: Context) -> list[CaseEvent]:
    """受理立案: matter, condition and limits are pinned; dispatched at once where the matter allows it."""
    matter = matter_of(case, command, context)
    assert matter is not None, "guard matter_known"
    condition = matter.condition(condition_of(case, command, matter))
    assert condition is not None, "guard condition_met"
    accepted = _accepted(case, command, context, matter, condition)
    if matter.dispatch != "automatic":
        return [accepted, stopped(case, matter, "by_hand", context)]
    return [accepted, *routed(case, matter, context, accepted=accepted)]


def _accepted(
    case: Case, command: AcceptCase, context: Context, matter: Matter, condition: FilingCondition
) -> CaseAccepted:
    limit = term(condition.limit)
    return CaseAccepted(
        matter=matter.code,
        matter_name=matter.name,
        condition=condition.code,
        triage=command.triage or case.triage or matter.triage,
        area=case.area,
        desk=case.desk,
        limit=limit,
        leg_limit=term(condition.leg_limit) if condition.leg_limit else limit,
        stages=tuple(term(stage.limit) for stage in condition.stages),
        closing=condition.closing,
        calendar=context.rules.bundle.calendars.city,
        automatic=context.sender.kind == "processor",
        by=context.sender.id,
        at=context.received,
    )


def term(limit: Limit) -> Term:
    """A limit of the rules as a fact of the case."""
    return Term(text=limit.text, minutes=limit.minutes, working=limit.working, urgent=limit.urgent)


def void_case(case: Case, command: VoidCase, context: Context) -> list[CaseEvent]:
    """不予受理·作废: with its remedy. Whatever was open on the case ends with it."""
    voided = CaseVoided(
        case=case.id,
        desk=case.desk,
        reason=command.reason,
        remedy=command.remedy,
        by=context.sender.id,
        at=context.received,
    )
    return [*lifted(case, context, everything=True), voided]
