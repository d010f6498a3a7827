"""A breach is recorded if and only if the accepted facts say so, whatever lag lies between clock and case.

router.case and sla.clock run side by side; commands reach the case late, its events reach the clock
late, and what the clock sends reaches the case late again.
"""

import heapq
from collections import Counter
from datetime import datetime, timedelta
from itertools import count
from typing import Any, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.processor import AnyProcessor, CancelTimer, Context, Send, Sender, SetTimer, step
from rules.inforce import Rules
from schemas.case.closing import ItemAnswered, ReportResolved
from schemas.case.handling import SignatureDeemed, SignCase
from schemas.case.objecting import ObjectToCase
from schemas.case.opening import AcceptCase, OpenCase
from schemas.case.timing import BreachTakenBack, ClockBreached
from schemas.envelope import Envelope, event_id
from schemas.sla import ClocksSet
from services.router.processor import ROUTER_CASE
from services.sla.processor import CLOCK
from tests.builders_case import CASE
from tests.builders_city import CLUTTER, tiny_city
from tests.builders_intake import read
from tests.stories import START

DESK, UNIT = Sender("processor", "intake.desk"), Sender("post", "JW1-handler")
RULES = Rules(number=1, bundle=tiny_city())
WATCHED = ("sign", "handle", "leg", "case")
HORIZON = START + timedelta(days=20)
TO_ROUTER, TO_CLOCK = "case.commands", "case.events"


class Arrival(NamedTuple):
    """Something that reaches one of the two at `at`."""

    at: datetime
    number: int
    topic: str
    message: Any
    sender: Sender
    received: datetime
    id: str


class Stream:
    """One of the two: its state, its history, its own time that never runs backwards."""

    def __init__(self, processor: AnyProcessor) -> None:
        self.processor, self.state, self.now = processor, processor.initial, START
        self.history: list[Any] = []

    def takes(
        self, message: Any, sender: Sender, at: datetime, received: datetime, id_: str
    ) -> list[tuple[Any, Any]]:
        """Decide and fold; what leaves, each with the id of its event."""
        self.now = max(self.now, at)
        context = Context(self.now, received, RULES, sender, CASE, id_)
        self.state, events = step(self.processor, self.state, message, context)
        left: list[tuple[Any, Any]] = []
        for event in events:
            self.history.append(event)
            mine = event_id(CASE, len(self.history))
            frame = Envelope(id=mine, source="", type="", subject=CASE, time=self.now, data=event)
            left.append((event, (mine, self.processor.react(event, frame))))
        return left


class Town:
    """Case and clock with lags between them; `lags` is used up in turn, first come first served."""

    def __init__(self, lags: list[int]) -> None:
        self.case, self.clock = Stream(ROUTER_CASE), Stream(CLOCK)
        self.lags, self.number = lags, count()
        self.coming: list[Arrival] = []
        self.timers: dict[str, SetTimer] = {}
        self.last: dict[tuple[str, str], datetime] = {}

    def post(
        self, topic: str, message: Any, sender: Sender, received: datetime, *, lag: int = 0, id_: str = ""
    ) -> None:
        number = next(self.number)
        at = received + timedelta(minutes=lag)
        if sender.kind == "processor":
            at = self.last[topic, sender.id] = max(self.last.get((topic, sender.id), START), at)
        heapq.heappush(
            self.coming, Arrival(at, number, topic, message, sender, received, id_ or f"edge/{number}")
        )

    def lag(self) -> int:
        return self.lags[next(self.number) % len(self.lags)]

    def live(self) -> None:
        """Until nothing comes any more and no timer is due before the horizon."""
        while self.coming or self._due(HORIZON):
            until = self.coming[0].at if self.coming else HORIZON
            timer = self._due(until)
            if timer is not None:
                del self.timers[timer.name]
                self._clock(timer.message, Sender("timer", "sla.clock"), timer.due, timer.due, "")
                continue
            came = heapq.heappop(self.coming)
            take = self._router if came.topic == TO_ROUTER else self._clock
            take(came.message, came.sender, came.at, came.received, came.id)

    def _due(self, until: datetime) -> SetTimer | None:
        due = [timer for timer in self.timers.values() if timer.due <= until]
        return min(due, key=lambda timer: (timer.due, timer.name)) if due else None

    def _router(self, message: Any, sender: Sender, at: datetime, received: datetime, id_: str) -> None:
        left = self.case.takes(message, sender, at, received, id_)
        for event, (mine, effects) in left:
            if type(event) in CLOCK.handles:
                router = Sender("processor", "router.case")
                self.post(TO_CLOCK, event, router, self.case.now, lag=self.lag(), id_=mine)
            for effect in effects:
                if isinstance(effect, Send) and effect.topic == TO_ROUTER:
                    self.post(TO_ROUTER, effect.message, Sender("processor", "router.case"), self.case.now)

    def _clock(self, message: Any, sender: Sender, at: datetime, received: datetime, id_: str) -> None:
        for _, (_, effects) in self.clock.takes(message, sender, at, received, id_):
            for effect in effects:
                if isinstance(effect, SetTimer):
                    self.timers[effect.name] = effect
                elif isinstance(effect, CancelTimer):
                    self.timers.pop(effect.name, None)
                elif isinstance(effect, Send):
                    self.post(
                        TO_ROUTER,
                        effect.message,
                        Sender("processor", "sla.clock"),
                        self.clock.now,
                        lag=self.lag(),
                    )


RESOLUTION = ReportResolved(
    outcome="solved", answer="已清理", items=(ItemAnswered(item="清理干净", evidence="photo"),)
)
OBJECTION = ObjectToCase(reason="not_ours", basis="职责清单第3条")


def told(said: list[tuple[int, int, Any]], lags: list[int]) -> Town:
    """A case of one working day for JW1, dispatched at once; then what the unit said, each with its delay."""
    town = Town(lags)
    town.post(TO_ROUTER, OpenCase(case=CASE, desk="C1", report=read(matter=CLUTTER)), DESK, START)
    town.post(TO_ROUTER, AcceptCase(condition="1"), DESK, START)
    for minutes, delay, command in said:
        town.post(TO_ROUTER, command, UNIT, START + timedelta(minutes=minutes), lag=delay)
    town.live()
    return town


def late(town: Town) -> set[tuple[str, int]]:
    """The clocks, by name and start, that the accepted facts convict: stopped after their due, or never."""
    found: dict[tuple[str, int], bool] = {}
    for event in town.clock.history:
        if isinstance(event, ClocksSet):
            for halt in event.stopped:
                run = halt.clock, halt.since
                silent = halt.clock == "sign" and event.event == SignatureDeemed.__name__
                found[run] = silent or event.at > dues(town)[run]
            for run in (*event.started, *event.resumed):
                found[run.clock, run.since] = True
    return {run for run, was_late in found.items() if was_late and run[0] in WATCHED}


def dues(town: Town) -> dict[tuple[str, int], datetime]:
    return {
        (run.clock, run.since): run.due
        for event in town.clock.history
        if isinstance(event, ClocksSet)
        for run in (*event.started, *event.resumed)
        if run.due
    }


def recorded(town: Town) -> Counter[tuple[str, int]]:
    """The case's word: breaches confirmed and not taken back."""
    told_of: Counter[tuple[str, int]] = Counter()
    for event in town.case.history:
        if isinstance(event, ClockBreached) and event.clock in WATCHED:
            told_of[event.clock, event.since] += 1
        if isinstance(event, BreachTakenBack):
            told_of[event.clock, event.since] -= 1
    return +told_of


minutes = st.integers(0, 3 * 1_440)
delay = st.integers(0, 600)


@settings(max_examples=300)
@given(minutes, minutes, delay, delay, st.lists(st.integers(0, 120), min_size=1, max_size=8))
def test_a_breach_is_recorded_if_and_only_if_the_accepted_facts_say_so(
    sign: int, resolve: int, delay1: int, delay2: int, lags: list[int]
) -> None:
    town = told([(sign, delay1, SignCase()), (sign + resolve, delay2, RESOLUTION)], lags)
    assert recorded(town) == Counter(late(town))


@settings(max_examples=300)
@given(
    st.integers(-5, 5),
    st.sampled_from([SignCase(), OBJECTION]),
    delay,
    st.lists(st.integers(0, 5), min_size=1),
)
def test_around_the_due_minute_only_the_time_of_receipt_counts(
    near: int, command: Any, delay_: int, lags: list[int]
) -> None:
    """The sign window ends one working day after 09:00; what reaches the edge in time is in time."""
    town = told([(1_440 + near, delay_, command)], lags)
    assert recorded(town) == Counter(late(town))
    assert (("sign", 4) in recorded(town)) == (near > 0)
