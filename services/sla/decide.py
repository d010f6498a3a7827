from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from kernel.processor import Context
from schemas.case.timing import BreachNotConfirmed, BreachTakenBack, ClockBreached
from schemas.sla import (
    BreachAnswered,
    ClockEvent,
    ClockRang,
    DeadlineMoved,
    DeadlinesRecomputed,
    RecomputeDeadlines,
)
from services.sla import clock as counting
from services.sla.facts import FOLD
from services.sla.follow import follow, version_of
from services.sla.ladder import ring
from services.sla.state import Clocks


def answer(
    _: Clocks, event: ClockBreached | BreachNotConfirmed | BreachTakenBack, context: Context
) -> list[ClockEvent]:
    """The case has said whether it was late (超时确认); its word stands."""
    return [
        BreachAnswered(
            clock=event.clock,
            since=event.since,
            confirmed=isinstance(event, ClockBreached),
            case_version=version_of(context.message_id),
        )
    ]


def recompute(clocks: Clocks, command: RecomputeDeadlines, context: Context) -> list[ClockEvent]:
    """Count the running clocks by the calendars in force now (重算); old figures stay on record."""
    running = [clock for clock in clocks.clocks.values() if not clock.paused]
    after = [
        counting.recounted(clock, clocks.terms, context.rules, clock.run.start, clock.run.earlier)
        for clock in running
    ]
    moved = tuple(
        DeadlineMoved(before=clock.run.due, after=run)
        for clock, run in zip(running, after, strict=True)
        if (run.due, run.calendar, run.mode) != (clock.run.due, clock.run.calendar, clock.run.mode)
    )
    edition = context.rules.bundle.hash
    return [DeadlinesRecomputed(reason=command.reason, edition=edition, moved=moved)]


DECISIONS: Final[Mapping[type, Callable[[Any, Any, Context], Sequence[ClockEvent]]]] = MappingProxyType(
    {
        **dict.fromkeys(FOLD, follow),
        ClockBreached: answer,
        BreachNotConfirmed: answer,
        BreachTakenBack: answer,
        ClockRang: ring,
        RecomputeDeadlines: recompute,
    }
)


def decide(clocks: Clocks, message: Any, context: Context) -> Sequence[ClockEvent]:
    """A case event, a timer or a command of the campaign, by its class."""
    return DECISIONS[type(message)](clocks, message, context)
