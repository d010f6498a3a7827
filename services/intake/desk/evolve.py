from msgspec.structs import replace

from kernel.table import folding, when
from schemas.intake import CaseEndNoted, CaseNumbered, CaseReturnNoted, DeskEvent, RepeatFound, ReportMerged
from services.intake.desk import shelves
from services.intake.desk.state import DeskState, Known, fade, forget_faded, remember


def _numbered(state: DeskState, event: CaseNumbered) -> DeskState:
    return remember(replace(state, day=event.day, number=event.number), event.case, event.report)


def _seen_again(state: DeskState, event: ReportMerged | RepeatFound) -> DeskState:
    known = shelves.get(state.cases, event.case)
    if known is None or event.report.received <= known.last:
        return state
    return _known(state, replace(known, last=event.report.received))


def _ended(state: DeskState, event: CaseEndNoted) -> DeskState:
    state = forget_faded(state, event.ended)
    known = shelves.get(state.cases, event.case)
    if known is None:
        return state
    return fade(_known(state, replace(known, how=event.how, until=event.until)), event.case, event.until)


def _returned(state: DeskState, event: CaseReturnNoted) -> DeskState:
    known = shelves.get(state.cases, event.case)
    return state if known is None else _known(state, replace(known, how="", until=None))


def _known(state: DeskState, known: Known) -> DeskState:
    return replace(state, cases=shelves.put(state.cases, known.case, known))


evolve = folding(
    DeskEvent,
    when(CaseNumbered, _numbered),
    when(ReportMerged, _seen_again),
    when(RepeatFound, _seen_again),
    when(CaseEndNoted, _ended),
    when(CaseReturnNoted, _returned),
)
