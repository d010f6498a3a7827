"""A line of the admission register (准入登记) as it travels between workflow, rules and composer."""

from dataclasses import dataclass
from datetime import date

from schemas.scalars import Code, Count, Line, Name, OptionalCode


@dataclass(frozen=True, slots=True, kw_only=True)
class FundingText:
    """费随事转: where the money comes from, how much for what, the proof and the days that it covers."""

    source: Name = ""
    standard: Name = ""
    per: Name = ""
    proof_id: Name = ""
    covers_from: date | None = None
    covers_to: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NeedsText:
    """工作条件: what a community is given besides money."""

    staff: Name = ""
    training: Name = ""
    equipment: Name = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryText:
    """What an admission entry says (条目内容), in the words and codes of a bundle's `entries.csv`.

    `matter` is a code, a prefix or `row8:TAG`; `supersedes` names another entry as `ID@VERSION`. An entry
    without `valid_to` has no end.
    """

    matter: Name
    area: Code
    role: Name
    legal_basis: tuple[Line, ...]
    guiding_dept: OptionalCode
    applicant: OptionalCode
    layer: Name = ""
    unit_level: OptionalCode = ""
    mode: Name = "both"
    statutory_level: OptionalCode = ""
    article: Line = ""
    owner_instead: OptionalCode = ""
    duties: Line = ""
    limits_of_duty: Line = ""
    frequency: Name = ""
    funding: FundingText = FundingText()
    conditions: NeedsText = NeedsText()
    valid_from: date | None = None
    valid_to: date | None = None
    supersedes: Name = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterRow:
    """One version of an entry as it is to stand in the register (登记行)."""

    entry: Code
    version: Count
    state: Name
    text: EntryText
    term: Name = "permanent"
    order_number: Name = ""
    approval_no: Name = ""
    noticed_on: date | None = None
    exit_reason: Line = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowChange:
    """A row that an entry asks to be put into the register; `change` counts what this entry has asked for."""

    change: Count
    row: RegisterRow


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultTold:
    """A fault that the check of a bundle found (问题): its code, the column, what was expected and found."""

    code: Name
    column: Name
    expected: Line
    found: Line


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A version that another one took the place of (被取代)."""

    entry: Code
    version: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A change that is in the composed edition, and which versions it ended there."""

    entry: Code
    change: Count
    version: Count
    ended: tuple[Ended, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NotTaken:
    """A change that would give a bundle that may not be published, with all that is wrong with it."""

    entry: Code
    change: Count
    faults: tuple[FaultTold, ...]
