"""A worker over the memory ports, measured: the figures are those of its history."""

import json
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
import structlog

from kernel import telemetry
from kernel.telemetry import MeteredJournal, Meters, configure, trace_of, traceparent
from tests.unit.kernel.counting import COUNTING
from tests.unit.kernel.workbench import Workbench, finish

OURS = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"


@pytest.fixture
def lines() -> Iterator[StringIO]:
    stream = StringIO()
    configure("json", "info", stream)
    yield stream
    structlog.reset_defaults()


def work(bench: Workbench, meters: Meters) -> None:
    worker = bench.worker(0, 1)
    worker.journal = MeteredJournal(bench.journal, COUNTING.name, meters)
    meters.watch([worker])
    for _ in range(6):
        while finish(worker.turn()):
            pass


def logged(stream: StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_batch_is_one_line_and_some_figures(lines: StringIO) -> None:
    bench, meters = Workbench(COUNTING), Meters()
    for _ in range(3):
        bench.send("a")
    bench.send("a", leaves=3)
    bench.send("b", "bug")
    work(bench, meters)
    events = [line["event"] for line in logged(lines)]
    assert set(events) <= set(telemetry.EVENTS)
    assert events.count(telemetry.BATCH_COMMITTED) == 1
    assert events.count(telemetry.STREAM_PARKED) == 1
    assert events.count(telemetry.LETTER_DEAD) == 1
    text = meters.text().decode()
    for figure in (
        'gridcase_events_total{processor="registry.rules"} 4.0',
        'gridcase_batch_inputs_sum{processor="registry.rules"} 4.0',
        'gridcase_messages_parked_total{processor="registry.rules"} 1.0',
        'gridcase_letters_dead_total{processor="registry.rules"} 1.0',
        'gridcase_handled_total{processor="registry.rules"} 4.0',
        'gridcase_parked_streams{processor="registry.rules"} 1.0',
        'gridcase_early_total{processor="registry.rules"} 0.0',
        'gridcase_commit_seconds_count{processor="registry.rules"} 2.0',  # the second moves the watermark
    ):
        assert figure in text


def test_below_its_level_nothing_is_logged() -> None:
    stream = StringIO()
    configure("json", "warning", stream)
    telemetry.logger().info(telemetry.CITY_OPENED)
    assert not stream.getvalue()
    structlog.reset_defaults()


def test_a_trace_from_outside_is_taken_only_if_it_is_one() -> None:
    assert trace_of(OURS, "spare") == OURS
    for wrong in ("", "00-" + "0" * 32 + "-" + "b" * 16 + "-01", OURS.upper(), OURS + "x"):
        assert trace_of(wrong, "spare") == "spare"
    assert trace_of(traceparent(b"\x01" * 16, b"\x02" * 8), "") == "00-" + "01" * 16 + "-" + "02" * 8 + "-01"
