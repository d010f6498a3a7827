"""What every journal does: one suite, subclassed for memory, SQLite and PostgreSQL."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from kernel.journal import (
    CancelledTimer,
    Cause,
    Claim,
    Cursor,
    Held,
    HeldKind,
    Journal,
    Move,
    Reach,
    Record,
    Snapshot,
    StoredTimer,
    Via,
)
from kernel.log import Headers, Outgoing
from kernel.memory.journal import MemoryJournal
from kernel.processor import Sender
from kernel.sql.journal import SqlJournal
from kernel.sql.tables import outbox
from tests.contract.stores import START, Hands, postgres_store, sqlite_store

CAUSE = Cause(
    Via.MESSAGE, "r-7~1", START, Sender("post", "值班长"), "case.commands", 41, "intake.desk/3", 9, "r-7/2"
)


def later(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def record(seq: int, stream: str = "c-1", version: int = 0, partition: int = 0, **facts: Any) -> Record:
    """A row whose bytes tell it from any other."""
    body = f'{{"subject":"{stream}","地点":"{partition}/{seq}"}}'.encode()
    row = Record(partition, seq, stream, version or seq, body, CAUSE, START, rules=3, trace="00-ab-01")
    return row._replace(**facts)


def outgoing(k: int, seq: int, topic: str = "case.commands", partition: int = 5) -> Outgoing:
    return Outgoing(
        topic, partition, k, seq, "c-1", Headers("intake.desk/0", k, 3, "00-ab-01"), b"\x00\xffno text"
    )


def timer(
    name: str, due: datetime, stream: str = "c-1", partition: int = 0, body: bytes = b"{}"
) -> StoredTimer:
    return StoredTimer(partition, stream, name, due, "gridcase.sla.Due.v1", body, "c-1/1")


def held(number: int, stream: str = "c-1", kind: HeldKind = HeldKind.PARKED, partition: int = 0) -> Held:
    return Held(
        partition,
        number,
        kind,
        stream,
        "KeyError: 'x'",
        "gridcase.case.OpenCase.v1",
        b"\x00\xff",
        CAUSE,
        3,
        "t",
        START,
    )


def move(claim: Claim, token: bytes = b"", records: Sequence[Record] = (), **facts: Any) -> Move:
    """A move from what was claimed, under a token drawn anew unless the test names one."""
    before = claim.cursor
    seq = before.seq + len(records)
    published = facts.pop("published", before.published)
    token = token or bytes([*before.token, 1])
    cursor = Cursor(before.partition, token, before.reach, START, 3, seq, published, before.seen, before.sent)
    return Move(before.token, facts.pop("cursor", cursor), records, **facts)


class JournalContract(ABC):
    """Subclasses give journals of the same store, by the name of their processor."""

    delivers = False

    @abstractmethod
    def open(self, processor: str) -> Journal:
        """The journal of a processor in the store of this test."""

    @pytest.fixture
    def journal(self, opened: None) -> Journal:
        return self.open("router.case")

    async def claimed(self, journal: Journal, partition: int = 0) -> Claim:
        return (await journal.claim([partition]))[0]

    async def stored(self, journal: Journal, partition: int = 0) -> list[Record]:
        return [row async for row in journal.records(partition)]

    async def all_held(self, journal: Journal, stream: str | None = None) -> list[Held]:
        return [item async for item in journal.held(stream)]

    async def due(self, journal: Journal, minutes: float = 10_000, limit: int = 100) -> list[str]:
        found = await journal.due({0: later(minutes), 1: later(minutes)}, limit)
        return [item.name for item in found]

    # Claims and cursors.

    async def test_an_unused_partition_is_claimed_as_new(self, journal: Journal) -> None:
        claims = await journal.claim([3, 1])
        assert [claim.cursor for claim in claims] == [Cursor(1), Cursor(3)]
        assert [(list(c.records), list(c.outgoing), dict(c.parked), c.next_held) for c in claims] == [
            ([], [], {}, 1)
        ] * 2

    async def test_a_cursor_comes_back_as_it_was_stored(self, journal: Journal) -> None:
        cursor = Cursor(
            partition=2,
            token=b"\x00\xff\x10",
            reach={"case.commands": Reach(17, b"\x00\x01\xff"), "rules.editions": Reach(1, b"")},
            now=START + timedelta(microseconds=1),
            rules=4,
            seq=0,
            published=0,
            seen={"case.commands": {"intake.desk/3": 12, "edge/0": 5}},
            sent={"intake.desk": {0: 3, 23: 1}, "case.commands": {2: 7}},
        )
        assert await journal.commit([move(await self.claimed(journal, 2), cursor=cursor)]) == frozenset()
        assert (await self.claimed(journal, 2)).cursor == cursor

    async def test_claiming_fences_nobody(self, journal: Journal) -> None:
        mine = await self.claimed(journal)
        await self.claimed(journal)
        assert await journal.commit([move(mine, records=[record(1)])]) == frozenset()

    async def test_what_is_above_published_is_claimed(self, journal: Journal) -> None:
        rows = [record(seq) for seq in (1, 2, 3, 4)]
        sent = [outgoing(1, 1), outgoing(2, 2), outgoing(1, 2, "intake.desk", 0), outgoing(3, 4)]
        await journal.commit([move(await self.claimed(journal), records=rows[:2], outgoing=sent[:3])])
        await journal.commit(
            [move(await self.claimed(journal), records=rows[2:], outgoing=sent[3:], published=1)]
        )
        claim = await self.claimed(journal)
        if self.delivers:
            assert (claim.cursor.published, list(claim.records), list(claim.outgoing)) == (4, [], [])
            return
        assert claim.cursor.published == 1
        assert list(claim.records) == rows[1:]
        assert [message for message in claim.outgoing if message.seq > 1] == sent[1:]

    async def test_what_was_published_is_claimed_no_more(self, journal: Journal) -> None:
        await journal.commit(
            [move(await self.claimed(journal), records=[record(1)], outgoing=[outgoing(1, 1)])]
        )
        await journal.commit([move(await self.claimed(journal), published=1)])
        claim = await self.claimed(journal)
        assert (list(claim.records), list(claim.outgoing)) == ([], [])

    # Fencing.

    async def test_a_stale_token_is_fenced_and_leaves_nothing(self, journal: Journal) -> None:
        zombie = await self.claimed(journal)
        await journal.commit([move(zombie, b"new owner", [record(1)])])
        before = await self.claimed(journal)
        late = move(
            zombie,
            b"zombie",
            [record(1, "c-9")],
            outgoing=[outgoing(1, 1)],
            timers=[timer("sign", later(1))],
            held=[held(1)],
        )
        assert await journal.commit([late]) == frozenset({0})
        assert await self.claimed(journal) == before
        assert await self.stored(journal) == [record(1)]
        assert await self.due(journal) == []
        assert await self.all_held(journal) == []

    async def test_one_fenced_partition_is_left_out_and_the_others_are_stored(self, journal: Journal) -> None:
        claims = await journal.claim([0, 1, 2])
        await journal.commit([move(claims[1], b"other", [record(1, partition=1)])])
        moves = [
            move(claim, b"mine", [record(1, f"s{claim.cursor.partition}", partition=claim.cursor.partition)])
            for claim in claims
        ]
        assert await journal.commit(list(reversed(moves))) == frozenset({1})
        assert [row.stream for partition in range(3) for row in await self.stored(journal, partition)] == [
            "s0",
            "c-1",
            "s2",
        ]
        assert [(await self.claimed(journal, partition)).cursor.token for partition in range(3)] == [
            b"mine",
            b"other",
            b"mine",
        ]

    async def test_nothing_is_stored_where_all_are_fenced(self, journal: Journal) -> None:
        claims = await journal.claim([0, 1])
        await journal.commit([move(claim, b"other") for claim in claims])
        assert await journal.commit([move(claim, b"mine") for claim in claims]) == frozenset({0, 1})

    async def test_a_transaction_that_moves_no_offset_fences_too(self, journal: Journal) -> None:
        zombie = await self.claimed(journal)
        await journal.commit([move(zombie, b"only a timer", timers=[timer("sign", later(1))])])
        assert await journal.commit([move(zombie, b"zombie", [record(1)])]) == frozenset({0})

    async def test_of_two_at_the_same_moment_one_is_fenced(self, journal: Journal) -> None:
        for turn in range(1, 6):
            claim = await self.claimed(journal)
            moves = [
                move(claim, bytes([turn, who]), [record(turn, f"by-{who}", 1, trace=str(turn))])
                for who in range(4)
            ]
            moves = [
                one._replace(records=[one.records[0]._replace(stream=f"by-{who}-{turn}")])
                for who, one in enumerate(moves)
            ]
            answers = await asyncio.gather(*(journal.commit([one]) for one in moves))
            assert sorted(map(len, answers)) == [0, 1, 1, 1]
        assert [row.seq for row in await self.stored(journal)] == [1, 2, 3, 4, 5]

    async def test_owners_of_different_partitions_do_not_disturb_each_other(self, journal: Journal) -> None:
        async def owner(partitions: list[int]) -> None:
            for seq in range(1, 11):
                claims = await journal.claim(partitions)
                moves = [
                    move(
                        claim,
                        records=[record(seq, f"p{claim.cursor.partition}", partition=claim.cursor.partition)],
                    )
                    for claim in claims
                ]
                assert await journal.commit(moves) == frozenset()

        await asyncio.gather(owner([3, 0]), owner([1, 4]), owner([5, 2]))
        assert [len(await self.stored(journal, partition)) for partition in range(6)] == [10] * 6

    # Doubt and the second line.

    @pytest.mark.parametrize(
        "bad",
        [
            pytest.param([record(2, "c-2", 1)], id="seq given twice"),
            pytest.param([record(4, "c-2", 1)], id="a gap in seq"),
            pytest.param([record(3, "c-1", 2)], id="version given twice"),
            pytest.param([record(3, "c-2", 1), record(4, "c-2", 1)], id="version given twice in one batch"),
            pytest.param([record(3, "c-2", 1), record(3, "c-3", 1)], id="seq given twice in one batch"),
        ],
    )
    async def test_rows_that_do_not_follow_are_refused_whole(
        self, journal: Journal, bad: list[Record]
    ) -> None:
        await journal.commit([move(await self.claimed(journal), records=[record(1), record(2)])])
        claims = await journal.claim([0, 1])
        moves = [
            move(claims[0], records=bad, timers=[timer("sign", later(1))], held=[held(1)]),
            move(claims[1], records=[record(1, partition=1)], timers=[timer("route", later(1), partition=1)]),
        ]
        with pytest.raises(Exception):  # noqa: B017 - any exception is doubt
            await journal.commit(moves)
        assert await journal.claim([0, 1]) == claims
        assert await self.stored(journal, 1) == []
        assert await self.due(journal) == []
        assert await journal.commit([move(claims[0], records=[record(3)]), move(claims[1])]) == frozenset()

    async def test_one_failure_does_not_touch_whoever_commits_beside_it(self, journal: Journal) -> None:
        claims = await journal.claim([0, 1, 2])
        moves = [move(claims[0], records=[record(1)]), move(claims[1], records=[record(7, partition=1)])]
        moves.append(move(claims[2], records=[record(1, partition=2)]))
        answers = await asyncio.gather(*(journal.commit([one]) for one in moves), return_exceptions=True)
        assert [isinstance(answer, Exception) for answer in answers] == [False, True, False]
        assert [len(await self.stored(journal, partition)) for partition in range(3)] == [1, 0, 1]

    # Rows.

    async def test_rows_come_back_as_they_were_stored(self, journal: Journal) -> None:
        other = Cause(
            Via.TIMER,
            "sign",
            START + timedelta(microseconds=7),
            Sender("timer", "router.case"),
            event="c-1/1",
        )
        rows = [
            record(1, body=b"\x00\xff not text"),
            record(2, "案-2", 1, cause=other, now=START + timedelta(microseconds=1), rules=0, trace=""),
            record(3, "c-1", 2, cause=other),
            record(4, "_rules/0", 1, now=later(60 * 24 * 400)),
        ]
        await journal.commit([move(await self.claimed(journal), records=rows)])
        assert await self.stored(journal) == rows

    async def test_rows_are_read_behind_a_seq(self, journal: Journal) -> None:
        rows = [record(seq) for seq in range(1, 2503)]
        await journal.commit([move(await self.claimed(journal), records=rows[:1300])])
        await journal.commit([move(await self.claimed(journal), records=rows[1300:])])
        assert await self.stored(journal) == rows
        assert [row async for row in journal.records(0, after=1299)] == rows[1299:]
        assert [row async for row in journal.records(0, after=2502)] == []
        assert [row async for row in journal.records(1)] == []

    async def test_journals_of_two_processors_are_apart(self, journal: Journal) -> None:
        other = self.open("sla.clock")
        await journal.commit(
            [move(await self.claimed(journal), b"case", [record(1)], timers=[timer("sign", later(1))])]
        )
        await other.commit(
            [move(await self.claimed(other), b"clock", [record(1, "c-2")], held=[held(1, "c-2")])]
        )
        assert [row.stream for row in await self.stored(journal)] == ["c-1"]
        assert [row.stream for row in await self.stored(other)] == ["c-2"]
        assert (await journal.next_due(), await other.next_due()) == (later(1), None)
        assert (await self.all_held(journal), len(await self.all_held(other))) == ([], 1)
        assert await other.due({0: later(9)}, 9) == []

    # Histories.

    async def test_histories_of_many_streams_come_at_once(self, journal: Journal) -> None:
        rows = {
            p: [record(seq, f"s-{seq % 700}", 1 + (seq - 1) // 700, p) for seq in range(1, 1401)]
            for p in (0, 1)
        }
        claims = await journal.claim([0, 1])
        await journal.commit([move(claim, records=rows[claim.cursor.partition]) for claim in claims])
        wanted = {0: [f"s-{n}" for n in range(700)], 1: ["s-5", "unknown"], 7: ["s-5"]}
        found = await journal.histories(wanted, "fold")
        assert found.keys() == {
            (partition, stream) for partition, names in wanted.items() for stream in names
        }
        for (partition, stream), history in found.items():
            expected = [row for row in rows.get(partition, []) if row.stream == stream]
            assert (history.snapshot, list(history.records)) == (None, expected)

    async def test_a_history_begins_at_the_snapshot_of_the_same_fold(self, journal: Journal) -> None:
        rows = [record(seq) for seq in range(1, 6)]
        old = Snapshot(0, "c-1", 2, "fold", b"\x00two")
        new = Snapshot(0, "c-1", 4, "fold", b"\x00four")
        await journal.commit([move(await self.claimed(journal), records=rows[:3])])
        await journal.commit([move(await self.claimed(journal), records=rows[3:], snapshots=[old])])
        assert (await journal.histories({0: ["c-1"]}, "fold"))[0, "c-1"] == (old, rows[2:])
        await journal.commit([move(await self.claimed(journal), snapshots=[new])])
        assert (await journal.histories({0: ["c-1"], 1: ["c-1"]}, "fold"))[0, "c-1"] == (new, rows[4:])

    async def test_of_snapshots_of_two_folds_the_asked_one_is_given(self, journal: Journal) -> None:
        await journal.commit([move(await self.claimed(journal), records=[record(1), record(2)])])
        for fold in ("older code", "newer code"):
            await journal.commit(
                [move(await self.claimed(journal), snapshots=[Snapshot(0, "c-1", 2, fold, fold.encode())])]
            )
        expected = Snapshot(0, "c-1", 2, "newer code", b"newer code")
        assert (await journal.histories({0: ["c-1"]}, "newer code"))[0, "c-1"] == (expected, [])

    async def test_a_snapshot_of_another_fold_is_no_snapshot(self, journal: Journal) -> None:
        rows = [record(seq) for seq in range(1, 4)]
        shot = Snapshot(0, "c-1", 2, "older code", b"state")
        await journal.commit([move(await self.claimed(journal), records=rows, snapshots=[shot])])
        assert (await journal.histories({0: ["c-1"]}, "newer code"))[0, "c-1"] == (None, rows)

    # Timers.

    async def test_timers_are_due_in_order_of_due_stream_and_name(self, journal: Journal) -> None:
        claims = await journal.claim([0, 1])
        here = [timer("b", later(2)), timer("a", later(2)), timer("z", later(1)), timer("c", later(2), "b-9")]
        there = [timer("d", later(2), "a-0", partition=1), timer("e", later(9), partition=1)]
        await journal.commit([move(claims[0], timers=here), move(claims[1], timers=there)])
        assert await self.due(journal) == ["z", "d", "c", "a", "b", "e"]
        assert await self.due(journal, limit=3) == ["z", "d", "c"]

    async def test_the_order_and_the_limit_hold_over_all_partitions(self, journal: Journal) -> None:
        claims = await journal.claim(range(24))
        moves = [
            move(
                c,
                timers=[
                    timer(f"t{n}", later(n), f"s{c.cursor.partition:02}", c.cursor.partition)
                    for n in (3, 1, 2)
                ],
            )
            for c in claims
        ]
        await journal.commit(moves)
        found = await journal.due({partition: later(3) for partition in range(24)}, 40)
        expected = [(f"t{n}", f"s{partition:02}") for n in (1, 2, 3) for partition in range(24)]
        assert [(item.name, item.stream) for item in found] == expected[:40]

    async def test_each_partition_has_its_own_until(self, journal: Journal) -> None:
        claims = await journal.claim([0, 1, 2])
        moves = [move(c, timers=[timer("t", later(5), partition=c.cursor.partition)]) for c in claims]
        await journal.commit(moves)
        found = await journal.due({0: later(5), 1: later(5) - timedelta(microseconds=1)}, 10)
        assert found == [timer("t", later(5), partition=0)]
        assert await journal.due({}, 10) == []

    async def test_a_timer_comes_back_as_it_was_stored(self, journal: Journal) -> None:
        stored = timer("签收", later(5) + timedelta(microseconds=3), "案-1", body=b"\x00\xff")
        await journal.commit([move(await self.claimed(journal), timers=[stored])])
        assert await journal.due({0: later(6)}, 1) == [stored]
        assert await journal.next_due() == stored.due

    async def test_a_timer_set_again_replaces_the_first(self, journal: Journal) -> None:
        await journal.commit([move(await self.claimed(journal), timers=[timer("sign", later(1))])])
        again = timer("sign", later(30), body=b"again")
        await journal.commit([move(await self.claimed(journal), timers=[again])])
        assert await journal.due({0: later(10)}, 9) == []
        assert await journal.due({0: later(30)}, 9) == [again]
        assert await journal.next_due() == later(30)

    async def test_the_last_word_about_a_timer_in_one_move_counts(self, journal: Journal) -> None:
        gone, unknown = CancelledTimer(0, "c-1", "sign"), CancelledTimer(0, "c-1", "nobody")
        await journal.commit(
            [move(await self.claimed(journal), timers=[timer("sign", later(1)), unknown, gone])]
        )
        assert await self.due(journal) == []
        await journal.commit([move(await self.claimed(journal), timers=[gone, timer("sign", later(2))])])
        assert await self.due(journal) == ["sign"]
        await journal.commit(
            [move(await self.claimed(journal), timers=[timer("sign", later(3)), timer("sign", later(4))])]
        )
        assert await journal.next_due() == later(4)

    async def test_a_timer_belongs_to_its_stream_and_partition(self, journal: Journal) -> None:
        claims = await journal.claim([0, 1])
        await journal.commit(
            [
                move(claims[0], timers=[timer("t", later(1)), timer("t", later(2), "c-2")]),
                move(claims[1], timers=[timer("t", later(3), partition=1)]),
            ]
        )
        await journal.commit([move(await self.claimed(journal), timers=[CancelledTimer(0, "c-1", "t")])])
        found = await journal.due({0: later(9), 1: later(9)}, 9)
        assert [(item.partition, item.stream) for item in found] == [(0, "c-2"), (1, "c-1")]

    async def test_many_timers_are_set_and_cancelled_at_once(self, journal: Journal) -> None:
        many = [timer(f"t{n:04}", later(n), f"c-{n % 7}") for n in range(1, 1201)]
        await journal.commit([move(await self.claimed(journal), timers=many)])
        gone = [CancelledTimer(0, item.stream, item.name) for item in many if item.due <= later(1000)]
        await journal.commit([move(await self.claimed(journal), timers=gone)])
        assert await self.due(journal, limit=1000) == [item.name for item in many[1000:]]

    async def test_without_timers_nothing_is_due(self, journal: Journal) -> None:
        assert await journal.next_due() is None
        assert await self.due(journal) == []

    # Held messages.

    async def test_held_messages_come_back_as_they_were_stored(self, journal: Journal) -> None:
        items = [held(1), held(2, "案-2", HeldKind.DEAD), held(3)]
        other = [held(1, "c-1", partition=1)]
        claims = await journal.claim([0, 1])
        await journal.commit([move(claims[1], held=other), move(claims[0], held=items)])
        assert await self.all_held(journal) == [*items, *other]
        assert await self.all_held(journal, "案-2") == [items[1]]
        assert await self.all_held(journal, "nobody") == []

    async def test_parked_streams_are_counted_and_dead_letters_block_nothing(self, journal: Journal) -> None:
        items = [held(1), held(2, "c-2"), held(3), held(4, "c-3", HeldKind.DEAD)]
        await journal.commit([move(await self.claimed(journal), held=items)])
        claim = await self.claimed(journal)
        assert dict(claim.parked) == {"c-1": 2, "c-2": 1}
        await journal.commit([move(claim, released=[1, 2])])
        assert dict((await self.claimed(journal)).parked) == {"c-1": 1}

    async def test_the_id_of_a_held_message_is_never_given_again(self, journal: Journal) -> None:
        await journal.commit([move(await self.claimed(journal), held=[held(1), held(2)])])
        assert (await self.claimed(journal)).next_held == 3
        await journal.commit([move(await self.claimed(journal), released=[1, 2])])
        assert (await self.claimed(journal)).next_held == 3

    async def test_ordered_messages_are_given_until_they_are_released(self, journal: Journal) -> None:
        claims = await journal.claim([0, 1])
        await journal.commit(
            [
                move(claims[0], held=[held(number) for number in (1, 2, 3)]),
                move(claims[1], held=[held(1, partition=1), held(2, partition=1)]),
            ]
        )
        assert await journal.ordered([0, 1], 10) == []
        assert await journal.order([(1, 2), (0, 3), (0, 1), (0, 99), (7, 1)]) == 3
        found = await journal.ordered([1, 0], 10)
        assert [(item.partition, item.id, item.ordered) for item in found] == [
            (0, 1, True),
            (0, 3, True),
            (1, 2, True),
        ]
        assert [item.id for item in await journal.ordered([0, 1], 1)] == [1]
        assert [item.partition for item in await journal.ordered([1], 10)] == [1]
        assert await journal.ordered([], 10) == []
        await journal.commit([move(await self.claimed(journal), released=[1, 3])])
        assert [(item.partition, item.id) for item in await journal.ordered([0, 1], 10)] == [(1, 2)]
        assert [(item.partition, item.id) for item in await self.all_held(journal)] == [
            (0, 2),
            (1, 1),
            (1, 2),
        ]
        assert await journal.order([(0, 1), (0, 3)]) == 0

    async def test_orders_of_a_voided_stream_fall(self, journal: Journal) -> None:
        items = [held(1), held(2), held(3, "c-2"), held(4)]
        await journal.commit([move(await self.claimed(journal), held=items)])
        await journal.order([(0, 1), (0, 2), (0, 3)])
        await journal.commit([move(await self.claimed(journal), voided=["c-1"], released=[1])])
        assert [item.id for item in await journal.ordered([0], 10)] == [3]
        assert [(item.id, item.ordered) for item in await self.all_held(journal, "c-1")] == [
            (2, False),
            (4, False),
        ]

    async def test_a_message_may_be_held_and_another_released_in_one_move(self, journal: Journal) -> None:
        await journal.commit([move(await self.claimed(journal), held=[held(1)])])
        await journal.commit([move(await self.claimed(journal), held=[held(2)], released=[1])])
        assert [item.id for item in await self.all_held(journal)] == [2]

    async def test_all_held_messages_are_read_however_many(self, journal: Journal) -> None:
        await journal.commit(
            [move(await self.claimed(journal), held=[held(number) for number in range(1, 1102)])]
        )
        assert [item.id for item in await self.all_held(journal)] == list(range(1, 1102))


class TestMemoryJournal(JournalContract):
    @pytest.fixture
    def opened(self) -> None:
        return None

    def open(self, processor: str) -> Journal:
        return MemoryJournal()


class SqlContract(JournalContract):
    store: Any

    def open(self, processor: str) -> Journal:
        return SqlJournal(self.store, processor, delivers=self.delivers)

    async def test_the_outbox_keeps_only_what_is_unpublished(self, journal: Journal) -> None:
        for seq in (1, 2, 3):
            sent = [outgoing(seq, seq)]
            await journal.commit([move(await self.claimed(journal), records=[record(seq)], outgoing=sent)])
        await journal.commit([move(await self.claimed(journal), published=2)])
        kept = await self.store.read(
            lambda connection: connection.execute(select(outbox.c.seq)).scalars().all()
        )
        assert kept == ([] if self.delivers else [3])


class TestSqliteJournal(SqlContract):
    quick = True

    @pytest.fixture
    async def opened(self, tmp_path: Path) -> AsyncIterator[None]:
        async with sqlite_store(tmp_path / "city.db", Hands(), quick=self.quick) as self.store:
            yield


class TestSqliteJournalOnASlowDisk(TestSqliteJournal):
    quick = False


class TestPostgresJournal(SqlContract):
    @pytest.fixture
    async def opened(self, postgres_url: str) -> AsyncIterator[None]:
        async with postgres_store(postgres_url, Hands()) as self.store:
            yield


class TestSqliteJournalThatDelivers(TestSqliteJournal):
    delivers = True


class TestPostgresJournalThatDelivers(TestPostgresJournal):
    delivers = True
