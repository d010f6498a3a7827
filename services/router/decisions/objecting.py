"""A unit objects to its dispatch (派单异议); deciders go up a ladder that ends (裁定)."""

from msgspec.structs import replace

from kernel.processor import Context
from schemas.case.objecting import (
    DecideObjection,
    ObjectionAccepted,
    ObjectionRaised,
    ObjectionReferred,
    ObjectionRefused,
    ObjectToCase,
)
from schemas.case.union import CaseEvent
from schemas.refusal import Refusal
from services.router.assignment import asked, named, on_record
from services.router.decisions.assigning import admitted, assigned, relieved, routed
from services.router.decisions.handling import silence_taken_back
from services.router.firings import breach
from services.router.guards import LAST_LEVEL
from services.router.state import Case


def object_to_case(case: Case, command: ObjectToCase, context: Context) -> list[CaseEvent]:
    """派单异议·退单. Beyond the bound of objections the next meeting level decides at once."""
    raised = ObjectionRaised(
        unit=case.lead,
        reason=command.reason,
        basis=command.basis,
        proposed=command.proposed,
        number=case.objections + 1,
        by=context.sender.id,
        at=context.received,
    )
    events = [*silence_taken_back(case, context), raised]
    if raised.number <= context.rules.bundle.bounds.objections:
        return events
    level = min(case.meeting_level + 1, LAST_LEVEL)
    return [*events, _referred(case, level, "bound", context)]


def decide_objection(case: Case, command: DecideObjection, context: Context) -> list[CaseEvent]:
    """裁定异议: upheld, overruled or referred. A silent level refers, the last one's silence overrules."""
    if command.firing is not None:
        return [*breach(case, command.firing, context), _silent(case, context)]
    if command.verdict == "refer":
        return [_referred(case, case.level + 1, "asked", context)]
    if command.verdict == "refuse":
        return [_overruled(case, command.reason, context, silent=False)]
    return _upheld(case, command, context)


def new_lead_admitted(case: Case, command: DecideObjection, context: Context) -> Refusal | None:
    """The unit that is to lead instead passes §2 now."""
    if command.verdict != "accept":
        return None
    return admitted(case, command.lead, (), context)


def _silent(case: Case, context: Context) -> CaseEvent:
    if case.level < LAST_LEVEL:
        return _referred(case, case.level + 1, "no_answer", context)
    return _overruled(case, "no_answer", context, silent=True)


def _upheld(case: Case, command: DecideObjection, context: Context) -> list[CaseEvent]:
    matter = context.rules.bundle.matters.get(case.matter)
    assert matter is not None, "guard new_lead_admitted"
    unit = case.lead
    left = _released(case)
    if command.lead:
        found = named(asked(case, context, matter), command.lead, ())
        follow = [*on_record(found), *assigned(left, found, context, reason=command.reason)]
    else:
        first = (case.proposed,) if case.proposed and case.proposed != unit else ()
        follow = routed(left, matter, context, first=first, reason=command.reason)
    accepted = ObjectionAccepted(
        unit=unit, level=case.level, reason=command.reason, by=context.sender.id, at=context.received
    )
    return [accepted, relieved(unit, "", command.reason, context), *follow]


def _released(case: Case) -> Case:
    """The case as it will be once the objection is accepted: nobody leads, the unit is not asked again."""
    return replace(case, lead="", assistants=(), supervising=(), left=(*case.left, case.lead))


def _overruled(case: Case, reason: str, context: Context, *, silent: bool) -> ObjectionRefused:
    return ObjectionRefused(
        unit=case.lead,
        level=case.level,
        reason=reason,
        silent=silent,
        reachable=case.reachable,
        by=context.sender.id,
        at=context.received,
    )


def _referred(case: Case, level: int, why: str, context: Context) -> ObjectionReferred:
    return ObjectionReferred(unit=case.lead, level=level, why=why, by=context.sender.id, at=context.received)
