"""Why a deadline is what it is (时限说明): every stretch counted and skipped, from the clock's own events.

Nothing is looked up but the calendars, by the version that the event names; where an edition no longer
has it, the stretch says so instead of being counted by another one.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple, TypeAlias

from msgspec import Struct

from rules.workdays import Calendar, Interval
from schemas.case.timing import Term
from schemas.sla import (
    BreachAnswered,
    ClockBreachAsked,
    ClockEscalated,
    ClockEvent,
    ClockHalt,
    ClockRun,
    ClocksSet,
    ClockWarned,
    DeadlinesRecomputed,
    Segment,
)

CalendarOf: TypeAlias = Callable[[str], Calendar | None]


class Told(NamedTuple):
    """One event of the clock's stream with the time at which it was decided."""

    at: datetime
    event: ClockEvent


class Stretch(Struct, frozen=True):
    """A segment of the clock with its intervals; `seconds` is what it counted, `ended` if it is over."""

    start: datetime
    end: datetime
    seconds: int
    calendar: str
    ended: bool
    intervals: tuple[Interval, ...] = ()


class Step(Struct, frozen=True):
    """Something that happened to the clock: started, paused, resumed, stopped, warned, asked, answered …"""

    at: datetime
    what: str
    case_version: int = 0
    event: str = ""
    detail: str = ""


class Explanation(Struct, frozen=True):
    """One run of one clock, complete: what `explain deadline` prints and the console draws."""

    clock: str
    run: int
    unit: str
    term: Term | None
    basis: str
    mode: str
    edition: str
    calendar: str
    started: datetime
    due: datetime | None
    provisional: bool
    state: str
    rest: int | None
    stretches: tuple[Stretch, ...]
    steps: tuple[Step, ...]


def explain(
    history: Sequence[Told], clock: str, calendar_of: CalendarOf, now: datetime
) -> tuple[Explanation, ...]:
    """Every run of the clock, in order; the last one may still be running at `now`."""
    runs = sorted({run.run for told in history for run in _runs(told.event) if run.clock == clock})
    return tuple(_explained(history, run, calendar_of, now) for run in runs)


def clocks_of(history: Sequence[Told]) -> tuple[str, ...]:
    """The clocks that this case has had, in the order of their first start."""
    return tuple(dict.fromkeys(run.clock for told in history for run in _runs(told.event)))


def _explained(history: Sequence[Told], number: int, calendar_of: CalendarOf, now: datetime) -> Explanation:
    edition, runs, halts, segments, running = _folded(history, number)
    first, last = runs[0], runs[-1]
    stretches = [_ended(segment, calendar_of) for segment in segments]
    if running:
        stretches.append(_open(last, calendar_of, now))
    spent = sum(stretch.seconds for stretch in stretches)
    return Explanation(
        clock=first.clock,
        run=number,
        unit=first.unit,
        term=last.term,
        basis=first.basis,
        mode=last.mode,
        edition=edition,
        calendar=last.calendar,
        started=first.start,
        due=last.due,
        provisional=last.provisional,
        state="running" if running else halts[-1],
        rest=last.term.minutes * 60 - spent if last.term else None,
        stretches=tuple(stretches),
        steps=tuple(_steps(history, first.clock, number, first.since)),
    )


class _Folded(NamedTuple):
    edition: str
    runs: list[ClockRun]
    halts: list[str]
    segments: tuple[Segment, ...]
    running: bool


def _folded(history: Sequence[Told], number: int) -> _Folded:
    """The run through its events; what a resumption names as `earlier` replaces what was known."""
    folded = _Folded("", [], [], (), running=False)
    for told in history:
        for state, halt in _halts(told.event):
            if halt.run == number:
                folded = _Folded(
                    folded.edition,
                    folded.runs,
                    [*folded.halts, state],
                    folded.segments if not folded.running else (*folded.segments, halt.segment),
                    running=False,
                )
        for run in _runs(told.event):
            if run.run == number:
                folded = _Folded(
                    _edition(told.event), [*folded.runs, run], folded.halts, run.earlier, running=True
                )
    return folded


def _ended(segment: Segment, calendar_of: CalendarOf) -> Stretch:
    calendar = calendar_of(segment.calendar) if segment.calendar else None
    return Stretch(
        start=segment.start,
        end=segment.end,
        seconds=segment.counted,
        calendar=segment.calendar,
        ended=True,
        intervals=_intervals(segment.calendar, calendar, segment.start, segment.end),
    )


def _open(run: ClockRun, calendar_of: CalendarOf, now: datetime) -> Stretch:
    """The stretch that still runs, up to now."""
    end = max(now, run.start)
    calendar = calendar_of(run.calendar) if run.calendar else None
    intervals = _intervals(run.calendar, calendar, run.start, end)
    seconds = sum(int((part.end - part.start).total_seconds()) for part in intervals if part.counted)
    return Stretch(
        start=run.start, end=end, seconds=seconds, calendar=run.calendar, ended=False, intervals=intervals
    )


def _intervals(
    version: str, calendar: Calendar | None, start: datetime, end: datetime
) -> tuple[Interval, ...]:
    """What the calendar counted and skipped; without a calendar every minute counts."""
    if calendar is not None:
        return calendar.intervals(start, end)
    if version:
        return (Interval(start, end, counted=False, why="calendar_unknown", name=version),)
    return (Interval(start, end, counted=True, why="continuous"),) if end > start else ()


def _runs(event: ClockEvent) -> tuple[ClockRun, ...]:
    if isinstance(event, ClocksSet):
        return (*event.started, *event.resumed)
    if isinstance(event, DeadlinesRecomputed):
        return tuple(moved.after for moved in event.moved)
    return ()


def _edition(event: ClockEvent) -> str:
    return event.edition if isinstance(event, ClocksSet | DeadlinesRecomputed) else ""


def _halts(event: ClockEvent) -> Iterator[tuple[str, ClockHalt]]:
    if isinstance(event, ClocksSet):
        yield from (("paused", halt) for halt in event.paused)
        yield from (("stopped", halt) for halt in event.stopped)


def _steps(history: Sequence[Told], clock: str, run: int, since: int) -> Iterator[Step]:
    for told in history:
        event = told.event
        if isinstance(event, ClocksSet):
            yield from _set_steps(event, run)
        elif isinstance(event, DeadlinesRecomputed):
            yield from _moved_steps(told.at, event, run)
        elif isinstance(event, BreachAnswered):
            if event.clock == clock and event.since == since:
                said = "breached" if event.confirmed else "not_breached"
                yield Step(told.at, said, event.case_version)
        elif isinstance(event, ClockWarned | ClockBreachAsked | ClockEscalated) and event.run == run:
            yield _fired_step(told.at, event)


def _set_steps(event: ClocksSet, run: int) -> Iterator[Step]:
    groups = (
        ("started", event.started),
        ("resumed", event.resumed),
        ("paused", event.paused),
        ("stopped", event.stopped),
    )
    for what, members in groups:
        if any(member.run == run for member in members):
            yield Step(event.at, what, event.case_version, event.event)


def _moved_steps(at: datetime, event: DeadlinesRecomputed, run: int) -> Iterator[Step]:
    for moved in event.moved:
        if moved.after.run == run:
            before = moved.before.isoformat() if moved.before else ""
            yield Step(at, "recomputed", event=event.reason, detail=before)


def _fired_step(at: datetime, event: ClockWarned | ClockBreachAsked | ClockEscalated) -> Step:
    if isinstance(event, ClockWarned):
        return Step(at, "warned", detail=f"{event.percent}%")
    if isinstance(event, ClockBreachAsked):
        return Step(at, "asked", detail=event.asks)
    return Step(at, "escalated", detail=f"{event.kind} {event.audience}")
