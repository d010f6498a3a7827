"""Topics of one test on the broker of the session, and the logs that the test opens on them."""

import asyncio
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Self, get_args

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete
from aiokafka.cluster import ClusterMetadata
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment, ConsumerProtocolMemberMetadata
from aiokafka.structs import TopicPartition

from kernel.kafka.cluster import Cluster
from kernel.kafka.deliveries import delivery_of
from kernel.kafka.log import KafkaLog
from kernel.kafka.looking import Looker
from kernel.kafka.publishing import Publisher
from kernel.kafka.sharing import ByNumber
from kernel.log import Log, Target
from kernel.settings import DeliveryKind
from schemas.topics import Topic
from tests.contract.test_log import RULES, WORK

PARTITIONS = 6
DELIVERIES: Sequence[DeliveryKind] = get_args(DeliveryKind)
IN_TURN = [
    pytest.param(kind, marks=[pytest.mark.soak] if place else []) for place, kind in enumerate(DELIVERIES)
]
"""For tests that wait for sessions to end: the default delivery each time, the others in `make soak`."""
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


class Cabinet:
    """Topics of one test, and all logs that it opened."""

    def __init__(self, bootstrap: str, delivery: DeliveryKind = "plain") -> None:
        self.delivery: DeliveryKind = delivery
        self.cluster = Cluster(bootstrap, prefix=f"t{uuid.uuid4().hex[:8]}.")
        self.admin = AIOKafkaAdminClient(**self.cluster.client("test"))
        self.opened: list[KafkaLog] = []

    async def __aenter__(self) -> Self:
        await self.admin.start()
        await self.create(WORK.name, RULES.name)
        return self

    async def create(self, *topics: str) -> None:
        made = [
            NewTopic(
                self.cluster.name(topic),
                PARTITIONS,
                1,
                topic_configs={"message.timestamp.type": "LogAppendTime"},
            )
            for topic in topics
        ]
        answer = await self.admin.create_topics(made)
        assert [code for _, code, *_ in answer.topic_errors] == [0] * len(topics)
        names = {self.cluster.name(topic) for topic in topics}
        await self.until(lambda there: names <= there)

    async def delete(self, *topics: str) -> None:
        names = {self.cluster.name(topic) for topic in topics}
        await self.admin.delete_topics(sorted(names))
        await self.until(lambda there: not names & there)

    async def until(self, settled: Callable[[set[str]], bool]) -> None:
        """The controller answers before every broker has heard of it."""
        for _ in range(500):
            if settled(set(await self.admin.list_topics())):
                return
            await asyncio.sleep(0.01)
        raise TimeoutError

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
        delivery = delivery_of(
            self.delivery,
            self.cluster,
            names,
            group=group,
            worker=worker,
            tick_seconds=tick_seconds,
            assignor=assignor,
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
