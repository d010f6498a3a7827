"""A loop by hand over aiokafka: fetch, decide, send events and states, commit the offsets. At least once."""

import asyncio
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from aiokafka import (
    AIOKafkaConsumer,
    AIOKafkaProducer,
    ConsumerRebalanceListener,
    ConsumerRecord,
    TopicPartition,
)

from bench.peers.work import HEARTBEAT_MS, SESSION_MS, Place, Work, moment, packed, place

BATCH: Final = 1000
BATCH_BYTES: Final = 512 * 1024
Sends = dict[tuple[str, int], list[tuple[bytes, bytes]]]


class Loop(ConsumerRebalanceListener):
    """The states of what is assigned, read back from their topic."""

    def __init__(self, here: Place) -> None:
        self._here = here
        self._work = Work(here.decision)
        self._cases: dict[int, dict[bytes, Any]] = {}

    async def on_partitions_assigned(self, assigned: Sequence[TopicPartition]) -> None:
        new = {part.partition for part in assigned} - self._cases.keys()
        self._cases |= await self._restored(new)

    async def on_partitions_revoked(self, revoked: Sequence[TopicPartition]) -> None:
        for part in revoked:
            self._cases.pop(part.partition, None)

    async def _restored(self, numbers: set[int]) -> dict[int, dict[bytes, Any]]:
        cases: dict[int, dict[bytes, Any]] = {number: {} for number in numbers}
        reader = AIOKafkaConsumer(bootstrap_servers=self._here.bootstrap, enable_auto_commit=False)
        await reader.start()
        parts = [TopicPartition(self._here.states, number) for number in numbers]
        reader.assign(parts)
        ends = await reader.end_offsets(parts)
        await reader.seek_to_beginning(*parts)
        left = {part for part in parts if ends[part]}
        while left:
            for part, records in (await reader.getmany(timeout_ms=200)).items():
                cases[part.partition] |= {one.key: self._work.unpacked(one.value) for one in records}
            left = {part for part in left if await reader.position(part) < ends[part]}
        await reader.stop()
        return cases

    def decided(self, found: Mapping[TopicPartition, Sequence[ConsumerRecord]]) -> Sends:
        """What leaves for a batch, by topic and partition."""
        sends: Sends = {}
        for part, records in found.items():
            cases = self._cases[part.partition]
            events = sends.setdefault((self._here.events, part.partition), [])
            states = sends.setdefault((self._here.states, part.partition), [])
            for one in records:
                before = cases.get(one.key, self._work.initial)
                after, bodies = self._work.decide(one.key.decode(), one.value, before, moment(one.timestamp))
                cases[one.key] = after
                events += [(one.key, body) for body in bodies]
                states.append((one.key, packed(after)))
        return sends

    async def run(self) -> None:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._here.bootstrap,
            group_id=f"{self._here.prefix}plain",
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            session_timeout_ms=SESSION_MS,
            heartbeat_interval_ms=HEARTBEAT_MS,
        )
        producer = AIOKafkaProducer(
            bootstrap_servers=self._here.bootstrap,
            acks="all",
            enable_idempotence=True,
            max_batch_size=BATCH_BYTES,
        )
        await producer.start()
        await consumer.start()
        consumer.subscribe([self._here.commands], listener=self)
        while True:
            found = await consumer.getmany(timeout_ms=200, max_records=BATCH)
            if found:
                await _send(producer, self.decided(found))
                await consumer.commit({part: records[-1].offset + 1 for part, records in found.items()})


async def _send(producer: AIOKafkaProducer, sends: Sends) -> None:
    answers = []
    for (topic, partition), records in sends.items():
        builder = producer.create_batch()
        for key, value in records:
            if builder.append(timestamp=None, key=key, value=value) is None:
                builder.close()
                answers.append(await producer.send_batch(builder, topic, partition=partition))
                builder = producer.create_batch()
                builder.append(timestamp=None, key=key, value=value)
        builder.close()
        answers.append(await producer.send_batch(builder, topic, partition=partition))
    await asyncio.gather(*answers)


async def main(loop: Loop) -> None:
    task = asyncio.create_task(loop.run())
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    with suppress(asyncio.CancelledError):
        await task


if __name__ == "__main__":
    asyncio.run(main(Loop(place())))  # a work makes its rules in an event loop of its own
