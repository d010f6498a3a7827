"""What people are told (通知): copies for units, requests, attempts, outcomes, timers."""

from dataclasses import dataclass
from typing import Annotated, TypeAlias

from pydantic import Field

from schemas.scalars import CaseId, Code, Count, Instant, Line, Name, OptionalCode, Text

Result: TypeAlias = Annotated[
    str, Field(pattern=r"^(delivered|failed|refused|gone|no_channel|unknown|not_tried)$")
]
"""How an attempt ended.

`delivered`: the channel has taken it. `failed` and `not_tried`: it has not, try again. `unknown`: nobody
can say, try again under the same key. `refused`: this address will never take it. `gone`: it wants nothing
ever again. `no_channel`: nobody serves a channel of this name.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitCaseChanged:
    """One case event (案件变化) as a subscribing unit may see it, cut by its role.

    The role is lead, assist, relieved, or sender of a refused command, who sees nothing but the refusal in
    `note`. Nobody sees a reporter; `text` and `place` are for who starts to work on the case. `cause` is the
    id of the case event.
    """

    case: CaseId
    cause: Name
    event: Name
    role: Name
    at: Instant
    state: Name
    matter: OptionalCode
    area: OptionalCode
    lead: OptionalCode
    place: Name = ""
    text: Text = ""
    note: Line = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestNotice:
    """The fan to one recipient's desk: tell this (请求通知). Channel `own` means the recipient's own."""

    case: CaseId
    event: Name
    audience: Name
    channel: Name
    template: Name
    text: Text
    digest: bool = False
    urgent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptDelivery:
    """The desk to the performer: carry this out. `key` is the idempotency key, the same for every attempt."""

    key: Line
    recipient: Line
    notice: Count
    attempt: Count
    channel: Name
    address: Line
    text: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How an attempt ended; `after` is the number of seconds for which the receiver asked us to wait."""

    result: Result
    detail: Line = ""
    after: Count = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Performed:
    """An `AttemptDelivery` that was carried out by the worker, with what came of it."""

    request: AttemptDelivery
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordOutcome:
    """The performer to the desk: the attempt `attempt` of the notice `notice` ended so (回执)."""

    notice: Count
    attempt: Count
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeDue:
    """Timer: the pause before another attempt is over."""

    notice: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestDue:
    """Timer: what waits for the digest (汇总) or for the end of quiet hours leaves, as one."""


NoticeMessage: TypeAlias = (
    UnitCaseChanged | RequestNotice | AttemptDelivery | Performed | RecordOutcome | NoticeDue | DigestDue
)


# ── notifier.fan ─────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True, slots=True, kw_only=True)
class Hearer:
    """A reporter (诉求人) who is to hear of the case: recipient without identity, channel of the report."""

    recipient: Line
    channel: Name


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """One recipient who is told of the event: `unit:`, `post:` or `reporter:` and the code."""

    recipient: Line
    audience: Name
    channel: Name
    template: Name
    text: Text
    digest: bool = False
    urgent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitCopy:
    """One subscribing unit that gets a copy; `text` and `place` only for who starts to work on the case."""

    unit: Code
    role: Name
    place: Name = ""
    text: Text = ""
    note: Line = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseIntroduced:
    """The fan hears of a case for the first time: what it will need later, and who was told."""

    cause: Name
    event: Name
    state: Name
    matter: OptionalCode
    area: OptionalCode
    lead: OptionalCode
    place: Name
    text: Text
    reporter: Hearer | None
    historic: bool
    told: tuple[Telling, ...]
    copies: tuple[UnitCopy, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFanned:
    """One more event of the case: how it stands now, who was told (分发). `joined` reports too."""

    cause: Name
    event: Name
    state: Name
    matter: OptionalCode
    area: OptionalCode
    lead: OptionalCode
    assistants: tuple[Code, ...]
    supervising: tuple[Code, ...]
    told: tuple[Telling, ...]
    copies: tuple[UnitCopy, ...]
    joined: Hearer | None = None


FanEvent: TypeAlias = CaseIntroduced | CaseFanned


# ── notifier.desk ────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeQueued:
    """A notice is taken on (受理通知). `number` is its version, so its id is the key of all attempts.

    `wait` is now, quiet (免打扰) or digest; `due` the timer to set, if one is needed.
    """

    number: Count
    case: CaseId
    event: Name
    audience: Name
    channel: Name
    text: Text
    wait: Name
    due: Instant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestComposed:
    """Several waiting notices leave as one (汇总); `number` is the version of this event."""

    number: Count
    notices: tuple[Count, ...]
    channel: Name
    text: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptStarted:
    """An attempt (尝试) to deliver is asked for: by this channel, to this address, in these words."""

    notice: Count
    attempt: Count
    channel: Name
    address: Line
    text: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeDelivered:
    """送达: the channel has taken the notice."""

    notice: Count
    attempt: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeFailed:
    """未送达: this attempt did not deliver; `retry` is when the same channel is tried again, if at all."""

    notice: Count
    attempt: Count
    outcome: Outcome
    retry: Instant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeGivenUp:
    """放弃: no channel is left; `reason` is the last result, or no_channel if there never was one."""

    notice: Count
    attempts: Count
    reason: Name


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressDisabled:
    """停用地址: the address wants nothing more; it is left out until the bundle names another."""

    channel: Name
    address: Line


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeIgnored:
    """An outcome on record that changes nothing: `why` is settled, older, duplicate or unknown."""

    notice: Count
    attempt: Count
    outcome: Outcome
    why: Name


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerIgnored:
    """A timer that came for what is settled already; on record, changes nothing."""

    notice: Count


DeskNoticeEvent: TypeAlias = (
    NoticeQueued
    | DigestComposed
    | AttemptStarted
    | NoticeDelivered
    | NoticeFailed
    | NoticeGivenUp
    | AddressDisabled
    | OutcomeIgnored
    | TimerIgnored
)


# ── notifier.performer ───────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptPerformed:
    """已执行: the attempt was carried out; with its request in the inbox this is the whole `Performed`."""

    notice: Count
    attempt: Count
    channel: Name
    outcome: Outcome


NoticeEvent: TypeAlias = FanEvent | DeskNoticeEvent | AttemptPerformed
