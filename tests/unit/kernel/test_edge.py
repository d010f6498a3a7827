"""One edge over the memory journal: doubt, side by side, dead letters that are redriven."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest

from kernel.clock import SteppedClock
from kernel.edge import Door, Edge, EdgeFenced, Submission
from kernel.hosts.member import Heirs
from kernel.journal import Held, Journal
from kernel.keyring import MemorySecrets
from kernel.letters import SEALED, Letters
from kernel.memory.journal import MemoryJournal
from kernel.memory.log import MemoryBroker, MemoryLog
from kernel.processor import Sender
from kernel.sql.journal import SqlJournal
from schemas.envelope import Envelope
from schemas.report import GridReport
from schemas.topics import INTAKE_REPORTS
from schemas.wire import TYPE_OF, encode
from tests.contract.stores import Hands, postgres_store
from tests.unit.kernel.workbench import NoEditions

START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
APP = Sender("source", "app")
PHONE = "13900001111"
LETTERS = Letters(MemorySecrets(), b"city")
DOOR = Door(INTAKE_REPORTS, lambda frame, _: f"{frame.source}/{frame.id}", frozenset({"source"}))


class Numbered(NoEditions):
    """As many editions as the test says."""

    def __init__(self, number: int = 1) -> None:
        self.number = number

    async def latest(self) -> int:
        return self.number


TOKENS = count(1)


def log(broker: MemoryBroker) -> MemoryLog:
    return MemoryLog(broker, (INTAKE_REPORTS.name,))


def edge(journal: Journal, editions: Numbered | None = None, instance: int = 0, **more: Any) -> Edge:
    return Edge(
        instance,
        {TYPE_OF[GridReport]: DOOR},
        journal,
        SteppedClock(START),
        editions or Numbered(),
        token=lambda: b"%d" % next(TOKENS),
        partitions=4,
        seal=lambda _, message: message,
        letters=LETTERS,
        **more,
    )


def report(id_: str, photos: int = 0) -> bytes:
    message = GridReport(channel="app", text="x", photos=("p" * 200,) * photos)
    envelope = Envelope(
        id=id_, source="app", type=TYPE_OF[GridReport], subject="report", time=START, data=message
    )
    return encode(envelope)


class Slow(MemoryJournal):
    """A commit that takes a while, as on a disk."""

    async def commit(self, moves: Sequence[Any]) -> frozenset[int]:
        await asyncio.sleep(0.01)
        return await super().commit(moves)


async def held(journal: MemoryJournal) -> list[Held]:
    return [one async for one in journal.held()]


async def redriven(journal: MemoryJournal, by: Edge) -> int:
    await journal.order([(one.partition, one.id) for one in await held(journal)])
    return await by.take_up()


async def test_dead_letters_are_taken_up_under_the_rules_of_now() -> None:
    journal, editions = MemoryJournal(), Numbered(0)
    await edge(journal, editions).accept([Submission(APP, report("a"))])
    editions.number = 7
    assert await redriven(journal, edge(journal, editions)) == 1
    assert [row.rules for row in journal.shelves[0].rows] == [7]
    assert await held(journal) == []


async def test_a_refused_message_is_kept_whole_for_whoever_redrives_it() -> None:
    journal, editions = MemoryJournal(), Numbered(0)
    body = report("a", photos=500)
    (receipt,) = await edge(journal, editions).accept([Submission(APP, body)])
    assert receipt.refusal is not None
    assert len(body) > 100_000
    editions.number = 1
    assert await redriven(journal, edge(journal, editions)) == 1


async def test_what_is_too_large_is_cut() -> None:
    journal = MemoryJournal()
    await edge(journal).accept([Submission(APP, b"x" * 300_000)])
    assert [await LETTERS.open(one) for one in await held(journal)] == [b"x" * 65_536]
    assert await redriven(journal, edge(journal)) == 0
    assert [await LETTERS.open(one) for one in await held(journal)] == [b"x" * 65_536]


async def test_a_dead_letter_keeps_no_word_of_its_bytes_in_clear_and_its_sender_is_told_all() -> None:
    journal = MemoryJournal()
    body = report("a").replace(b'"source":"app"', f'"source":"{PHONE} "'.encode())
    (receipt,) = await edge(journal).accept([Submission(APP, body)])
    assert receipt.refusal is not None
    assert PHONE in receipt.refusal.found
    [letter] = await held(journal)
    assert PHONE not in repr(letter)
    assert letter.type == SEALED
    assert letter.reason.endswith("found text of 14 characters")
    assert await LETTERS.open(letter) == body


async def test_equal_bytes_are_recognised_by_their_id() -> None:
    journal = MemoryJournal()
    await edge(journal).accept([Submission(APP, b"{"), Submission(APP, b"{"), Submission(APP, b"[")])
    one, again, other = [letter.cause.id for letter in await held(journal)]
    assert one == again != other
    assert len({letter.body for letter in await held(journal)}) == 3


class Doubtful(MemoryJournal):
    """The first commit fails, and nobody knows whether it took place."""

    failed = False

    async def commit(self, moves: Sequence[Any]) -> frozenset[int]:
        if moves[0].held and not self.failed:
            self.failed = True
            raise ConnectionError
        return await super().commit(moves)


async def test_a_letter_committed_at_the_second_try_opens_and_is_not_the_first_ones() -> None:
    """What a failed attempt kept stays in the keyring: its name must not be that of the next letter."""
    journal = Doubtful()
    one = edge(journal)
    with pytest.raises(ConnectionError):
        await one.accept([Submission(APP, b"first")])
    await one.accept([Submission(APP, b"second")])
    assert [await LETTERS.open(letter) for letter in await held(journal)] == [b"second"]


async def test_a_letter_that_is_refused_again_stays_under_its_secret() -> None:
    journal = MemoryJournal()
    await edge(journal).accept([Submission(APP, b"{")])
    [before] = await held(journal)
    assert await redriven(journal, edge(journal)) == 0
    [after] = await held(journal)
    assert after.id != before.id
    assert (after.body, after.cause.id) == (before.body, before.cause.id)


async def test_the_secret_of_a_letter_that_passed_is_forgotten() -> None:
    journal, editions = MemoryJournal(), Numbered(0)
    await edge(journal, editions).accept([Submission(APP, report("a"))])
    [letter] = await held(journal)
    editions.number = 1
    assert await redriven(journal, edge(journal, editions)) == 1
    assert not await LETTERS.forget(letter), "it is forgotten already"


async def test_an_erased_letter_stays_where_it_is_and_holds_up_no_other() -> None:
    journal, editions = MemoryJournal(), Numbered(0)
    await edge(journal, editions).accept([Submission(APP, report("a")), Submission(APP, report("b"))])
    first, _ = await held(journal)
    await LETTERS.forget(first)
    editions.number = 1
    assert await redriven(journal, edge(journal, editions)) == 1
    assert [letter.id for letter in await held(journal)] == [first.id]


async def test_a_letter_of_an_earlier_release_is_redriven_and_sealed_if_it_dies_again() -> None:
    journal, editions = MemoryJournal(), Numbered(0)
    await edge(journal, editions).accept([Submission(APP, report("a")), Submission(APP, b"{")])
    for number, body in ((1, report("a")), (2, b"{")):
        shelf = journal.shelves[0].held
        shelf[number] = shelf[number]._replace(type="", body=body)
    editions.number = 1
    assert await redriven(journal, edge(journal, editions)) == 1
    [letter] = await held(journal)
    assert letter.type == SEALED
    assert await LETTERS.open(letter) == b"{"


async def test_who_submits_and_who_accepts_do_not_fence_each_other() -> None:
    journal = Slow()
    one = edge(journal)
    await asyncio.gather(one.submit(APP, report("a")), one.accept([Submission(APP, report("b"))]))
    assert len(journal.shelves[0].rows) == 2


async def test_publishing_in_idle_time_acknowledges_nothing_that_was_not_sent() -> None:
    journal, clock = MemoryJournal(), SteppedClock(START)
    broker = MemoryBroker(clock)
    log = MemoryLog(broker, (INTAKE_REPORTS.name,))
    publish = log.publish

    async def slow(batches: Any) -> Any:
        await asyncio.sleep(0.01)
        return await publish(batches)

    log.publish = slow
    one = edge(journal, log=log)
    await asyncio.gather(one.accept([Submission(APP, report("a"))]), one.publish(), one.publish())
    assert sum(len(records) for records in broker.records.values()) == 1


async def test_what_a_silent_edge_left_is_sent_once_by_its_heir() -> None:
    journal, clock = MemoryJournal(), SteppedClock(START)
    broker = MemoryBroker(clock)
    gone = edge(journal)
    await gone.accept([Submission(APP, report("a")), Submission(APP, report("b"))])
    heirs = Heirs(journal, range(3), lambda number: edge(journal, log=log(broker), instance=number))
    assert await heirs.look() == []  # it may be about to send by itself
    assert await heirs.look() == [0]
    assert [await heirs.look() for _ in range(3)] == [[], [], []]
    assert sum(len(records) for records in broker.records.values()) == 2
    with pytest.raises(EdgeFenced):
        await gone.accept([Submission(APP, report("c"))])


async def test_an_edge_that_moves_has_no_heir() -> None:
    journal = MemoryJournal()
    busy = edge(journal)
    heirs = Heirs(journal, [0], lambda number: edge(journal, instance=number))
    for name in "abc":
        await busy.accept([Submission(APP, report(name))])
        assert await heirs.look() == []


async def test_an_idle_edge_that_sent_everything_has_no_heir() -> None:
    journal, broker = MemoryJournal(), MemoryBroker(SteppedClock(START))
    idle = edge(journal, log=log(broker))
    heirs = Heirs(journal, [0], lambda number: edge(journal, log=log(broker), instance=number))
    await idle.accept([Submission(APP, report("a"))])
    for _ in range(3):
        await idle.publish()
        assert await heirs.look() == []
    (receipt,) = await idle.accept([Submission(APP, report("b"))])
    assert receipt.refusal is None


async def test_a_caller_who_leaves_harms_nobody_else() -> None:
    journal = Slow()
    one = edge(journal)
    leaving = asyncio.create_task(one.accept([Submission(APP, report("a"))]))
    await asyncio.sleep(0.005)
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)
    receipt = await one.submit(APP, report("b"))
    assert receipt.refusal is None
    assert [row.seq for row in journal.shelves[0].rows] == [1]


@pytest.mark.parametrize(
    "body",
    [report("a\0"), report("a").replace(b'"source":"app"', b'"source":"\\u0000"'),
     report("a").replace(b"GridReport", b"Grid\\u0000")],
)  # fmt: skip
async def test_a_null_character_is_a_dead_letter_and_harms_no_neighbour(
    postgres_url: str, body: bytes
) -> None:
    async with postgres_store(postgres_url, Hands()) as store:
        one = edge(SqlJournal(store, "edge", delivers=True))
        bad, good = await one.accept([Submission(APP, body), Submission(APP, report("b"))])
    assert bad.refusal is not None
    assert bad.refusal.code == "null_character"
    assert good.refusal is None


async def test_the_words_for_a_null_character_are_no_null_character() -> None:
    body = report("a").replace(b'"text":"x"', b'"text":"\\\\u0000"')
    (receipt,) = await edge(MemoryJournal()).accept([Submission(APP, body)])
    assert receipt.refusal is None
