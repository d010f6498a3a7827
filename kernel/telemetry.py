"""What operators see: log lines with fixed event names, and traces in the W3C form.

One line for each batch, none for each message. Nothing here decides.
"""

import logging
import re
import sys
from typing import Final, TextIO, cast

import structlog

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
WORKER_STALLED: Final = "worker_stalled"
WORKER_WAITS: Final = "worker_waits"
WORKER_LATE: Final = "worker_late"
PROCESS_ENDED: Final = "process_ended"
EVENTS: Final = (
    BATCH_COMMITTED, BATCH_IN_DOUBT, PARTITIONS_CLAIMED, PARTITIONS_FENCED, STREAM_PARKED, LETTER_DEAD,
    CITY_OPENED, CITY_STOPPED, WORKER_FAILED, EDGE_REFUSED, TARGET_FAILED, ROWS_PRUNED, PRUNING_FAILED,
    WORKER_STALLED, WORKER_WAITS, WORKER_LATE, PROCESS_ENDED,
    OPEN_TOPIC_LOST, OPEN_TOPIC_MISSING,
)  # fmt: skip
"""Every event that is ever logged; a dashboard may rely on the names."""

_TRACE: Final = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


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
