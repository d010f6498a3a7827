"""One hop: commands arrive at a steady rate, and their events come to the topic."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final

from aiokafka import AIOKafkaProducer
from aiokafka.structs import ConsumerRecord

from bench.ground import PARTITIONS, Backlog, Ground, number_of
from bench.latency import Waits
from bench.racing import came, ours, stop
from bench.truth import Truth, by_case, read
from kernel.kafka.looking import Looker
from kernel.kafka.records import headers_of
from kernel.log import Outgoing
from schemas.topics import CASE_COMMANDS

_WARM: Final = 0.2


class Drip:
    """Commands at a steady rate, one for each partition in turn; a case's two behind one another."""

    def __init__(self, ground: Ground, backlog: Backlog, most: int, per_second: int) -> None:
        self._ground = ground
        self._lists = [batch for batch in backlog.messages(most).values() if batch]
        self._pause = 1 / per_second
        self._producer: AIOKafkaProducer | None = None
        self.sent = 0
        self.cases: set[int] = set()

    def in_turn(self) -> Iterator[Outgoing]:
        """All of them: of each partition the next case is opened, then of each it is accepted."""
        for place in range(0, max(map(len, self._lists)), 2):
            for step in (place, place + 1):
                yield from (batch[step] for batch in self._lists if step < len(batch))

    async def run(self, until: asyncio.Event) -> None:
        """Send until told to stop, and then until each case that was opened has been accepted."""
        producer = AIOKafkaProducer(**self._ground.cluster.client("drip"), enable_idempotence=True)
        await producer.start()
        topic, started, opened = (
            self._ground.cluster.name(CASE_COMMANDS.name),
            time.perf_counter(),
            set[str](),
        )
        told = partial(headers_of, city=self._ground.cluster.city)
        for one in self.in_turn():
            if until.is_set() and one.key not in opened:
                if not opened:
                    break
                continue
            opened ^= {one.key}
            if (early := started + self.sent * self._pause - time.perf_counter()) > 0:
                await asyncio.sleep(early)
            await producer.send(topic, one.body, one.key.encode(), one.partition, headers=told(one))
            self.sent += 1
            self.cases.add(number_of(one.key))
        await producer.stop()


async def hops(ground: Ground, backlog: Backlog, count: int, per_second: int) -> Waits:
    """From a command's stamp to that of its last event; the brokers give both."""
    await ground.found(backlog.bundle)
    process = await ours(ground, "faust").start("a")
    try:
        await written(ground, PARTITIONS)
        drip = Drip(ground, backlog, count, per_second)
        await drip.run(asyncio.Event())
        truth = await asyncio.to_thread(Truth, backlog)
        await written(ground, truth.events(count) + PARTITIONS)
    finally:
        await stop(process)
    came = {key: [one.timestamp for one in found] for key, found in by_case(await _commands(ground)).items()}
    late: list[float] = []
    lost = 0
    events = by_case(await read(ground))
    for key, stamps in list(came.items())[int(_WARM * len(came)) :]:
        left = [one.timestamp for one in events.get(key, ())]
        lost += 0 if left else len(stamps)
        late += [(left[place] - stamps[place]) / 1000 for place in (0, -1) if left]
    return Waits(tuple(sorted(late)), lost)


async def _commands(ground: Ground) -> Sequence[ConsumerRecord]:
    return await read(ground, (CASE_COMMANDS,))


async def written(ground: Ground, events: int, quiet_seconds: float = 0) -> None:
    """Wait until so many events are on the topic and for a while no more come; but not for ever."""
    looker = Looker(ground.cluster, "hop")
    try:
        await came(looker, events, quiet_seconds)
    finally:
        await looker.close()
