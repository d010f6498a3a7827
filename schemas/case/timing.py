"""Limits that events pin, and what the clock says to the case (时限, 超时)."""

from dataclasses import dataclass

from schemas.refusal import Refusal
from schemas.scalars import Count, Instant, Name, OptionalCode


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """A limit (时限) as it was promised: so many minutes, of office hours or without a break.

    `text` is how the standard words it, `urgent` the 紧急 kind that is never extended.
    """

    text: Name
    minutes: Count
    working: bool
    urgent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Firing:
    """Which clock came due (到时), started by the case's event of version `since`.

    `seen` is the last version of the case that the clock had folded. The case recomputes every firing
    from its own accepted facts.
    """

    clock: Name
    due: Instant
    since: Count
    seen: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordBreach:
    """记超时: a clock came due and nothing else is to be done about it."""

    firing: Firing


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockBreached:
    """超时: no stop was received at or before `due`; written once for each clock and start.

    `unit` owed the move, empty where that was the operations centre.
    """

    clock: Name
    since: Count
    due: Instant
    unit: OptionalCode
    at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class BreachNotConfirmed:
    """未超时: the firing was late or of an older start; the accepted facts of the case win."""

    clock: Name
    since: Count
    due: Instant
    refusal: Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class BreachTakenBack:
    """撤回超时: the stop that came late to us was received at or before `due`, so nobody was late."""

    clock: Name
    since: Count
    due: Instant
    at: Instant
