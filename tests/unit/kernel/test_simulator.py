"""Bugs of the kernel that the simulator found, each in its smallest form."""

from datetime import timedelta
from itertools import count

from kernel.hosts.simulator.world import CHAOS
from kernel.pace import Pace
from kernel.partition import partition_of
from kernel.worker import Worker
from tests.simulator.matrix import run
from tests.unit.kernel.counting import COUNTING
from tests.unit.kernel.workbench import Workbench, finish


def settle(worker: Worker) -> None:
    for _ in range(6):
        while finish(worker.turn()):
            pass


def keys(partition: int, number: int) -> list[str]:
    found = (f"s{number}" for number in count() if partition_of(f"s{number}", 2) == partition)
    return [next(found) for _ in range(number)]


def test_one_number_gives_one_story() -> None:
    told = run(3, CHAOS.name, traced=True)
    assert told.counts == run(3, CHAOS.name).counts
    assert any("take " in line for line in told.trace)


def test_due_timers_of_a_partition_with_unread_records_hold_up_no_other() -> None:
    """They may not fire yet, filled the list of due ones, and the message that waited for them kept the next
    fetch away for ever."""
    bench = Workbench(COUNTING)
    for key in keys(1, 3):
        bench.send(key, leaves=2)
    settle(bench.worker(0, 1))
    bench.later(minutes=5)
    first, unread = keys(0, 1)[0], keys(1, 4)[3]
    bench.send(first)
    bench.send(unread)
    settle(bench.worker(0, 1, pace=Pace(margin_seconds=0, batch=1, timers=2)))
    assert {f"{first}/1", f"{unread}/1"} <= set(bench.rows())


def test_what_another_owner_parked_after_our_claim_is_left_to_it() -> None:
    """A tick reads orders for held messages that came after the claim: that is no exception, it is fenced."""
    bench = Workbench(COUNTING)
    bench.send("a")
    zombie = bench.worker(0, 1)
    settle(zombie)
    bench.send("a", reason="bug")
    settle(bench.worker(0, 1))
    held = [
        (partition, number) for partition, shelf in bench.journal.shelves.items() for number in shelf.held
    ]
    finish(bench.journal.order(held))
    zombie._ticked = None
    finish(zombie._commit(finish(zombie._draft(finish(zombie._ask(()))))))
    assert partition_of("a", 2) not in zombie.decider.tenures


def test_an_idle_owner_fences_what_was_on_its_way_before_its_claim() -> None:
    """A commit that lands behind a plain claim would be published by nobody, if it leaves nothing to read."""
    bench = Workbench(COUNTING)
    zombie = bench.worker(0, 1)
    finish(zombie.turn())
    settle(bench.worker(0, 1))
    bench.send("a")
    settle(zombie)
    assert bench.rows() == []


def test_a_clock_set_back_orphans_no_fenced_partition() -> None:
    """The pause after a fence was counted by a clock that was hours ahead."""
    bench = Workbench(COUNTING)
    partition = partition_of("a", 2)
    worker = bench.worker(0, 1)
    settle(worker)
    worker.decider.forget([partition])
    worker._again[partition] = (1, bench.clock.wall() + timedelta(hours=5))
    bench.send("a")
    settle(worker)
    assert bench.rows() == ["a/1"]


def test_a_record_that_ages_out_during_a_claim_is_not_lost() -> None:
    bench = Workbench(COUNTING)
    bench.send("a")
    settle(bench.worker(0, 1))
    (target,) = bench.broker.records
    worker = bench.worker(0, 1)
    look = worker.log.look

    async def look_and_age(*where: object) -> object:
        found = await look(*where)  # type: ignore[arg-type]
        bench.broker.expire(target, 1)
        return found

    worker.log.look = look_and_age  # type: ignore[method-assign, assignment]
    settle(worker)
    bench.send("a")
    settle(worker)
    assert bench.rows() == ["a/1", "a/2"]
