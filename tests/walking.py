"""Random walks through the lifecycle: any command from anybody at any time, and what came of it."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache, reduce
from typing import Any

import msgspec

from kernel.processor import Context, Sender
from rules.inforce import Rules
from rules.modes import Mode
from schemas.case.assigning import AssignCase
from schemas.case.closing import RecordCallback, ReopenCase, ReportResolved, WriteOff
from schemas.case.handling import RecordProgress, SignCase
from schemas.case.objecting import DecideObjection, ObjectToCase
from schemas.case.opening import AcceptCase, AttachReport, OpenCase, VoidCase
from schemas.case.states import State
from schemas.case.supervising import LiftSupervision, Supervise
from schemas.case.timing import Firing, RecordBreach
from schemas.intake import Located
from services.router.evolve import evolve
from services.router.lifecycle import decide
from services.router.state import NO_CASE, Case
from tests.builders_city import CLUTTER, MANHOLE, QUARREL, STREET_TRADING, tiny_city
from tests.builders_intake import read
from tests.stories import START
from tests.unit.router.telling import (
    CASE,
    CLOCK,
    DESK,
    centre,
    handler,
    inspection,
    resolution,
    strict_city,
)

ROLES = (
    "clerk",
    "dispatcher",
    "lead_officer",
    "inspector",
    "caller",
    "keeper",
    "supervisor",
    "meeting1",
    "meeting2",
    "meeting3",
)
UNITS = ("GOV", "CG", "SZ", "JD", "JW1", "JW2")
SENDERS = (DESK, *(centre(role) for role in ROLES), *(handler(unit) for unit in UNITS))


@dataclass(frozen=True)
class Step:
    """One command and its decision: the case before, what was decided, the case after."""

    before: Case
    command: Any
    context: Context
    events: tuple[Any, ...]
    after: Case


@cache
def cities() -> tuple[Rules, ...]:
    return (
        Rules(1, tiny_city()),
        Rules(2, strict_city()),
        Rules(3, strict_city(), {"C1": Mode.EMERGENCY}),
    )


def taken(case: Case, command: Any, sender: Sender, rules: Rules, now: datetime, *, late: int = 0) -> Step:
    """The command's decision; it was received `late` minutes before it is decided."""
    context = Context(now, now - timedelta(minutes=late), rules, sender, CASE, "walk")
    events = tuple(decide(case, command, context))
    return Step(case, command, context, events, reduce(evolve, events, case))


def walk(seed: int, steps: int) -> Iterator[Step]:
    """A case that random people do random things to; half of the time what its state calls for."""
    dice = random.Random(seed)
    rules, case, now = dice.choice(cities()), NO_CASE, START
    for number in range(steps):
        now += timedelta(minutes=dice.choice((0, 1, 30, 90, 600, 3_000)))
        if dice.random() < 0.1:
            rules = dice.choice([one for one in cities() if one.number >= rules.number])
        sensible = dice.random() < 0.6
        command, sender = likely(case, dice, number, now) if sensible else wild(case, dice, number, now)
        step = taken(case, command, sender, rules, now, late=dice.choice((0, 0, 0, 5, 700)))
        yield step
        case = step.after


STEPS = 60
SEEDS = range(0, 400, 8)
"""The walks that most properties look at, eight in a test: each is walked once for all of them."""


@cache
def walked(seed: int) -> tuple[Step, ...]:
    """A whole walk. Who has to see each step before the next is decided takes `walk` itself."""
    return tuple(walk(seed, STEPS))


def report(dice: random.Random, number: int, now: datetime) -> Any:
    area = dice.choice(("G11", "G12", "G21", "C2", "S1", "D"))
    reporter = dice.choice(("", "token-1", "token-2", f"token-{number}"))
    return read(
        f"12345/{number}",
        at=now,
        matter=dice.choice((CLUTTER, MANHOLE, QUARREL, STREET_TRADING)),
        areas=(Located(layer="治理", area=area),) if dice.random() < 0.9 else (),
        reporter=reporter,
        condition=dice.choice(("", "1")),
        triage=dice.choice(("", "big", "small", "private")),
    )


def likely(case: Case, dice: random.Random, number: int, now: datetime) -> tuple[Any, Sender]:
    """What an honest person would do next in this state."""
    lead = handler(case.lead) if case.lead else DESK
    choices: dict[State, Callable[[], tuple[Any, Sender]]] = {
        State.NONE: lambda: (OpenCase(case=CASE, desk="C1", report=report(dice, number, now)), DESK),
        State.RECEIVED: lambda: dice.choice(
            (
                (AcceptCase(condition="1", triage=dice.choice(("", "big"))), DESK),
                (AcceptCase(matter=CLUTTER), DESK),
                (VoidCase(reason="court", remedy="法院"), centre("clerk")),
            )
        ),
        State.TO_ROUTE: lambda: (AssignCase(reason="派遣"), centre("dispatcher")),
        State.TO_SIGN: lambda: (
            dice.choice((SignCase(), ObjectToCase(reason="not_ours", basis="依据"))),
            lead,
        ),
        State.DISPUTED: lambda: (
            DecideObjection(verdict=dice.choice(("accept", "refuse", "refer")), reason="裁定"),
            centre(f"meeting{case.level}" if case.level else "dispatcher"),
        ),
        State.HANDLING: lambda: (
            dice.choice((resolution(case), RecordProgress(text="在办", contact="reached"))),
            lead,
        ),
        State.TO_VERIFY: lambda: (
            (
                RecordCallback(contacted=True, solved=dice.random() < 0.5),
                centre("supervisor"),
            )
            if case.escalated
            else (inspection(case, passed=dice.random() < 0.7), centre("inspector"))
        ),
        State.TO_CALL_BACK: lambda: (
            RecordCallback(contacted=dice.random() < 0.7, solved=dice.random() < 0.6),
            centre("supervisor" if case.escalated else "caller"),
        ),
        State.CLOSED: lambda: dice.choice(
            (
                (WriteOff(), centre("keeper")),
                (ReopenCase(reason="复发"), centre("dispatcher")),
            )
        ),
        State.WRITTEN_OFF: lambda: (ReopenCase(reason="复发"), centre("supervisor")),
        State.VOID: lambda: (ReopenCase(reason="复核"), centre("supervisor")),
    }
    return choices[case.state]()


def wild(case: Case, dice: random.Random, number: int, now: datetime) -> tuple[Any, Sender]:
    """Anything from anybody."""
    if dice.random() < 0.4:
        return fired(case, dice, now), CLOCK
    unit = dice.choice((*UNITS, "", "XX"))
    command = dice.choice(
        (
            OpenCase(case=CASE, desk="C1", report=report(dice, number, now)),
            AttachReport(desk="C1", report=report(dice, number, now)),
            AcceptCase(condition=dice.choice(("", "1", "2"))),
            VoidCase(reason="court", remedy="法院"),
            AssignCase(lead=unit, assistants=("JW1",) if dice.random() < 0.3 else (), reason="派"),
            SignCase(),
            ObjectToCase(reason="not_ours", basis="依据", proposed=unit),
            DecideObjection(verdict=dice.choice(("accept", "refuse", "refer")), lead=unit),
            RecordProgress(text="在办", contact=dice.choice(("", "reached")), answers=dice.choice((0, 1, 2))),
            Supervise(kind=dice.choice(("urge", "oversee")), level=dice.choice((0, 1))),
            LiftSupervision(number=dice.choice((1, 2, 3)), reason="已落实"),
            ReportResolved(outcome="solved", answer="好"),
            resolution(case),
            inspection(case, passed=dice.random() < 0.5),
            RecordCallback(contacted=dice.random() < 0.5, solved=dice.random() < 0.5),
            RecordCallback(contacted=True, last_rework=True),
            WriteOff(),
            ReopenCase(reason="复发", report=report(dice, number, now), desk="C1"),
        )
    )
    if dice.random() < 0.1 and hasattr(command, "expected_revision"):
        seen: Any = command
        command = replace(seen, expected_revision=case.revision + dice.choice((0, 1)))
    return command, handler(case.lead) if case.lead and dice.random() < 0.3 else dice.choice(SENDERS)


def fired(case: Case, dice: random.Random, now: datetime) -> Any:
    """The command of a clock that ran, or of one that never did."""
    name = dice.choice([*case.clocks, "leg"])
    run = case.clocks.get(name)
    since = run.since if run and dice.random() < 0.8 else dice.randint(1, 9)
    due = now - timedelta(minutes=dice.choice((0, 5, 600)))
    firing = Firing(clock=name, due=due, since=since, seen=case.version)
    if name == "sign":
        return SignCase(firing=firing)
    if name == "decide":
        return DecideObjection(verdict="refer", firing=firing)
    if name == "after_close":
        return WriteOff(firing=firing)
    if dice.random() < 0.5:
        return Supervise(kind="urge", level=dice.choice((0, 1)), firing=firing, breach=dice.random() < 0.5)
    return dice.choice((RecordBreach(firing=firing), LiftSupervision(clock=name, since=since)))


def unchanged(before: Case, after: Case) -> bool:
    """Whether nothing but the count of events differs."""
    return msgspec.structs.replace(after, version=before.version) == before
