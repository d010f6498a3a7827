"""Reopening (重开) under the same number."""

from kernel.processor import Context
from schemas.case.closing import CaseReopened, ReopenCase, WriteOffTakenBack
from schemas.case.states import OPEN, State
from schemas.case.union import CaseEvent
from services.router.assignment import asked, named, on_record
from services.router.decisions.assigning import assigned, stopped
from services.router.decisions.opening import attached, returned
from services.router.state import Case


def reopen_case(case: Case, command: ReopenCase, context: Context) -> list[CaseEvent]:
    """重开: to the last lead if §2 admits it now, else to the dispatcher; never accepted, to the desk."""
    joined = [attached(case, command.report, 1000, context)] if command.report else []
    if case.state in OPEN:
        return joined
    received = case.limit is None or case.state is State.VOID
    reopened = CaseReopened(
        case=case.id,
        desk=case.desk,
        round=case.round + 1,
        reason=command.reason,
        former=case.state,
        limit=None if received else case.limit,
        by=context.sender.id,
        at=context.received,
        state=State.RECEIVED if received else State.TO_ROUTE,
    )
    events = [*_write_off_taken_back(case, context), reopened, *joined]
    return events if received else [*events, *_to_last_lead(case, context)]


def not_reopened(case: Case, command: ReopenCase, context: Context) -> list[CaseEvent]:
    """The report that came with a refused reopening goes back; its desk opens another case for it."""
    if command.report is None:
        return []
    return [returned(case, command.report, command.desk, context, refused=True, reason="not_reopened")]


def _to_last_lead(case: Case, context: Context) -> list[CaseEvent]:
    matter = context.rules.bundle.matters.get(case.matter)
    if matter is None or not case.lead:
        return []
    found = named(asked(case, context, matter), case.lead, case.assistants)
    events = on_record(found)
    if found.lead is None:
        return [*events, stopped(case, matter, "last_lead_not_admitted", context)]
    return [*events, *assigned(case, found, context, reason="reopened", state=State.HANDLING)]


def _write_off_taken_back(case: Case, context: Context) -> list[CaseEvent]:
    """The clock's write-off is undone if the reopening was received before the window ended."""
    due = case.window_due
    if case.state is State.WRITTEN_OFF and due is not None and context.received <= due:
        return [WriteOffTakenBack(at=context.received)]
    return []
