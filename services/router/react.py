"""What leaves router.case. Clock and notifier read the case events by themselves; the desk is told."""

from collections.abc import Sequence
from typing import get_args

from kernel.processor import Effect
from kernel.table import nothing, reacting, sends
from schemas.case.closing import CaseClosed, CaseReopened
from schemas.case.opening import CaseVoided, ReportReturned
from schemas.case.union import CaseEvent
from schemas.envelope import Envelope
from schemas.intake import CaseEnded, CaseReopenedForDesk, ReportBounced
from schemas.topics import INTAKE_DESK


def _ended(event: CaseClosed | CaseVoided, envelope: Envelope) -> Sequence[Effect]:
    ended = CaseEnded(case=envelope.subject, how=event.state.value)
    return [INTAKE_DESK.send(event.desk, ended)]


def _reopened(event: CaseReopened, envelope: Envelope) -> Sequence[Effect]:
    return [INTAKE_DESK.send(event.desk, CaseReopenedForDesk(case=envelope.subject))]


def _returned(event: ReportReturned, envelope: Envelope) -> Sequence[Effect]:
    bounced = ReportBounced(
        case=envelope.subject,
        report=event.report,
        state=event.state.value,
        refused=event.refused,
        reason=event.reason,
        ended=event.ended,
    )
    return [INTAKE_DESK.send(event.desk, bounced)]


_TOLD = (
    sends(CaseClosed, _ended),
    sends(CaseVoided, _ended),
    sends(CaseReopened, _reopened),
    sends(ReportReturned, _returned),
)
_SILENT = tuple(
    sends(kind, nothing) for kind in get_args(CaseEvent) if kind not in {kind for kind, _ in _TOLD}
)

react = reacting(CaseEvent, *_TOLD, *_SILENT)
