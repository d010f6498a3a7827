"""What every log does: one suite, for memory, SQLite and PostgreSQL; for Kafka in test_log_kafka.py."""

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select
from sqlalchemy.util import await_only

from kernel.journal import Cause, Cursor, Move, Record, Via
from kernel.log import Headers, Log, Message, Outgoing, Span, Target
from kernel.memory.log import MemoryBroker, MemoryLog
from kernel.processor import Sender
from kernel.sql import sqlite
from kernel.sql.journal import SqlJournal
from kernel.sql.log import SqlLog
from kernel.sql.store import Store
from kernel.sql.tables import messages, targets
from schemas.topics import CASE_COMMANDS, CASE_EVENTS, Retention, Topic
from tests.contract.stores import START, Hands, postgres_store, sqlite_store

WORK = Topic("contract.work", "case", ("edge",), ("router.case",), Retention.DAYS_30)
RULES = Topic("contract.rules", "partition", ("registry.rules",), ("every processor",), Retention.FOR_EVER)
UNKNOWN = "contract.unknown"
TICK_SECONDS = 0.2


def outgoing(k: int, topic: str = WORK.name, partition: int = 0, **facts: Any) -> Outgoing:
    headers = Headers("intake.desk/3", k, rules=2, trace="00-ab-01")
    return Outgoing(topic, partition, k, 10 + k, f"案-{k}", headers, b"\x00\xff" + str(k).encode())._replace(
        **facts
    )


def per_target(messages: Sequence[Outgoing]) -> dict[Target, list[Outgoing]]:
    batches: dict[Target, list[Outgoing]] = {}
    for message in messages:
        batches.setdefault((message.topic, message.partition), []).append(message)
    return batches


class LogContract(ABC):
    """Subclasses give worker's views of the same topics."""

    hands: Hands

    @abstractmethod
    def view(self, own: Collection[int], topics: Sequence[Topic] = (WORK, RULES)) -> Log:
        """A worker that reads these topics and owns these partitions."""

    @abstractmethod
    async def expire(self, target: Target, below: int) -> None:
        """Let records below an offset age out."""

    def stamp(self, message: Message) -> datetime:
        """The stamp that a record must have which was sent before the test moved its clock."""
        return START

    async def reader(self, own: Collection[int] = (0, 1, 2), offsets: Mapping[str, int] | None = None) -> Log:
        log = self.view(own)
        for partition in own:
            await log.seek(partition, offsets or {WORK.name: 0, RULES.name: 0})
        return log

    async def send(self, *messages: Outgoing) -> None:
        counts = await self.view(()).publish(per_target(messages))
        assert counts == {target: len(batch) for target, batch in per_target(messages).items()}

    async def drain(self, log: Log, limit: int = 1000) -> list[Message]:
        found: list[Message] = []
        while batch := await log.fetch(limit):
            found.extend(batch)
        return found

    # Reading.

    async def test_a_record_arrives_as_it_was_sent(self, opened: None) -> None:
        edge = Headers("edge/0", 1, sender=Sender("post", "值班长"))
        await self.send(outgoing(1), outgoing(2, headers=edge, body=b""))
        first, second = await self.drain(await self.reader())
        assert first == Message(WORK.name, 0, 0, "案-1", self.stamp(first), outgoing(1).headers, b"\x00\xff1")
        assert second == Message(WORK.name, 0, 1, "案-2", self.stamp(second), edge, b"")

    async def test_records_come_in_order_of_offset_for_each_topic_and_partition(self, opened: None) -> None:
        for k in range(1, 40):
            await self.send(
                *(outgoing(k, topic, p) for topic in (WORK.name, RULES.name) for p in (0, 1) if k % (p + 2))
            )
        found = await self.drain(await self.reader(), limit=7)
        for topic in (WORK.name, RULES.name):
            for partition in (0, 1):
                mine = [
                    message for message in found if (message.topic, message.partition) == (topic, partition)
                ]
                assert [message.offset for message in mine] == list(range(len(mine)))
                assert [message.headers.k for message in mine] == [
                    k for k in range(1, 40) if k % (partition + 2)
                ]

    @pytest.mark.parametrize("limit", [1, 2, 5, 100])
    async def test_a_batch_is_never_larger_than_asked(self, opened: None, limit: int) -> None:
        await self.send(
            *(outgoing(k, topic, k % 3) for k in range(1, 31) for topic in (WORK.name, RULES.name))
        )
        log, found = await self.reader(), 0
        while batch := await log.fetch(limit):
            assert len(batch) <= limit
            found += len(batch)
        assert found == 60

    async def test_a_long_backlog_hides_nobody_for_ever(self, opened: None) -> None:
        await self.send(
            *(outgoing(k) for k in range(1, 301)), outgoing(1, RULES.name, 2), outgoing(1, partition=1)
        )
        log = await self.reader()
        found = [await log.fetch(100) for _ in range(4)]
        assert {(m.topic, m.partition) for batch in found for m in batch} == {
            (WORK.name, 0),
            (WORK.name, 1),
            (RULES.name, 2),
        }
        assert sum(map(len, found)) == 302

    async def test_only_own_partitions_are_read(self, opened: None) -> None:
        await self.send(*(outgoing(1, partition=partition) for partition in range(4)))
        log = await self.reader((1, 3))
        assert log.assigned() == frozenset({1, 3})
        assert sorted(message.partition for message in await self.drain(log)) == [1, 3]

    async def test_nothing_is_read_before_the_first_seek(self, opened: None) -> None:
        await self.send(outgoing(1))
        log = self.view((0,))
        assert list(await log.fetch(10)) == []
        assert dict(log.positions(0)) == {}

    async def test_positions_follow_what_was_read(self, opened: None) -> None:
        await self.send(*(outgoing(k) for k in range(1, 6)))
        log = await self.reader((0,), {WORK.name: 1, RULES.name: 0})
        assert dict(log.positions(0)) == {WORK.name: 1, RULES.name: 0}
        assert [message.offset for message in await log.fetch(2)] == [1, 2]
        assert dict(log.positions(0)) == {WORK.name: 3, RULES.name: 0}
        assert dict(log.positions(9)) == {}

    async def test_seeking_goes_back_and_forth(self, opened: None) -> None:
        await self.send(*(outgoing(k) for k in range(1, 6)))
        log = await self.reader((0,))
        assert len(await self.drain(log)) == 5
        await log.seek(0, {WORK.name: 2, RULES.name: 0})
        assert [message.offset for message in await self.drain(log)] == [2, 3, 4]
        await log.seek(0, {WORK.name: 5, RULES.name: 0})
        assert await self.drain(log) == []
        await self.send(outgoing(6))
        assert [message.offset for message in await self.drain(log)] == [5]

    async def test_two_workers_read_the_same_records(self, opened: None) -> None:
        await self.send(*(outgoing(k) for k in range(1, 6)))
        one, two = await self.reader((0,)), await self.reader((0,))
        assert await self.drain(one) == await self.drain(two)

    # Looking.

    async def test_one_record_is_looked_at(self, opened: None) -> None:
        await self.send(*(outgoing(k, partition=1) for k in range(1, 4)))
        log = await self.reader()
        record = await log.look(WORK.name, 1, 1)
        assert record is not None
        assert (record.offset, record.headers.k, record.body) == (1, 2, b"\x00\xff2")
        assert record == (await self.drain(log))[1]
        for nowhere in ((WORK.name, 1, 3), (WORK.name, 0, 0), (RULES.name, 1, 0)):
            assert await log.look(*nowhere) is None

    async def test_looking_moves_no_position(self, opened: None) -> None:
        await self.send(*(outgoing(k) for k in range(1, 4)))
        log = await self.reader()
        await log.look(WORK.name, 0, 2)
        assert [message.offset for message in await self.drain(log)] == [0, 1, 2]

    async def test_spans_say_where_topics_begin_and_end(self, opened: None) -> None:
        await self.send(outgoing(1), outgoing(2), outgoing(1, RULES.name, 2))
        targets = [(WORK.name, 0), (WORK.name, 1), (RULES.name, 2)]
        assert await self.view(()).spans(targets) == dict(
            zip(targets, [Span(0, 2), Span(0, 0), Span(0, 1)], strict=True)
        )
        assert await self.view(()).spans([]) == {}
        await self.send(outgoing(3))
        assert await self.view(()).spans(targets[:1]) == {targets[0]: Span(0, 3)}

    async def test_a_topic_that_nobody_has_written_to_is_empty(self, opened: None) -> None:
        assert await self.view(()).spans([(UNKNOWN, 0)]) == {(UNKNOWN, 0): Span(0, 0)}
        assert await self.view(()).look(UNKNOWN, 0, 0) is None

    async def test_what_has_aged_out_is_gone_and_the_rest_stays_where_it_was(self, opened: None) -> None:
        await self.send(*(outgoing(k) for k in range(1, 6)))
        log = await self.reader((0,), {WORK.name: 3, RULES.name: 0})
        await self.expire((WORK.name, 0), 3)
        assert await log.spans([(WORK.name, 0)]) == {(WORK.name, 0): Span(3, 5)}
        assert await log.look(WORK.name, 0, 2) is None
        assert [message.offset for message in await self.drain(log)] == [3, 4]
        await self.expire((WORK.name, 0), 5)
        assert await log.spans([(WORK.name, 0)]) == {(WORK.name, 0): Span(5, 5)}
        await self.send(outgoing(6))
        assert [message.offset for message in await self.drain(log)] == [5]

    # Publishing.

    async def test_stamps_are_the_logs_own_and_never_go_back(self, opened: None) -> None:
        for seconds in (5, -3, 1, 10):
            self.hands.move(seconds)
            await self.send(outgoing(1))
        found = await self.drain(await self.reader())
        assert [(message.appended - START).total_seconds() for message in found] == [5, 5, 5, 13]

    async def test_all_that_was_stamped_before_the_call_is_below_the_end(self, opened: None) -> None:
        log = await self.reader((0,))
        sent = 0

        async def sending() -> None:
            nonlocal sent
            for k in range(1, 40):
                self.hands.move(1)
                await self.send(outgoing(k))
                sent = k

        task = asyncio.create_task(sending())
        while not task.done():
            before, now = sent, self.hands.time
            end = (await log.spans([(WORK.name, 0)]))[WORK.name, 0].end
            assert end >= before
            await asyncio.sleep(0)
            late = await log.look(WORK.name, 0, end)
            assert late is None or late.appended >= now
        await task

    async def test_many_records_to_many_targets_at_once(self, opened: None) -> None:
        batches = {
            (topic, p): [outgoing(k, topic, p) for k in range(1, 301)]
            for topic in (WORK.name, RULES.name)
            for p in range(3)
        }
        assert await self.view(()).publish(batches) == dict.fromkeys(batches, 300)
        assert len(await self.drain(await self.reader())) == 1800

    async def test_several_senders_to_one_target_leave_no_hole(self, opened: None) -> None:
        views = [self.view(()) for _ in range(5)]
        for turn in range(1, 5):
            await asyncio.gather(
                *(view.publish({(WORK.name, 0): [outgoing(turn), outgoing(turn)]}) for view in views)
            )
        found = await self.drain(await self.reader())
        assert [message.offset for message in found] == list(range(40))
        assert [message.appended for message in found] == sorted(message.appended for message in found)

    async def test_nothing_to_publish_is_no_fault(self, opened: None) -> None:
        assert await self.view(()).publish({}) == {}

    async def test_the_clock_does_not_drift_from_itself(self, opened: None) -> None:
        await self.send(outgoing(1))
        assert abs(self.view(()).drift()) < 1


class TestMemoryLog(LogContract):
    @pytest.fixture
    def opened(self) -> None:
        self.hands = Hands()
        self.broker = MemoryBroker(self)

    def wall(self) -> Any:
        return self.hands()

    def city(self, wall: Any) -> Any:
        return wall

    async def pause(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def view(self, own: Collection[int], topics: Sequence[Topic] = (WORK, RULES)) -> Log:
        return MemoryLog(self.broker, [topic.name for topic in topics], own)

    async def expire(self, target: Target, below: int) -> None:
        self.broker.expire(target, below)


def move(
    processor_seq: int, token: bytes, sent: Sequence[Outgoing] = (), rows: int = 1, partition: int = 0
) -> Move:
    """A move of `rows` rows behind `processor_seq`, from one token (its first byte less one) to the next."""
    cause = Cause(Via.MESSAGE, "m", START, Sender("post", "p"))
    seqs = range(processor_seq + 1, processor_seq + rows + 1)
    records = [
        Record(partition, seq, "c-1", seq, f"{seq}".encode(), cause, START, 2, "00-ab-01") for seq in seqs
    ]
    before = bytes([token[0] - 1]) if token[0] else b""
    return Move(before, Cursor(partition, token, seq=processor_seq + rows, now=START), records, sent)


class SqlContract(LogContract):
    """What the embedded host needs beside the port: journals that deliver, waiting, other processes."""

    store: Store
    other: Store

    def view(self, own: Collection[int], topics: Sequence[Topic] = (WORK, RULES)) -> SqlLog:
        return SqlLog(self.store, topics, own, tick_seconds=TICK_SECONDS)

    async def expire(self, target: Target, below: int) -> None:
        number = select(targets.c.id).where(targets.c.topic == target[0], targets.c.partition == target[1])
        old = delete(messages).where(messages.c.target == number.scalar_subquery(), messages.c.offset < below)
        await self.store.write(lambda connection: connection.execute(old).rowcount)

    def journal(self, processor: str = "router.case") -> SqlJournal:
        return SqlJournal(self.store, processor, delivers=True)

    async def test_an_empty_log_waits_for_a_tick_and_no_longer(self, opened: None) -> None:
        log = await self.reader()
        began = time.perf_counter()
        assert list(await log.fetch(10)) == []
        assert TICK_SECONDS * 0.9 < time.perf_counter() - began < TICK_SECONDS + 1

    async def test_a_log_without_a_tick_answers_at_once(self, opened: None) -> None:
        log = SqlLog(self.store, (WORK,), (0,), tick_seconds=0)
        await log.seek(0, {WORK.name: 0})
        assert list(await log.fetch(10)) == []
        await self.send(outgoing(1))
        assert len(await log.fetch(10)) == 1

    async def test_a_record_wakes_whoever_waits_for_its_topic(self, opened: None) -> None:
        log = SqlLog(self.store, (WORK,), (0,), tick_seconds=30)
        await log.seek(0, {WORK.name: 0})
        waiting = asyncio.create_task(log.fetch(10))
        await asyncio.sleep(0.05)
        await self.send(outgoing(1))
        assert len(await asyncio.wait_for(waiting, 5)) == 1

    async def test_a_record_of_another_process_is_seen_by_itself(self, opened: None) -> None:
        log = SqlLog(self.store, (WORK,), (0,), tick_seconds=30)
        await log.seek(0, {WORK.name: 0})
        waiting = asyncio.create_task(log.fetch(10))
        await SqlLog(self.other, (WORK,)).publish({(WORK.name, 0): [outgoing(1)]})
        assert len(await asyncio.wait_for(waiting, 5)) == 1

    async def test_what_a_commit_sends_is_in_its_topic_with_it(self, opened: None) -> None:
        sent = [outgoing(1), outgoing(2, partition=1), outgoing(3)]
        assert await self.journal().commit([move(0, b"\x00", sent)]) == frozenset()
        found = await self.drain(await self.reader())
        assert [(m.partition, m.offset, m.key, m.headers, m.body) for m in found] == [
            (p, offset, item.key, item.headers, item.body)
            for p, offset, item in ((0, 0, sent[0]), (0, 1, sent[2]), (1, 0, sent[1]))
        ]

    async def test_what_is_fenced_sends_nothing(self, opened: None) -> None:
        await self.journal().commit([move(0, b"\x00")])
        moves = [move(0, b"\x00", [outgoing(1)]), move(0, b"\x00", [outgoing(2)], partition=1)]
        assert await self.journal().commit(moves) == frozenset({0})
        assert [message.headers.k for message in await self.drain(await self.reader())] == [2]

    async def test_what_failed_sends_nothing(self, opened: None) -> None:
        bad = move(5, b"\x00", [outgoing(1)])
        with pytest.raises(Exception):  # noqa: B017 - any exception is doubt
            await self.journal().commit([bad])
        assert await self.drain(await self.reader()) == []

    async def test_the_journal_is_its_event_topic(self, opened: None) -> None:
        await self.journal().commit([move(0, b"\x00", rows=3)])
        log = self.view((0, 1), (CASE_COMMANDS, CASE_EVENTS))
        await log.seek(0, {CASE_COMMANDS.name: 0, CASE_EVENTS.name: 1})
        found = await log.fetch(10)
        expected = [
            Message(
                CASE_EVENTS.name,
                0,
                seq - 1,
                "c-1",
                START,
                Headers("router.case/0", seq, 2, "00-ab-01"),
                f"{seq}".encode(),
            )
            for seq in (2, 3)
        ]
        assert list(found) == expected
        assert await log.look(CASE_EVENTS.name, 0, 2) == expected[1]
        assert await log.look(CASE_EVENTS.name, 0, 3) is None
        assert await log.spans([(CASE_EVENTS.name, 0), (CASE_EVENTS.name, 1)]) == {
            (CASE_EVENTS.name, 0): Span(0, 3),
            (CASE_EVENTS.name, 1): Span(0, 0),
        }

    async def test_stamps_of_events_and_of_what_they_send_never_go_back(self, opened: None) -> None:
        for turn, seconds in enumerate((5, -3, 1, 10)):
            self.hands.move(seconds)
            await self.journal().commit([move(turn, bytes([turn]), [outgoing(turn + 1)])])
        log = self.view((0,), (CASE_EVENTS, WORK))
        await log.seek(0, {CASE_EVENTS.name: 0, WORK.name: 0})
        stamps = [((m.appended - START).total_seconds(), m.topic == WORK.name) for m in await log.fetch(10)]
        assert sorted(stamps) == [(5, False)] * 3 + [(5, True)] * 3 + [(13, False), (13, True)]
        assert [seconds for seconds, _ in stamps] == [5] * 6 + [13] * 2

    async def test_a_target_that_fails_stops_only_itself(self, opened: None) -> None:
        """One key cannot be stored as UTF-8; the other targets are acknowledged."""
        bad = outgoing(1, partition=1, key="\ud800")
        batches = {
            (WORK.name, 0): [outgoing(1)],
            (WORK.name, 1): [bad],
            (WORK.name, 2): [outgoing(1), outgoing(2)],
        }
        assert await self.view(()).publish(batches) == {
            (WORK.name, 0): 1,
            (WORK.name, 1): 0,
            (WORK.name, 2): 2,
        }
        assert [(m.partition, m.offset) for m in await self.drain(await self.reader())] == [
            (0, 0),
            (2, 0),
            (2, 1),
        ]

    async def test_two_processors_send_to_one_target_without_a_hole(self, opened: None) -> None:
        async def sender(processor: str, order: Sequence[int]) -> None:
            for turn in range(8):
                sent = [outgoing(turn + 1, partition=partition) for partition in order for _ in range(3)]
                assert await self.journal(processor).commit([move(turn, bytes([turn]), sent)]) == frozenset()

        await asyncio.gather(
            sender("intake.desk", (0, 1, 2)), sender("sla.clock", (2, 1, 0)), sender("router.case", (1, 0, 2))
        )
        found = await self.drain(await self.reader())
        for partition in range(3):
            assert [m.offset for m in found if m.partition == partition] == list(range(72))

    async def test_an_end_waits_for_what_is_stamped_and_not_yet_committed(self, opened: None) -> None:
        """Stamped at the same moment by another process that is slow to commit: the end must not hide it."""
        async with self.slow_commit([move(0, b"\x00", [outgoing(1)])]) as stamped:
            await asyncio.wait_for(stamped.wait(), 5)
            asking = asyncio.create_task(self.view((0,)).spans([(WORK.name, 0), (CASE_EVENTS.name, 0)]))
            await asyncio.sleep(0.2)
            assert not asking.done()
        assert await asking == {(WORK.name, 0): Span(0, 1), (CASE_EVENTS.name, 0): Span(0, 1)}

    def slow_commit(self, moves: Sequence[Move]) -> "SlowCommit":
        return SlowCommit(self.other, moves)


class SlowCommit:
    """A commit of another process that stamps and then takes its time; it ends with the block."""

    def __init__(self, store: Store, moves: Sequence[Move]) -> None:
        self.store = store
        self.moves = moves
        self.stamped = asyncio.Event()
        self.loop = asyncio.get_running_loop()

    async def __aenter__(self) -> asyncio.Event:
        stamp = self.store.stamp

        def slow() -> Any:
            now = stamp()
            self.loop.call_soon_threadsafe(self.stamped.set)
            self.pause()
            return now

        self.task = asyncio.create_task(self.elsewhere(slow))
        return self.stamped

    async def elsewhere(self, slow: Callable[[], Any]) -> None:
        """SQLite's statements hold their loop, so the other process has one of its own."""
        if isinstance(self.store, sqlite.SqliteStore):
            await asyncio.to_thread(asyncio.run, self.in_file(self.store.path, slow))
        else:
            self.store.stamp = slow
            await self.commit(self.store)

    async def in_file(self, path: Path, slow: Callable[[], Any]) -> None:
        store = await sqlite.SqliteStore(path, slow).open()
        try:
            await self.commit(store)
        finally:
            await store.close()

    async def commit(self, store: Store) -> None:
        await SqlJournal(store, "router.case", delivers=True).commit(self.moves)

    def pause(self) -> None:
        """On a loop of its own sleeping is enough; on the shared one of PostgreSQL the others must go on."""
        if isinstance(self.store, sqlite.SqliteStore):
            time.sleep(1)
        else:
            await_only(asyncio.sleep(1))

    async def __aexit__(self, *_: object) -> None:
        await self.task


class TestSqliteLog(SqlContract):
    @pytest.fixture
    async def opened(self, tmp_path: Path) -> AsyncIterator[None]:
        self.hands = Hands()
        async with (
            sqlite_store(tmp_path / "city.db", self.hands) as self.store,
            sqlite_store(tmp_path / "city.db", self.hands) as self.other,
        ):
            yield


class TestPostgresLog(SqlContract):
    @pytest.fixture
    async def opened(self, postgres_url: str) -> AsyncIterator[None]:
        self.hands = Hands()
        async with (
            postgres_store(postgres_url, self.hands) as self.store,
            postgres_store(postgres_url, self.hands) as self.other,
        ):
            yield
