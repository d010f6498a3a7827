"""The city that is measured: the demonstration district, every matter accepted at once."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

from msgspec.structs import replace

from cities.day import reports
from cli.topology import DOORS, PROCESSORS
from kernel.clock import Clock, SteppedClock, SystemClock
from kernel.decider import Decider
from kernel.edge import EDGE, Edge, Submission
from kernel.hosts.embedded import Embedded
from kernel.keyring import MemorySecrets
from kernel.letters import Letters
from kernel.log import Message
from kernel.memory.journal import MemoryJournal
from kernel.memory.log import MemoryBroker, MemoryLog
from kernel.pace import Pace
from kernel.processor import AnyProcessor, Sender
from kernel.sql.journal import SqlJournal
from kernel.sql.log import SqlLog
from kernel.worker import Worker
from rules.bundle import Bundle
from rules.edition import Edition
from rules.folder import compile_folder
from schemas.case.assigning import CaseAssigned
from schemas.case.opening import CaseOpened
from schemas.envelope import Envelope
from schemas.kernel import ActivateRules
from schemas.notice import Outcome, Performed
from schemas.registry import PublishEdition
from schemas.topics import BY_NAME
from schemas.wire import TYPE_OF, encode, trusted

DEMO: Final = Path(__file__).parent.parent / "cities" / "demo"
TEN_OCLOCK: Final = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
PARTITIONS: Final = 24
"""What a city has by default."""


def bench_bundle(*, all_routes: bool = False, subscribed: bool = True) -> Bundle:
    """The demonstration district, in which each report is accepted at once and each lead reads its topic.

    Without `all_routes` only the unit that becomes responsible is told: that is the path of the issue.
    Not `subscribed`, the units have no topics.
    """
    bundle = compile_folder(DEMO)
    assert isinstance(bundle, Bundle), bundle
    parts = bundle.parts
    parts = replace(
        parts,
        matters=tuple(replace(matter, accept="automatic", check=False) for matter in parts.matters),
        units=tuple(replace(unit, subscribes=subscribed) for unit in parts.units),
        bounds=replace(parts.bounds, automatic_confidence=0),
        routes=tuple(
            route
            for route in parts.routes
            if all_routes or (route.event, route.audience) == ("CaseAssigned", "lead")
        ),
    )
    return Edition.of(parts).load()


class OneEdition:
    """The port to editions, for a city that has one."""

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle
        self.number = 0

    async def latest(self) -> int:
        return self.number

    async def activation(self, number: int) -> ActivateRules:
        return ActivateRules(number=number, edition=self._bundle.hash, effective=TEN_OCLOCK)

    async def bundle(self, edition: str) -> Bundle:
        assert edition == self._bundle.hash
        return self._bundle


async def told_at_once(messages: Sequence[Message]) -> Mapping[tuple[str, int, int], Any]:
    """A world in which each notice is delivered, and at once."""
    outcome = Outcome(result="delivered", detail="", after=0)
    return {
        (message.topic, message.partition, message.offset): Performed(
            request=trusted(message.body).message, outcome=outcome
        )
        for message in messages
    }


@dataclass(slots=True)
class BenchCity:
    """Workers, edge and ports of one city."""

    bundle: Bundle
    editions: OneEdition
    clock: Clock
    host: Embedded
    edge: Edge
    journals: Mapping[str, Any]
    broker: Any = None

    def worker(self, name: str) -> Worker:
        return next(worker for worker in self.host.workers if worker.decider.processor.name == name)

    async def publish(self) -> None:
        """The first edition reaches every partition of every processor."""
        message = PublishEdition(edition=self.bundle.hash, partitions=PARTITIONS)
        await self.edge.accept([submission("admin", "edition-1", self.bundle.city.code, message)])
        self.editions.number = 1
        await self.host.settle()

    async def taken(self) -> int:
        """How many messages and timers were decided by now: the causes on record of all processors."""
        return sum(
            [await inputs(self.journals[worker.decider.processor.name]) for worker in self.host.workers]
        )


def submission(source: str, id_: str, subject: str, message: object) -> Submission:
    envelope = Envelope(
        id=id_,
        source=f"/{source}",
        type=TYPE_OF[type(message)],
        subject=subject,
        time=TEN_OCLOCK,
        data=message,
    )
    return Submission(Sender("source", source), encode(envelope))


async def inputs(journal: Any) -> int:
    """Distinct causes in the rows of a journal."""
    causes = 0
    for partition in range(PARTITIONS):
        last = None
        async for record in journal.records(partition):
            if (record.cause, record.stream) != last:
                causes += 1
            last = (record.cause, record.stream)
    return causes


Ports = tuple[Any, MemoryBroker | None]
"""A store, or a broker in memory: where the topics are."""


def build(
    bundle: Bundle,
    clock: Clock,
    store: Any,
    *,
    broker: MemoryBroker | None = None,
    pace: Pace | None = None,
    processors: Sequence[AnyProcessor] = PROCESSORS,
    states: int = 100_000,
) -> BenchCity:
    """The whole topology over a store, or over memory."""
    tick = 0 if isinstance(clock, SteppedClock) else 0.5
    pace = pace or Pace(margin_seconds=0, tick_seconds=tick)
    editions = OneEdition(bundle)
    numbers = itertools.count(1)

    def token() -> bytes:
        return next(numbers).to_bytes(16, "big")

    names = [*(one.name for one in processors), EDGE]
    journals = {name: SqlJournal(store, name, delivers=True) if store else MemoryJournal() for name in names}
    workers: list[Worker] = []
    for processor in processors:
        decider = _decider(processor, bundle, clock, token, delivers=store is not None, states=states)
        log = _log(processor, (store, broker), pace)
        perform = told_at_once if processor.name == "notifier.performer" else None
        workers.append(
            Worker(decider, log, journals[processor.name], editions, clock, pace=pace, perform=perform)
        )
    edge = Edge(
        0, DOORS, journals[EDGE], clock, editions, token=token,
        partitions=PARTITIONS, seal=lambda _frame, message: message,
        letters=Letters(MemorySecrets(), b"bench"), log=None if broker is None else MemoryLog(broker, ()),
    )  # fmt: skip
    return BenchCity(bundle, editions, clock, Embedded(workers, edge), edge, journals, broker)


def _decider(
    processor: AnyProcessor,
    bundle: Bundle,
    clock: Clock,
    token: Callable[[], bytes],
    *,
    delivers: bool,
    states: int,
) -> Decider:
    return Decider(
        processor,
        city_code=bundle.city.code,
        partitions=PARTITIONS,
        city=clock.city,
        token=token,
        delivers=delivers,
        fold="bench",
        states=states,
    )


def _log(processor: AnyProcessor, ports: Ports, pace: Pace) -> Any:
    store, broker = ports
    if broker is not None:
        return MemoryLog(broker, processor.topics, range(PARTITIONS))
    topics = [BY_NAME[name] for name in processor.topics]
    return SqlLog(store, topics, range(PARTITIONS), tick_seconds=pace.tick_seconds)


def memory_city(bundle: Bundle, processors: Sequence[AnyProcessor] = PROCESSORS) -> BenchCity:
    clock = SteppedClock(TEN_OCLOCK)
    return build(bundle, clock, None, broker=MemoryBroker(clock), processors=processors)


def running_clock() -> SystemClock:
    """It is ten o'clock now, and time goes on as outside."""
    return SystemClock(datetime.now(UTC), TEN_OCLOCK)


async def separate_reports(bundle: Bundle, count: int, seed: int = 1) -> list[Submission]:
    """`count` reports each of which becomes a case of its own with a responsible unit.

    Drawn from a demonstration day; a rehearsal in memory tells which ones would merge, die or wait.
    """
    drawn = {
        f"/{arrival.source}/{number}": submission(arrival.source, str(number), "", arrival.report)
        for number, arrival in enumerate(reports(bundle, seed, 100 + count * 2, day=date(2026, 3, 2)))
        if arrival.report is not None
    }
    kept = await _rehearsed(bundle, drawn)
    return [one for key, one in drawn.items() if key in kept][:count]


async def _rehearsed(bundle: Bundle, drawn: Mapping[str, Submission]) -> set[str]:
    city = memory_city(bundle, PROCESSORS[:4])
    await city.publish()
    everything = list(drawn.values())
    for start in range(0, len(everything), 1000):
        await city.edge.accept(everything[start : start + 1000])
    await city.host.settle()
    reported: dict[str, str] = {}
    kept: set[str] = set()
    for partition in range(PARTITIONS):
        async for record in city.journals["router.case"].records(partition):
            event = trusted(record.body).message
            if isinstance(event, CaseOpened):
                reported[record.stream] = event.report.report
            elif isinstance(event, CaseAssigned):
                kept.add(reported[record.stream])
    return kept
