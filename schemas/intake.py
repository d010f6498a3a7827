"""What intake says: reports accepted and located, desk messages, merging and numbers (受理)."""

from dataclasses import dataclass
from typing import TypeAlias

from schemas.refusal import Refusal
from schemas.report import Position
from schemas.scalars import (
    CaseId,
    Code,
    Count,
    Hash,
    Instant,
    Line,
    Metres,
    Name,
    OptionalCode,
    PerMille,
    Text,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """One area in which a report lies, for one layer (治理, 城管, 党建 …)."""

    layer: Name
    area: Code


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadReport:
    """A report as the reader hands it to its desk (受理台): located in every layer and classified.

    `report` is its source and id; `located` is 0 where nothing says where it is; `matter` and `condition`
    are empty where nobody can tell; `reporter` is how the reporter is reached, empty if not at all.
    """

    report: Name
    channel: Name
    kind: Name
    text: Text
    place: Name
    position: Position | None
    areas: tuple[Located, ...]
    located: PerMille
    matter: OptionalCode
    confidence: PerMille
    received: Instant
    occurred: Instant | None
    reporter: Name
    historic: bool
    desk: OptionalCode = ""
    condition: OptionalCode = ""
    triage: Name = ""
    urgency: Name = ""
    photos: tuple[Name, ...] = ()


# ── intake.reader: one report ────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A matter (事项) that comes into question, with the words of the report that speak for it."""

    matter: Code
    score: PerMille
    words: tuple[Name, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Nearby:
    """An area close to the reported point, with its distance."""

    area: Code
    metres: Metres


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportAccepted:
    """The report is valid (有效), located and classified; `digest` is the hash of what was sent.

    `found_by` says what placed it: point, area, name or nothing. `doubts` are codes of what did not fit.
    """

    report: ReadReport
    found_by: Name
    doubts: tuple[Name, ...]
    nearby: tuple[Nearby, ...]
    candidates: tuple[Candidate, ...]
    digest: Hash
    edition: Name


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRepeated:
    """The same source, id and content came once more (重复上报): nothing leaves."""

    digest: Hash


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportConflicting:
    """The same source and id came with other content (内容不一致): the first one stands, nothing leaves."""

    digest: Hash
    refusal: Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportDead:
    """The report cannot be read (死信); once the cause is mended it is redriven and decided anew."""

    digest: Hash
    refusal: Refusal


# ── intake.desk: what comes to it ────────────────────────────────────────────────────────────────────
@dataclass(frozen=True, slots=True, kw_only=True)
class DeskReport:
    """The reader to the desk: merge this report or open a case for it."""

    report: ReadReport


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseEnded:
    """router.case to the desk: the case no longer takes reports as an open one (closed, void or merged)."""

    case: CaseId
    how: Name
    survivor: OptionalCode = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseReopenedForDesk:
    """router.case to the desk: the case is open again under its number (reopened or unmerged)."""

    case: CaseId


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportBounced:
    """router.case to the desk: the report met a case that is over; reopen it or open another.

    `case` is the one that could not take it, `state` its state and `ended` when it ended; `refused` says
    that reopening was tried and refused.
    """

    case: CaseId
    report: ReadReport
    state: Name
    refused: bool = False
    reason: Line = ""
    ended: Instant | None = None


# ── intake.desk: what it decides ─────────────────────────────────────────────────────────────────────
@dataclass(frozen=True, slots=True, kw_only=True)
class Alike:
    """A case that resembles the report but not enough to merge by rule (疑似重复): shown to the clerk."""

    case: CaseId
    score: PerMille


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """What the automatic acceptance (自动立案) of a new case says."""

    matter: Code
    condition: OptionalCode
    triage: Name


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseNumbered:
    """The report opens a case under the next number of its desk and day (编号), without gaps.

    `after` is the case that could not take the report, if it met one.
    """

    case: CaseId
    day: Name
    number: Count
    report: ReadReport
    acceptance: Acceptance | None
    alike: tuple[Alike, ...] = ()
    after: OptionalCode = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportMerged:
    """The report joins a case that still takes reports (归并); `metres` is empty if not told by points."""

    case: CaseId
    report: ReadReport
    score: PerMille
    likeness: PerMille
    metres: Metres | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RepeatFound:
    """The report repeats a case that is over, within the repeat window (重复诉求): it asks to reopen it."""

    case: CaseId
    report: ReadReport
    how: Name
    score: PerMille = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseEndNoted:
    """The desk knows that the case is over and remembers it `until` the repeat window closes."""

    case: CaseId
    how: Name
    survivor: OptionalCode
    ended: Instant
    until: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseReturnNoted:
    """The desk knows that the case is open again."""

    case: CaseId


DeskMessage: TypeAlias = DeskReport | CaseEnded | CaseReopenedForDesk | ReportBounced
ReaderEvent: TypeAlias = ReportAccepted | ReportRepeated | ReportConflicting | ReportDead
DeskEvent: TypeAlias = CaseNumbered | ReportMerged | RepeatFound | CaseEndNoted | CaseReturnNoted
