"""What a log has lost is told from the journals, and sent again until its receiver has it."""

import pytest

from kernel.errors import UnsoundInbox
from kernel.hosts.mending import Cursors, lost, misfits, refit, republish
from kernel.hosts.replay import Histories, Traffic, traffic
from kernel.processor import Processor
from schemas.registry import PublishEdition
from schemas.topics import CASE_COMMANDS
from tests.unit.kernel.counting import COUNTING, Count, decide, evolve
from tests.unit.kernel.workbench import Workbench, finish

TARGET = "case.commands"
RECEIVER = Processor(
    name="router.case",
    inbox=(CASE_COMMANDS,),
    handles=(PublishEdition,),
    initial=Count(),
    decide=decide,
    evolve=evolve,
    react=lambda _event, _envelope: (),
)


class Pair:
    """A sender and its receiver over one broker, with one partition."""

    def __init__(self) -> None:
        self.sender = Workbench(COUNTING, partitions=1)
        self.receiver = Workbench(RECEIVER, partitions=1)
        self.receiver.broker = self.sender.broker
        self.workers = (self.sender.worker(0), self.receiver.worker(0))

    def settle(self) -> None:
        for worker in self.workers * 4:
            while finish(worker.turn()):
                pass

    def send_on(self) -> None:
        """The sender decides what came, and its next turn sends what left."""
        for _ in range(2):
            finish(self.workers[0].turn())

    def state(self) -> tuple[Cursors, Histories, Traffic]:
        journals = {COUNTING.name: self.sender.journal, RECEIVER.name: self.receiver.journal}
        cursors = {name: {0: journal.cursor(0)} for name, journal in journals.items()}
        histories = {name: {0: journal.shelves[0].rows} for name, journal in journals.items()}
        return cursors, histories, traffic([COUNTING, RECEIVER], histories, 1, {})


def test_messages_lost_before_they_were_read_are_sent_again_with_all_behind_them() -> None:
    pair = Pair()
    pair.sender.send("a", leaves=1)
    pair.settle()
    for _ in range(3):
        pair.sender.send("a", leaves=1)
    pair.send_on()
    pair.sender.broker.cut((TARGET, 0), 2)
    cursors, _, sent = pair.state()
    found = finish(lost([COUNTING, RECEIVER], cursors, sent, pair.workers[0].log))
    assert [message.k for message in found] == [3, 4]
    assert finish(republish(found, pair.workers[0].log)) == 2
    pair.settle()
    assert pair.receiver.rows() == ["next/1", "next/2", "next/3", "next/4"]


def test_nothing_is_lost_where_everything_was_read_or_still_lies_there() -> None:
    pair = Pair()
    pair.sender.send("a", leaves=1)
    pair.settle()
    pair.sender.send("a", leaves=1)
    pair.send_on()
    cursors, histories, sent = pair.state()
    assert finish(lost([COUNTING, RECEIVER], cursors, sent, pair.workers[0].log)) == []
    assert misfits([RECEIVER], cursors, histories, sent) == []


def test_a_sender_older_than_its_receiver_has_seen_contradicts_it() -> None:
    pair = Pair()
    for _ in range(2):
        pair.sender.send("a", leaves=1)
    pair.settle()
    cursors, histories, _ = pair.state()
    older = {**histories, COUNTING.name: {0: histories[COUNTING.name][0][:1]}}
    found = misfits([RECEIVER], cursors, older, traffic([COUNTING, RECEIVER], older, 1, {}))
    assert [one.code for one in found] == ["rows_missing", "sender_restored"]


def test_a_reader_whose_topic_was_made_anew_begins_there_and_takes_each_message_once() -> None:
    pair = Pair()
    for _ in range(2):
        pair.sender.send("a", leaves=1)
    pair.settle()
    for _ in range(2):
        pair.sender.send("a", leaves=1)
    pair.send_on()
    pair.sender.broker.records[TARGET, 0].clear()
    pair.sender.send("a", leaves=1)
    pair.send_on()
    log = pair.workers[0].log
    fresh = pair.receiver.worker(0)
    with pytest.raises(UnsoundInbox, match="gridcase republish"):
        finish(fresh.turn())
    [gone] = finish(refit(RECEIVER, pair.receiver.journal, log, [0], b"new"))
    assert (gone.topic, gone.code) == (TARGET, "inbox_cut")
    cursors, _, sent = pair.state()
    found = finish(lost([COUNTING, RECEIVER], cursors, sent, log))
    assert [message.k for message in found] == [3, 4, 5], "5 stands there, and comes too early"
    finish(republish(found, log))
    pair.workers = (pair.workers[0], pair.receiver.worker(0))
    pair.settle()
    assert pair.receiver.rows() == [f"next/{number}" for number in range(1, 6)]
    cursors, _, sent = pair.state()
    assert finish(lost([COUNTING, RECEIVER], cursors, sent, log)) == []
    assert finish(refit(RECEIVER, pair.receiver.journal, log, [0], b"newer")) == []
