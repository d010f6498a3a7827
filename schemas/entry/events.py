"""What became of an admission entry (事务准入): one event for each step of its workflow."""

from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

from schemas.entry.commands import ObjectionAnswer
from schemas.entry.states import EntryState
from schemas.refusal import Refusal
from schemas.register import FaultTold, FundingText, RegisterRow
from schemas.scalars import Code, Count, Hash, Instant, Line, Name, OptionalCode


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryTakenUp:
    """录入: an entry that came with a published bundle is under the workflow from here on.

    `row` is its version in force, else the `last` one.
    """

    row: RegisterRow
    last: Count
    state: EntryState
    start: Instant | None
    expire: Instant | None
    lapse: Instant | None
    edition: Hash


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryApplied:
    """已申请: a version is under review; silence until `decide` refuses it. `amends` is the one in force."""

    row: RegisterRow
    amends: Count
    decide: Instant
    by: Code
    at: Instant
    edition: Hash
    state: EntryState = EntryState.REVIEWING


@dataclass(frozen=True, slots=True, kw_only=True)
class OpinionGiven:
    """已提意见: `unit` is empty where the party speaks as a whole, such as a meeting for all communities."""

    version: Count
    party: Name
    unit: OptionalCode
    agrees: bool
    text: Line
    by: Code
    at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryNoticed:
    """公示: approved for notice from today; it may be closed after `ends`, the clock closes it at `close`."""

    version: Count
    approval_no: Name
    noticed_on: date
    ends: Instant
    close: Instant
    by: Code
    at: Instant
    edition: Hash
    state: EntryState = EntryState.NOTICED


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryRefused:
    """不予准入: decided, or by silence of whoever had to decide or to answer."""

    version: Count
    reason: Line
    silent: bool
    by: Name
    at: Instant
    state: EntryState = EntryState.REFUSED


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryObjected:
    """公示异议: somebody objects to the noticed version."""

    version: Count
    number: Count
    text: Line
    by: Name
    at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryApproved:
    """已准入: the notice is over; the clock starts the version at `start`."""

    version: Count
    answers: tuple[ObjectionAnswer, ...]
    start: Instant
    by: Name
    at: Instant
    state: EntryState = EntryState.APPROVED


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryReturned:
    """退回审核: to be decided once more, after the notice or because the register has changed since."""

    version: Count
    answers: tuple[ObjectionAnswer, ...]
    reason: Line
    faults: tuple[FaultTold, ...]
    decide: Instant
    by: Name
    at: Instant
    state: EntryState = EntryState.REVIEWING


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryFunded:
    """已拨付: the proof is on record. `row` is asked to stand in the register, if the version is in force."""

    version: Count
    funding: FundingText
    change: Count
    row: RegisterRow | None
    city: Code
    lapse: Instant | None
    by: Code
    at: Instant
    state: EntryState


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryStartAsked:
    """申请生效: the register is asked to hold the version; it is in force once the rules say so."""

    version: Count
    change: Count
    row: RegisterRow
    city: Code
    at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryStartWaits:
    """待拨付: the day has come, and no proof of funding covers it; without one by `expire` it ends unused."""

    version: Count
    expire: Instant | None
    at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryStarted:
    """生效: the version is in force with this edition; `ended` is the version whose place it took, or 0."""

    version: Count
    edition: Hash
    rules: Count
    ended: Count
    expire: Instant | None
    lapse: Instant | None
    at: Instant
    state: EntryState = EntryState.ACTIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryRegistered:
    """已登记: what was asked for besides a start or an end stands in the register."""

    version: Count
    change: Count
    edition: Hash
    rules: Count
    at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryChangeRefused:
    """登记受阻: the register could not take the change; `stands` is in force as before, 0 if none is."""

    version: Count
    change: Count
    stands: Count
    faults: tuple[FaultTold, ...]
    expire: Instant | None
    lapse: Instant | None
    at: Instant
    state: EntryState


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryEvaluated:
    """已评估: how the entry in force works, by a community or its residents' vote."""

    version: Count
    unit: Code
    score: Count
    votes: Count
    text: Line
    by: Code
    at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryExitAsked:
    """申请退出: the register is asked to end the version."""

    version: Count
    reason: Line
    change: Count
    row: RegisterRow
    city: Code
    by: Code
    at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryExited:
    """已退出: the version is over; `edition` is the one without it, empty if it never was in one."""

    version: Count
    reason: Line
    edition: Name
    by: Name
    at: Instant
    state: EntryState = EntryState.EXITED


@dataclass(frozen=True, slots=True, kw_only=True)
class EntrySuspended:
    """暂停: the funding proof has run out; the guard judged so by its days already."""

    version: Count
    at: Instant
    state: EntryState = EntryState.SUSPENDED


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryExpired:
    """到期: the last day of the version is over."""

    version: Count
    at: Instant
    state: EntryState = EntryState.EXPIRED


@dataclass(frozen=True, slots=True, kw_only=True)
class TemporaryGranted:
    """临时准入: in force at once, the register is asked to hold it; `renewal` counts those before it."""

    row: RegisterRow
    promised: date
    renewal: Count
    change: Count
    city: Code
    expire: Instant
    by: Code
    at: Instant
    edition: Hash
    state: EntryState = EntryState.TEMPORARY


@dataclass(frozen=True, slots=True, kw_only=True)
class EntrySuperseded:
    """被取代: another entry that supersedes this version is in force."""

    version: Count
    by_entry: Code
    by_version: Count
    at: Instant
    state: EntryState = EntryState.EXITED


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryCommandRefused:
    """命令不予执行: what was expected and found, and all faults of the row where that is why."""

    command: Name
    refusal: Refusal
    by: Name
    faults: tuple[FaultTold, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryTimerIdle:
    """A timer, or an answer, of something that is over (已过时)."""

    what: Name
    version: Count


EntryEvent: TypeAlias = (
    EntryTakenUp
    | EntryApplied
    | OpinionGiven
    | EntryNoticed
    | EntryRefused
    | EntryObjected
    | EntryApproved
    | EntryReturned
    | EntryFunded
    | EntryStartAsked
    | EntryStartWaits
    | EntryStarted
    | EntryRegistered
    | EntryChangeRefused
    | EntryEvaluated
    | EntryExitAsked
    | EntryExited
    | EntrySuspended
    | EntryExpired
    | TemporaryGranted
    | EntrySuperseded
    | EntryCommandRefused
    | EntryTimerIdle
)
