"""Opening a case (建案) and what comes to it before it is dispatched."""

from dataclasses import dataclass

from schemas.intake import ReadReport
from schemas.scalars import CaseId, Code, Line, Name, OptionalCode


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCase:
    """建案: the desk opens the case `case` for its first report; never refused."""

    case: CaseId
    desk: Code
    report: ReadReport


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachReport:
    """并入报告: one more report of the same matter at the same place."""

    desk: Code
    report: ReadReport
    score: int = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptCase:
    """受理立案: the filing condition is met; the matter and the triage are said."""

    matter: OptionalCode = ""
    condition: OptionalCode = ""
    triage: Name = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class VoidCase:
    """不予受理·作废: with a reason from the list and the remedy that was told."""

    reason: Name
    remedy: Line


@dataclass(frozen=True, slots=True, kw_only=True)
class ReopenCase:
    """重开: the same number, a new round. `report` is given where the desk sends it for a repeat."""

    reason: Line
    report: ReadReport | None = None
    desk: OptionalCode = ""
