"""What the people know of one case: folded from the events that they hear, as their screens would show it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from schemas.case import assigning, closing, handling, objecting, opening, supervising
from schemas.case.states import State
from schemas.case.timing import Term


@dataclass(slots=True)
class Seen:
    """One case. `turn` rises with each event that moves it: what was planned in an earlier turn is moot."""

    case: str
    heard: int = 0
    turn: int = 0
    state: State = State.NONE
    area: str = ""
    matter: str = ""
    text: str = ""
    confidence: int = 0
    located: int = 0
    condition: str = ""
    lead: str = ""
    limit: Term | None = None
    closing: tuple[str, ...] = ()
    stages: int = 0
    stage: int = 0
    round: int = 1
    level: int = 0
    objected: set[str] = field(default_factory=set[str])
    tried: list[str] = field(default_factory=list[str])
    hours: set[int] = field(default_factory=set[int])
    supervisions: dict[int, str] = field(default_factory=dict[int, str])
    refusals: int = 0
    last_rework: bool = False
    reopened: bool = False

    def note(self, event: Any, at: datetime) -> None:
        """Take one event in."""
        told: object = event
        self.heard += 1
        state = getattr(event, "state", None)
        if isinstance(state, State) and not isinstance(event, opening.ReportReturned):
            self.state = state
            self.turn += 1
            self.refusals = 0
        noted = NOTES.get(type(told))
        if noted is not None:
            noted(self, event, at)


def _opened(seen: Seen, event: opening.CaseOpened, _: datetime) -> None:
    seen.area, seen.matter, seen.text = event.area, event.matter, event.report.text
    seen.confidence, seen.located = event.report.confidence, event.report.located
    seen.condition = event.report.condition


def _accepted(seen: Seen, event: opening.CaseAccepted, _: datetime) -> None:
    seen.matter, seen.condition, seen.area = event.matter, event.condition, event.area
    seen.closing, seen.stages, seen.stage = event.closing, len(event.stages), 0


def _assigned(seen: Seen, event: assigning.CaseAssigned, _: datetime) -> None:
    seen.lead, seen.limit, seen.stage = event.lead, event.leg_limit, seen.stage if event.same_lead else 0
    seen.tried.append(event.lead)


def _reworked(seen: Seen, event: closing.ReworkOrdered, _: datetime) -> None:
    seen.round, seen.limit = event.round, event.limit
    seen.hours.clear()


def _called(seen: Seen, _: closing.CallbackRecorded, at: datetime) -> None:
    seen.hours.add(at.hour)


def _reopened(seen: Seen, event: closing.CaseReopened, _: datetime) -> None:
    seen.round, seen.reopened, seen.stage = event.round, True, 0
    seen.tried.clear()
    seen.hours.clear()


def _objected(seen: Seen, event: objecting.ObjectionRaised, _: datetime) -> None:
    seen.objected.add(event.unit)
    seen.level = event.level


def _referred(seen: Seen, event: objecting.ObjectionReferred, _: datetime) -> None:
    seen.level = event.level


def _staged(seen: Seen, event: handling.StageFinished, _: datetime) -> None:
    seen.stage = event.stage


def _pressed(seen: Seen, event: supervising.SupervisionOpened, _: datetime) -> None:
    seen.supervisions.pop(event.replaces, None)
    seen.supervisions[event.number] = event.by


def _lifted(seen: Seen, event: supervising.SupervisionLifted, _: datetime) -> None:
    seen.supervisions.pop(event.number, None)


NOTES: dict[type, Any] = {
    opening.CaseOpened: _opened,
    opening.CaseAccepted: _accepted,
    assigning.CaseAssigned: _assigned,
    closing.ReworkOrdered: _reworked,
    closing.CallbackRecorded: _called,
    closing.CaseReopened: _reopened,
    objecting.ObjectionRaised: _objected,
    objecting.ObjectionReferred: _referred,
    handling.StageFinished: _staged,
    supervising.SupervisionOpened: _pressed,
    supervising.SupervisionLifted: _lifted,
}
