"""What a lived city comes to: cases by state, units by punctuality, refusals, counted from events."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from kernel.journal import RULES_STREAM, Record
from schemas.case.assigning import AdmissionDecided, CaseAssigned, RoutedToFallback, RoutingStopped
from schemas.case.closing import ResolutionReported
from schemas.case.opening import CommandRefused, RepeatNoted, ReportAttached
from schemas.case.states import OPEN, State
from schemas.case.timing import BreachTakenBack, ClockBreached
from schemas.wire import Letter
from services.router.admission import ADMITTED
from services.router.processor import ROUTER_CASE
from services.router.state import Case

_LEG_CLOCKS = frozenset({"handle", "leg", "sign"})


@dataclass(slots=True)
class UnitTally:
    """One unit: cases assigned, resolved in and out of time, breaches, and what it still has."""

    name: str
    assigned: int = 0
    on_time: int = 0
    late: int = 0
    open: int = 0


@dataclass(slots=True)
class Tally:
    """Counts over all cases, kept up to date event by event."""

    centre: str
    cases: dict[str, Case] = field(default_factory=dict[str, Case])
    units: dict[str, UnitTally] = field(default_factory=dict[str, UnitTally])
    refused_steps: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    refused_commands: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    breaches: Counter[str] = field(default_factory=Counter[str])
    merged: int = 0
    repeats: int = 0
    fallbacks: int = 0
    stopped: int = 0
    recent: list[tuple[datetime, str, str]] = field(default_factory=list[tuple[datetime, str, str]])
    late_legs: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    """Case and unit of each leg whose clock was breached and that is not resolved yet."""

    def hears(self, row: Record, letter: Letter) -> None:
        """One event of case.events."""
        if row.stream.startswith(RULES_STREAM):
            return
        event: object = letter.message
        state = self.cases.get(row.stream, ROUTER_CASE.initial)
        self.cases[row.stream] = ROUTER_CASE.evolve(state, letter.message)
        count = _COUNTS.get(type(event))
        if count is not None:
            count(self, row.stream, event)
        self.recent.append((row.now, row.stream, type(event).__name__))
        del self.recent[:-12]

    def states(self) -> Counter[State]:
        """How many cases are in each state."""
        return Counter(case.state for case in self.cases.values())

    def open_by_unit(self) -> Counter[str]:
        """How many open cases each unit answers for."""
        return Counter(case.accountable(self.centre) for case in self.cases.values() if case.state in OPEN)

    def over(self) -> bool:
        """Whether every case is written off or void."""
        return all(case.state in {State.WRITTEN_OFF, State.VOID} for case in self.cases.values())

    def unit(self, code: str, name: str = "") -> UnitTally:
        """The tally of a unit."""
        return self.units.setdefault(code, UnitTally(name or code))


def _attached(tally: Tally, stream: str, event: ReportAttached) -> None:  # noqa: ARG001 - the shape of every count
    tally.merged += 1


def _repeated(tally: Tally, stream: str, event: RepeatNoted) -> None:  # noqa: ARG001 - the shape of every count
    tally.repeats += 1


def _assigned(tally: Tally, stream: str, event: CaseAssigned) -> None:  # noqa: ARG001 - the shape of every count
    if not event.same_lead:
        unit = tally.unit(event.lead, event.lead_name)
        unit.name = event.lead_name
        unit.assigned += 1


def _resolved(tally: Tally, stream: str, event: ResolutionReported) -> None:
    unit = tally.unit(event.unit)
    if (stream, event.unit) in tally.late_legs:
        unit.late += 1
        tally.late_legs.discard((stream, event.unit))
    else:
        unit.on_time += 1


def _breached(tally: Tally, stream: str, event: ClockBreached) -> None:
    tally.breaches[event.clock] += 1
    if event.clock in _LEG_CLOCKS and event.unit:
        tally.late_legs.add((stream, event.unit))


def _taken_back(tally: Tally, stream: str, event: BreachTakenBack) -> None:  # noqa: ARG001 - the shape of every count
    tally.breaches[event.clock] -= 1


def _decided(tally: Tally, stream: str, event: AdmissionDecided) -> None:  # noqa: ARG001 - the shape of every count
    for verdict in event.verdicts:
        if verdict.verdict not in ADMITTED:
            tally.refused_steps[verdict.unit, verdict.verdict] += 1


def _refused(tally: Tally, stream: str, event: CommandRefused) -> None:  # noqa: ARG001 - the shape of every count
    tally.refused_commands[event.command, event.refusal.code] += 1


def _fallback(tally: Tally, stream: str, event: RoutedToFallback) -> None:  # noqa: ARG001 - the shape of every count
    tally.fallbacks += 1


def _stopped(tally: Tally, stream: str, event: RoutingStopped) -> None:  # noqa: ARG001 - the shape of every count
    tally.stopped += 1


_COUNTS: dict[type, Any] = {
    ReportAttached: _attached,
    RepeatNoted: _repeated,
    CaseAssigned: _assigned,
    ResolutionReported: _resolved,
    ClockBreached: _breached,
    BreachTakenBack: _taken_back,
    AdmissionDecided: _decided,
    CommandRefused: _refused,
    RoutedToFallback: _fallback,
    RoutingStopped: _stopped,
}
