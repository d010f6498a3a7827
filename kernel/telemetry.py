"""What operators see: log lines with fixed event names, metrics, and traces in the W3C form.

One line for each batch, none for each message. Nothing here decides: a journal is wrapped, a worker is
looked at when somebody asks.
"""

import logging
import re
import sys
import time
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final, TextIO, cast

import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from kernel.journal import Claim, Held, HeldKind, History, Journal, Move, Record, StoredTimer
from kernel.worker import Worker

BATCH_COMMITTED: Final = "batch_committed"
BATCH_IN_DOUBT: Final = "batch_in_doubt"
PARTITIONS_CLAIMED: Final = "partitions_claimed"
PARTITIONS_FENCED: Final = "partitions_fenced"
STREAM_PARKED: Final = "stream_parked"
LETTER_DEAD: Final = "letter_dead"
CITY_OPENED: Final = "city_opened"
CITY_STOPPED: Final = "city_stopped"
WORKER_FAILED: Final = "worker_failed"
EDGE_REFUSED: Final = "edge_refused"
TARGET_FAILED: Final = "target_failed"
ROWS_PRUNED: Final = "rows_pruned"
PRUNING_FAILED: Final = "pruning_failed"
OPEN_TOPIC_LOST: Final = "open_topic_lost"
OPEN_TOPIC_MISSING: Final = "open_topic_missing"
EVENTS: Final = (
    BATCH_COMMITTED, BATCH_IN_DOUBT, PARTITIONS_CLAIMED, PARTITIONS_FENCED, STREAM_PARKED, LETTER_DEAD,
    CITY_OPENED, CITY_STOPPED, WORKER_FAILED, EDGE_REFUSED, TARGET_FAILED, ROWS_PRUNED, PRUNING_FAILED,
    OPEN_TOPIC_LOST, OPEN_TOPIC_MISSING,
)  # fmt: skip
"""Every event that is ever logged; a dashboard may rely on the names."""

_TRACE: Final = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_SIZES: Final = (1, 3, 10, 30, 100, 300, 1000, 3000, 10_000)
_SECONDS: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)


def configure(log_format: str, level: str, stream: TextIO | None = None) -> None:
    """Log to stderr, as JSON for machines or in columns for people. Called once, by the composition root."""
    console = log_format == "console"
    target = stream or sys.stderr
    renderer = (
        structlog.dev.ConsoleRenderer(colors=target.isatty())
        if console
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(target),
        cache_logger_on_first_use=False,
    )


def logger() -> structlog.typing.FilteringBoundLogger:
    """The logger; its first argument is one of `EVENTS`, everything else a named fact."""
    return cast("structlog.typing.FilteringBoundLogger", structlog.get_logger())


def trace_of(header: str, spare: str) -> str:
    """A traceparent from outside if it is one, else `spare`, our own."""
    return header if _TRACE.fullmatch(header) else spare


def traceparent(trace_id: bytes, span_id: bytes) -> str:
    """A sampled W3C traceparent of sixteen and eight bytes."""
    return f"00-{trace_id.hex():0>32}-{span_id.hex():0>16}-01"


class Meters:
    """The metrics of one process, each by processor."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        by = ("processor",)
        self.batch = Histogram(
            "gridcase_batch_inputs", "Inputs in one transaction", by, buckets=_SIZES, registry=self.registry
        )
        self.commit = Histogram(
            "gridcase_commit_seconds", "Time of one transaction", by, buckets=_SECONDS, registry=self.registry
        )
        self.events = Counter("gridcase_events", "Events written", by, registry=self.registry)
        self.parked = Counter(
            "gridcase_messages_parked", "Messages parked behind a bug", by, registry=self.registry
        )
        self.dead = Counter("gridcase_letters_dead", "Dead letters", by, registry=self.registry)
        self.fenced = Counter(
            "gridcase_partitions_fenced", "Partitions lost to another owner", by, registry=self.registry
        )
        self.timers = Counter("gridcase_timers_due", "Timers found due", by, registry=self.registry)

    def watch(self, workers: Sequence[Worker]) -> None:
        """Show what workers hold: read when somebody asks, at no cost before."""
        self.registry.register(_Workers(workers))

    def text(self) -> bytes:
        """All metrics in Prometheus' text form."""
        return generate_latest(self.registry)


class _Workers(Collector):
    def __init__(self, workers: Sequence[Worker]) -> None:
        self._workers = workers

    def collect(self) -> Iterator[Metric]:
        handled = CounterMetricFamily(
            "gridcase_handled", "Rows written by this worker", labels=("processor",)
        )
        early = CounterMetricFamily(
            "gridcase_early", "Messages that came before their turn", labels=("processor",)
        )
        streams = GaugeMetricFamily(
            "gridcase_parked_streams", "Streams that are parked", labels=("processor",)
        )
        owned = GaugeMetricFamily("gridcase_partitions", "Partitions owned", labels=("processor",))
        failures = GaugeMetricFamily(
            "gridcase_failures", "Failures of a port in a row", labels=("processor",)
        )
        for worker in self._workers:
            name, tenures = (worker.decider.processor.name,), worker.decider.tenures.values()
            handled.add_metric(name, worker.handled)
            early.add_metric(name, worker.decider.early)
            streams.add_metric(name, sum(len(tenure.parked) for tenure in tenures))
            owned.add_metric(name, len(tenures))
            failures.add_metric(name, worker.failures)
        yield from (handled, early, streams, owned, failures)


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
        inputs = len({id(record.cause) for move in moves for record in move.records})
        self._commit.observe(seconds)
        if not any(move.records or move.held for move in moves):
            return
        self._batch.observe(inputs)
        self._events.inc(events)
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
        self._log.info(
            PARTITIONS_CLAIMED, partitions=len(partitions), unsent=sum(len(claim.records) for claim in claims)
        )
        return claims

    async def due(self, until: Mapping[int, datetime], limit: int) -> Sequence[StoredTimer]:
        found = await self._journal.due(until, limit)
        if found:
            self._timers.inc(len(found))
        return found

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
