"""The metrics of one process, the same on every host: declared once, measured where things happen."""

import time
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final, Literal, NamedTuple, TypeAlias

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from kernel.journal import Claim, Held, HeldKind, History, Journal, Move, Record, StoredTimer, Via
from kernel.telemetry import (
    BATCH_COMMITTED,
    BATCH_IN_DOUBT,
    LETTER_DEAD,
    PARTITIONS_CLAIMED,
    PARTITIONS_FENCED,
    STREAM_PARKED,
    logger,
)
from kernel.watching import Watch

Kind: TypeAlias = Literal["counter", "gauge", "histogram"]


class Figure(NamedTuple):
    """One metric as it is declared; a counter is asked for with `_total` behind its name."""

    name: str
    kind: Kind
    meaning: str
    labels: tuple[str, ...] = ("processor",)
    buckets: tuple[float, ...] = ()


_SIZES: Final = (1, 3, 10, 30, 100, 300, 1000, 3000, 10_000)
_SECONDS: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)
_PLACE: Final = ("processor", "topic", "partition")

BATCH: Final = Figure(
    "gridcase_batch_inputs", "histogram", "Messages, timers and orders in one transaction", buckets=_SIZES
)
COMMIT: Final = Figure(
    "gridcase_commit_seconds", "histogram", "Time of one transaction of the journal", buckets=_SECONDS
)
PUBLISH: Final = Figure(
    "gridcase_publish_seconds",
    "histogram",
    "Time from a publication's begin to the brokers' answers; on one machine a commit publishes",
    buckets=_SECONDS,
)
EVENTS: Final = Figure("gridcase_events", "counter", "Events written")
PARKED: Final = Figure("gridcase_messages_parked", "counter", "Messages parked behind a bug")
DEAD: Final = Figure("gridcase_letters_dead", "counter", "Dead letters; `edge` counts those from outside")
FENCED: Final = Figure("gridcase_partitions_fenced", "counter", "Partitions lost to another owner")
CLAIMED: Final = Figure("gridcase_partitions_claimed", "counter", "Partitions claimed")
REBALANCES: Final = Figure("gridcase_rebalances", "counter", "How often the group gave out partitions anew")
TIMERS: Final = Figure("gridcase_timers_fired", "counter", "Timers that came due and were decided")
HANDLED: Final = Figure("gridcase_handled", "counter", "Rows written since the worker began")
EARLY: Final = Figure("gridcase_early", "counter", "Messages dropped because they came before their turn")
STREAMS: Final = Figure("gridcase_parked_streams", "gauge", "Streams that are parked now")
OWNED: Final = Figure("gridcase_partitions", "gauge", "Partitions that are claimed now")
FAILURES: Final = Figure("gridcase_failures", "gauge", "Failures of a port in a row; 30 end the worker")
UNSENT: Final = Figure("gridcase_unsent", "gauge", "Messages on record that the log has not acknowledged")
OVERDUE: Final = Figure(
    "gridcase_timers_overdue", "gauge", "Timers that are due and have not fired, as far as they were read"
)
LATE: Final = Figure(
    "gridcase_timers_overdue_seconds", "gauge", "City time by which the oldest of them is late"
)
LAG: Final = Figure("gridcase_lag", "gauge", "Messages before the cursor that is on record", _PLACE)
STILL: Final = Figure(
    "gridcase_still_seconds", "gauge", "How long a cursor has stood still before unread messages", _PLACE
)
ANSWERED: Final = Figure(
    "gridcase_answered_seconds", "gauge", "How long ago database (and brokers) answered last", ("port",)
)

FIGURES: Final = (
    LAG, STILL, BATCH, COMMIT, PUBLISH, UNSENT, EVENTS, HANDLED, EARLY, STREAMS, PARKED, DEAD, TIMERS,
    OVERDUE, LATE, OWNED, CLAIMED, FENCED, REBALANCES, FAILURES, ANSWERED,
)  # fmt: skip
"""Every metric of ours; those of the process itself come from the library of Prometheus."""


class Meters:
    """The metrics of one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.batch = self._histogram(BATCH)
        self.commit = self._histogram(COMMIT)
        self.publish = self._histogram(PUBLISH)
        self.events = self._counter(EVENTS)
        self.parked = self._counter(PARKED)
        self.dead = self._counter(DEAD)
        self.fenced = self._counter(FENCED)
        self.claimed = self._counter(CLAIMED)
        self.rebalances = self._counter(REBALANCES)
        self.timers = self._counter(TIMERS)

    def _histogram(self, one: Figure) -> Histogram:
        return Histogram(one.name, one.meaning, one.labels, buckets=one.buckets, registry=self.registry)

    def _counter(self, one: Figure) -> Counter:
        return Counter(one.name, one.meaning, one.labels, registry=self.registry)

    def show(self, watch: Watch) -> None:
        """Show what workers hold and what was seen of them last: read when somebody asks."""
        self.registry.register(_Watched(watch))

    def text(self) -> bytes:
        """All metrics in Prometheus' text form."""
        return generate_latest(self.registry)


class _Watched(Collector):
    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    def collect(self) -> Iterator[Metric]:
        yield from self._of_workers()
        yield from self._of_timers()
        yield from self._of_places()
        answered = _gauge(ANSWERED)
        for port, seconds in self._watch.answered().items():
            answered.add_metric((port,), seconds)
        yield answered

    def _of_workers(self) -> Iterator[Metric]:
        handled, early = _count(HANDLED), _count(EARLY)
        streams, owned, failures, unsent = _gauge(STREAMS), _gauge(OWNED), _gauge(FAILURES), _gauge(UNSENT)
        for worker in self._watch.workers:
            name, tenures = (worker.decider.processor.name,), worker.decider.tenures.values()
            handled.add_metric(name, worker.handled)
            early.add_metric(name, worker.decider.early)
            streams.add_metric(name, sum(len(tenure.parked) for tenure in tenures))
            owned.add_metric(name, len(tenures))
            failures.add_metric(name, worker.failures)
            unsent.add_metric(name, len(worker.outbox))
        yield from (handled, early, streams, owned, failures, unsent)

    def _of_timers(self) -> Iterator[Metric]:
        overdue, late = _gauge(OVERDUE), _gauge(LATE)
        for worker in self._watch.workers:
            now = worker.clock.city(worker.clock.wall())
            dues = [timer.due for tenure in worker.decider.tenures.values() for timer in tenure.soon.due(now)]
            name = (worker.decider.processor.name,)
            overdue.add_metric(name, len(dues))
            late.add_metric(name, (now - min(dues, default=now)).total_seconds())
        yield from (overdue, late)

    def _of_places(self) -> Iterator[Metric]:
        lag, still = _gauge(LAG), _gauge(STILL)
        seconds = self._watch.standing()
        for sight in self._watch.sights:
            labels = (sight.processor, sight.topic, str(sight.partition))
            lag.add_metric(labels, sight.lag)
            still.add_metric(labels, seconds.get(sight.place, 0.0))
        yield from (lag, still)


def _gauge(one: Figure) -> GaugeMetricFamily:
    return GaugeMetricFamily(one.name, one.meaning, labels=one.labels)


def _count(one: Figure) -> CounterMetricFamily:
    return CounterMetricFamily(one.name, one.meaning, labels=one.labels)


class MeteredJournal:
    """A journal whose transactions are measured and logged, one line for each batch."""

    def __init__(self, journal: Journal, processor: str, meters: Meters) -> None:
        self._journal = journal
        self._processor = processor
        self._log = logger().bind(processor=processor)
        self._batch = meters.batch.labels(processor)
        self._commit = meters.commit.labels(processor)
        self._events = meters.events.labels(processor)
        self._parked = meters.parked.labels(processor)
        self._dead = meters.dead.labels(processor)
        self._fenced = meters.fenced.labels(processor)
        self._claimed = meters.claimed.labels(processor)
        self._timers = meters.timers.labels(processor)
        self.delivers = journal.delivers

    async def commit(self, moves: Sequence[Move]) -> frozenset[int]:
        start = time.perf_counter()
        try:
            fenced = await self._journal.commit(moves)
        except Exception as error:
            self._log.warning(
                BATCH_IN_DOUBT, partitions=len(moves), reason=f"{type(error).__name__}: {error}"
            )
            raise
        seconds = time.perf_counter() - start
        self._measure([move for move in moves if move.cursor.partition not in fenced], seconds)
        if fenced:
            self._fenced.inc(len(fenced))
            self._log.warning(PARTITIONS_FENCED, partitions=sorted(fenced))
        return fenced

    def _measure(self, moves: Sequence[Move], seconds: float) -> None:
        events = sum(len(move.records) for move in moves)
        causes = {id(record.cause): record.cause for move in moves for record in move.records}
        inputs = len(causes)
        self._commit.observe(seconds)
        if not any(move.records or move.held for move in moves):
            return
        self._batch.observe(inputs)
        self._events.inc(events)
        self._timers.inc(sum(cause.via is Via.TIMER for cause in causes.values()))
        self._log.info(
            BATCH_COMMITTED,
            partitions=len(moves),
            inputs=inputs,
            events=events,
            milliseconds=round(seconds * 1000, 1),
        )
        for move in moves:
            for held in move.held:
                parked = held.kind is HeldKind.PARKED
                (self._parked if parked else self._dead).inc()
                event = STREAM_PARKED if parked else LETTER_DEAD
                self._log.warning(event, stream=held.stream, type=held.type, reason=held.reason)

    async def claim(self, partitions: Collection[int]) -> Sequence[Claim]:
        claims = await self._journal.claim(partitions)
        self._claimed.inc(len(claims))
        self._log.info(
            PARTITIONS_CLAIMED, partitions=len(partitions), unsent=sum(len(claim.records) for claim in claims)
        )
        return claims

    async def due(self, until: Mapping[int, datetime], limit: int) -> Sequence[StoredTimer]:
        return await self._journal.due(until, limit)

    async def histories(
        self, streams: Mapping[int, Collection[str]], fold: str
    ) -> Mapping[tuple[int, str], History]:
        return await self._journal.histories(streams, fold)

    async def ordered(self, partitions: Collection[int], limit: int) -> Sequence[Held]:
        return await self._journal.ordered(partitions, limit)

    async def order(self, held: Collection[tuple[int, int]]) -> int:
        return await self._journal.order(held)

    def held(self, stream: str | None = None) -> AsyncIterator[Held]:
        return self._journal.held(stream)

    def records(self, partition: int, after: int = 0) -> AsyncIterator[Record]:
        return self._journal.records(partition, after)

    async def next_due(self) -> datetime | None:
        return await self._journal.next_due()
