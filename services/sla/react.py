"""What leaves: timers for the next moment of each clock, and one command to the case for each firing."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from kernel.processor import CancelTimer, Effect, SetTimer
from kernel.table import nothing, reacting, sends
from schemas.case.closing import WriteOff
from schemas.case.handling import SignCase
from schemas.case.objecting import DecideObjection
from schemas.case.supervising import LiftSupervision, Supervise
from schemas.case.timing import RecordBreach
from schemas.envelope import Envelope
from schemas.sla import (
    Alarm,
    BreachAnswered,
    ClockBreachAsked,
    ClockEscalated,
    ClockEvent,
    ClockRang,
    ClockRun,
    ClocksSet,
    ClockWarned,
    DeadlinesRecomputed,
    TimerIdle,
)
from schemas.topics import CASE_COMMANDS


def _timer(clock: str, run: int, alarm: Alarm | None) -> Iterator[Effect]:
    if alarm is not None:
        yield SetTimer(clock, alarm.due, ClockRang(clock=clock, run=run, step=alarm.step))


def _timers(runs: Iterable[ClockRun]) -> Iterator[Effect]:
    for run in runs:
        yield from _timer(run.clock, run.run, run.alarm)


def _set(event: ClocksSet, envelope: Envelope) -> Sequence[Effect]:
    """Timers follow the runs. One lift is enough: the case ends all that a stopped clock had opened."""
    armed = {run.clock for run in (*event.started, *event.resumed) if run.alarm}
    idle = [halt.clock for halt in (*event.stopped, *event.paused) if halt.clock not in armed]
    lifted = [halt for halt in event.stopped if halt.supervised and not _over(event)]
    return [
        *map(CancelTimer, idle),
        *_timers((*event.started, *event.resumed)),
        *(
            CASE_COMMANDS.send(envelope.subject, LiftSupervision(clock=halt.clock, since=halt.since))
            for halt in lifted[:1]
        ),
    ]


def _over(event: ClocksSet) -> bool:
    """A case that is over ends by itself what its clocks had opened."""
    return event.event in {"CaseClosed", "CaseVoided", "CaseWrittenOff"}


def _warned(event: ClockWarned, envelope: Envelope) -> Sequence[Effect]:
    urge = Supervise(kind="urge", to=event.audience, reason=f"{event.percent}%", firing=event.firing)
    return [*_timer(event.clock, event.run, event.alarm), CASE_COMMANDS.send(envelope.subject, urge)]


ASKS: Final[Mapping[str, Callable[[ClockBreachAsked], object]]] = MappingProxyType(
    {
        "RecordBreach": lambda event: RecordBreach(firing=event.firing),
        "SignCase": lambda event: SignCase(firing=event.firing),
        "DecideObjection": lambda event: DecideObjection(verdict="refer", firing=event.firing),
        "WriteOff": lambda event: WriteOff(firing=event.firing),
        "Supervise": lambda event: Supervise(
            kind=event.kind, to=event.audience, firing=event.firing, breach=True
        ),
    }
)
"""The one command of each firing at the due; every `at_due` of `rules.clocks.LAWS` stands here."""


def _asked(event: ClockBreachAsked, envelope: Envelope) -> Sequence[Effect]:
    command = ASKS[event.asks](event)
    return [*_timer(event.clock, event.run, event.alarm), CASE_COMMANDS.send(envelope.subject, command)]


def _escalated(event: ClockEscalated, envelope: Envelope) -> Sequence[Effect]:
    press = Supervise(kind=event.kind, level=event.rung, to=event.audience, firing=event.firing)
    return [*_timer(event.clock, event.run, event.alarm), CASE_COMMANDS.send(envelope.subject, press)]


def _recomputed(event: DeadlinesRecomputed, _: Envelope) -> Sequence[Effect]:
    runs = [moved.after for moved in event.moved]
    return [*_timers(runs), *(CancelTimer(run.clock) for run in runs if run.alarm is None)]


react = reacting(
    ClockEvent,
    sends(ClocksSet, _set),
    sends(ClockWarned, _warned),
    sends(ClockBreachAsked, _asked),
    sends(ClockEscalated, _escalated),
    sends(BreachAnswered, nothing),
    sends(TimerIdle, nothing),
    sends(DeadlinesRecomputed, _recomputed),
)
