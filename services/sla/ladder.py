"""What a clock does at each of its moments: warn, ask for the breach, climb its ladder (预警、到期、升级)."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from kernel.processor import Context
from rules.clocks import LAWS
from rules.policies import Rung
from schemas.sla import Alarm, ClockBreachAsked, ClockEscalated, ClockEvent, ClockRang, ClockWarned, TimerIdle
from services.sla import clock as counting
from services.sla.state import Clock, Clocks

KINDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "": "urge",
        "催办": "urge",
        "指导": "guide",
        "辅导": "coach",
        "督导": "oversee",
        "督办": "oversee",
        "提级督办": "escalate",
    }
)
"""The kinds of supervision as bundles write them; a rung without a word urges."""


def ring(clocks: Clocks, rang: ClockRang, context: Context) -> list[ClockEvent]:
    """A timer of a clock fires; if its clock no longer runs as it did, that is on record and all."""
    clock = clocks.clocks.get(rang.clock)
    expected = clock.run.alarm if clock else None
    if (
        clock is None
        or clock.paused
        or clock.run.run != rang.run
        or expected is None
        or expected.step != rang.step
    ):
        return [TimerIdle(clock=rang.clock, run=rang.run, step=rang.step)]
    alarm = counting.next_alarm(clock.run, clocks.terms, context.rules, after=rang.step)
    if rang.step.startswith("warn"):
        return [_warn(clock, rang, clocks.version, alarm)]
    if rang.step == "due":
        return [_ask(clock, clocks, context, alarm)]
    return [_climb(clock, rang, clocks, context, alarm)]


def _warn(clock: Clock, rang: ClockRang, seen: int, alarm: Alarm | None) -> ClockWarned:
    return ClockWarned(
        clock=rang.clock,
        run=rang.run,
        percent=int(rang.step.removeprefix("warn")),
        audience=LAWS[rang.clock].owes,
        firing=counting.firing(clock, seen),
        alarm=alarm,
    )


def _ask(clock: Clock, clocks: Clocks, context: Context, alarm: Alarm | None) -> ClockBreachAsked:
    law = LAWS[clock.run.clock]
    ladder = counting.policy_of(clock.run.clock, clocks.terms, context.rules).ladder
    first = ladder[0] if ladder and ladder[0].after is None else Rung(law.audience)
    supervises = law.at_due == "Supervise"
    return ClockBreachAsked(
        clock=clock.run.clock,
        run=clock.run.run,
        asks=law.at_due,
        kind=KINDS.get(first.kind, first.kind) if supervises else "",
        audience=first.audience if supervises else "",
        firing=counting.firing(clock, clocks.version),
        alarm=alarm,
    )


def _climb(
    clock: Clock, rang: ClockRang, clocks: Clocks, context: Context, alarm: Alarm | None
) -> ClockEscalated | TimerIdle:
    number = int(rang.step.removeprefix("rung"))
    ladder = counting.policy_of(rang.clock, clocks.terms, context.rules).ladder
    if number >= len(ladder):
        return TimerIdle(clock=rang.clock, run=rang.run, step=rang.step)
    rung = ladder[number]
    return ClockEscalated(
        clock=rang.clock,
        run=rang.run,
        rung=number,
        kind=KINDS.get(rung.kind, rung.kind),
        audience=rung.audience,
        firing=counting.firing(clock, clocks.version),
        alarm=alarm,
    )
