"""A worker over the memory ports, measured: the figures are those of its history."""

import json
from collections.abc import Collection, Iterator, Mapping
from io import StringIO
from typing import Any

import pytest
import structlog

from kernel import telemetry
from kernel.batch import Batch
from kernel.log import Target
from kernel.meters import FIGURES, MeteredJournal, Meters
from kernel.partition import partition_of
from kernel.stall import Patience
from kernel.telemetry import configure, trace_of, traceparent
from kernel.watching import Watch
from kernel.worker import Worker
from tests.unit.kernel.counting import COUNTING
from tests.unit.kernel.workbench import Workbench, finish

OURS = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"


@pytest.fixture
def lines() -> Iterator[StringIO]:
    stream = StringIO()
    configure("json", "info", stream)
    yield stream
    structlog.reset_defaults()


def watched(bench: Workbench, meters: Meters) -> tuple[Worker, Watch]:
    worker = bench.worker(0, 1)
    worker.journal = MeteredJournal(bench.journal, COUNTING.name, meters)

    async def ends(targets: Collection[Target]) -> Mapping[Target, int]:
        return {target: bench.broker.end(target) for target in targets}

    async def answer() -> None:
        return None

    watch = Watch([worker], ends, answer, Patience())
    meters.show(watch)
    return worker, watch


def work(worker: Worker) -> None:
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
    work(watched(bench, meters)[0])
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
        'gridcase_partitions_claimed_total{processor="registry.rules"} 2.0',
        'gridcase_timers_fired_total{processor="registry.rules"} 0.0',
        'gridcase_unsent{processor="registry.rules"} 0.0',
        "process_resident_memory_bytes",
    ):
        assert figure in text


async def test_lag_is_told_from_what_is_on_record() -> None:
    """A batch that is decided and not committed is still before the cursor."""
    bench, meters = Workbench(COUNTING), Meters()
    worker, watch = watched(bench, meters)
    work(worker)
    for _ in range(3):
        bench.send("a")
    await watch.look()
    partition = partition_of("a", 2)
    lag = 'gridcase_lag{partition="%d",processor="registry.rules",topic="registry.commands"} %d.0'
    assert lag % (partition, 3) in meters.text().decode()
    (tenure,) = [tenure for number, tenure in worker.decider.tenures.items() if number == partition]
    tenure.states["a"] = (COUNTING.initial, 0)
    worker.decider.draft(Batch(messages=await worker.log.fetch(10)))
    assert (tenure.reach, tenure.stored) == ({"registry.commands": 3}, {})
    await watch.look()
    assert lag % (partition, 3) in meters.text().decode()
    worker.decider.forget([partition])
    work(worker)
    await watch.look()
    assert lag % (partition, 0) in meters.text().decode()


def test_timers_that_fire_and_that_are_late() -> None:
    bench, meters = Workbench(COUNTING), Meters()
    worker, _ = watched(bench, meters)
    bench.send("a", leaves=2)
    work(worker)
    bench.later(seconds=55)
    work(worker)
    bench.later(seconds=8)
    name = '{processor="registry.rules"}'
    text = meters.text().decode()
    assert f"gridcase_timers_overdue{name} 1.0" in text
    assert f"gridcase_timers_overdue_seconds{name} 3.0" in text
    work(worker)
    text = meters.text().decode()
    assert f"gridcase_timers_overdue{name} 0.0" in text
    assert f"gridcase_timers_fired_total{name} 1.0" in text


def test_every_metric_that_is_shown_is_declared() -> None:
    bench, meters = Workbench(COUNTING), Meters()
    work(watched(bench, meters)[0])
    families = [family for family in meters.registry.collect() if not family.name.startswith("process_")]
    assert {(one.name, one.type) for one in families} == {(one.name, one.kind) for one in FIGURES}
    assert all(family.documentation for family in families)


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
