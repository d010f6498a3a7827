"""The log on Apache Kafka passes the suite of all logs, by each delivery."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import ClassVar

import pytest

from kernel.kafka.cluster import TopicMissing
from kernel.log import Log, Message, Target
from kernel.settings import DeliveryKind
from schemas.topics import Topic
from tests.contract.cabinet import TICK_SECONDS, Cabinet, Fixed, owning
from tests.contract.stores import Hands
from tests.contract.test_log import RULES, UNKNOWN, WORK, LogContract, outgoing

_PATIENCE_SECONDS = 30.0


class RealHands(Hands):
    """The broker has this machine's clock; it is not moved, only read. Stamps are whole milliseconds."""

    def __init__(self) -> None:
        self.time = self()

    def __call__(self) -> datetime:
        now = datetime.now(UTC)
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    def move(self, seconds: float) -> None:
        self.time = self()


class KafkaLogContract(LogContract):
    delivery: ClassVar[DeliveryKind]
    tick_seconds: ClassVar[float] = TICK_SECONDS
    cabinet: Cabinet

    @pytest.fixture
    async def opened(self, kafka_bootstrap: str) -> AsyncIterator[None]:
        self.hands = RealHands()
        async with Cabinet(kafka_bootstrap, self.delivery) as self.cabinet:
            yield

    def view(self, own: Collection[int], topics: Sequence[Topic] = (WORK, RULES)) -> Log:
        number = len(self.cabinet.opened)
        return self.cabinet.log(
            topics if own else (),
            group=f"view.{number}",
            worker=f"view.{number}",
            assignor=Fixed(own),
            tick_seconds=self.tick_seconds,
        )

    async def reader(self, own: Collection[int] = (0, 1, 2), offsets: Mapping[str, int] | None = None) -> Log:
        log = self.view(own)
        await owning(log, own)
        for partition in own:
            await log.seek(partition, offsets or {WORK.name: 0, RULES.name: 0})
        return log

    async def expire(self, target: Target, below: int) -> None:
        await self.cabinet.expire(target, below)

    def stamp(self, message: Message) -> datetime:
        assert self.hands.time <= message.appended <= self.hands()
        return message.appended

    async def drain(self, log: Log, limit: int = 1000) -> list[Message]:
        """To the end, wherever it is: a fetch that waits at the old place may outlast a tick."""
        found: list[Message] = []
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while not await self._at_end(log):
                found.extend(await log.fetch(limit))
        return found

    async def _at_end(self, log: Log) -> bool:
        places = {
            (topic, partition): offset
            for partition in log.assigned()
            for topic, offset in log.positions(partition).items()
        }
        spans = await log.spans(places)
        return all(spans[target].end <= offset for target, offset in places.items())

    async def test_stamps_are_the_logs_own_and_never_go_back(self, opened: None) -> None:
        stamps: list[tuple[datetime, datetime]] = []
        for _ in range(4):
            before = self.hands()
            await self.send(outgoing(1))
            stamps.append((before, self.hands()))
        found = await self.drain(await self.reader())
        assert [low <= m.appended <= high for m, (low, high) in zip(found, stamps, strict=True)] == [True] * 4

    async def test_a_topic_that_nobody_has_written_to_is_empty(self, opened: None) -> None:
        """Topics are made beforehand here: one that is not there was forgotten, or deleted."""
        log = self.view(())
        with pytest.raises(TopicMissing, match="gridcase topics check"):
            await log.spans([(UNKNOWN, 0)])
        with pytest.raises(TopicMissing):
            await log.look(UNKNOWN, 0, 0)
        await self.cabinet.create(UNKNOWN)
        assert await log.look(UNKNOWN, 0, 0) is None


class TestPlainKafkaLog(KafkaLogContract):
    delivery = "plain"


class TestFaustKafkaLog(KafkaLogContract):
    delivery = "faust"


class TestStockKafkaLog(KafkaLogContract):
    """Faust's own way takes up to 2.5 s to go on at another place, so here a tick is longer than that."""

    delivery = "stock"
    tick_seconds = 3.0
