"""What intake says: reports accepted and located, desk messages, merging and numbers (受理)."""

from dataclasses import dataclass
from typing import TypeAlias

from schemas.report import Position
from schemas.scalars import CaseId, Code, Instant, Line, Name, OptionalCode, PerMille, Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """One area in which a report lies, for one layer (治理, 城管, 党建 …)."""

    layer: Name
    area: Code


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadReport:
    """A report as the reader hands it to its desk (受理台): located in every layer and classified."""

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
    """router.case to the desk: the case is open again under its number."""

    case: CaseId


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportBounced:
    """router.case to the desk: the report met a case that is over; reopen it or open another."""

    case: CaseId
    report: ReadReport
    state: Name
    refused: bool = False
    reason: Line = ""


DeskMessage: TypeAlias = DeskReport | CaseEnded | CaseReopenedForDesk | ReportBounced
ReaderEvent: TypeAlias = DeskReport
DeskEvent: TypeAlias = DeskReport
