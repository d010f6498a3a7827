from collections.abc import Sequence
from datetime import timedelta

from kernel.processor import Context
from rules.bundle import Bundle
from schemas.intake import (
    Acceptance,
    Alike,
    CaseEnded,
    CaseEndNoted,
    CaseNumbered,
    CaseReopenedForDesk,
    CaseReturnNoted,
    DeskEvent,
    DeskReport,
    ReadReport,
    RepeatFound,
    ReportBounced,
    ReportMerged,
)
from services.intake.desk import shelves
from services.intake.desk.match import match, takes_reports
from services.intake.desk.state import DeskState

OVER = frozenset({"closed", "written_off", "void"})
"""States in which a case takes no report but may be reopened (lifecycle.md §1)."""


def place_report(state: DeskState, message: DeskReport, context: Context) -> Sequence[DeskEvent]:
    """Merges the report (归并), asks to reopen the case that it repeats, or opens a case for it (建案)."""
    report = message.report
    found = match(state, report, context.rules.bundle, context.now)
    if found.joins is not None:
        one = found.joins
        return [
            ReportMerged(
                case=one.known.case, report=report, score=one.score, likeness=one.likeness, metres=one.metres
            )
        ]
    if found.repeats is not None:
        known = found.repeats.known
        return [RepeatFound(case=known.case, report=report, how=known.how, score=found.repeats.score)]
    return [_opened(state, report, context, found.alike)]


def answer_bounce(state: DeskState, message: ReportBounced, context: Context) -> Sequence[DeskEvent]:
    """A report came back (退回报告): reopen within the repeat window; refused or too late, open a case.

    Only one way leads back to a case, and a refusal never does: no report goes round for ever.
    """
    report = message.report
    if not message.refused and message.state in OVER and _in_window(state, message, context):
        return [RepeatFound(case=message.case, report=report, how=message.state)]
    return [_opened(state, report, context, after=message.case)]


def note_end(state: DeskState, message: CaseEnded, context: Context) -> Sequence[DeskEvent]:
    """The case is over: remembered until the repeat window closes, which writing it off does not move."""
    until = context.received + timedelta(days=context.rules.bundle.bounds.repeat_days)
    known = shelves.get(state.cases, message.case)
    if message.how == "written_off" and known is not None and known.until is not None:
        until = known.until
    return [
        CaseEndNoted(
            case=message.case, how=message.how, survivor=message.survivor, ended=context.received, until=until
        )
    ]


def note_return(state: DeskState, message: CaseReopenedForDesk, context: Context) -> Sequence[DeskEvent]:  # noqa: ARG001
    """The case takes reports again."""
    return [CaseReturnNoted(case=message.case)]


def _in_window(state: DeskState, message: ReportBounced, context: Context) -> bool:
    """By the end that the case tells; else by what the desk remembers: an unknown case ended long ago."""
    if message.ended is not None:
        return context.now < message.ended + timedelta(days=context.rules.bundle.bounds.repeat_days)
    known = shelves.get(state.cases, message.case)
    return known is not None and (
        takes_reports(known) or (known.until is not None and context.now < known.until)
    )


def _opened(
    state: DeskState, report: ReadReport, context: Context, alike: tuple[Alike, ...] = (), after: str = ""
) -> CaseNumbered:
    bundle = context.rules.bundle
    day = bundle.day(context.now).strftime("%Y%m%d")
    number = state.number + 1 if day == state.day else 1
    return CaseNumbered(
        case=f"{day}-{context.stream}-{number:04}",
        day=day,
        number=number,
        report=report,
        acceptance=_acceptance(report, bundle),
        alike=alike,
        after=after,
    )


def _acceptance(report: ReadReport, bundle: Bundle) -> Acceptance | None:
    """What accepts the case at once (自动立案): the matter allows it unchecked, place and matter are sure."""
    matter = bundle.matters.get(report.matter)
    if matter is None or matter.accept != "automatic" or matter.check or not report.located:
        return None
    if report.confidence < bundle.bounds.automatic_confidence:
        return None
    return Acceptance(matter=matter.code, condition=report.condition, triage=report.triage)
