"""intake.desk: located report → joined to a case, or a new case under the next number."""

from collections.abc import Sequence
from typing import Final

from kernel.processor import Effect, Processor
from kernel.table import decides, deciding, nothing, reacting, sends
from schemas.case.closing import ReopenCase
from schemas.case.opening import AcceptCase, AttachReport, OpenCase
from schemas.envelope import Envelope
from schemas.intake import (
    CaseEnded,
    CaseEndNoted,
    CaseNumbered,
    CaseReopenedForDesk,
    CaseReturnNoted,
    DeskEvent,
    DeskMessage,
    DeskReport,
    RepeatFound,
    ReportBounced,
    ReportMerged,
)
from schemas.topics import CASE_COMMANDS, INTAKE_DESK
from services.intake.desk.decide import answer_bounce, note_end, note_return, place_report
from services.intake.desk.evolve import evolve
from services.intake.desk.state import DeskState


def _open(event: CaseNumbered, envelope: Envelope) -> Sequence[Effect]:
    opening = CASE_COMMANDS.send(
        event.case, OpenCase(case=event.case, desk=envelope.subject, report=event.report)
    )
    said = event.acceptance
    if said is None:
        return (opening,)
    accepting = AcceptCase(matter=said.matter, condition=said.condition, triage=said.triage)
    return (opening, CASE_COMMANDS.send(event.case, accepting))


def _attach(event: ReportMerged, envelope: Envelope) -> Sequence[Effect]:
    command = AttachReport(desk=envelope.subject, report=event.report, score=event.score)
    return (CASE_COMMANDS.send(event.case, command),)


def _reopen(event: RepeatFound, envelope: Envelope) -> Sequence[Effect]:
    command = ReopenCase(reason="repeat", report=event.report, desk=envelope.subject)
    return (CASE_COMMANDS.send(event.case, command),)


decide = deciding(
    DeskMessage,
    decides(DeskReport, place_report),
    decides(ReportBounced, answer_bounce),
    decides(CaseEnded, note_end),
    decides(CaseReopenedForDesk, note_return),
)

react = reacting(
    DeskEvent,
    sends(CaseNumbered, _open),
    sends(ReportMerged, _attach),
    sends(RepeatFound, _reopen),
    sends(CaseEndNoted, nothing),
    sends(CaseReturnNoted, nothing),
)

DESK: Final[Processor[DeskState, DeskMessage, DeskEvent]] = Processor(
    name="intake.desk",
    inbox=(INTAKE_DESK,),
    handles=(DeskReport, ReportBounced, CaseEnded, CaseReopenedForDesk),
    initial=DeskState(),
    decide=decide,
    evolve=evolve,
    react=react,
    snapshot=DeskState,
    snapshot_every=2000,
)
