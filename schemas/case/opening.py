"""Opening a case (建案), what comes to it, and whether it is taken up (受理立案) or not (作废)."""

from dataclasses import dataclass

from schemas.case.states import State
from schemas.case.timing import Term
from schemas.intake import ReadReport
from schemas.refusal import Refusal
from schemas.scalars import CaseId, Code, Count, Instant, Line, Name, OptionalCode, PerMille


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
    score: PerMille = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptCase:
    """受理立案: the filing condition is met; the matter and the triage are said.

    Empty fields mean what the report was classified as, the only condition of the matter, its triage.
    """

    matter: OptionalCode = ""
    condition: OptionalCode = ""
    triage: Name = ""
    expected_revision: Count = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class VoidCase:
    """不予受理·作废: with a reason from the list and the remedy that was told."""

    reason: Name
    remedy: Line
    expected_revision: Count = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseOpened:
    """已建案. The accept clock runs from `at`, the receipt of the first report at the edge.

    `area` is where the case lies in the first layer of the report, or the desk's own area.
    """

    case: CaseId
    desk: Code
    area: Code
    matter: OptionalCode
    matter_name: Name
    report: ReadReport
    historic: bool
    at: Instant
    state: State = State.RECEIVED


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOrdered:
    """核查已派: somebody has to look before the case is accepted; the check clock runs from `at`."""

    area: Code
    at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportAttached:
    """已并入: a further reporter has the same trouble; `count` reports are on the case now."""

    report: ReadReport
    score: PerMille
    count: Count
    at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class RepeatNoted:
    """重复来件: a reporter of this case says it again, or the same report came twice."""

    report: ReadReport
    at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportReturned:
    """退回受理台: the report met a case that is over, or its reopening was `refused`.

    `ended` is when the case ended; the repeat window counts from there.
    """

    case: CaseId
    desk: Code
    report: ReadReport
    state: State
    refused: bool
    reason: Line
    ended: Instant | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseAccepted:
    """已立案. The case clock runs from `at`; matter, condition and limits are pinned from here on.

    `closing` are the items of the closing condition (结案条件), `stages` limits in series, `calendar` is
    the one by which the promised `limit` is counted.
    """

    matter: Code
    matter_name: Name
    condition: Code
    triage: Name
    area: Code
    desk: Code
    limit: Term
    leg_limit: Term
    stages: tuple[Term, ...]
    closing: tuple[Line, ...]
    calendar: OptionalCode
    automatic: bool
    by: Name
    at: Instant
    state: State = State.TO_ROUTE


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseVoided:
    """已作废: no case for us; the remedy (court, arbitration, market) was told. All clocks and facts end."""

    case: CaseId
    desk: Code
    reason: Name
    remedy: Line
    by: Name
    at: Instant
    state: State = State.VOID


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandRefused:
    """不予执行: the command is on record and changed nothing. `by` is the post or processor that sent it."""

    command: Name
    refusal: Refusal
    by: Name
