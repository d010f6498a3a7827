"""Dispatch (派遣) by the router itself or by a person; the admission finding always comes first."""

from kernel.processor import Context
from rules.matters import Matter
from schemas.case.assigning import AssignCase, CaseAssigned, LeadRelieved, RoutedToFallback, RoutingStopped
from schemas.case.opening import CaseAccepted
from schemas.case.states import State
from schemas.case.timing import Term
from schemas.case.union import CaseEvent
from schemas.refusal import Refusal
from services.router.admission import Admission
from services.router.assignment import Assignment, asked, named, on_record, walk
from services.router.candidates import supervising
from services.router.guards import refuse
from services.router.state import Case


def routed(
    case: Case,
    matter: Matter,
    context: Context,
    *,
    accepted: CaseAccepted | None = None,
    first: tuple[str, ...] = (),
    reason: str = "",
) -> list[CaseEvent]:
    """The router walks its candidates: a lead, the fallback owner, or the dispatcher has to act."""
    ask = asked(case, context, matter, accepted.triage if accepted else "")
    found = walk(ask, first, case.left)
    events = on_record(found)
    if found.lead is None:
        return [*events, stopped(case, matter, "nobody_admitted", context)]
    if found.by_fallback:
        events.append(RoutedToFallback(unit=found.lead.unit, area=case.area))
    return [*events, *assigned(case, found, context, accepted=accepted, reason=reason)]


def stopped(case: Case, matter: Matter, reason: str, context: Context) -> RoutingStopped:
    return RoutingStopped(
        reason=reason, matter=matter.code, area=case.area, desk=case.desk, at=context.received
    )


def assigned(
    case: Case,
    found: Assignment,
    context: Context,
    *,
    accepted: CaseAccepted | None = None,
    supervisors: tuple[str, ...] = (),
    reason: str = "",
    state: State = State.TO_SIGN,
) -> list[CaseEvent]:
    """The new lead; a former one is relieved in the same breath, so that just one is accountable."""
    assert found.lead is not None, "only an admitted unit leads"
    bundle, ask = context.rules.bundle, found.ask
    lead = bundle.units.get(found.lead.unit, ask.day)
    assert lead is not None, "the guard looked at it"
    leg = _pinned(accepted.leg_limit if accepted else case.leg_limit)
    event = CaseAssigned(
        lead=lead.code,
        lead_name=lead.name,
        assistants=found.assistants,
        supervising=supervisors or supervising(bundle, ask.matter, ask.place, lead.code, ask.day),
        limit=_pinned(accepted.limit if accepted else case.limit),
        leg_limit=leg,
        calendar=lead.calendar or bundle.calendars.city,
        handle_at_once=state is State.HANDLING or leg.minutes <= bundle.bounds.short_limit_minutes,
        same_lead=lead.code == case.lead and state is State.TO_SIGN,
        reachable=case.reachable,
        number=case.assignments + 1,
        origin=found.lead.origin,
        reason=reason,
        by=context.sender.id,
        at=context.received,
        state=state,
    )
    if not case.lead or case.lead == lead.code or case.state is State.TO_ROUTE:
        return [event]
    return [event, relieved(case.lead, lead.code, reason, context)]


def relieved(unit: str, successor: str, reason: str, context: Context) -> LeadRelieved:
    return LeadRelieved(unit=unit, successor=successor, reason=reason, at=context.received)


def assign_case(case: Case, command: AssignCase, context: Context) -> list[CaseEvent]:
    """派遣·改派: the named unit, if §2 admits it, else the router's own walk."""
    matter = context.rules.bundle.matters.get(case.matter)
    assert matter is not None, "guard named_admitted"
    if not command.lead:
        return routed(case, matter, context, reason=command.reason)
    found = named(asked(case, context, matter), command.lead, command.assistants)
    return [
        *on_record(found),
        *assigned(case, found, context, supervisors=command.supervising, reason=command.reason),
    ]


def named_admitted(case: Case, command: AssignCase, context: Context) -> Refusal | None:
    """The unit that the command names passes §2 now, and so do the assistants that it names."""
    return admitted(case, command.lead, command.assistants, context)


def admitted(case: Case, lead: str, assistants: tuple[str, ...], context: Context) -> Refusal | None:
    matter = context.rules.bundle.matters.get(case.matter)
    if matter is None:
        return refuse("unknown_matter", "a matter of the edition in force", case.matter)
    if not lead:
        return None
    found = named(asked(case, context, matter), lead, assistants)
    failed = next((finding for finding in found.findings if not finding.passed), None)
    return _not_admitted(failed) if failed else None


def _not_admitted(failed: Admission) -> Refusal:
    entry = f" {failed.entry.entry_id} v{failed.entry.version}" if failed.entry else ""
    found = f"{failed.unit}: step {failed.step} {failed.verdict}{entry}"
    return refuse("not_admitted", f"a unit admitted as {failed.role}", found)


def _pinned(limit: Term | None) -> Term:
    assert limit is not None, "limits are pinned at acceptance"
    return limit
