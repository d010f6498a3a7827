"""Pressing the holder (督办) without changing the lead."""

from dataclasses import dataclass

from schemas.case.timing import Firing
from schemas.scalars import Count, Instant, Line, Name, OptionalCode


@dataclass(frozen=True, slots=True, kw_only=True)
class Supervise:
    """督办: `kind` is urge 催办, guide 指导, coach 辅导, oversee 督导 or escalate 提级督办.

    `to` says who is pressed: lead, lead_officer, guiding, parent, centre or a meeting. From the clock
    `breach` tells the firing at the due time, which writes ClockBreached too, from warnings and later
    steps of the ladder.
    """

    kind: Name
    level: Count = 0
    to: Name = "lead"
    reply_due: Instant | None = None
    reason: Line = ""
    firing: Firing | None = None
    breach: bool = False
    expected_revision: Count = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LiftSupervision:
    """解除督办: by its number, answered or with a reason.

    The clock lifts its own by `clock` and the version `since` that started it; with it goes every other
    supervision whose clock has stopped.
    """

    number: Count = 0
    reason: Line = ""
    clock: Name = ""
    since: Count = 0
    expected_revision: Count = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SupervisionOpened:
    """已督办: the `number`-th of the case. It replaces the open one `replaces` of the same kind and level.

    `unit` is the unit that is pressed, `clock` and `since` name the clock that opened it, empty for a
    person's own.
    """

    number: Count
    kind: Name
    level: Count
    to: Name
    unit: OptionalCode
    replaces: Count
    reason: Line
    reply_due: Instant | None
    clock: Name
    since: Count
    by: Name
    at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class SupervisionLifted:
    """督办已解除."""

    number: Count
    kind: Name
    reason: Line
    by: Name
    at: Instant
