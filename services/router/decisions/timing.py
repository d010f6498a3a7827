"""What a clock says when nothing else is to be done (记超时)."""

from kernel.processor import Context
from schemas.case.timing import RecordBreach
from schemas.case.union import CaseEvent
from services.router.firings import breached
from services.router.state import Case


def record_breach(case: Case, command: RecordBreach, context: Context) -> list[CaseEvent]:
    """记超时: the case confirms; a firing that its own times contradict never comes this far."""
    return [breached(case, command.firing, context)]
