"""Held messages: in order, timers too, taken up under the cursor and never produced again."""

from collections.abc import Collection
from itertools import count
from typing import Any

from kernel import worker
from kernel.decider import Decider
from kernel.hosts.simulator.city import SimulatedCity
from kernel.journal import Held, HeldKind, Via
from kernel.leaf import Leaf
from kernel.log import Headers, Outgoing
from tests.simulator.mutants.swap import Mutant, Swap, swapped


def _overtaking() -> Swap:
    """What comes for a parked stream is decided at once."""

    def attempted(self: Decider, leaf: Any, stream: str, message: Any, now: Any, item: Any) -> None:  # noqa: PLR0917
        reason = self._attempt(leaf, stream, message, now, item)
        if reason is not None:
            self._park(leaf, stream, reason, item)

    return swapped(Decider, "_input", lambda _: attempted)


def _timers_lost() -> Swap:
    def make(original: Any) -> Any:
        def hold(self: Leaf, kind: HeldKind, stream: str, reason: str, item: Any) -> None:
            if item[2].via is Via.TIMER and kind is HeldKind.PARKED:
                return
            original(self, kind, stream, reason, item)

        return hold

    return swapped(Leaf, "hold", make)


def _void_unseen() -> Swap:
    """A timer that what was taken up in an earlier batch cancelled fires all the same."""

    def make(_: Any) -> Any:
        async def none(*_: Any) -> frozenset[tuple[int, int]]:
            return frozenset()

        return none

    return swapped(worker, "void_timers", make)


def _never_released() -> Swap:
    """What was taken up stays in the table, still ordered: a second order finds it again."""

    def make(original: Any) -> Any:
        def move(self: Leaf, *args: Any) -> Any:
            return original(self, *args)._replace(released=[])

        return move

    return swapped(Leaf, "move", make)


def _dead_block() -> Swap:
    """A dead letter parks its stream."""

    def make(original: Any) -> Any:
        def hold(self: Leaf, kind: HeldKind, stream: str, reason: str, item: Any) -> None:
            original(self, HeldKind.PARKED, stream, "behind a dead letter", item)

        return hold

    return swapped(Leaf, "hold", make)


def _through_the_topic(*, fresh: bool) -> Swap:
    """Redriving produces the message once more, and is killed before that is marked, once in a while."""
    numbers = count(1)

    async def redrive(self: SimulatedCity, name: str, ids: Collection[tuple[int, int]]) -> None:
        processor = next(one for one in self.plan.processors if one.name == name)
        for partition, number in ids:
            shelf = self.journals[name].shelves[partition]
            held: Held = shelf.held[number]
            if held.kind is not HeldKind.DEAD or held.cause.via is Via.TIMER:
                await self.journals[name].order([(partition, number)])
                continue
            cause = held.cause
            headers = Headers(cause.origin, cause.k, held.rules, held.trace, cause.sender)
            if fresh:
                headers = Headers(f"redrive/{next(numbers)}", 1, held.rules, held.trace, cause.sender)
            self.broker.append(
                Outgoing(processor.inbox[0].name, partition, headers.k, 0, held.stream, headers, held.body)
            )
            if self.world.random.randrange(2):
                del shelf.held[number]

    return swapped(SimulatedCity, "redrive", lambda _: redrive)


MUTANTS = (
    Mutant("held_overtaken", "what comes for a parked stream overtakes", _overtaking, "calm"),
    Mutant("held_timers_lost", "timers of a parked stream are lost", _timers_lost),
    Mutant("held_void", "a held timer that was cancelled meanwhile fires", _void_unseen, "calm"),
    Mutant("held_not_released", "what was taken up stays held", _never_released, "calm"),
    Mutant("dead_block", "a dead letter blocks its stream", _dead_block, "calm"),
    Mutant(
        "redrive_fresh",
        "redrive through the topic, fresh origin",
        lambda: _through_the_topic(fresh=True),
        "calm",
    ),
    Mutant(
        "redrive_old",
        "redrive through the topic, old origin",
        lambda: _through_the_topic(fresh=False),
        "calm",
    ),
)
