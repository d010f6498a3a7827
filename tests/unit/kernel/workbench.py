"""A worker over the memory ports, with an outside sender that numbers honestly."""

from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from kernel.clock import SteppedClock
from kernel.decider import Decider
from kernel.log import Headers, Outgoing
from kernel.memory.journal import MemoryJournal
from kernel.memory.log import MemoryBroker, MemoryLog
from kernel.pace import Pace
from kernel.partition import partition_of
from kernel.processor import AnyProcessor, Sender
from kernel.worker import Worker
from rules.bundle import Bundle
from schemas.envelope import Envelope
from schemas.kernel import ActivateRules
from schemas.registry import PublishEdition
from schemas.topics import REGISTRY_COMMANDS
from schemas.wire import TYPE_OF, encode

HASH = "a" * 64
START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


class NoEditions:
    """Nothing was ever published."""

    async def latest(self) -> int:
        return 0

    async def activation(self, number: int) -> ActivateRules:
        raise LookupError(number)

    async def bundle(self, edition: str) -> Bundle:
        raise LookupError(edition)


class Workbench:
    """One processor, one journal, one broker; `worker()` makes a worker that owns the given partitions."""

    def __init__(self, processor: AnyProcessor, partitions: int = 2) -> None:
        self.processor = processor
        self.partitions = partitions
        self.clock = SteppedClock(START)
        self.broker = MemoryBroker(self.clock)
        self.journal = MemoryJournal()
        self.numbers: dict[int, int] = {}
        self._tokens = count(1)
        self._ids = count(1)

    def worker(self, *own: int, pace: Pace | None = None) -> Worker:
        decider = Decider(
            self.processor,
            city_code="T",
            partitions=self.partitions,
            city=self.clock.city,
            token=lambda: b"%d" % next(self._tokens),
            fold="f",
        )
        log = MemoryLog(self.broker, self.processor.topics, own)
        return Worker(
            decider, log, self.journal, NoEditions(), self.clock, pace=pace or Pace(margin_seconds=0)
        )

    def send(self, key: str, reason: str = "", leaves: int = 0, k: int | None = None) -> None:
        partition = partition_of(key, self.partitions)
        if k is None:
            k = self.numbers[partition] = self.numbers.get(partition, 0) + 1
        message = PublishEdition(edition=HASH, partitions=leaves, reason=reason)
        body = encode(
            Envelope(
                id=f"in/{next(self._ids)}",
                source="/t",
                type=TYPE_OF[PublishEdition],
                subject=key,
                time=self.clock.wall(),
                data=message,
            )
        )
        headers = Headers("edge/0", k, 0, "", Sender("source", "test"))
        self.broker.append(Outgoing(REGISTRY_COMMANDS.name, partition, k, 0, key, headers, body))

    def later(self, **delta: float) -> None:
        self.clock.step(self.clock.wall() + timedelta(**delta))

    def sent(self) -> list[int]:
        """The numbers of what was sent on."""
        return [
            message.headers.k
            for (topic, _), records in self.broker.records.items()
            if topic == "case.commands"
            for message in records
        ]

    def rows(self) -> list[str]:
        return [
            f"{row.stream}/{row.version}"
            for _, shelf in sorted(self.journal.shelves.items())
            for row in shelf.rows
        ]


def finish(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine that never really waits."""
    try:
        while True:
            coroutine.send(None)
    except StopIteration as stop:
        return stop.value
