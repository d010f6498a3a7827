"""What the clocks of a case say (时限): one event for each case event followed, one for each firing.

Everything that a deadline was computed from travels with it: limit, calendar version, edition, start, what
was used up before. `explain deadline` needs nothing else.
"""

from dataclasses import dataclass
from typing import TypeAlias

from schemas.case.states import State
from schemas.case.timing import Firing, Term
from schemas.scalars import Count, Hash, Instant, Line, Name, OptionalCode


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """The next moment at which a clock speaks: `warn`, `due`, or the n-th rung of its ladder (`rung1` …)."""

    step: Name
    due: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A stretch in which a clock ran, and the seconds that the calendar counted of it."""

    start: Instant
    end: Instant
    counted: Count
    calendar: Name


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockRun:
    """A clock that runs from `start` (on the resumption of one that ran before: its `earlier` segments).

    `run` numbers the starts of all clocks of the case, `since` is the case version that started this one.
    `basis` says where the limit comes from (policy, condition, window, rework), `mode` how it counts
    (working, continuous, or emergency 急); `calendar` is code and version, empty where every minute counts.
    """

    clock: Name
    run: Count
    since: Count
    unit: OptionalCode
    term: Term | None
    basis: Name
    mode: Name
    calendar: Name
    start: Instant
    due: Instant | None
    provisional: bool = False
    alarm: Alarm | None = None
    earlier: tuple[Segment, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockHalt:
    """A clock that pauses or stops: its last segment and the rest of its limit in seconds, below 0 if late.

    `supervised` says that it had opened a supervision that no other has replaced: it ends with the clock.
    """

    clock: Name
    run: Count
    since: Count
    segment: Segment
    rest: int | None
    supervised: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseTerms:
    """What the case was promised: area and matter, limits, limits in series (`stages`), all pinned.

    `historic` marks an imported case, whose clocks run and stay silent.
    """

    area: OptionalCode = ""
    matter: OptionalCode = ""
    limit: Term | None = None
    leg_limit: Term | None = None
    stages: tuple[Term, ...] = ()
    historic: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFacts:
    """Where the case stands, as far as its row of clocks depends on it.

    `checking` and `contact` say that a check or the first contact is owed, `early` that handling is
    counted though not signed (from dispatch, or because the same lead had begun), `stage` how many
    stages are finished.
    """

    state: State
    lead: OptionalCode = ""
    stage: Count = 0
    early: bool = False
    contact: bool = False
    checking: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ClocksSet:
    """One case event was followed: now exactly the clocks of the state's row run.

    `case_version` and `event` name the case event, `at` is the moment from which it counts, `edition`
    the rules that counted. `facts` and `terms` are given where they changed.
    """

    case_version: Count
    event: Name
    at: Instant
    edition: Hash
    facts: CaseFacts | None = None
    terms: CaseTerms | None = None
    stopped: tuple[ClockHalt, ...] = ()
    paused: tuple[ClockHalt, ...] = ()
    started: tuple[ClockRun, ...] = ()
    resumed: tuple[ClockRun, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockWarned:
    """预警: so many per cent of the limit are used up; `audience`, who has to move, is urged."""

    clock: Name
    run: Count
    percent: Count
    audience: Name
    firing: Firing
    alarm: Alarm | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockBreachAsked:
    """到期: the limit is used up. The case is asked, by the one command `asks`; the breach is its word.

    `kind` and `audience` are those of the supervision, where that is what the clock's table says.
    """

    clock: Name
    run: Count
    asks: Name
    firing: Firing
    kind: Name = ""
    audience: Name = ""
    alarm: Alarm | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockEscalated:
    """升级: the clock is late and still runs; the next rung of its ladder is told."""

    clock: Name
    run: Count
    rung: Count
    kind: Name
    audience: Name
    firing: Firing
    alarm: Alarm | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BreachAnswered:
    """The case's word on a breach that was asked for: recorded, or a stop or pause came in time."""

    clock: Name
    since: Count
    confirmed: bool
    case_version: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerIdle:
    """A timer found its clock stopped, paused or started anew: on record, and nothing leaves."""

    clock: Name
    run: Count
    step: Name


@dataclass(frozen=True, slots=True, kw_only=True)
class RecomputeDeadlines:
    """重算时限: a calendar, map or mode changed; the dues of running clocks are counted anew."""

    reason: Line


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadlineMoved:
    """One deadline before and after a recomputation; the old figure stays a fact."""

    before: Instant | None
    after: ClockRun


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadlinesRecomputed:
    """The answer to `RecomputeDeadlines`: what moved, perhaps nothing."""

    reason: Line
    edition: Hash
    moved: tuple[DeadlineMoved, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockRang:
    """The timer of a clock: its run and the step for which it was set."""

    clock: Name
    run: Count
    step: Name


ClockCommand: TypeAlias = RecomputeDeadlines
ClockEvent: TypeAlias = (
    ClocksSet
    | ClockWarned
    | ClockBreachAsked
    | ClockEscalated
    | BreachAnswered
    | TimerIdle
    | DeadlinesRecomputed
)
ClockTimer: TypeAlias = ClockRang
