"""Whether a clock that came due is right (到时复核): the case's own accepted times decide."""

from collections.abc import Sequence
from typing import Any, Final

from kernel.processor import Context
from schemas.case.closing import WriteOff
from schemas.case.supervising import Supervise
from schemas.case.timing import BreachNotConfirmed, ClockBreached, Firing
from schemas.case.union import CaseEvent
from schemas.refusal import Refusal
from services.router.state import Case, Run

OF_LEAD: Final = frozenset({"sign", "contact", "handle", "leg"})
"""The clocks in which the unit that leads owes the move; in all others the operations centre or a meeting."""


def judged(case: Case, command: Any, context: Context) -> Sequence[CaseEvent] | None:
    """`None` if the clock still runs, so that the command may do its work; else all that it comes to.

    A clock that was stopped at or before its due is no breach, whenever its firing arrives; one that was
    stopped later is a breach, but what else the firing wanted is no longer to be done.
    """
    firing: Firing = command.firing
    run = _run(case, firing)
    if run is None:
        now = case.clocks.get(firing.clock)
        return [_not_confirmed(firing, "stale_start", str(now.since) if now else "none", str(firing.since))]
    if run.stopped is None:
        if run.breached is not None and _breaches(command):
            return [_not_confirmed(firing, "recorded", "one breach for each start", run.breached.isoformat())]
        return None
    if run.stopped > firing.due and run.breached is None and _breaches(command):
        return [breached(case, firing, context)]
    return [
        _not_confirmed(
            firing, "stopped", f"a clock still running at {firing.due.isoformat()}", run.stopped.isoformat()
        )
    ]


def breached(case: Case, firing: Firing, context: Context) -> ClockBreached:
    """The case's word that the clock is late."""
    run = _run(case, firing)
    unit = run.unit if run is not None and firing.clock in OF_LEAD else ""
    return ClockBreached(
        clock=firing.clock, since=firing.since, due=firing.due, unit=unit, at=context.received
    )


def breach(case: Case, firing: Firing | None, context: Context) -> list[CaseEvent]:
    """The breach that comes with the command of a clock, nothing if a person sent it."""
    return [breached(case, firing, context)] if firing is not None else []


def _run(case: Case, firing: Firing) -> Run | None:
    run = case.clocks.get(firing.clock)
    if run is None or run.since == firing.since:
        return run
    before = run.before
    return before if before is not None and before.since == firing.since else None


def _breaches(command: Any) -> bool:
    if isinstance(command, Supervise):
        return command.breach
    return not isinstance(command, WriteOff)


def _not_confirmed(firing: Firing, code: str, expected: str, found: str) -> BreachNotConfirmed:
    return BreachNotConfirmed(
        clock=firing.clock,
        since=firing.since,
        due=firing.due,
        refusal=Refusal(code=code, expected=expected, found=found),
    )
