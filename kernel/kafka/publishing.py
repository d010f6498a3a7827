"""What leaves: idempotent, acknowledged by all replicas, one batch in flight for each target."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.structs import RecordMetadata

from kernel.kafka.cluster import ANSWER_SECONDS, Cluster, NoAnswer, TopicMissing
from kernel.kafka.group import unheard
from kernel.kafka.records import headers_of
from kernel.log import Outgoing, Target
from kernel.telemetry import TARGET_FAILED, logger

_BATCH_BYTES: Final = 512 * 1024
_ANSWER_SECONDS: Final = 5.0
_CLOSE_SECONDS: Final = 5.0
_PAUSE_SECONDS: Final = 0.1
_PAUSES_MOST: Final = 8


class Lane:
    """One target: the batch in flight there, and after failures the time until which it is left alone.

    A batch whose answer did not come in time stays in flight, for its producer goes on trying; from then on
    it is only looked at. `late` says so.
    """

    __slots__ = ("answer", "failures", "late", "sent", "until", "went")

    def __init__(self) -> None:
        self.sent: Sequence[Outgoing] = ()
        self.answer: asyncio.Future[RecordMetadata] | None = None
        self.went = 0.0
        self.late = False
        self.failures = 0
        self.until = 0.0

    def failed(self) -> None:
        """Nothing is in flight any more, and nothing is tried for a while that grows with each failure."""
        self.answer, self.sent, self.late = None, (), False
        self.failures = min(self.failures + 1, _PAUSES_MOST)
        self.until = time.monotonic() + _PAUSE_SECONDS * 2**self.failures


class Publisher:
    """One worker's producer. `drift` is by how many seconds the last stamp lay outside send and answer.

    `took` is told how many seconds each publication took.
    """

    def __init__(self, cluster: Cluster, who: str, took: Callable[[float], object] = unheard) -> None:
        self._cluster = cluster
        self._who = f"{who}-publisher"
        self._producer: AIOKafkaProducer | None = None
        self._topics: set[str] = set()
        self._lanes: dict[Target, Lane] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._took = took
        self.drift = 0.0

    async def publish(self, batches: Mapping[Target, Sequence[Outgoing]]) -> Mapping[Target, int]:
        """See the port."""
        if not batches:
            return {}
        producer = self._producer or await self._connect()
        now = time.monotonic()
        lanes = {target: self._lanes.setdefault(target, Lane()) for target in batches}
        tried = [target for target, lane in lanes.items() if lane.until <= now]
        await self._know(producer, {self._cluster.name(topic) for topic, _ in tried})
        counts = await asyncio.gather(
            *(self._deliver(producer, lanes[target], target, batches[target]) for target in tried)
        )
        self._took(time.monotonic() - now)
        return dict.fromkeys(batches, 0) | dict(zip(tried, counts, strict=True))

    async def close(self) -> None:
        """Let what is in flight arrive and close; if that takes too long it is for the next owner to send."""
        if self._producer is not None:
            self._retire(self._producer)
        if self._closing:
            _, late = await asyncio.wait(self._closing, timeout=_CLOSE_SECONDS)
            for task in late:
                task.cancel()

    # One target.

    async def _deliver(
        self, producer: AIOKafkaProducer, lane: Lane, target: Target, batch: Sequence[Outgoing]
    ) -> int:
        """Send a batch in as many pieces as it needs, one after the other; gives how many have arrived."""
        taken = 0
        try:
            while taken < len(batch):
                if lane.answer is None:
                    await self._send(producer, lane, target, batch[taken:])
                arrived = await self._arrived(lane, batch[taken:])
                if arrived is None:
                    return taken
                taken += arrived
        except (KafkaError, TopicMissing) as error:
            lane.failed()
            if not isinstance(error, TopicMissing):
                self._retire(producer)  # it would number wrongly all that follows a batch that was refused
            facts = {"topic": target[0], "partition": target[1], "messages": len(batch) - taken}
            logger().warning(TARGET_FAILED, **facts, error=f"{type(error).__name__}: {error}")
        else:
            lane.failures = 0
        return taken

    async def _send(
        self, producer: AIOKafkaProducer, lane: Lane, target: Target, batch: Sequence[Outgoing]
    ) -> None:
        """Put as much in flight as one batch of the log holds."""
        topic = self._cluster.name(target[0])
        if target[1] not in (producer.client.cluster.partitions_for_topic(topic) or ()):
            self._topics.discard(topic)  # asked for anew the next time
            raise TopicMissing(topic, target[1])
        builder = producer.create_batch()
        count, city = 0, self._cluster.city
        for message in batch:
            written = builder.append(
                timestamp=None,
                key=message.key.encode(),
                value=message.body,
                headers=headers_of(message, city),
            )
            if written is None:
                break
            count += 1
        builder.close()
        lane.went = time.time()
        lane.answer = await producer.send_batch(builder, topic, partition=target[1])
        lane.answer.add_done_callback(_heard)
        lane.sent = batch[:count]

    async def _know(self, producer: AIOKafkaProducer, topics: set[str]) -> None:
        """Name the topics of which the client asks who leads; by itself it forgets what it knew first."""
        if topics <= self._topics:
            return
        self._topics |= topics
        producer.client.set_topics(set(self._topics))
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await producer.client.force_metadata_update()
        except TimeoutError as error:
            self._topics -= topics
            raise NoAnswer(self._cluster.bootstrap) from error

    async def _arrived(self, lane: Lane, batch: Sequence[Outgoing]) -> int | None:
        """How many of the batch what was in flight has brought; nothing if there is no answer yet.

        After a claim the queue may begin elsewhere: what arrived then is no part of it and is sent again.
        """
        answer = lane.answer
        assert answer is not None
        await asyncio.wait([answer], timeout=0 if lane.late else _ANSWER_SECONDS)
        if not answer.done():
            lane.late = True
            return None
        sent, lane.sent, lane.answer = lane.sent, (), None
        late, lane.late = lane.late, False
        metadata = answer.result()
        if not late:
            self._see(lane.went, metadata.timestamp)
        return (
            len(sent) if sent == batch[: len(sent)] else 0
        )  # mostly the very same objects: compared at once

    def _see(self, went: float, stamp: int | None) -> None:
        """Compare the log's stamp with our clock before the send and after the answer."""
        if stamp is None or stamp < 0:
            return
        seconds = stamp / 1000
        came = time.time()
        self.drift = min(0.0, seconds - went + 0.001) + max(0.0, seconds - came)

    # The producer.

    async def _connect(self) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(
            **self._cluster.client(self._who),
            acks="all",
            enable_idempotence=True,
            max_batch_size=_BATCH_BYTES,
        )
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await producer.start()
        except TimeoutError as error:
            await producer.stop()
            raise NoAnswer(self._cluster.bootstrap) from error
        except BaseException:
            await producer.stop()
            raise
        self._producer, self._topics = producer, set()
        return producer

    def _retire(self, producer: AIOKafkaProducer) -> None:
        """Let a producer bring what it has in flight and end by itself."""
        if self._producer is producer:
            self._producer = None
            task = asyncio.create_task(self._end(producer))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    async def _end(self, producer: AIOKafkaProducer) -> None:
        with suppress(KafkaError):
            await producer.stop()


def _heard(answer: asyncio.Future[RecordMetadata]) -> None:
    """Nobody may be left to hear why an abandoned batch failed."""
    if not answer.cancelled():
        answer.exception()
