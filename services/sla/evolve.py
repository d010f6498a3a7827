from collections.abc import Mapping
from dataclasses import replace as changed

from msgspec.structs import replace

from kernel.table import folding, unchanged, when
from schemas.sla import (
    Alarm,
    BreachAnswered,
    ClockBreachAsked,
    ClockEscalated,
    ClockEvent,
    ClocksSet,
    ClockWarned,
    DeadlinesRecomputed,
    TimerIdle,
)
from services.sla.follow import deemed_by
from services.sla.state import Clock, Clocks


def _set(clocks: Clocks, event: ClocksSet) -> Clocks:
    stopped = {halt.clock for halt in event.stopped}
    left = {name: clock for name, clock in clocks.clocks.items() if name not in stopped}
    for halt in event.paused:
        clock = left[halt.clock]
        segments = (*clock.run.earlier, halt.segment)
        left[halt.clock] = replace(clock, paused=True, segments=segments)
    for run in event.resumed:
        known = left.get(run.clock) or (clocks.deemed.sign if clocks.deemed else Clock(run))
        left[run.clock] = replace(known, run=run, paused=False, segments=())
    left.update({run.clock: Clock(run) for run in event.started})
    return replace(
        clocks,
        version=event.case_version,
        facts=event.facts or clocks.facts,
        terms=event.terms or clocks.terms,
        runs=max([clocks.runs, *(run.run for run in event.started)]),
        clocks=left,
        deemed=deemed_by(clocks, event),
    )


def _warned(clocks: Clocks, event: ClockWarned) -> Clocks:
    clock = _armed(clocks.clocks[event.clock], event.alarm)
    return _pressed(_with(clocks, event.clock, clock), event.clock, "urge", 0)


def _asked(clocks: Clocks, event: ClockBreachAsked) -> Clocks:
    clock = _armed(clocks.clocks[event.clock], event.alarm)
    clocks = _with(clocks, event.clock, replace(clock, asked=True))
    return _pressed(clocks, event.clock, event.kind, 0) if event.asks == "Supervise" else clocks


def _escalated(clocks: Clocks, event: ClockEscalated) -> Clocks:
    clock = _armed(clocks.clocks[event.clock], event.alarm)
    return _pressed(_with(clocks, event.clock, clock), event.clock, event.kind, event.rung)


def _pressed(clocks: Clocks, name: str, kind: str, level: int) -> Clocks:
    """The supervision of this kind and level is this clock's now; the case replaced any other's."""
    one = (kind, level)
    for other, clock in clocks.clocks.items():
        kept = tuple([press for press in clock.presses if press != one])
        presses = (*kept, one) if other == name else kept
        if presses != clock.presses:
            clocks = _with(clocks, other, replace(clock, presses=presses))
    return clocks


def _answered(clocks: Clocks, event: BreachAnswered) -> Clocks:
    clock = clocks.clocks.get(event.clock)
    clocks = replace(clocks, version=event.case_version)
    if clock is None or clock.run.since != event.since:
        return clocks
    return _with(clocks, event.clock, replace(clock, breached=event.confirmed))


def _recomputed(clocks: Clocks, event: DeadlinesRecomputed) -> Clocks:
    for moved in event.moved:
        clock = clocks.clocks[moved.after.clock]
        clocks = _with(clocks, moved.after.clock, replace(clock, run=moved.after))
    return clocks


def _armed(clock: Clock, alarm: Alarm | None) -> Clock:
    return replace(clock, run=changed(clock.run, alarm=alarm))


def _with(clocks: Clocks, name: str, clock: Clock) -> Clocks:
    others: Mapping[str, Clock] = {**clocks.clocks, name: clock}
    return replace(clocks, clocks=others)


evolve = folding(
    ClockEvent,
    when(ClocksSet, _set),
    when(ClockWarned, _warned),
    when(ClockBreachAsked, _asked),
    when(ClockEscalated, _escalated),
    when(BreachAnswered, _answered),
    when(TimerIdle, unchanged),
    when(DeadlinesRecomputed, _recomputed),
)
