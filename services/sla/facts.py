"""What a case event changes in the facts that the clocks know: one small function for each class."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from schemas.case.assigning import CaseAssigned, RoutingStopped
from schemas.case.closing import (
    CaseClosed,
    CaseReopened,
    CaseWrittenOff,
    CheckRecorded,
    InspectionPassed,
    ResolutionReported,
    ReworkOrdered,
    WriteOffTakenBack,
)
from schemas.case.handling import CaseSigned, ReporterContacted, SignatureDeemed, StageFinished
from schemas.case.objecting import (
    DeemedSignatureTakenBack,
    ObjectionAccepted,
    ObjectionRaised,
    ObjectionReferred,
    ObjectionRefused,
)
from schemas.case.opening import CaseAccepted, CaseOpened, CaseVoided, CheckOrdered
from schemas.case.states import State
from schemas.sla import CaseFacts, CaseTerms

AT_WORK: Final = frozenset({State.HANDLING, State.SUSPENDED})
Fold: TypeAlias = Callable[[CaseFacts, Any], CaseFacts]


def _moved(facts: CaseFacts, event: Any) -> CaseFacts:
    """For events that say no more than where the case stands now."""
    return facts if facts.state == event.state else replace(facts, state=event.state)


def _ended(_: CaseFacts, event: Any) -> CaseFacts:
    return CaseFacts(state=event.state)


def _opened(_: CaseFacts, event: CaseOpened) -> CaseFacts:
    return CaseFacts(state=event.state)


def _accepted(_: CaseFacts, event: CaseAccepted) -> CaseFacts:
    return CaseFacts(state=event.state)


def _assigned(facts: CaseFacts, event: CaseAssigned) -> CaseFacts:
    same = event.same_lead
    return CaseFacts(
        state=event.state,
        lead=event.lead,
        stage=facts.stage if same else 0,
        early=event.handle_at_once or (same and (facts.early or facts.state in AT_WORK)),
        contact=event.reachable if event.state is State.HANDLING else facts.contact and same,
    )


def _taken_in_hand(facts: CaseFacts, event: Any) -> CaseFacts:
    """Signed, deemed signed or told to keep it: the reporter is to be contacted, if anybody can be."""
    return replace(facts, state=event.state, contact=facts.contact or event.reachable)


def _resolved(facts: CaseFacts, event: ResolutionReported) -> CaseFacts:
    return replace(facts, state=event.state, contact=False, early=False)


def _contacted(facts: CaseFacts, _: Any) -> CaseFacts:
    return replace(facts, contact=False)


def _withdrawn(facts: CaseFacts, event: Any) -> CaseFacts:
    return replace(facts, state=event.state, contact=False)


def _reopened(_: CaseFacts, event: CaseReopened) -> CaseFacts:
    return CaseFacts(state=event.state)


def _checking(facts: CaseFacts, event: Any) -> CaseFacts:
    return replace(facts, checking=isinstance(event, CheckOrdered))


def _stage_finished(facts: CaseFacts, event: StageFinished) -> CaseFacts:
    return replace(facts, stage=event.stage)


FOLD: Final[Mapping[type, Fold]] = MappingProxyType(
    {
        CaseOpened: _opened,
        CheckOrdered: _checking,
        CheckRecorded: _checking,
        CaseAccepted: _accepted,
        CaseVoided: _ended,
        RoutingStopped: _moved,
        CaseAssigned: _assigned,
        CaseSigned: _taken_in_hand,
        SignatureDeemed: _taken_in_hand,
        DeemedSignatureTakenBack: _moved,
        ObjectionRaised: _moved,
        ObjectionReferred: _moved,
        ObjectionAccepted: _withdrawn,
        ObjectionRefused: _taken_in_hand,
        ReporterContacted: _contacted,
        StageFinished: _stage_finished,
        ResolutionReported: _resolved,
        InspectionPassed: _moved,
        ReworkOrdered: _taken_in_hand,
        CaseClosed: _ended,
        CaseWrittenOff: _ended,
        WriteOffTakenBack: _moved,
        CaseReopened: _reopened,
    }
)
"""Every case event that can start, stop or pause a clock; sla.clock skips all others."""


def terms_after(terms: CaseTerms, event: Any) -> CaseTerms:
    """What the case was promised, once this event has pinned or changed it."""
    if isinstance(event, CaseOpened):
        return CaseTerms(area=event.area, matter=event.matter, historic=event.historic)
    if isinstance(event, CaseAccepted):
        return CaseTerms(
            area=event.area,
            matter=event.matter,
            limit=event.limit,
            leg_limit=event.leg_limit,
            stages=event.stages,
            historic=terms.historic,
        )
    if isinstance(event, CaseAssigned) and (event.limit, event.leg_limit) != (terms.limit, terms.leg_limit):
        return replace(terms, limit=event.limit, leg_limit=event.leg_limit)
    if isinstance(event, CaseReopened) and event.limit and event.limit != terms.limit:
        return replace(terms, limit=event.limit)
    return terms
