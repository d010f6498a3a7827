"""A city in the simulator: two workers for each processor, edges, partitions that move, people outside."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from random import Random
from typing import Any, Protocol

from kernel.decider import Decider
from kernel.edge import EDGE, Door, Edge, Seal, Submission
from kernel.errors import PortsFailed
from kernel.hosts.simulator.checks import Watch
from kernel.hosts.simulator.faults import FaultyJournal, FaultyLog, SimClock
from kernel.hosts.simulator.world import Actor, Broken, PortFailed, World
from kernel.journal import Record
from kernel.log import Message
from kernel.memory.journal import MemoryJournal
from kernel.memory.log import MemoryBroker
from kernel.processor import AnyProcessor
from kernel.worker import Pace, Worker
from rules.bundle import Bundle
from rules.inforce import Mode, Rules
from schemas.kernel import ActivateRules
from schemas.topics import RULES_EDITIONS
from schemas.wire import trusted

PACE = Pace(batch=50, timers=20, margin_seconds=12, tick_seconds=0.2, failures_most=1000, pause_seconds=0.02)

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

    def check(self, city: "SimulatedCity") -> None:
        """What must hold at the end for what was sent; raises `Broken`."""
        ...


@dataclass(frozen=True, slots=True)
class Plan:
    """What is simulated: the processors, the doors of the edge, the editions and the people."""

    processors: Sequence[AnyProcessor]
    doors: Mapping[str, Door]
    bundles: Mapping[str, Bundle]
    people: Callable[[], People]
    performs: Mapping[str, PerformOne] = field(default_factory=dict[str, PerformOne])
    seal: Seal = lambda _frame, message: message
    partitions: int = 2
    workers: int = 2
    edges: int = 2
    city: str = "SIM"


class SimulatedEditions:
    """Editions read from the broker, as a worker on Kafka reads them."""

    def __init__(self, broker: MemoryBroker, bundles: Mapping[str, Bundle], partitions: int) -> None:
        self._broker = broker
        self._bundles = bundles
        self._partitions = partitions

    def activations(self) -> dict[int, ActivateRules]:
        """All rules numbers that stand in the topic."""
        found: dict[int, ActivateRules] = {}
        for partition in range(self._partitions):
            for record in self._broker.records.get((RULES_EDITIONS.name, partition), ()):
                activation = trusted(record.body).message
                found[activation.number] = activation
        return found

    async def latest(self) -> int:
        """See the port."""
        return max(self.activations(), default=0)

    async def activation(self, number: int) -> ActivateRules:
        """See the port."""
        return self.activations()[number]

    async def bundle(self, edition: str) -> Bundle:
        """See the port."""
        return self._bundles[edition]


class SimulatedWorker(Worker):
    """A worker that retries only what the simulator let fail; any other exception is a bug to be seen."""

    async def recover(self, error: Exception) -> None:
        """See `Worker`."""
        if not isinstance(error, PortFailed):
            raise Broken(f"{self.decider.processor.name}: {type(error).__name__}: {error}") from error
        await super().recover(error)


class SimulatedCity:
    """All actors of one seed."""

    def __init__(self, plan: Plan, world: World) -> None:
        self.plan = plan
        self.world = world
        self.broker = MemoryBroker(SimClock(world, timedelta()))
        self.journals = {name: MemoryJournal() for name in [*(one.name for one in plan.processors), EDGE]}
        self.editions = SimulatedEditions(self.broker, plan.bundles, plan.partitions)
        self.watch = Watch(plan.processors)
        self.people = plan.people()
        self.workers: dict[str, Worker] = {}
        self.edges: dict[int, Edge] = {}
        self.accepted: dict[str, int] = {}
        self.receiving = True
        self._tokens = count(1)
        self._owner: dict[tuple[str, int], int] = {}
        self._views: dict[tuple[str, int], frozenset[int]] = {}
        for processor in plan.processors:
            for number in range(plan.workers):
                self._add_worker(processor, number)
            for partition in range(plan.partitions):
                self._owner[processor.name, partition] = partition % plan.workers
            self._refresh(processor.name)
        for instance in range(plan.edges):
            self._add_actor(f"edge#{instance}", self._edge_loop(instance))

    # Actors.

    def _add_actor(self, name: str, start: Callable[[timedelta], Awaitable[None]]) -> None:
        skew = timedelta(milliseconds=self.world.random.randrange(-3000, 3000))
        self.world.actors.append(Actor(name, start=lambda: start(skew), skew=skew))  # type: ignore[arg-type, return-value]

    def _add_worker(self, processor: AnyProcessor, number: int) -> None:
        name = f"{processor.name}#{number}"

        async def live(skew: timedelta) -> None:
            worker = self.workers[name] = self._worker(processor, number, skew)
            try:
                await worker.run(lambda: False)
            except PortsFailed:
                self.world.count("worker gave up")

        self._add_actor(name, live)

    def _worker(self, processor: AnyProcessor, number: int, skew: timedelta) -> Worker:
        clock = SimClock(self.world, skew)
        decider = Decider(
            processor,
            city_code=self.plan.city,
            partitions=self.plan.partitions,
            city=clock.city,
            token=self.token,
            fold="sim",
            states=8,
            parked_most=1000,
        )
        log = FaultyLog(
            self.world, self.broker, processor.topics, lambda: self._views[processor.name, number]
        )
        perform = self._performing(processor.name)

        def committed(moves: Any, fenced: frozenset[int]) -> None:
            self.watch.committed(processor.name, decider, moves, fenced)

        journal = FaultyJournal(self.world, self.journals[processor.name], committed)
        return SimulatedWorker(decider, log, journal, self.editions, clock, pace=PACE, perform=perform)

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
                done[message.topic, message.partition, message.offset] = one(message)
            return done

        return perform

    def _edge_loop(self, instance: int) -> Callable[[timedelta], Awaitable[None]]:
        async def live(skew: timedelta) -> None:
            clock = SimClock(self.world, skew)
            log = FaultyLog(self.world, self.broker, (), frozenset)
            journal = FaultyJournal(self.world, self.journals[EDGE], lambda _moves, _fenced: None)
            edge = self.edges[instance] = Edge(
                instance,
                self.plan.doors,
                journal,
                clock,
                self.editions,
                token=self.token,
                partitions=self.plan.partitions,
                seal=self.plan.seal,
                log=log,
            )
            while True:
                await self._serve(edge, clock)

        return live

    async def _serve(self, edge: Edge, clock: SimClock) -> None:
        """One submission, sent again with the same id until it is on record; what is published goes on in idle time."""
        submission = self.people.next(self.world.random, self) if self.receiving else None
        if submission is None:
            try:
                await edge.publish()
            except PortFailed:
                self.world.count("edge publish failed")
            await clock.pause(0.2)
            return
        while True:
            try:
                (receipt,) = await edge.accept([submission])
            except Exception as error:
                if not isinstance(error, PortFailed) and "took this partition over" not in str(error):
                    raise
                await clock.pause(0.1)
            else:
                if receipt.refusal is None:
                    self.accepted[receipt.id] = self.accepted.get(receipt.id, 0) + 1
                return

    def token(self) -> bytes:
        """A token never drawn before."""
        return b"%d" % next(self._tokens)

    # Partitions that move.

    def move_something(self) -> None:
        """A rebalance: one partition of one processor gets another owner; views follow late."""
        random = self.world.random
        processor = random.choice(self.plan.processors).name
        partition = random.randrange(self.plan.partitions)
        owner = self._owner[processor, partition] = random.randrange(self.plan.workers)
        self.world.count("rebalance")
        self.world.trace(f"{processor}/{partition} goes to #{owner}")
        if random.randrange(3):
            self._refresh(processor)
        else:
            self.world.later(f"view of {processor}", lambda: self._refresh(processor))

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
        for processor in self.plan.processors:
            self._refresh(processor.name)

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

    def unrest(self) -> str:
        """What is still to be done, in words, for a city that does not come to rest."""
        found: list[str] = []
        for processor in self.plan.processors:
            for partition in range(self.plan.partitions):
                cursor = self.journals[processor.name].cursor(partition)
                for topic in processor.topics:
                    reach, end = cursor.reach.get(topic), self.broker.end((topic, partition))
                    if (reach.offset if reach else 0) != end:
                        found.append(
                            f"{processor.name}/{partition} has read {topic} to {reach.offset if reach else 0} of {end}"
                        )
        found.extend(f"{name} has unsent messages" for name, worker in self.workers.items() if worker.outbox)
        return "; ".join(found) or "nothing; it does not become idle"

    def idle(self) -> bool:
        """Offsets at the ends, nothing unsent, no edge with something to publish."""
        for processor in self.plan.processors:
            for partition in range(self.plan.partitions):
                cursor = self.journals[processor.name].cursor(partition)
                for topic in processor.topics:
                    reach = cursor.reach.get(topic)
                    if (reach.offset if reach else 0) != self.broker.end((topic, partition)):
                        return False
        return all(not worker.outbox for worker in self.workers.values()) and all(
            not edge.outbox for edge in self.edges.values()
        )
