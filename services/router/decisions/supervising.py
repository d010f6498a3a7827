"""Pressing whoever has the move (督办), and letting go."""

from datetime import datetime

from msgspec.structs import replace

from kernel.processor import Context
from schemas.case.supervising import LiftSupervision, Supervise, SupervisionOpened
from schemas.case.timing import Firing
from schemas.case.union import CaseEvent
from services.router.decisions.lifting import ended
from services.router.decisions.writing_off import written_off_at_last
from services.router.firings import breach
from services.router.state import Case


def supervise(case: Case, command: Supervise, context: Context) -> list[CaseEvent]:
    """督办: one open supervision for each kind and level; a new one replaces it, so that none pile up."""
    firing = command.firing
    one = opened(
        case,
        context,
        kind=command.kind,
        level=command.level,
        to=command.to,
        unit=pressed(case, command.to, context),
        reason=command.reason or (firing.clock if firing else ""),
        reply_due=command.reply_due,
        firing=firing,
    )
    return [*(breach(case, firing, context) if command.breach else ()), one]


def opened(
    case: Case,
    context: Context,
    *,
    kind: str,
    unit: str,
    reason: str,
    level: int = 0,
    to: str = "lead",
    reply_due: datetime | None = None,
    firing: Firing | None = None,
) -> SupervisionOpened:
    same = (one.number for one in case.supervisions if one.kind == kind and one.level == level)
    return SupervisionOpened(
        number=case.supervised + 1,
        kind=kind,
        level=level,
        to=to,
        unit=unit,
        replaces=next(same, 0),
        reason=reason,
        reply_due=reply_due,
        clock=firing.clock if firing else "",
        since=firing.since if firing else 0,
        by=context.sender.id,
        at=context.received,
    )


def pressed(case: Case, to: str, context: Context) -> str:
    """The unit behind the word: the lead, its guiding department or parent, or the operations centre."""
    bundle = context.rules.bundle
    if to not in ("lead", "guiding", "parent") or not case.lead:
        return "" if to.startswith("meeting") else bundle.city.centre
    unit = bundle.units.get(case.lead)
    if to == "lead" or unit is None:
        return case.lead
    return (unit.guiding if to == "guiding" else unit.parent) or case.lead


def lift_supervision(case: Case, command: LiftSupervision, context: Context) -> list[CaseEvent]:
    """解除督办; if it was the last thing that held a closed case, the case is written off now."""
    if context.sender.id == "sla.clock":
        over = case.left_by_clocks(command.clock, command.since)
    else:
        over = [one for one in case.supervisions if one.number == command.number]
    left = replace(case, supervisions=tuple(one for one in case.supervisions if one not in over))
    return [*ended(over, command.reason or "answered", context), *written_off_at_last(left, context)]
