"""design.md §2: each valid report ends in exactly one case, in whatever order the router answers.

Two desks and a model of router.case: a case takes reports while it is open, hands them on while it is
merged, bounces them when it is over, and may be reopened or not. Messages between them travel in order
for each pair of sender and desk, and everything else in any order that Hypothesis thinks of.
"""

from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kernel.processor import Context, Sender, step
from rules.inforce import Rules
from schemas.case.closing import ReopenCase
from schemas.case.opening import (
    AcceptCase,
    AttachReport,
    CaseOpened,
    OpenCase,
    RepeatNoted,
    ReportAttached,
    VoidCase,
)
from schemas.envelope import Envelope
from schemas.intake import (
    CaseEnded,
    CaseNumbered,
    CaseReopenedForDesk,
    DeskReport,
    Located,
    ReadReport,
    ReportBounced,
)
from schemas.topics import INTAKE_DESK, Send
from services.intake.desk.processor import DESK
from services.intake.desk.state import DeskState
from services.router.processor import ROUTER_CASE
from tests.builders_city import tiny_city
from tests.builders_intake import point, read
from tests.stories import START

RULES = Rules(1, tiny_city())
TEXTS = ("路口井盖缺失，请尽快处理", "井盖缺失，路口很危险", "下水道盖子不见了")
HOMES = {"C1": ("G11", "G12"), "C2": ("G21", "G22")}


@dataclass
class Case:
    """A case of the model; `reports` are those that it has taken."""

    desk: str
    state: str = "handling"
    ended: Any = None
    survivor: str = ""
    reports: list[str] = field(default_factory=list)


@dataclass
class World:
    """Desks, cases, and what is on its way between them."""

    now: Any = START
    states: dict[str, DeskState] = field(default_factory=lambda: dict.fromkeys(HOMES, DESK.initial))
    to_desk: dict[str, deque[Any]] = field(default_factory=lambda: {desk: deque() for desk in HOMES})
    to_case: dict[str, deque[Any]] = field(default_factory=dict)
    cases: dict[str, Case] = field(default_factory=dict)
    numbers: dict[tuple[str, str], list[int]] = field(default_factory=dict)

    def desk_reads(self, desk: str) -> None:
        context = Context(self.now, self.now, RULES, Sender("processor", "model"), desk, "model/1")
        self.states[desk], events = step(DESK, self.states[desk], self.to_desk[desk].popleft(), context)
        for event in events:
            if isinstance(event, CaseNumbered):
                self.numbers.setdefault((desk, event.day), []).append(event.number)
            envelope = Envelope(id="e", source="s", type="t", subject=desk, time=self.now, data=event)
            for send in DESK.react(event, envelope):
                assert isinstance(send, Send)
                self.to_case.setdefault(send.key, deque()).append(send.message)

    def case_reads(self, name: str, grant: bool) -> None:
        command = self.to_case[name].popleft()
        if isinstance(command, OpenCase):
            assert name not in self.cases, "a number was given twice"
            self.cases[name] = Case(command.desk, reports=[command.report.report])
        elif isinstance(command, AttachReport):
            self._attach(name, command)
        elif isinstance(command, ReopenCase):
            self._reopen(name, command, grant)
        else:
            assert isinstance(command, AcceptCase)

    def _attach(self, name: str, command: AttachReport) -> None:
        case = self.cases[name]
        if case.state == "merged":
            self.to_case.setdefault(case.survivor, deque()).append(command)
        elif case.ended is None:
            case.reports.append(command.report.report)
        else:
            self._bounce(name, command.desk, command.report, refused=False)

    def _reopen(self, name: str, command: ReopenCase, grant: bool) -> None:
        case = self.cases[name]
        assert command.report is not None
        if case.ended is None or not grant:
            self._bounce(name, command.desk, command.report, refused=True)
            return
        case.state, case.ended = "handling", None
        case.reports.append(command.report.report)
        self.to_desk[case.desk].append(CaseReopenedForDesk(case=name))

    def _bounce(self, name: str, desk: str, report: ReadReport, *, refused: bool) -> None:
        case = self.cases[name]
        self.to_desk[desk].append(
            ReportBounced(case=name, report=report, state=case.state, refused=refused, ended=case.ended)
        )

    def end(self, name: str, how: str) -> None:
        case = self.cases[name]
        if case.ended is None and case.state != "merged":
            case.state, case.ended = how, self.now
            self.to_desk[case.desk].append(CaseEnded(case=name, how=how))

    def merge(self, name: str, survivor: str) -> None:
        one, other = self.cases[name], self.cases[survivor]
        if name != survivor and {one.state, other.state} == {"handling"} and not self._survives(name):
            one.state, one.survivor = "merged", survivor
            self.to_desk[one.desk].append(CaseEnded(case=name, how="merged", survivor=survivor))

    def _survives(self, name: str) -> bool:
        return any(case.state == "merged" and case.survivor == name for case in self.cases.values())

    def drain(self) -> None:
        for _ in range(100_000):
            desk = next((desk for desk, waiting in self.to_desk.items() if waiting), None)
            case = next((case for case, waiting in self.to_case.items() if waiting), None)
            if desk:
                self.desk_reads(desk)
            elif case:
                self.case_reads(case, grant=True)
            else:
                return
        raise AssertionError("reports go round for ever")


@dataclass
class RealWorld(World):
    """The same world with the real router.case; what is over is what its clerk has voided."""

    routed: dict[str, Any] = field(default_factory=dict)
    taken: list[str] = field(default_factory=list)

    def case_reads(self, name: str, grant: bool) -> None:
        command = self.to_case[name].popleft()
        clerk = isinstance(command, VoidCase)
        sender = Sender("post", "OPS-clerk") if clerk else Sender("processor", "intake.desk")
        context = Context(self.now, self.now, RULES, sender, name, "model/1")
        state = self.routed.get(name, ROUTER_CASE.initial)
        self.routed[name], events = step(ROUTER_CASE, state, command, context)
        self.cases.setdefault(name, Case(command.desk if isinstance(command, OpenCase) else ""))
        for event in events:
            if isinstance(event, CaseOpened | ReportAttached | RepeatNoted):
                self.taken.append(event.report.report)
            envelope = Envelope(id="e", source="s", type="t", subject=name, time=self.now, data=event)
            for send in ROUTER_CASE.react(event, envelope):
                assert isinstance(send, Send)
                queue = self.to_desk if send.topic == INTAKE_DESK.name else self.to_case
                queue.setdefault(send.key, deque()).append(send.message)

    def end(self, name: str, how: str) -> None:
        self.to_case.setdefault(name, deque()).append(VoidCase(reason="court", remedy=how))

    def merge(self, name: str, survivor: str) -> None:
        """Merging is not among the commands yet."""


def a_report(draw: st.DrawFn, number: int, world: World) -> ReadReport:
    desk = draw(st.sampled_from(sorted(HOMES)))
    grid = draw(st.sampled_from(HOMES[desk]))
    return read(
        f"model/{number}",
        draw(st.sampled_from(TEXTS)),
        at=world.now,
        position=point(grid, draw(st.integers(0, 12))),
        areas=(Located(layer="治理", area=grid),),
        desk=desk,
        confidence=draw(st.sampled_from((500, 1000))),
        reporter=f"token-{number}",
    )


W = TypeVar("W", bound=World)


@st.composite
def lives(draw: st.DrawFn, kind: type[W]) -> tuple[W, int]:
    """A world after some days of reports and answers, drained."""
    world, sent = kind(), 0
    for _ in range(draw(st.integers(5, 60))):
        deed = draw(
            st.sampled_from(("report", "report", "desk", "desk", "case", "case", "end", "merge", "wait"))
        )
        waiting = sorted(desk for desk, queue in world.to_desk.items() if queue)
        asked = sorted(case for case, queue in world.to_case.items() if queue)
        known = sorted(world.cases)
        if deed == "report":
            sent += 1
            said = a_report(draw, sent, world)
            world.to_desk[said.desk].append(DeskReport(report=said))
        elif deed == "desk" and waiting:
            world.desk_reads(draw(st.sampled_from(waiting)))
        elif deed == "case" and asked:
            world.case_reads(draw(st.sampled_from(asked)), draw(st.booleans()))
        elif deed == "end" and known:
            world.end(draw(st.sampled_from(known)), draw(st.sampled_from(("closed", "written_off", "void"))))
        elif deed == "merge" and known:
            world.merge(draw(st.sampled_from(known)), draw(st.sampled_from(known)))
        elif deed == "wait":
            world.now += timedelta(hours=draw(st.sampled_from((1, 20, 24 * 10, 24 * 40))))
    world.drain()
    return world, sent


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(lives(World))
def test_each_report_ends_in_exactly_one_case(life: tuple[World, int]) -> None:
    world, sent = life
    taken = Counter(report for case in world.cases.values() for report in case.reports)
    assert taken == Counter({f"model/{number}": 1 for number in range(1, sent + 1)})


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(lives(World))
def test_numbers_are_dense_for_each_desk_and_day(life: tuple[World, int]) -> None:
    world, _ = life
    for given_out in world.numbers.values():
        assert given_out == list(range(1, len(given_out) + 1))
