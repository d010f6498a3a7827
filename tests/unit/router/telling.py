"""Lives of cases in the tiny city, told by commands: what has happened is what the router itself decided."""

from datetime import datetime, timedelta
from typing import Any

import msgspec

from kernel.processor import Sender
from rules.admission import ENFORCE, Enforcement
from rules.bundle import Bundle, Parts
from rules.edition import Edition
from rules.inforce import Rules
from rules.modes import Mode
from rules.validity import FIRST_DAY
from schemas.case.closing import (
    ItemAnswered,
    ItemInspected,
    RecordCallback,
    RecordInspection,
    ReportResolved,
    WriteOff,
)
from schemas.case.handling import SignCase
from schemas.case.objecting import ObjectToCase
from schemas.case.opening import AcceptCase, CommandRefused, OpenCase
from schemas.case.states import State
from schemas.case.timing import Firing
from schemas.intake import Located
from schemas.refusal import Refusal
from services.router.processor import ROUTER_CASE
from services.router.state import Case
from tests.builders_city import CLUTTER, tiny_city, tiny_parts
from tests.builders_intake import read
from tests.stories import START, Story

CASE = "20260302-C1-0001"
DESK = Sender("processor", "intake.desk")
CLOCK = Sender("processor", "sla.clock")
LATER = START + timedelta(days=20)


def post(code: str) -> Sender:
    return Sender("post", code)


def handler(unit: str) -> Sender:
    return post(f"{unit}-handler")


def centre(role: str) -> Sender:
    return post(f"OPS-{role}")


class Life(Story):
    """A story of one case; each step is the command that an honest person would send."""

    state: Case

    def when(self, message: Any, sender: Sender | None = None, **when: Any) -> "Life":
        super().when(message, sender=sender, **when)
        return self

    @property
    def names(self) -> list[str]:
        return [type(event).__name__ for event in self.events]

    def wrote(self, *names: str) -> "Life":
        """Exactly events of these classes were decided."""
        assert self.names == [*names]
        return self

    def last(self, kind: type) -> Any:
        """The latest event of a class in the whole history."""
        return next(event for event in reversed(self.history) if type(event) is kind)

    def refused(self, code: str) -> Refusal:
        """One refusal with this code, and nothing but the record has changed."""
        [event] = [event for event in self.events if isinstance(event, CommandRefused)]
        assert event.refusal.code == code, event.refusal
        assert event.refusal.expected
        assert event.refusal.found
        return event.refusal

    def sent(self, message: Any, sender: Sender, **when: Any) -> "Life":
        """A command that must not be refused."""
        self.when(message, sender=sender, **when)
        assert CommandRefused not in map(type, self.events), self.events
        return self

    def open(self, matter: str = CLUTTER, area: str = "G11", **report: Any) -> "Life":
        said = {"areas": (Located(layer="治理", area=area),), "condition": "", "triage": ""} | report
        return self.sent(OpenCase(case=CASE, desk="C1", report=read(matter=matter, **said)), DESK)

    def accept(self, **said: Any) -> "Life":
        return self.sent(AcceptCase(**said), DESK)

    def routed(self, matter: str = CLUTTER, area: str = "G11", **report: Any) -> "Life":
        return self.open(matter, area, **report).accept(condition="1")

    def sign(self) -> "Life":
        return self.sent(SignCase(), handler(self.state.lead))

    def handled(self, matter: str = CLUTTER, **report: Any) -> "Life":
        return self.routed(matter, **report).sign()

    def object(self, **when: Any) -> "Life":
        return self.sent(
            ObjectToCase(reason="not_ours", basis="职责清单第3条"), handler(self.state.lead), **when
        )

    def resolve(self, **when: Any) -> "Life":
        return self.sent(resolution(self.state), handler(self.state.lead), **when)

    def verify(self, *, passed: bool = True, **when: Any) -> "Life":
        return self.sent(inspection(self.state, passed=passed), centre("inspector"), **when)

    def call(self, *, solved: bool = True, **when: Any) -> "Life":
        return self.sent(RecordCallback(contacted=True, solved=solved, score=5), centre("caller"), **when)

    def closed(self, matter: str = CLUTTER, **report: Any) -> "Life":
        life = self.handled(matter, **report).resolve().verify()
        return life.call() if life.state.state is State.TO_CALL_BACK else life

    def written_off(self, **report: Any) -> "Life":
        return self.closed(**report).sent(WriteOff(), centre("keeper"), at=LATER)


def resolution(case: Case) -> ReportResolved:
    items = tuple(ItemAnswered(item=item, evidence="photo") for item in case.closing)
    return ReportResolved(outcome="solved", answer="已处理", items=items)


def inspection(case: Case, *, passed: bool = True) -> RecordInspection:
    items = tuple(ItemInspected(item=item, passed=passed) for item in case.closing)
    return RecordInspection(passed=passed, items=items)


def firing(case: Case, clock: str, due: datetime, since: int = 0) -> Firing:
    return Firing(clock=clock, due=due, since=since or case.clocks[clock].since, seen=case.version)


def life(bundle: Bundle | None = None, modes: dict[str, Mode] | None = None) -> Life:
    rules = Rules(7, bundle or tiny_city(), modes or {})
    return Life(ROUTER_CASE, rules, CASE, DESK)


def city(**sections: Any) -> Bundle:
    """The tiny city with some sections exchanged."""
    parts: Parts = msgspec.structs.replace(tiny_parts(), **sections)
    return Edition.of(parts).load()


def strict_city(**sections: Any) -> Bundle:
    """The tiny city with steps 6 and 7 enforced for communities."""
    steps = tuple(Enforcement("community", step, FIRST_DAY, ENFORCE) for step in (6, 7))
    return city(enforcement=steps, **sections)
