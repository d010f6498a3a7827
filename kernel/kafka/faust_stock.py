"""Faust's app as it comes: a stream taken in batches. The fallback, which needs no private name to deliver.

On its way through Faust's queues a message may be lost or come again: at a rebalance, at a seek, when an
agent fails. So nothing is handed over that does not lie exactly where we stand, and what is missing is sought
again. Faust's own reset of offsets can therefore do no harm; `latest` is the one that makes it read least.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from aiokafka import TopicPartition
from faust import SASLCredentials, SSLCredentials
from faust.events import Event
from faust.streams import Stream
from faust.types.auth import CredentialsT
from faust.types.tuples import TP, Message

from kernel.kafka.cluster import TopicMissing
from kernel.kafka.faust_app import Member, Transport
from kernel.kafka.group import Membership
from kernel.kafka.standing import Standing

WITHIN_SECONDS: Final = 0.01
"""Faust's tick: how long it lets a batch grow."""

_BATCH: Final = 1000
_MORE_SECONDS: Final = 3 * WITHIN_SECONDS
_LOOK_SECONDS: Final = 1.0
_PATIENCE_SECONDS: Final = 3.0
"""How long what is missing may still be on its way: Faust's client waits 1.5 s for each answer."""

_TRIES_MOST: Final = 5
"""After so many vain seeks the hole is in the log and not in Faust."""

_REBALANCE_SECONDS: Final = 30.0


class Taken(NamedTuple):
    """A record as Faust passes it on."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]


class StockMember(Member):
    """The app whose one agent takes batches from a stream, and waits until they are fetched."""

    def __init__(self, membership: Membership, standing: Standing) -> None:
        super().__init__(
            membership,
            standing,
            Transport,
            broker_credentials=credentials(membership.cluster.access),
            consumer_auto_offset_reset="latest",
            key_serializer="raw",
            value_serializer="raw",
        )
        self._basket: list[Event] = []
        self._filled = asyncio.Event()
        self._emptied = asyncio.Event()
        self._astray: set[TopicPartition] = set()
        """Where Faust's client must be put, because it stands elsewhere or may do so."""
        self._missing: dict[TopicPartition, float] = {}
        """Since when something is known to lie where we stand, and does not come."""
        self._tries: Counter[TopicPartition] = Counter()
        self._looked = self._rebalanced = time.monotonic()
        topic = self.topic(*standing.topics, acks=False)
        self.agent(topic, name="gridcase")(self._fill)

    # The agent.

    async def _fill(self, stream: Stream) -> None:
        """An exception here would lose messages in silence, so there is nothing here that raises one."""
        async for events in stream.noack_take(_BATCH, within=WITHIN_SECONDS):
            self._basket.extend(events)
            self._emptied.clear()
            self._filled.set()
            await self._emptied.wait()

    async def _some(self, limit: int, seconds: float) -> Sequence[Event]:
        """Events as they came: wait so long for the first, and for more only a little."""
        found: list[Event] = []
        while len(found) < limit:
            if not self._basket:
                self._filled.clear()
                self._emptied.set()
                try:
                    async with asyncio.timeout(seconds):
                        await self._filled.wait()
                except TimeoutError:
                    break
            seconds = _MORE_SECONDS
            room = limit - len(found)
            found += self._basket[:room]
            del self._basket[:room]
        return found

    # Taking.

    async def take(self, limit: int) -> Mapping[TopicPartition, Sequence[Taken]]:
        until = time.monotonic() + self.standing.tick_seconds
        while True:
            await self._put_right()
            wait = until - time.monotonic()
            events = await self._some(limit, min(max(wait, 0), _LOOK_SECONDS))
            if self.crashed:
                raise self.failure()
            found = self._sift(events)
            if not events:
                self._look()
            if found or wait <= 0:
                return found

    def _sift(self, events: Sequence[Event]) -> Mapping[TopicPartition, Sequence[Taken]]:
        """What follows where we stand. Below is a copy; above, something is missing or still on its way."""
        found: dict[TopicPartition, list[Taken]] = {}
        for event in events:
            message = event.message
            tp = TopicPartition(message.topic, message.partition)
            stand = self.standing.offset(tp)
            if stand is None or tp in self._astray:
                continue
            run = found.get(tp)
            following = run[-1].offset + 1 if run else stand
            if message.offset > following and self._tries[tp] < _TRIES_MOST:
                self._missing.setdefault(tp, time.monotonic())
            elif message.offset >= following:
                self._missing.pop(tp, None)
                self._tries.pop(tp, None)
                found.setdefault(tp, []).append(_taken(message))
        return found

    def _look(self) -> None:
        """Idle: are the topics there, and is there more in them than we were given?"""
        now = time.monotonic()
        if now - self._looked < _LOOK_SECONDS or self.rebalancing or not self.standing.joined:
            return
        self._looked = now
        for name in self.standing.topics:
            if self.consumer.key_partition(name, None, 0) is None:
                raise TopicMissing(name)
        for tp, stand in self.standing.offsets().items():
            if (self.consumer.highwater(TP(*tp)) or 0) > stand:
                self._missing.setdefault(tp, now)

    # Where Faust's client stands.

    def on_rebalance_start(self) -> None:
        """Note when it began: one that never ends must not look like idleness."""
        super().on_rebalance_start()
        self._rebalanced = time.monotonic()

    def on_rebalance_end(self) -> None:
        """Faust has gone back to the group's offsets, which are figures for dashboards."""
        super().on_rebalance_end()
        held = {TopicPartition(*tp) for tp in self.consumer.assignment()}
        self.standing.assign(held)
        self._astray = held

    async def place(self, partition: int) -> None:
        """See `Member`; the next `take` does it, for many at once."""
        for name in self.standing.topics:
            tp = TopicPartition(name, partition)
            self._astray.add(tp)
            self._tries.pop(tp, None)

    async def _put_right(self) -> None:
        """Seek where we stand. Paused meanwhile: Faust drops what lies below what it still has in hand."""
        now = time.monotonic()
        if self.rebalancing:
            if now - self._rebalanced > _REBALANCE_SECONDS:
                raise TimeoutError("expected Faust to end a rebalance; found it waiting")
            return
        for tp, since in list(self._missing.items()):
            if now - since > _PATIENCE_SECONDS:
                await self._try_again(tp)
        held = {TopicPartition(*tp) for tp in self.consumer.assignment()}
        sought = {tp: stand for tp in self._astray & held if (stand := self.standing.offset(tp)) is not None}
        if sought:
            parts = {TP(*tp): stand for tp, stand in sought.items()}
            for tp in parts:
                self.consumer.on_buffer_drop(tp)
            self.consumer.pause_partitions(parts)
            await self.consumer.seek_wait(parts)
            self.consumer.resume_partitions(parts)
            for tp in sought:
                self._missing.pop(tp, None)
                self._astray.discard(tp)

    async def _try_again(self, tp: TopicPartition) -> None:
        """Seek once more; after many vain times believe the log that it has a hole at its end."""
        del self._missing[tp]
        self._tries[tp] += 1
        if self._tries[tp] < _TRIES_MOST:
            self._astray.add(tp)
            return
        stand, position = self.standing.offset(tp), await self.consumer.position(TP(*tp))
        if stand is None or position is None or position <= stand:
            raise TimeoutError(
                f"expected Faust to deliver {tp.topic}/{tp.partition} from {stand}; found nothing"
            )
        self.standing.seek(tp.partition, {self.standing.topics[tp.topic]: position})


def _taken(message: Message) -> Taken:
    stamp = round(message.timestamp * 1000)
    return Taken(message.offset, stamp, message.key, message.value, list(message.headers or ()))


def credentials(access: Mapping[str, Any]) -> CredentialsT | None:
    """A cluster's access as Faust wants it: by name and password, by certificate, or neither."""
    protocol, context = access.get("security_protocol", "PLAINTEXT"), access.get("ssl_context")
    if protocol.startswith("SASL"):
        return SASLCredentials(
            username=access.get("sasl_plain_username"),
            password=access.get("sasl_plain_password"),
            mechanism=access.get("sasl_mechanism"),
            ssl_context=context,
        )
    return SSLCredentials(context) if protocol == "SSL" else None
