"""A city lived in memory and virtual time: real processors, real people, no journal and no crashes.

Only to see what the people of `cities.people` make of a day; what must hold under faults is proven elsewhere.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from heapq import heappop, heappush
from itertools import count
from typing import Any, NamedTuple

from cities.day import Arrival
from cities.people import People
from kernel.processor import AnyProcessor, CancelTimer, Context, DeadLetter, Sender, SetTimer, step
from rules.bundle import Bundle
from rules.inforce import Rules
from schemas.envelope import Envelope, event_id, message_id
from schemas.intake import ReadReport
from schemas.topics import CASE_COMMANDS, CASE_EVENTS, INTAKE_REPORTS, Send
from services.intake.desk.processor import DESK
from services.intake.reader.processor import READER
from services.router.processor import ROUTER_CASE
from services.sla.processor import CLOCK

PROCESSORS: tuple[AnyProcessor, ...] = (READER, DESK, ROUTER_CASE, CLOCK)


class Due(NamedTuple):
    """A message on its way: when, in which order, where to, from whom; a timer has its number."""

    at: datetime
    order: int
    topic: str
    key: str
    message: object
    sender: Sender
    id: str
    timer: tuple[str, str, str] | None = None


@dataclass
class Life:
    """What happened: events by case, dead letters, messages in all."""

    bundle: Bundle
    people: People
    queue: list[Due] = field(default_factory=list[Due])
    states: dict[tuple[str, str], Any] = field(default_factory=dict[tuple[str, str], Any])
    versions: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    timers: dict[tuple[str, str, str], int] = field(default_factory=dict[tuple[str, str, str], int])
    cases: dict[str, list[tuple[datetime, Any]]] = field(default_factory=lambda: defaultdict(list))
    dead: list[str] = field(default_factory=list[str])
    orders: Any = field(default_factory=count)
    handled: int = 0

    def sends(self, at: datetime, send: Send, sender: Sender, ident: str = "outside/1~1") -> None:
        heappush(self.queue, Due(at, next(self.orders), send.topic, send.key, send.message, sender, ident))

    def arrives(self, arrival: Arrival) -> None:
        if arrival.report is None:
            self.dead.append("bytes")
            return
        key = f"{arrival.source}/{arrival.id}"
        sender = Sender("source", arrival.source)
        self.sends(arrival.at, INTAKE_REPORTS.send(key, arrival.report), sender)

    def live(self, until: datetime) -> None:
        while self.queue and self.queue[0].at <= until:
            due = heappop(self.queue)
            if due.topic == "act":
                if self.people.stands(due.message):  # type: ignore[arg-type]
                    act: Any = due.message
                    self.sends(due.at, CASE_COMMANDS.send(act.case, act.command), Sender("post", act.post))
                continue
            if due.timer is not None:
                if self.timers.get(due.timer) != due.order:
                    continue
                del self.timers[due.timer]
            for processor in PROCESSORS:
                named = due.timer is not None and due.timer[0] == processor.name
                reads = due.timer is None and due.topic in processor.topics
                if (named or reads) and isinstance(due.message, processor.handles):
                    self.decides(processor, due)

    def decides(self, processor: AnyProcessor, due: Due) -> None:
        where = (processor.name, due.key)
        self.handled += 1
        context = Context(
            now=due.at, received=due.at, rules=Rules(1, self.bundle), sender=due.sender, stream=due.key,
            message_id=due.id,
        )  # fmt: skip
        state, events = step(processor, self.states.get(where, processor.initial), due.message, context)
        self.states[where] = state
        for event in events:
            self.versions[where] += 1
            envelope = Envelope(
                id=event_id(due.key, self.versions[where]), source=processor.name, type="", subject=due.key,
                time=due.at, data=event,
            )  # fmt: skip
            for number, effect in enumerate(processor.react(event, envelope), start=1):
                self.leaves(processor, due, message_id(envelope.id, number), effect)
            if processor is ROUTER_CASE:
                self.heard(due, event, envelope.id)

    def leaves(self, processor: AnyProcessor, due: Due, ident: str, effect: Any) -> None:
        timer = (processor.name, due.key, getattr(effect, "name", ""))
        if isinstance(effect, Send):
            self.sends(due.at, effect, Sender("processor", processor.name), ident)
        elif isinstance(effect, SetTimer):
            order = next(self.orders)
            self.timers[timer] = order
            sender = Sender("timer", processor.name)
            at = max(effect.due, due.at)
            heappush(self.queue, Due(at, order, "", due.key, effect.message, sender, ident, timer))
        elif isinstance(effect, CancelTimer):
            self.timers.pop(timer, None)
        elif isinstance(effect, DeadLetter):
            self.dead.append(effect.reason)

    def heard(self, due: Due, event: Any, ident: str) -> None:
        self.cases[due.key].append((due.at, event))
        self.sends(due.at, CASE_EVENTS.send(due.key, event), Sender("processor", ROUTER_CASE.name), ident)
        for act in self.people.hears(due.key, event, due.at):
            self.sends(act.at, Send("act", act.case, act), Sender("post", act.post))


def reports_of(life: Life) -> list[ReadReport]:
    """Every report that a case carries."""
    return [
        event.report
        for history in life.cases.values()
        for _, event in history
        if isinstance(getattr(event, "report", None), ReadReport)
    ]
