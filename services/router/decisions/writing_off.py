"""Writing off (销号): by the keeper or the clock, once the window is over and nothing holds the case."""

from datetime import datetime

from kernel.processor import Context
from schemas.case.closing import CaseWrittenOff, WriteOff, WriteOffHeld
from schemas.case.states import State
from schemas.case.union import CaseEvent
from services.router.decisions.lifting import lifted
from services.router.state import Case


def write_off(case: Case, command: WriteOff, context: Context) -> list[CaseEvent]:
    """销号. What holds the case is on record; the case is written off when the last hold goes."""
    if command.firing is None:
        return _written_off(case, None, context)
    due = command.firing.due
    if case.holds:
        return [WriteOffHeld(holds=len(case.holds), due=due, at=context.received)]
    return _written_off(case, due, context)


def written_off_at_last(case: Case, context: Context) -> list[CaseEvent]:
    if case.state is State.CLOSED and case.window_due is not None and not case.holds:
        return _written_off(case, case.window_due, context)
    return []


def _written_off(case: Case, due: datetime | None, context: Context) -> list[CaseEvent]:
    """What the window's own clock pressed for ends with the window."""
    event = CaseWrittenOff(case=case.id, desk=case.desk, due=due, by=context.sender.id, at=context.received)
    return [*lifted(case, context), event]
