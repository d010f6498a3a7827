"""Replay sees what nobody may do to a record: decide an input twice, or ring a timer at another time."""

from datetime import timedelta

import msgspec

from kernel.hosts.replay import Replayer, Verdict, traffic
from kernel.journal import Record
from schemas.wire import trusted
from tests.unit.kernel.counting import COUNTING
from tests.unit.kernel.workbench import Workbench, finish


def lived(leaves: int) -> list[Record]:
    bench = Workbench(COUNTING, partitions=1)
    worker = bench.worker(0)
    bench.send("a", leaves=leaves)
    finish(worker.turn())
    bench.later(minutes=2)
    while finish(worker.turn()):
        pass
    return list(bench.journal.shelves[0].rows)


def verdict(rows: list[Record]) -> Verdict:
    histories = {COUNTING.name: {0: rows}}
    return Replayer(COUNTING, {}, traffic([COUNTING], histories, 1, {})).replay(histories[COUNTING.name])


def codes(found: Verdict) -> set[str]:
    return {difference.code for difference in found.differences}


def test_a_timer_that_rang_when_it_was_due_is_no_difference() -> None:
    rows = lived(leaves=2)
    assert [row.cause.via for row in rows] == ["message", "timer"]
    assert "due" not in codes(verdict(rows))


def test_a_timer_recorded_at_another_time_is_a_difference() -> None:
    first, rang = lived(leaves=2)
    late = rang.cause.received + timedelta(minutes=50)
    moved = msgspec.structs.replace(rang.cause, received=late)
    assert "due" in codes(verdict([first, rang._replace(cause=moved)]))


def test_one_input_decided_twice_is_a_difference() -> None:
    first, rang = lived(leaves=2)
    again = rang._replace(seq=3, version=3)
    assert trusted(again.body).frame.subject == "a"
    assert "twice" in codes(verdict([first, rang, again]))
