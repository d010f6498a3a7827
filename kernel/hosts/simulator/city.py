"""A city in the simulator: two workers for each processor, edges, partitions that move, people outside."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import count
from random import Random
from typing import Any, Final, Protocol

from kernel.decider import Decider
from kernel.edge import EDGE, Door, Edge, Seal, Submission
from kernel.errors import PortsFailed, UnsoundInbox, WildStamp
from kernel.hosts.replay import Again
from kernel.hosts.simulator.actors import (
    SILENCE,
    EdgeLife,
    SimulatedEditions,
    SimulatedWorker,
    stale_claim,
    wild_stamp_is_true,
    with_bugs,
)
from kernel.hosts.simulator.faults import NO_SKEW, FaultyJournal, FaultyLog, SimBroker, SimClock
from kernel.hosts.simulator.watch import Watch
from kernel.hosts.simulator.world import START, Actor, Broken, World
from kernel.journal import Cursor, HeldKind, Move, Record
from kernel.keyring import MemorySecrets
from kernel.letters import Letters
from kernel.log import Message
from kernel.memory.journal import MemoryJournal
from kernel.pace import Pace
from kernel.processor import AnyProcessor
from kernel.worker import Worker
from rules.bundle import Bundle
from rules.inforce import Mode, Rules

PACE: Final = Pace(
    batch=50, timers=3, margin_seconds=12, tick_seconds=0.2, failures_most=1000, pause_seconds=0.02
)
ONE_BY_ONE: Final = replace(PACE, batch=1)
"""How workers go in every fourth seed: whatever a batch holds together is apart there."""
FOLD: Final = "sim"
"""What stands for the hash of the `evolve` code."""

PerformOne = Callable[[Message], Any]
"""What the world answers to one message of a performing processor."""


class People(Protocol):
    """The world outside: what it sends next, given what it can see."""

    def next(self, random: Random, city: "SimulatedCity") -> Submission | None:
        """One submission, or `None` when it has nothing to say just now."""
        ...

    def done(self) -> bool:
        """Whether it has sent all that it wanted."""
        ...

    def recovered(self, city: "SimulatedCity") -> None:
        """The city has gone back to a backup: there is more to say, and some of it once more."""
        ...

    def check(self, city: "SimulatedCity") -> None:
        """What must hold at the end for what was sent; raises `Broken`."""
        ...


@dataclass(frozen=True, slots=True)
class Plan:
    """What is simulated: the processors, the doors of the edge, the editions and the people.

    Those named in `later` join while the city runs.
    """

    processors: Sequence[AnyProcessor]
    doors: Mapping[str, Door]
    bundles: Mapping[str, Bundle]
    people: Callable[[], People]
    performs: Mapping[str, PerformOne] = field(default_factory=dict[str, PerformOne])
    again: Mapping[str, Again] = field(default_factory=dict[str, Again])
    seal: Seal = lambda _frame, message: message
    partitions: int = 2
    workers: int = 2
    edges: int = 2
    city: str = "SIM"
    later: frozenset[str] = frozenset()


class SimulatedCity:
    """All actors of one seed, and what the world outside can see of them."""

    def __init__(self, plan: Plan, world: World) -> None:
        self.plan = plan
        self.world = world
        self.broker = SimBroker(SimClock(world, NO_SKEW))
        self.journals = {name: MemoryJournal() for name in [*(one.name for one in plan.processors), EDGE]}
        self.editions = SimulatedEditions(self.broker, plan.bundles, plan.partitions)
        self.watch = Watch(plan.processors, world)
        self.people = plan.people()
        self.workers: dict[str, Worker] = {}
        self.clocks: dict[str, SimClock] = {}
        self.edges: dict[int, dict[int, Edge]] = {}
        self.beats: dict[int, datetime] = dict.fromkeys(range(plan.edges), START)
        self.accepted: set[str] = set()
        self.performed: list[Message] = []
        self.told_in_vain: Sequence[Message] = ()
        self.bugs: set[tuple[str, str]] = set()
        self.joined: dict[str, dict[int, Cursor]] = {}
        self.present: list[str] = []
        self.receiving = True
        self.clocks_were_wrong = False
        self.stricken = False
        self.clock_wrong = ""
        self._tokens = count(1)
        self._drawn = count(1)
        self.letters = Letters(MemorySecrets(), b"simulator", self._draw)
        self._owner: dict[tuple[str, int], int] = {}
        self._views: dict[tuple[str, int], frozenset[int]] = {}
        for processor in plan.processors:
            if processor.name not in plan.later:
                self.add_processor(processor)
        for instance in range(plan.edges):
            self._add_actor(f"edge#{instance}", self._edge_life(instance))

    # Actors.

    def add_processor(self, processor: AnyProcessor) -> None:
        """Start the workers of a processor."""
        self.present.append(processor.name)
        for number in range(self.plan.workers):
            self._add_worker(processor, number)
        for partition in range(self.plan.partitions):
            self._owner[processor.name, partition] = partition % self.plan.workers
        self._refresh(processor.name)

    def _add_actor(self, name: str, start: Callable[[timedelta], Awaitable[None]]) -> None:
        skew = timedelta(milliseconds=self.world.random.randrange(-3000, 3000))
        self.world.actors.append(Actor(name, start=lambda: start(skew)))  # type: ignore[arg-type, return-value]

    def _edge_life(self, instance: int) -> Callable[[timedelta], Awaitable[None]]:
        return lambda skew: EdgeLife(self, instance, skew).live()

    def _add_worker(self, processor: AnyProcessor, number: int) -> None:
        name = f"{processor.name}#{number}"

        async def live(skew: timedelta) -> None:
            clock = self.clocks[name] = SimClock(self.world, skew)
            worker = self.workers[name] = self._worker(processor, number, clock)
            try:
                await worker.run(lambda: False)
            except PortsFailed:
                self.world.happened("worker gave up")
            except UnsoundInbox as fault:
                if not stale_claim(self, processor, fault):
                    raise
                self.world.happened("a stale claim refused", str(fault))
                await clock.pause(0.5)
            except WildStamp as fault:
                wild_stamp_is_true(self, self.broker, clock, fault)
                self.world.happened("wild stamp refused", str(fault))
                await clock.pause(0.5)

        self._add_actor(name, live)

    def _worker(self, processor: AnyProcessor, number: int, clock: SimClock) -> Worker:
        world, name = self.world, processor.name
        decider = Decider(
            with_bugs(processor, self.bugs),
            city_code=self.plan.city,
            partitions=self.plan.partitions,
            city=clock.city,
            token=self.token,
            fold=FOLD,
            states=8,
            parked_most=1000,
        )
        log = FaultyLog(world, self.broker, clock, processor.topics, lambda: self._views[name, number])

        def committed(moves: Sequence[Move], fenced: frozenset[int]) -> None:
            self.watch.committed(name, decider, moves, fenced)

        journal = FaultyJournal(world, self.journals[name], committed)
        pace = PACE if world.seed % 4 else ONE_BY_ONE
        worker = SimulatedWorker(
            decider, log, journal, self.editions, clock, pace=pace, perform=self._performing(name)
        )
        worker.tell = world.trace if world.traced else None
        return worker

    def _performing(
        self, name: str
    ) -> Callable[[Sequence[Message]], Awaitable[Mapping[tuple[str, int, int], Any]]] | None:
        one = self.plan.performs.get(name)
        if one is None:
            return None

        async def perform(messages: Sequence[Message]) -> Mapping[tuple[str, int, int], Any]:
            done: dict[tuple[str, int, int], Any] = {}
            for message in messages:
                await self.world.point("perform")
                self.performed.append(message)
                done[message.topic, message.partition, message.offset] = one(message)
                await self.world.point("perform")
            return done

        return perform

    def token(self) -> bytes:
        """A token never drawn before."""
        return b"%d" % next(self._tokens)

    def _draw(self, size: int) -> bytes:
        """Keys and names of secrets: none twice, and none at the cost of the world's dice."""
        return sha256(b"%d" % next(self._drawn)).digest()[:size]

    # Partitions that move, edges that fall silent.

    def move_something(self) -> None:
        """A rebalance: one partition of one processor gets another owner; views follow late."""
        random = self.world.random
        processor = random.choice(self.present)
        partition = random.randrange(self.plan.partitions)
        owner = self._owner[processor, partition] = random.randrange(self.plan.workers)
        self.world.happened("rebalance", f"{processor}/{partition} goes to #{owner}")
        if random.randrange(3):
            self._refresh(processor)
        else:
            self.world.later(f"view of {processor}", lambda: self._refresh(processor))

    def restrict(self, present: Sequence[str]) -> None:
        """A city put back to a backup does not have the processors that joined since."""
        absent = [name for name in self.present if name not in present]
        self.present = list(present)
        self.workers = {name: one for name, one in self.workers.items() if _of(name) not in absent}
        self.clocks = {name: one for name, one in self.clocks.items() if _of(name) not in absent}
        self.world.actors = [actor for actor in self.world.actors if _of(actor.name) not in absent]

    def _refresh(self, processor: str) -> None:
        for number in range(self.plan.workers):
            own = (
                partition
                for partition in range(self.plan.partitions)
                if self._owner[processor, partition] == number
            )
            self._views[processor, number] = frozenset(own)

    def settle_views(self) -> None:
        """The faults are over: every worker knows what it owns."""
        for name in self.present:
            self._refresh(name)

    def silent_edges(self) -> Sequence[int]:
        """Instances of the edge that nobody has heard of for a while."""
        return [instance for instance, beat in self.beats.items() if self.world.now - beat > SILENCE]

    def end_edge(self, instance: int) -> None:
        """One instance is gone for good, with its machine."""
        self.world.happened("edge gone", f"edge#{instance}")
        self.world.actors = [actor for actor in self.world.actors if actor.name != f"edge#{instance}"]
        self.edges.pop(instance, None)

    def living_edges(self) -> Sequence[int]:
        """Instances that are not gone for good."""
        names = {actor.name for actor in self.world.actors}
        return [instance for instance in range(self.plan.edges) if f"edge#{instance}" in names]

    # The operator.

    async def redrive(self, name: str, ids: Collection[tuple[int, int]]) -> None:
        """Order held messages of a processor to be taken up."""
        await self.journals[name].order(ids)

    def held(self, name: str, kind: HeldKind) -> Sequence[tuple[int, int]]:
        """Held messages of one kind that nobody has ordered, and whose bug is mended."""
        return [
            (partition, number)
            for partition, shelf in self.journals[name].shelves.items()
            for number, held in shelf.held.items()
            if held.kind is kind and not held.ordered and (name, held.stream) not in self.bugs
        ]

    # What can be seen.

    def rows(self, processor: str) -> Mapping[int, Sequence[Record]]:
        """The journal of one processor."""
        return {partition: shelf.rows for partition, shelf in self.journals[processor].shelves.items()}

    def handled(self) -> int:
        """How many inputs have been decided so far, over all processors."""
        return self.watch.inputs

    def rules(self) -> Mapping[int, Rules]:
        """Every rules number that was published."""
        found: dict[int, Rules] = {}
        for number, activation in self.editions.activations().items():
            modes = {switch.area: Mode(switch.mode) for switch in activation.modes}
            found[number] = Rules(number=number, bundle=self.plan.bundles[activation.edition], modes=modes)
        return found

    def unread(self) -> str:
        """The first inbox that is not read to its end, in words; empty if all are."""
        for processor in self.plan.processors:
            if processor.name not in self.present:
                continue
            for partition in range(self.plan.partitions):
                cursor = self.journals[processor.name].cursor(partition)
                for topic in processor.topics:
                    reach, end = cursor.reach.get(topic), self.broker.end((topic, partition))
                    offset = reach.offset if reach else 0
                    if offset != end:
                        return f"{processor.name}/{partition} has read {topic} to {offset} of {end}"
        return ""

    def unrest(self) -> str:
        """What is still to be done, in words; empty if the city is idle."""
        for name, worker in self.workers.items():
            if worker.outbox:
                return f"{name} has unsent messages"
        gone = set(range(self.plan.edges)) - set(self.living_edges())
        for owner, edges in self.edges.items():
            if any(edge.outbox for edge in edges.values()):
                return f"edge#{owner} has unsent messages"
            gone -= edges.keys()
        if gone:
            return f"nobody has taken over {', '.join(f'edge/{instance}' for instance in sorted(gone))}"
        for name, journal in self.journals.items():
            for shelf in journal.shelves.values():
                if any(
                    held.ordered or (held.kind is HeldKind.PARKED and name != EDGE)
                    for held in shelf.held.values()
                ):
                    return f"{name} has held messages"
        return self.unread()


def _of(actor: str) -> str:
    """The processor of a worker."""
    return actor.partition("#")[0]


def broken_unless_idle(city: SimulatedCity) -> None:
    """A city that does not come to rest has lost something or stalled."""
    found = city.unrest()
    raise Broken("comes to rest", found or "nothing is left, but it never stays idle")
