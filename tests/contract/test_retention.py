"""What a topic forgets, and what it keeps however old it is: one suite for memory, SQLite and PostgreSQL."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from cli.topology import PROCESSORS
from cli.witness import WITNESS
from kernel.inbox import fingerprint, unsound
from kernel.journal import Cursor, Journal, Move, Reach, Snapshot
from kernel.log import Headers, Log, Outgoing, Span, Target
from kernel.memory.journal import MemoryJournal
from kernel.memory.log import MemoryBroker, MemoryLog
from kernel.processor import AnyProcessor
from kernel.sql.journal import SqlJournal
from kernel.sql.log import SqlLog
from kernel.sql.pruning import Pruning
from kernel.sql.store import Store
from kernel.sql.tables import snapshots
from schemas.topics import CASE_COMMANDS, INTAKE_DESK, RULES_EDITIONS, UNIT_CASES, UNIT_COMMANDS, Topic
from services.intake.desk.processor import DESK
from services.router.processor import ROUTER_CASE
from tests.contract.stores import Hands, postgres_store, sqlite_store

DAY = 86_400
COMMANDS = (CASE_COMMANDS.name, 0)


class RetentionContract(ABC):
    """Subclasses give a store whose clock is `hands`, and prune it until nothing more goes."""

    hands: Hands
    processors: Sequence[AnyProcessor] = PROCESSORS

    @abstractmethod
    def log(self, topics: Sequence[Topic] = (CASE_COMMANDS,)) -> Log:
        """A view of the topics."""

    @abstractmethod
    def journal(self, processor: str) -> Journal:
        """The journal of a processor, always the same one."""

    @abstractmethod
    async def prune(self) -> int:
        """Let go what may go; gives how many records that were."""

    @pytest.fixture(autouse=True)
    def _numbers(self) -> None:
        self.tokens = count(1)
        self.sent: dict[Target, int] = {}

    async def send(self, number: int = 1, target: Target = COMMANDS) -> None:
        first = self.sent.get(target, 0) + 1
        self.sent[target] = first + number - 1
        batch = [
            Outgoing(*target, k, k, "c-1", Headers("edge/0", k), b"%d" % k)
            for k in range(first, first + number)
        ]
        assert await self.log().publish({target: batch}) == {target: number}

    async def take(self, processor: AnyProcessor, offset: int, topic: Topic = CASE_COMMANDS) -> None:
        """Commit a cursor at this offset, with the fingerprint of the record below."""
        journal = self.journal(processor.name)
        [claim] = await journal.claim([0])
        below = await self.log().look(topic.name, 0, offset - 1)
        reach = {topic.name: Reach(offset, fingerprint(below) if below else b"")}
        cursor = Cursor(0, b"%d" % next(self.tokens), reach)
        assert await journal.commit([Move(claim.cursor.token, cursor)]) == frozenset()

    async def span(self, target: Target = COMMANDS) -> Span:
        return (await self.log().spans([target]))[target]

    async def fits(self, processor: AnyProcessor, topic: Topic = CASE_COMMANDS) -> bool:
        """Whether a worker that claims now finds its inbox sound."""
        [claim] = await self.journal(processor.name).claim([0])
        reach = claim.cursor.reach.get(topic.name, Reach(0))
        below = await self.log().look(topic.name, 0, reach.offset - 1) if reach.offset else None
        return unsound(topic.name, reach, await self.span((topic.name, 0)), below) is None

    async def test_what_is_young_stays_though_everybody_has_taken_it(self, opened: None) -> None:
        await self.send(5)
        await self.take(ROUTER_CASE, 5)
        self.hands.move(30 * DAY - 1)
        assert await self.prune() == 0
        assert await self.span() == Span(0, 5)

    async def test_what_has_aged_goes_but_the_last_that_was_taken(self, opened: None) -> None:
        await self.send(5)
        await self.take(ROUTER_CASE, 5)
        self.hands.move(30 * DAY + 1)
        assert await self.prune() == 4
        assert await self.span() == Span(4, 5)
        assert await self.fits(ROUTER_CASE)
        assert await self.prune() == 0

    async def test_only_what_is_older_than_the_retention_goes(self, opened: None) -> None:
        for _ in range(4):
            await self.send(2)
            self.hands.move(10 * DAY)
        await self.take(ROUTER_CASE, 8)
        self.hands.move(1)
        assert await self.prune() == 4
        assert await self.span() == Span(4, 8)
        assert await self.fits(ROUTER_CASE)

    async def test_what_is_not_taken_stays_however_old(self, opened: None) -> None:
        await self.send(5)
        self.hands.move(400 * DAY)
        assert await self.prune() == 0
        await self.take(ROUTER_CASE, 3)
        assert await self.prune() == 2
        assert await self.span() == Span(2, 5)
        assert await self.fits(ROUTER_CASE)
        records = [await self.log().look(*COMMANDS, offset) for offset in (3, 4)]
        assert [record.headers.k for record in records if record] == [4, 5]

    async def test_all_readers_are_waited_for_also_those_the_registry_does_not_name(
        self, opened: None
    ) -> None:
        self.processors = (*PROCESSORS, WITNESS)
        target = (INTAKE_DESK.name, 0)
        await self.send(6, target)
        await self.take(DESK, 6, INTAKE_DESK)
        self.hands.move(31 * DAY)
        assert await self.prune() == 0
        await self.take(WITNESS, 3, INTAKE_DESK)
        assert await self.prune() == 2
        assert await self.fits(DESK, INTAKE_DESK)
        assert await self.fits(WITNESS, INTAKE_DESK)

    async def test_a_processor_without_a_cursor_is_waited_for(self, opened: None) -> None:
        self.processors = (*PROCESSORS, WITNESS)
        await self.send(6, (INTAKE_DESK.name, 0))
        await self.take(DESK, 6, INTAKE_DESK)
        self.hands.move(31 * DAY)
        assert await self.prune() == 0
        assert await self.fits(WITNESS, INTAKE_DESK)

    async def test_some_topics_are_kept_for_ever(self, opened: None) -> None:
        target = (RULES_EDITIONS.name, 0)
        await self.send(3, target)
        for processor in PROCESSORS:
            await self.take(processor, 3, RULES_EDITIONS)
        self.hands.move(4000 * DAY)
        assert await self.prune() == 0
        assert await self.span(target) == Span(0, 3)

    async def test_a_topic_that_this_release_does_not_know_is_left_alone(self, opened: None) -> None:
        await self.send(3, ("contract.later", 0))
        await self.send(3, ("unit..cases", 0))
        self.hands.move(4000 * DAY)
        assert await self.prune() == 0

    async def test_a_units_topics_are_read_outside_and_go_by_age_alone(self, opened: None) -> None:
        cases, commands = (UNIT_CASES.of("城管").name, 0), (UNIT_COMMANDS.of("城管").name, 0)
        await self.send(4, cases)
        await self.send(4, commands)
        self.hands.move(8 * DAY)
        assert await self.prune() == 3
        assert (await self.span(cases), await self.span(commands)) == (Span(0, 4), Span(3, 4))
        self.hands.move(23 * DAY)
        assert await self.prune() == 3
        assert await self.span(cases) == Span(3, 4)

    async def test_what_comes_after_is_taken_as_if_nothing_had_gone(self, opened: None) -> None:
        await self.send(5)
        await self.take(ROUTER_CASE, 5)
        self.hands.move(31 * DAY)
        assert await self.prune() == 4
        await self.send(2)
        log = self.log()
        if isinstance(log, MemoryLog | SqlLog):
            log.own = frozenset({0})
        await log.seek(0, {CASE_COMMANDS.name: 5})
        assert [message.headers.k for message in await log.fetch(10)] == [6, 7]


class TestMemoryRetention(RetentionContract):
    @pytest.fixture
    def opened(self) -> None:
        self.hands = Hands()
        self.broker = MemoryBroker(self)
        self.journals: dict[str, MemoryJournal] = {}

    def wall(self) -> Any:
        return self.hands()

    def city(self, wall: Any) -> Any:
        return wall

    async def pause(self, seconds: float) -> None:
        del seconds

    def log(self, topics: Sequence[Topic] = (CASE_COMMANDS,)) -> Log:
        return MemoryLog(self.broker, [topic.name for topic in topics])

    def journal(self, processor: str) -> Journal:
        return self.journals.setdefault(processor, MemoryJournal())

    async def prune(self) -> int:
        before = sum(self.broker.first.values())
        reached: dict[Target, dict[str, int]] = {}
        for name, journal in self.journals.items():
            for topic, reach in journal.cursor(0).reach.items():
                reached.setdefault((topic, 0), {})[name] = reach.offset
        self.broker.age(self.processors, reached)
        return sum(self.broker.first.values()) - before


class SqlRetention(RetentionContract):
    """In SQL it goes in steps, and snapshots go too."""

    store: Store

    def log(self, topics: Sequence[Topic] = (CASE_COMMANDS,)) -> Log:
        return SqlLog(self.store, topics, tick_seconds=0)

    def journal(self, processor: str) -> Journal:
        return SqlJournal(self.store, processor, delivers=True)

    async def prune(self) -> int:
        return await self.steps(500)

    async def steps(self, most: int) -> int:
        pruning, gone = Pruning(self.store, self.processors, most), 0
        while found := await pruning.step():
            assert found <= most
            gone += found
        return gone

    @pytest.mark.parametrize("most", [3, 4, 7])
    async def test_a_step_removes_so_many_at_most_and_the_next_goes_on(self, opened: None, most: int) -> None:
        others = [
            (topic, partition)
            for topic in (CASE_COMMANDS.name, UNIT_CASES.of("a").name)
            for partition in (1, 2)
        ]
        for target in (COMMANDS, *others):
            await self.send(10, target)
        await self.take(ROUTER_CASE, 10)
        self.hands.move(31 * DAY)
        assert await self.steps(most) == 27
        assert await self.span() == Span(9, 10)
        assert [await self.span(target) for target in others] == [
            Span(0, 10),
            Span(0, 10),
            Span(9, 10),
            Span(9, 10),
        ]

    async def kept(self) -> list[tuple[str, str, int]]:
        query = select(snapshots.c.stream, snapshots.c.fold, snapshots.c.version).order_by(
            snapshots.c.stream, snapshots.c.fold, snapshots.c.version
        )
        return [
            tuple(row) for row in await self.store.read(lambda connection: connection.execute(query).all())
        ]

    async def snap(self, *those: tuple[str, str, int]) -> None:
        journal = self.journal(ROUTER_CASE.name)
        [claim] = await journal.claim([0])
        taken = [Snapshot(0, stream, version, fold, b"{}") for stream, fold, version in those]
        cursor = Cursor(0, b"%d" % next(self.tokens))
        assert await journal.commit([Move(claim.cursor.token, cursor, snapshots=taken)]) == frozenset()

    @pytest.mark.parametrize("most", [3, 4, 5, 6, 500])
    async def test_the_last_two_snapshots_of_each_stream_and_fold_stay(self, opened: None, most: int) -> None:
        await self.snap(
            *((stream, fold, version) for stream in "abc" for fold in "xy" for version in range(1, 6))
        )
        await self.snap(("d", "x", 1), ("e", "x", 1), ("e", "x", 2))
        pruning = Pruning(self.store, self.processors, most)
        gone = [await pruning.step() for _ in range(60)]
        assert sum(gone) == 18
        assert await self.kept() == [
            *((stream, fold, version) for stream in "abc" for fold in "xy" for version in (4, 5)),
            ("d", "x", 1),
            ("e", "x", 1),
            ("e", "x", 2),
        ]

    async def test_the_newest_snapshot_is_still_found_and_a_later_one_pushes_the_oldest_out(
        self, opened: None
    ) -> None:
        await self.snap(*(("a", "x", version) for version in (1, 2, 3)))
        pruning = Pruning(self.store, self.processors)
        assert await pruning.step() == 1
        found = await self.journal(ROUTER_CASE.name).histories({0: ["a"]}, "x")
        assert found[0, "a"].snapshot == Snapshot(0, "a", 3, "x", b"{}")
        await self.snap(("a", "x", 4))
        assert await pruning.step() == 1
        assert await self.kept() == [("a", "x", 3), ("a", "x", 4)]


class TestSqliteRetention(SqlRetention):
    @pytest.fixture
    async def opened(self, tmp_path: Path) -> AsyncIterator[None]:
        self.hands = Hands()
        async with sqlite_store(tmp_path / "city.db", self.hands) as self.store:
            yield


class TestPostgresRetention(SqlRetention):
    @pytest.fixture
    async def opened(self, postgres_url: str) -> AsyncIterator[None]:
        self.hands = Hands()
        async with postgres_store(postgres_url, self.hands) as self.store:
            yield
