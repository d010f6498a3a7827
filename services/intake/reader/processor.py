"""intake.reader: raw report → accepted, located, classified, on its way to the desk; or dead."""

from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from kernel.processor import DeadLetter, Effect, Processor
from kernel.table import decides, deciding, folding, nothing, reacting, sends, unchanged, when
from schemas.envelope import Envelope
from schemas.intake import (
    DeskReport,
    ReaderEvent,
    ReportAccepted,
    ReportConflicting,
    ReportDead,
    ReportRepeated,
)
from schemas.report import GridReport, ReportMessage
from schemas.topics import INTAKE_DESK, INTAKE_REPORTS
from services.intake.reader.decide import read_report
from services.intake.reader.state import Fate, ReportState


def _to_desk(event: ReportAccepted, envelope: Envelope) -> Sequence[Effect]:  # noqa: ARG001 - shape of the table
    return (INTAKE_DESK.send(event.report.desk, DeskReport(report=event.report)),)


def _to_the_dead(event: ReportDead, envelope: Envelope) -> Sequence[Effect]:  # noqa: ARG001 - shape of the table
    refusal = event.refusal
    return (DeadLetter(f"{refusal.code}: expected {refusal.expected}, found {refusal.found}"),)


evolve = folding(
    ReaderEvent,
    when(ReportAccepted, lambda state, event: replace(state, fate=Fate.ACCEPTED, digest=event.digest)),
    when(ReportDead, lambda state, event: replace(state, fate=Fate.DEAD, digest=event.digest)),
    when(ReportRepeated, unchanged),
    when(ReportConflicting, unchanged),
)

react = reacting(
    ReaderEvent,
    sends(ReportAccepted, _to_desk),
    sends(ReportDead, _to_the_dead),
    sends(ReportRepeated, nothing),
    sends(ReportConflicting, nothing),
)

READER: Final[Processor[ReportState, ReportMessage, ReaderEvent]] = Processor(
    name="intake.reader",
    inbox=(INTAKE_REPORTS,),
    handles=(GridReport,),
    initial=ReportState(),
    decide=deciding(ReportMessage, decides(GridReport, read_report)),
    evolve=evolve,
    react=react,
)
