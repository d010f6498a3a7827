"""The log on Apache Kafka, by plain aiokafka: the suite of all logs, and what only several workers show."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import UTC, datetime

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete
from aiokafka.cluster import ClusterMetadata
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment, ConsumerProtocolMemberMetadata
from aiokafka.structs import TopicPartition

from kernel.kafka.cluster import Cluster, TopicMissing
from kernel.kafka.log import KafkaLog
from kernel.kafka.looking import Looker
from kernel.kafka.plain import PlainDelivery
from kernel.kafka.publishing import Publisher
from kernel.kafka.sharing import ByNumber
from kernel.log import Log, Message, Target
from schemas.topics import Topic
from tests.contract.stores import Hands
from tests.contract.test_log import RULES, UNKNOWN, WORK, LogContract, outgoing

PARTITIONS = 6
TICK_SECONDS = 0.5


class Fixed(ByNumber):
    """Gives the only worker of a group what the test wants it to own."""

    def __init__(self, own: Collection[int]) -> None:
        super().__init__("fixed")
        self.own = sorted(own)

    def assign(
        self, cluster: ClusterMetadata, members: Mapping[str, ConsumerProtocolMemberMetadata]
    ) -> dict[str, ConsumerProtocolMemberAssignment]:
        [(member, metadata)] = members.items()
        held = [(topic, self.own) for topic in metadata.subscription]
        return {member: ConsumerProtocolMemberAssignment(0, held, b"")}


class RealHands(Hands):
    """The broker's clock is this machine's; it is not moved, only waited for. Stamps are whole milliseconds."""

    def __init__(self) -> None:
        self.time = self()

    def __call__(self) -> datetime:
        now = datetime.now(UTC)
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    def move(self, seconds: float) -> None:
        self.time = self()


class Cabinet:
    """Topics of one test, and all logs that it opened."""

    def __init__(self, bootstrap: str) -> None:
        self.cluster = Cluster(bootstrap, prefix=f"t{uuid.uuid4().hex[:8]}.")
        self.admin = AIOKafkaAdminClient(**self.cluster.client("test"))
        self.opened: list[KafkaLog] = []

    async def __aenter__(self) -> "Cabinet":
        await self.admin.start()
        await self.create(WORK.name, RULES.name)
        return self

    async def create(self, *topics: str) -> None:
        made = [
            NewTopic(self.cluster.name(topic), PARTITIONS, 1, topic_configs={"message.timestamp.type": "LogAppendTime"})
            for topic in topics
        ]
        answer = await self.admin.create_topics(made)
        assert [code for _, code, *_ in answer.topic_errors] == [0] * len(topics)
        names = {self.cluster.name(topic) for topic in topics}
        while not names.issubset(await self.admin.list_topics()):
            await asyncio.sleep(0.01)

    async def delete(self, *topics: str) -> None:
        await self.admin.delete_topics([self.cluster.name(topic) for topic in topics])

    async def expire(self, target: Target, below: int) -> None:
        tp = TopicPartition(self.cluster.name(target[0]), target[1])
        await self.admin.delete_records({tp: RecordsToDelete(below)})

    def log(
        self,
        topics: Sequence[Topic] = (WORK, RULES),
        *,
        group: str = "workers",
        worker: str = "worker.1",
        assignor: ByNumber | None = None,
        tick_seconds: float = TICK_SECONDS,
    ) -> KafkaLog:
        names = [topic.name for topic in topics]
        delivery = PlainDelivery(
            self.cluster, names, group=group, worker=worker, tick_seconds=tick_seconds, assignor=assignor
        )
        log = KafkaLog(delivery, Publisher(self.cluster, worker), Looker(self.cluster, worker))
        self.opened.append(log)
        return log

    async def __aexit__(self, *_: object) -> None:
        await asyncio.gather(*(log.close() for log in self.opened))
        await self.admin.close()


async def owning(log: Log, own: Collection[int], seconds: float = 10) -> None:
    """Turn the log until it owns exactly this."""
    async with asyncio.timeout(seconds):
        while log.assigned() != frozenset(own):
            assert await log.fetch(1) == ()


class TestPlainKafkaLog(LogContract):
    cabinet: Cabinet

    @pytest.fixture
    async def opened(self, kafka_bootstrap: str) -> AsyncIterator[None]:
        self.hands = RealHands()
        async with Cabinet(kafka_bootstrap) as self.cabinet:
            yield

    def view(self, own: Collection[int], topics: Sequence[Topic] = (WORK, RULES)) -> Log:
        number = len(self.cabinet.opened)
        return self.cabinet.log(
            topics if own else (), group=f"view.{number}", worker=f"view.{number}", assignor=Fixed(own)
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
