"""From the unit's result (办结) over inspection and call-back to closing, writing off and reopening."""

from dataclasses import dataclass

from schemas.case.states import State
from schemas.case.timing import Firing, Term
from schemas.intake import ReadReport
from schemas.scalars import CaseId, Code, Count, Instant, Line, Name, OptionalCode, Text


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemAnswered:
    """One item of the closing condition (结案条件) with its evidence, a photo's hash or a document."""

    item: Line
    evidence: Line


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemInspected:
    """One item as the inspector found it."""

    item: Line
    passed: bool
    note: Line = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportResolved:
    """办结反馈: each closing item answered, and words for the reporter.

    `outcome` is solved, partly, explained or referred.
    """

    outcome: Name
    answer: Text
    items: tuple[ItemAnswered, ...] = ()
    settled_level: Name = ""
    expected_revision: Count = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordInspection:
    """核查 before filing, 核实 before closing: item by item, with photos and place."""

    passed: bool
    items: tuple[ItemInspected, ...] = ()
    photos: tuple[Name, ...] = ()
    note: Line = ""
    expected_revision: Count = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordCallback:
    """回访·评价 of one reporter. At the bound of rounds, `last_rework` lets a supervisor grant one more.

    `score` is 0 where none was given; `unreasonable` names the second officer who agrees that the
    reporter's refusal is unreasonable.
    """

    reporter: Name = ""
    contacted: bool
    solved: bool = False
    score: Count = 0
    note: Line = ""
    unreasonable: OptionalCode = ""
    last_rework: bool = False
    expected_revision: Count = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteOff:
    """销号: the objection window is over and nothing holds the case."""

    firing: Firing | None = None
    expected_revision: Count = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReopenCase:
    """重开: the same number, a new round. `report` is given where the desk sends it for a repeat."""

    reason: Line
    report: ReadReport | None = None
    desk: OptionalCode = ""
    expected_revision: Count = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolutionReported:
    """已办结: leg, handle and contact stop at `at`, verify runs."""

    unit: Code
    outcome: Name
    answer: Text
    items: tuple[ItemAnswered, ...]
    settled_level: Name
    round: Count
    by: Name
    at: Instant
    state: State = State.TO_VERIFY


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRecorded:
    """核查已记: what was found before filing; the check clock stops."""

    passed: bool
    items: tuple[ItemInspected, ...]
    photos: tuple[Name, ...]
    note: Line
    by: Name
    at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectionPassed:
    """核实通过. `state` is to_call_back, or to_verify where nobody can be called and closing follows."""

    items: tuple[ItemInspected, ...]
    photos: tuple[Name, ...]
    note: Line
    by: Name
    at: Instant
    state: State = State.TO_CALL_BACK


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectionFailed:
    """核实不通过: rework follows."""

    items: tuple[ItemInspected, ...]
    photos: tuple[Name, ...]
    note: Line
    by: Name
    at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class ReworkOrdered:
    """重办, round `round`: leg and handle start anew with `limit`, the rest or the least share of it.

    `why` is inspection, callback or last.
    """

    unit: Code
    round: Count
    why: Name
    limit: Term
    reachable: bool
    at: Instant
    state: State = State.HANDLING


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackRecorded:
    """已回访: the `attempt`-th for this reporter in this round; `over` when nobody calls this one again.

    `outcome` is called_back, unreasonable, not_solved, not_reached or no_contact (the last attempt).
    """

    reporter: Name
    attempt: Count
    contacted: bool
    solved: bool
    score: Count
    note: Line
    unreasonable: OptionalCode
    outcome: Name
    over: bool
    by: Name
    at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseClosed:
    """已结案; the objection window runs from `at`.

    `how` is called_back, unreasonable, no_contact, no_reporter or not_satisfied; `lead` had it last.
    """

    case: CaseId
    desk: Code
    how: Name
    satisfied: bool
    lead: Code
    round: Count
    at: Instant
    state: State = State.CLOSED


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseWrittenOff:
    """已销号: the case is history. `due` is the window's end where the clock wrote it off."""

    case: CaseId
    desk: Code
    due: Instant | None
    by: Name
    at: Instant
    state: State = State.WRITTEN_OFF


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteOffHeld:
    """销号受阻: the window is over but `holds` supervisions are open; lifting the last one writes it off."""

    holds: Count
    due: Instant
    at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteOffTakenBack:
    """撤回销号: a reopening was received before the window ended; the clock's effect is undone."""

    at: Instant
    state: State = State.CLOSED


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseReopened:
    """已重开, round `round`: `state` is to_route, and routing follows at once, or received if never accepted.

    Another case clock runs from `at` with `limit` where the case was accepted; the earlier closure
    stays a fact.
    """

    case: CaseId
    desk: Code
    round: Count
    reason: Line
    former: State
    limit: Term | None
    by: Name
    at: Instant
    state: State
