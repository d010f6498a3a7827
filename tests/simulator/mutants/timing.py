"""Time: `now` rises, timers come before messages, ticks wait and keep a margin; rules in order."""

from datetime import timedelta
from typing import Any

import kernel.leaf
from kernel.decider import Decider
from kernel.leaf import Leaf
from kernel.log import Headers
from kernel.timers import NEVER, Agenda, Soon
from kernel.worker import Worker
from tests.simulator.mutants.swap import Mutant, Swap, swapped, together


def _now_falls() -> Swap:
    def make(original: Any) -> Any:
        def take(self: Decider, message: Any) -> None:
            tenure = self.tenures.get(message.partition)
            if tenure is not None:
                last, tenure.now = tenure.now, NEVER
                original(self, message)
                if tenure.now == NEVER:
                    tenure.now = last

        return take

    return swapped(Decider, "_take", make)


def _messages_first() -> Swap:
    def make(original: Any) -> Any:
        def decide(self: Decider, *args: Any) -> None:
            self._fire = lambda *_: None  # type: ignore[method-assign]
            try:
                original(self, *args)
            finally:
                del self._fire

        return decide

    return swapped(Decider, "_decide_message", make)


def _tick_with_unread() -> Swap:
    def make(original: Any) -> Any:
        async def read_to_end(self: Worker, quiet: Any, due: Any, *, idle: bool) -> Any:
            await original(self, quiet, due, idle=idle)
            return {partition: until for partition, until in quiet.items() if partition in due}

        return read_to_end

    return swapped(Worker, "_read_to_end", make)


def _no_margin() -> Swap:
    def make(original: Any) -> Any:
        def begin(self: Worker, *args: Any, **more: Any) -> None:
            original(self, *args, **more)
            self._margin = timedelta()

        return begin

    return swapped(Worker, "__init__", make)


def _drift_unseen() -> Swap:
    return swapped(Worker, "_drifts", lambda _: lambda self: False)


def _wild_taken() -> Swap:
    return swapped(Worker, "_refuse_wild", lambda _: lambda self, batch: None)


def _horizon_unseen() -> Swap:
    """Messages go on although only a part of the due timers was fetched."""
    return together(
        swapped(Agenda, "covers", lambda _: lambda self, now: True),
    )


def _soon_deaf() -> Swap:
    """What is set within the time that was read ahead goes unnoticed until that time is over."""
    return swapped(Soon, "follow", lambda _: lambda self, changed: None)


def _answer_cut_unseen() -> Swap:
    """An answer of the journal that was cut is taken for a whole one."""

    def make(original: Any) -> Any:
        def learn(self: Soon, timers: Any, until: Any, cut: Any = None) -> None:
            del cut
            original(self, timers, until)

        return learn

    return swapped(Soon, "learn", make)


def _edition_not_recorded() -> Swap:
    def adopt(self: Decider, leaf: Leaf, number: int, *_: Any) -> None:
        leaf.tenure.rules = self.rules[number]

    return swapped(Decider, "_adopt", lambda _: adopt)


def _edition_not_carried() -> Swap:
    def make(original: Any) -> Any:
        def headers(origin: str, k: int, rules: int = 0, *rest: Any) -> Headers:
            del rules
            return original(origin, k, 0, *rest)

        return headers

    def leaving(original: Any) -> Any:
        def without(self: Worker, records: Any, outgoing: Any) -> Any:
            return original(self, [record._replace(rules=0) for record in records], outgoing)

        return without

    return together(swapped(kernel.leaf, "Headers", make), swapped(Worker, "leaving", leaving))


MUTANTS = (
    Mutant("now_falls", "`now` is the append time, earlier or not", _now_falls),
    Mutant("messages_first", "timers do not come before a later message", _messages_first, "calm"),
    Mutant("tick_with_unread", "a tick fires though records are unread", _tick_with_unread),
    Mutant("tick_without_margin", "a tick fires up to the worker's own clock", _no_margin, "calm"),
    Mutant("drift_unseen", "a worker whose clock is wrong fires timers", _drift_unseen, "calm"),
    Mutant("wild_taken", "a record from the future is taken", _wild_taken),
    Mutant("horizon_unseen", "timers beyond those fetched are passed over", _horizon_unseen),
    Mutant("soon_deaf", "timers read ahead do not follow what is set and cancelled", _soon_deaf),
    Mutant("answer_cut_unseen", "an answer cut at the most timers is taken for whole", _answer_cut_unseen),
    Mutant("edition_not_recorded", "the adoption of an edition is no row", _edition_not_recorded, "calm"),
    Mutant("edition_not_carried", "messages do not carry their edition", _edition_not_carried),
)
