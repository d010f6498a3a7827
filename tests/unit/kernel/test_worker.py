"""One worker over the memory ports: what is taken, what is dropped, what is set aside."""

import asyncio
from collections.abc import Collection
from copy import deepcopy
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from kernel.errors import PortsFailed, UnsoundInbox, WildStamp
from kernel.pace import Pace
from kernel.processor import CancelTimer
from kernel.worker import Worker
from schemas.topics import CASE_EVENTS
from tests.unit.kernel.counting import COUNTING
from tests.unit.kernel.workbench import START, Workbench, finish


@pytest.fixture
def bench() -> Workbench:
    return Workbench(COUNTING)


def settle(worker: Worker) -> None:
    for _ in range(6):
        while finish(worker.turn()):
            pass


def test_messages_of_one_stream_become_dense_versions(bench: Workbench) -> None:
    for _ in range(3):
        bench.send("a")
    settle(bench.worker(0, 1))
    assert bench.rows() == ["a/1", "a/2", "a/3"]


def test_a_turn_that_claims_is_not_idle_for_what_it_claimed_is_still_unread(bench: Workbench) -> None:
    bench.send("a")
    worker = bench.worker(0, 1)
    assert finish(worker.turn())
    assert bench.rows() == []
    assert finish(worker.turn())
    assert bench.rows() == ["a/1"]
    assert not finish(worker.turn())


def test_a_copy_is_dropped_and_an_early_one_too(bench: Workbench) -> None:
    bench.send("a", k=1)
    bench.send("a", k=1)
    bench.send("a", k=3)
    bench.send("a", k=2)
    bench.send("a", k=3)
    worker = bench.worker(0, 1)
    settle(worker)
    assert bench.rows() == ["a/1", "a/2", "a/3"]
    assert worker.decider.early == 1


def test_what_leaves_is_numbered_for_its_target(bench: Workbench) -> None:
    bench.send("a", leaves=1)
    bench.send("a", leaves=1)
    settle(bench.worker(0, 1))
    assert bench.sent() == [1, 2]


def test_a_new_worker_goes_on_where_the_old_one_committed(bench: Workbench) -> None:
    bench.send("a", leaves=1)
    settle(bench.worker(0, 1))
    bench.send("a", leaves=1)
    settle(bench.worker(0, 1))
    assert bench.rows() == ["a/1", "a/2"]
    assert bench.sent() == [1, 2]


def test_a_zombie_is_fenced_and_writes_nothing(bench: Workbench) -> None:
    bench.send("a")
    zombie, owner = bench.worker(0, 1), bench.worker(0, 1)
    finish(zombie.turn())
    bench.send("a")
    settle(owner)
    bench.send("a")
    settle(zombie)
    settle(owner)
    assert bench.rows() == ["a/1", "a/2", "a/3"]


def test_a_bug_parks_its_stream_and_others_go_on(bench: Workbench) -> None:
    bench.send("a", reason="bug")
    bench.send("a")
    bench.send("b")
    settle(bench.worker(0, 1))
    assert bench.rows() == ["b/1"]
    held = [held for shelf in bench.journal.shelves.values() for held in shelf.held.values()]
    assert [(one.kind, one.stream, one.reason) for one in held] == [
        ("parked", "a", "ZeroDivisionError: planted"),
        ("parked", "a", "behind a parked message"),
    ]


def test_no_event_at_all_is_a_bug_too(bench: Workbench) -> None:
    bench.send("a", reason="none")
    settle(bench.worker(0, 1))
    assert bench.rows() == []
    assert len([held for shelf in bench.journal.shelves.values() for held in shelf.held.values()]) == 1


def test_unparked_messages_are_taken_up_in_order_before_new_ones(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.send("a", reason="bug")
    bench.send("a", leaves=1)
    worker = bench.worker(0, 1)
    settle(worker)
    ids = [(partition, number) for partition, shelf in bench.journal.shelves.items() for number in shelf.held]
    finish(bench.journal.order(ids))
    settle(worker)
    assert bench.rows() == []
    finish(bench.journal.order(ids))
    fixed = COUNTING.decide
    object.__setattr__(
        COUNTING,
        "decide",
        lambda state, message, context: fixed(
            state, type(message)(edition=message.edition, partitions=message.partitions), context
        ),
    )
    try:
        settle(worker)
        bench.send("a")
        settle(worker)
    finally:
        object.__setattr__(COUNTING, "decide", fixed)
    assert bench.rows() == ["a/1", "a/2", "a/3"]
    assert not any(shelf.held for shelf in bench.journal.shelves.values())


def test_a_timer_fires_on_a_tick_once_it_is_due(bench: Workbench) -> None:
    bench.send("a", leaves=2)
    worker = bench.worker(0, 1)
    settle(worker)
    bench.later(seconds=59)
    settle(worker)
    assert bench.rows() == ["a/1"]
    bench.later(seconds=1)
    settle(worker)
    assert bench.rows() == ["a/1", "a/2"]


def test_a_worker_whose_clock_is_wrong_fires_no_timer_on_a_tick(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.send("a", leaves=2)
    worker = bench.worker(0, 1, pace=Pace(margin_seconds=5))
    settle(worker)
    bench.later(minutes=5)
    monkeypatch.setattr(worker.log, "drift", lambda: 6.0)
    settle(worker)
    assert bench.rows() == ["a/1"]
    monkeypatch.setattr(worker.log, "drift", lambda: 4.0)
    settle(worker)
    assert bench.rows() == ["a/1", "a/2"]


def test_an_idle_worker_asks_for_orders_now_and_then_and_for_timers_when_they_are_due(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it need not ask for costs an idle worker nothing; a clock set back puts no question off."""
    bench.send("a", leaves=2)
    worker = bench.worker(0, 1, pace=Pace(margin_seconds=0, look_seconds=10))
    settle(worker)
    asked: list[Any] = []
    ordered = bench.journal.ordered

    async def asking(partitions: Collection[int], limit: int) -> Any:
        asked.append(partitions)
        return await ordered(partitions, limit)

    monkeypatch.setattr(bench.journal, "ordered", asking)
    for _ in range(9):
        bench.later(seconds=1)
        finish(worker.turn())
    assert not asked
    bench.later(seconds=1)
    finish(worker.turn())
    assert len(asked) == 1
    monkeypatch.setattr(bench.clock, "_now", START)
    finish(worker.turn())
    assert len(asked) == 2
    bench.later(seconds=60)
    finish(worker.turn())
    assert bench.rows() == ["a/1", "a/2"]


def test_a_timer_fires_before_the_message_that_comes_after_it(bench: Workbench) -> None:
    bench.send("a", leaves=2)
    worker = bench.worker(0, 1)
    settle(worker)
    bench.later(minutes=5)
    bench.send("b")
    bench.send("a")
    settle(worker)
    shelf = next(
        shelf for shelf in bench.journal.shelves.values() if shelf.rows and shelf.rows[0].stream == "a"
    )
    causes = [(row.cause.via, row.now.minute) for row in shelf.rows if row.stream == "a"]
    assert causes == [("message", 0), ("timer", 1), ("message", 5)]


def test_a_dead_letter_blocks_nothing_and_can_be_redriven(bench: Workbench) -> None:
    bench.send("a", leaves=3)
    bench.send("a")
    worker = bench.worker(0, 1)
    settle(worker)
    held = [held for shelf in bench.journal.shelves.values() for held in shelf.held.values()]
    assert [(one.kind, one.reason) for one in held] == [("dead", "three")]
    assert bench.rows() == ["a/1", "a/2"]


def test_a_lost_fetch_is_read_again(bench: Workbench) -> None:
    worker = bench.worker(0, 1)
    bench.send("a")
    finish(worker.turn())
    finish(worker.log.fetch(10))
    bench.send("a")
    settle(worker)
    assert bench.rows() == ["a/1", "a/2"]


def test_a_log_that_lost_what_was_unread_is_refused(bench: Workbench) -> None:
    for _ in range(4):
        bench.send("a")
    (target,) = bench.broker.records
    bench.broker.expire(target, 2)
    with pytest.raises(UnsoundInbox, match="inbox_lost"):
        settle(bench.worker(0, 1))


def test_of_an_older_journal_with_an_aged_inbox_its_age_is_told() -> None:
    bench = Workbench(replace(COUNTING, events=CASE_EVENTS), partitions=1)
    bench.send("a")
    (target,) = bench.broker.records
    settle(bench.worker(0))
    older = deepcopy(bench.journal.shelves)
    for _ in range(3):
        bench.send("a")
    settle(bench.worker(0))
    bench.journal.shelves = older
    bench.broker.expire(target, 3)
    with pytest.raises(UnsoundInbox, match="journal_restored"):
        settle(bench.worker(0))


def test_a_cut_log_is_refused_under_a_live_worker(bench: Workbench) -> None:
    bench.send("a")
    worker = bench.worker(0, 1)
    settle(worker)
    (target,) = bench.broker.records
    bench.broker.cut(target, 0)
    with pytest.raises(UnsoundInbox, match="inbox_cut"):
        settle(worker)


def test_a_record_from_the_future_ends_the_worker(bench: Workbench) -> None:
    bench.send("a")
    records = next(iter(bench.broker.records.values()))
    records[0] = records[0]._replace(appended=records[0].appended.replace(year=2027))
    with pytest.raises(WildStamp):
        settle(bench.worker(*range(2)))


def test_long_streams_get_a_snapshot_of_a_committed_version(bench: Workbench) -> None:
    worker = bench.worker(0, 1)
    for _ in range(7):
        bench.send("a")
        settle(worker)
    snapshots = [
        snapshot for shelf in bench.journal.shelves.values() for snapshot in shelf.snapshots.values()
    ]
    assert [(snapshot.stream, snapshot.version) for snapshot in snapshots] == [("a", 5)]
    fresh = bench.worker(0, 1)
    bench.send("a")
    settle(fresh)
    assert bench.rows()[-1] == "a/8"


def test_a_hole_that_stays_is_refused_and_not_read_for_ever(bench: Workbench) -> None:
    for _ in range(3):
        bench.send("a")
    (target,) = bench.broker.records
    worker = bench.worker(0, 1)
    records = bench.broker.records[target]
    records[1] = records[2]
    with pytest.raises(UnsoundInbox, match="inbox_hole"):
        settle(worker)


def test_a_turn_that_failed_leaves_nothing_in_memory(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.send("a")
    worker = bench.worker(0, 1)
    finish(worker.turn())
    with monkeypatch.context() as patch:
        patch.setattr(bench.journal, "commit", _failing("locked"))
        with pytest.raises(OSError, match="locked"):
            finish(worker.turn())
    settle(worker)
    assert bench.rows() == ["a/1"]


def test_a_turn_that_was_cancelled_in_its_commit_leaves_nothing_in_memory(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.send("a", leaves=1)
    worker = bench.worker(0, 1)
    finish(worker.turn())
    apply = bench.journal.apply

    async def cancelled(moves: Any) -> frozenset[int]:
        apply(moves)
        raise asyncio.CancelledError

    with monkeypatch.context() as patch:
        patch.setattr(bench.journal, "commit", cancelled)
        with pytest.raises(asyncio.CancelledError):
            finish(worker.turn())
    assert not worker.decider.tenures
    bench.send("a", leaves=1)
    settle(worker)
    assert (bench.rows(), bench.sent()) == (["a/1", "a/2"], [1, 2])


def test_a_commit_that_always_fails_ends_the_worker(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.send("a")
    worker = bench.worker(0, 1)
    monkeypatch.setattr(bench.journal, "commit", _failing("disk full"))
    turns = count(1)
    with pytest.raises(PortsFailed, match="disk full"):
        finish(worker.run(lambda: next(turns) > 100))


class Planted:
    """Counting whose `broken` inputs fail until they are mended; 4 partitions cancel the timer."""

    def __init__(self) -> None:
        self.broken = {4}
        self.processor = replace(COUNTING, decide=self._decide, react=self._react)

    def _decide(self, state: Any, message: Any, context: Any) -> Any:
        if message.partitions in self.broken:
            raise ZeroDivisionError("planted")
        return COUNTING.decide(state, message, context)

    def _react(self, event: Any, envelope: Any) -> Any:
        return [CancelTimer("later")] if event.partitions == 4 else COUNTING.react(event, envelope)


def _ordered(bench: Workbench) -> int:
    """Order all that is held to be taken up."""
    ids = [(partition, number) for partition, shelf in bench.journal.shelves.items() for number in shelf.held]
    return finish(bench.journal.order(ids))


@pytest.mark.parametrize("batch", [1, 2, 1000])
def test_a_held_timer_that_what_was_taken_up_before_it_cancels_does_not_fire(
    bench: Workbench, batch: int
) -> None:
    planted = Planted()
    bench.processor = planted.processor
    bench.send("a", leaves=2)
    bench.send("a", leaves=4)
    worker = bench.worker(0, 1, pace=Pace(margin_seconds=0, batch=batch))
    settle(worker)
    bench.later(minutes=2)
    settle(worker)
    planted.broken.clear()
    assert _ordered(bench) == 2
    settle(worker)
    assert bench.rows() == ["a/1", "a/2"]
    assert not any(shelf.held for shelf in bench.journal.shelves.values())
    bench.send("a")
    settle(worker)
    assert bench.rows() == ["a/1", "a/2", "a/3"]


@pytest.mark.parametrize("batch", [1, 1000])
def test_a_held_timer_that_what_was_taken_up_before_it_sets_anew_fires_once(
    bench: Workbench, batch: int
) -> None:
    planted = Planted()
    bench.processor = planted.processor
    bench.send("a", leaves=2)
    bench.send("a", leaves=4)
    bench.send("a", leaves=2)
    worker = bench.worker(0, 1, pace=Pace(margin_seconds=0, batch=batch))
    settle(worker)
    bench.later(seconds=90)
    settle(worker)
    planted.broken.clear()
    assert _ordered(bench) == 3
    settle(worker)
    assert bench.rows() == ["a/1", "a/2", "a/3"]
    bench.later(minutes=1)
    settle(worker)
    assert bench.rows() == ["a/1", "a/2", "a/3", "a/4"]


def test_another_owner_knows_what_cancelled_a_held_timer_too(bench: Workbench) -> None:
    planted = Planted()
    bench.processor = planted.processor
    bench.send("a", leaves=2)
    bench.send("a", leaves=4)
    worker = bench.worker(0, 1, pace=Pace(margin_seconds=0, batch=1))
    settle(worker)
    bench.later(minutes=2)
    settle(worker)
    planted.broken.clear()
    assert _ordered(bench) == 2
    while bench.rows() != ["a/1", "a/2"]:
        finish(worker.turn())
    settle(bench.worker(0, 1))
    assert bench.rows() == ["a/1", "a/2"]
    assert not any(shelf.held for shelf in bench.journal.shelves.values())


@pytest.mark.parametrize("batch", [1, 1000])
def test_a_held_timer_that_nobody_cancels_fires(bench: Workbench, batch: int) -> None:
    planted = Planted()
    bench.processor = planted.processor
    planted.broken.add(0)
    bench.send("a", leaves=2)
    bench.send("a")
    worker = bench.worker(0, 1, pace=Pace(margin_seconds=0, batch=batch))
    settle(worker)
    bench.later(minutes=2)
    settle(worker)
    planted.broken.clear()
    assert _ordered(bench) == 2
    settle(worker)
    assert bench.rows() == ["a/1", "a/2", "a/3"]


def _failing(reason: str) -> Any:
    async def commit(moves: Any) -> frozenset[int]:
        raise OSError(reason)

    return commit
