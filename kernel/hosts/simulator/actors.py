"""Who acts in a simulated city: workers, edges that die, editions read from the broker."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from kernel.batch import Batch
from kernel.clock import WILD_STAMP
from kernel.edge import EDGE, Edge, EdgeFenced, Submission
from kernel.errors import UnsoundInbox, WildStamp
from kernel.hosts.simulator.faults import FaultyJournal, FaultyLog, SimBroker, SimClock
from kernel.hosts.simulator.watch import PLANTED
from kernel.hosts.simulator.world import START, Broken, PortFailed
from kernel.journal import Move
from kernel.memory.journal import UniqueViolation
from kernel.memory.log import MemoryBroker
from kernel.origins import judge
from kernel.processor import AnyProcessor, Context
from kernel.worker import Worker
from rules.bundle import Bundle
from schemas.kernel import ActivateRules
from schemas.topics import RULES_EDITIONS
from schemas.wire import trusted

if TYPE_CHECKING:
    from kernel.hosts.simulator.city import SimulatedCity


SILENCE: Final = timedelta(seconds=10)
"""After how long without a sign of life another instance takes an edge's partition over, again and again."""


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

    tell: Callable[[str], None] | None = None

    async def recover(self, error: Exception) -> None:
        """See `Worker`."""
        if isinstance(error, Broken | UniqueViolation):
            raise error
        if not isinstance(error, PortFailed):
            raise Broken(
                "no exception", f"{self.decider.processor.name}: {type(error).__name__}: {error}"
            ) from error
        if self.tell:
            self.tell(f"forgets all, pauses: {error}")
        await super().recover(error)

    async def _draft(self, asked: Batch) -> Sequence[Move]:
        if self.tell:
            self._tell_dropped(asked, self.tell)
        return await super()._draft(asked)

    def _tell_dropped(self, asked: Batch, tell: Callable[[str], None]) -> None:
        last: dict[tuple[int, str, str], int] = {}
        for message in asked.messages:
            tenure = self.decider.tenures.get(message.partition)
            if tenure is None or message.offset < tenure.reach.get(message.topic, 0):
                continue
            k, origin = message.headers.k, message.headers.origin
            key = (message.partition, message.topic, origin)
            known = last.get(key, tenure.seen.get(message.topic, {}).get(origin, 0))
            verdict = judge(known, k)
            where = f"{message.topic}/{message.partition}@{message.offset} from {origin} k={k}"
            tell(f"{verdict.value:<5} {where}" + ("" if verdict.value == "take" else f", had {known}"))
            last[key] = max(known, k) if verdict.value == "take" else known


class PlantedBug(Exception):  # noqa: N818 - named by what it is
    """A bug in `decide` for some streams, until it is mended."""


assert PlantedBug.__name__ == PLANTED


def with_bugs(processor: AnyProcessor, bugs: set[tuple[str, str]]) -> AnyProcessor:
    """The processor with a `decide` that fails for the streams in `bugs`, by processor and stream."""
    decide = processor.decide

    def decide_or_fail(state: Any, message: Any, context: Context) -> Any:
        if bugs and (processor.name, context.stream) in bugs:
            raise PlantedBug("planted")
        return decide(state, message, context)

    return replace(processor, decide=decide_or_fail)


def stale_claim(city: "SimulatedCity", processor: AnyProcessor, fault: UnsoundInbox) -> bool:
    """Whether a worker read its cursor, froze, and looked at the log when others had long gone on.

    Retention takes days, a simulated one no time: what it refuses is in order, as a new claim shows.
    """
    if city.stricken or fault.refusal.code not in {"inbox_lost", "inbox_recreated", "inbox_hole"}:
        return False
    cursor = city.journals[processor.name].cursor(int(str(fault.facts["partition"])))
    first = city.broker.first
    reaches = {
        topic: cursor.reach[topic].offset if topic in cursor.reach else 0 for topic in processor.topics
    }
    return all(offset >= first.get((topic, cursor.partition), 0) for topic, offset in reaches.items())


def wild_stamp_is_true(city: "SimulatedCity", broker: SimBroker, clock: SimClock, fault: WildStamp) -> None:
    """A worker that ends because of a stamp must be right: somebody's clock is, or was, wrong."""
    if clock.skew > -WILD_STAMP / 2 and broker.machine.skew < WILD_STAMP / 2 and not city.clocks_were_wrong:
        raise Broken("no false alarm", str(fault))


class EdgeLife:
    """One instance of the edge: it serves people, publishes in idle time, and takes over from the dead.

    After a start and after a doubt it takes its own partition over as well: a commit that lands late, behind
    the claim, would else be published by nobody until the next submission.
    """

    def __init__(self, city: "SimulatedCity", instance: int, skew: timedelta) -> None:
        self._city = city
        self._world = city.world
        self._clock = SimClock(city.world, skew)
        self._instance = instance
        self._taken: dict[int, datetime] = {}
        self._sure = False
        city.edges[instance] = {instance: self._edge_of(instance)}

    def _edge_of(self, instance: int) -> Edge:
        city = self._city
        log = FaultyLog(self._world, city.broker, self._clock, (), frozenset)
        journal = FaultyJournal(self._world, city.journals[EDGE], lambda _moves, _fenced: None)
        return Edge(
            instance, city.plan.doors, journal, self._clock, city.editions, token=city.token,
            partitions=city.plan.partitions, seal=city.plan.seal, letters=city.letters, log=log,
        )  # fmt: skip

    async def live(self) -> None:
        """Serve until killed."""
        city = self._city
        while True:
            city.beats[self._instance] = self._world.now
            submission = city.people.next(self._world.random, city) if city.receiving else None
            if submission is None:
                await self._idle()
            else:
                await self._serve(submission)

    async def _serve(self, submission: Submission) -> None:
        """One submission, sent again with the same id until it is on record."""
        edge = self._city.edges[self._instance][self._instance]
        while True:
            self._city.beats[self._instance] = self._world.now
            try:
                (receipt,) = await edge.accept([submission])
            except (PortFailed, EdgeFenced) as error:
                self._sure = False
                self._world.trace(f"does not know whether it is on record: {error}")
                await self._clock.pause(0.1)
            else:
                if receipt.refusal is None:
                    self._city.accepted.add(receipt.id)
                return

    async def _idle(self) -> None:
        edges = self._city.edges[self._instance]
        try:
            if not self._sure:
                await edges[self._instance].take_over()
                self._sure = True
            for instance in self._city.silent_edges():
                if instance == self._instance or self._world.now - self._taken.get(instance, START) < SILENCE:
                    continue
                edge = edges.setdefault(instance, self._edge_of(instance))
                await edge.take_over()
                self._world.happened("edge taken over", f"edge/{instance}")
                self._taken[instance] = self._world.now
            for edge in list(edges.values()):
                await edge.publish()
        except (PortFailed, EdgeFenced) as error:
            self._sure = False
            self._world.happened("edge disturbed", str(error))
        await self._clock.pause(0.2)
