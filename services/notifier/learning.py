"""What each case event teaches the fan; an event that stands nowhere here is nobody's news."""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from msgspec.structs import replace

from schemas.case import assigning, closing, handling, objecting, opening, supervising, timing
from services.notifier.audience import hearer
from services.notifier.known import Known

Learn: TypeAlias = Callable[[Known, Any], Known]


def _opened(known: Known, event: opening.CaseOpened) -> Known:
    reporter = hearer(event.report)
    return replace(
        known,
        state=event.state.value,
        matter=event.matter,
        area=event.area,
        place=event.report.place,
        text=event.report.text,
        reporters=(reporter,) if reporter else (),
        historic=event.historic,
    )


def _attached(known: Known, event: opening.ReportAttached) -> Known:
    reporter = hearer(event.report)
    if reporter is None or reporter in known.reporters:
        return known
    return replace(known, reporters=(*known.reporters, reporter))


def _accepted(known: Known, event: opening.CaseAccepted) -> Known:
    return replace(known, state=event.state.value, matter=event.matter, area=event.area)


def _assigned(known: Known, event: assigning.CaseAssigned) -> Known:
    return replace(
        known,
        state=event.state.value,
        lead=event.lead,
        assistants=event.assistants,
        supervising=event.supervising,
    )


def _relieved(known: Known, event: assigning.LeadRelieved) -> Known:
    """The relieved unit may be named before its successor is assigned or after it."""
    return replace(known, lead="") if known.lead == event.unit else known


def _state(known: Known, event: Any) -> Known:
    return replace(known, state=event.state.value)


def _nothing(known: Known, event: Any) -> Known:  # noqa: ARG001 - the shape of every row
    return known


SILENT: Final = frozenset({
    opening.RepeatNoted, opening.ReportReturned, assigning.AdmissionDecided, handling.ProgressRecorded,
    handling.ReporterContacted, handling.SupervisionAnswered, closing.CheckRecorded, closing.InspectionFailed,
    closing.CallbackRecorded, timing.BreachNotConfirmed,
})  # fmt: skip
"""Events that are nobody's news: findings, what the actors did themselves, what another event follows."""

LEARN: Final[Mapping[type, Learn]] = {
    opening.CaseOpened: _opened,
    opening.ReportAttached: _attached,
    opening.CaseAccepted: _accepted,
    opening.CaseVoided: _state,
    opening.CheckOrdered: _nothing,
    opening.CommandRefused: _nothing,
    assigning.CaseAssigned: _assigned,
    assigning.LeadRelieved: _relieved,
    assigning.RoutingStopped: _state,
    assigning.RoutedToFallback: _nothing,
    assigning.AdmissionGap: _nothing,
    assigning.FundingDue: _nothing,
    assigning.FundingDebt: _nothing,
    assigning.Understaffed: _nothing,
    handling.CaseSigned: _state,
    handling.SignatureDeemed: _state,
    handling.StageFinished: _nothing,
    objecting.DeemedSignatureTakenBack: _state,
    objecting.ObjectionRaised: _state,
    objecting.ObjectionReferred: _state,
    objecting.ObjectionAccepted: _state,
    objecting.ObjectionRefused: _state,
    supervising.SupervisionOpened: _nothing,
    supervising.SupervisionLifted: _nothing,
    closing.ResolutionReported: _state,
    closing.InspectionPassed: _state,
    closing.ReworkOrdered: _state,
    closing.CaseClosed: _state,
    closing.CaseWrittenOff: _state,
    closing.WriteOffTakenBack: _state,
    closing.CaseReopened: _state,
    closing.WriteOffHeld: _nothing,
    timing.ClockBreached: _nothing,
    timing.BreachTakenBack: _nothing,
}
"""The events of which somebody may hear; with `SILENT` they are all case events."""
