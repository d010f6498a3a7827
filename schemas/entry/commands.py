"""What is asked of an admission entry: commands of people, answers of the rules, timers (事务准入)."""

from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

from schemas.register import EntryText, FaultTold
from schemas.scalars import Code, Count, Hash, Line, Name


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyEntry:
    """申请: a department asks that an affair may enter communities or grids."""

    text: EntryText


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveOpinion:
    """意见: one of the four parties legal, finance, street and communities says what it thinks."""

    party: Name
    agrees: bool
    text: Line = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideEntry:
    """审批: the street or grid body of the same level approves the application for notice, or refuses it."""

    approve: bool
    approval_no: Name = ""
    reason: Line = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectToEntry:
    """公示异议: anyone may object while the notice lasts."""

    text: Line


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectionAnswer:
    """答复: what the deciding body says to one objection, by its number."""

    objection: Count
    answer: Line


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseNotice:
    """公示结束: every objection is answered; the entry is admitted, or goes `back` to be reviewed."""

    answers: tuple[ObjectionAnswer, ...] = ()
    back: bool = False
    reason: Line = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordFunding:
    """拨付: the finance department records the proof and the days that it covers.

    `version` 0 means the approved version, else the one in force.
    """

    proof_id: Name
    covers_from: date
    covers_to: date
    version: Count = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluateEntry:
    """评估: a community, or its residents by vote, say how the entry in force works."""

    score: Count
    votes: Count = 0
    text: Line = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AmendEntry:
    """调整: a new version is asked for; the old one stays in force until the new one is."""

    text: EntryText


@dataclass(frozen=True, slots=True, kw_only=True)
class ExitEntry:
    """退出: the version in force ends, or one that was admitted and has not started.

    `version` 0 means the one in force, else the admitted one.
    """

    reason: Line
    version: Count = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantTemporary:
    """临时准入: the supervising body admits an urgent affair at once, until an end date.

    `promised` is the day by which the department that asked promises the money.
    """

    text: EntryText
    order_number: Name
    promised: date | None = None


# ── from the rules, and by the clock ─────────────────────────────────────────────────────────────────
@dataclass(frozen=True, slots=True, kw_only=True)
class EntryChanged:
    """The rules to an entry: what it asked for as `change` stands in the register in force."""

    change: Count
    edition: Hash
    rules: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryNotChanged:
    """The rules to an entry: what it asked for as `change` would give a bundle that may not be published."""

    change: Count
    faults: tuple[FaultTold, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryReplaced:
    """The rules to an entry: its `version` was ended in the register by another entry that supersedes it."""

    version: Count
    by_entry: Code
    by_version: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryRang:
    """Timer of one version: decide, close, start, lapse or expire."""

    clock: Name
    version: Count


EntryCommand: TypeAlias = (
    ApplyEntry
    | GiveOpinion
    | DecideEntry
    | ObjectToEntry
    | CloseNotice
    | RecordFunding
    | EvaluateEntry
    | AmendEntry
    | ExitEntry
    | GrantTemporary
)
EntryAnswer: TypeAlias = EntryChanged | EntryNotChanged | EntryReplaced
EntryTimer: TypeAlias = EntryRang
