"""A whole city over the memory ports, in which nothing waits: what the commands read and write to."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, TypeVar

from cli.opening import Doorway
from cli.reading import View
from cli.topology import DOORS, PROCESSORS
from kernel.clock import SteppedClock
from kernel.decider import Decider
from kernel.edge import EDGE, Edge, Receipt, Submission
from kernel.keyring import MemorySecrets
from kernel.letters import Letters
from kernel.memory.journal import MemoryJournal
from kernel.memory.log import MemoryBroker, MemoryLog
from kernel.pace import Pace
from kernel.processor import Sender
from kernel.worker import Worker
from rules.bundle import Bundle
from rules.edition import Edition
from schemas.envelope import Envelope
from schemas.kernel import ActivateRules
from schemas.registry import PublishEdition
from schemas.report import GridReport, Position
from schemas.topics import RULES_EDITIONS
from schemas.wire import TYPE_OF, encode, trusted
from tests.builders_city import tiny_city

T = TypeVar("T")
START = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
PARTITIONS = 2


class MemoryEditions:
    """Editions read from the topic, as every host reads them."""

    def __init__(self, broker: MemoryBroker, bundle: Bundle) -> None:
        self._broker = broker
        self._bundles = {bundle.hash: bundle}

    def _activations(self) -> dict[int, ActivateRules]:
        records = self._broker.records.get((RULES_EDITIONS.name, 0), [])
        found = [trusted(record.body).message for record in records]
        return {one.number: one for one in found}

    async def latest(self) -> int:
        return max(self._activations(), default=0)

    async def activation(self, number: int) -> ActivateRules:
        return self._activations()[number]

    async def bundle(self, edition: str) -> Bundle:
        return self._bundles[edition]

    async def keep(self, edition: Edition) -> None:
        self._bundles[edition.hash] = edition.load()


class MemoryCity:
    """The processors of the real city, without a performer: people are told nothing here."""

    def __init__(self) -> None:
        self.bundle = tiny_city()
        self.clock = SteppedClock(START)
        self.broker = MemoryBroker(self.clock)
        self.journals = {name: MemoryJournal() for name in [*(one.name for one in PROCESSORS), EDGE]}
        self.editions = MemoryEditions(self.broker, self.bundle)
        self.letters = Letters(MemorySecrets(), b"memory")
        self._tokens, self._ids = count(1), count(1)
        self.workers = [self._worker(one) for one in PROCESSORS if one.name != "notifier.performer"]
        self.edge = Edge(
            0, DOORS, self.journals[EDGE], self.clock, self.editions,
            token=self._token, partitions=PARTITIONS,
            seal=lambda _, message: message, letters=self.letters, log=MemoryLog(self.broker, ()),
        )  # fmt: skip
        self.send(
            Sender("source", "admin"), "tiny", PublishEdition(edition=self.bundle.hash, partitions=PARTITIONS)
        )

    # What happens.

    def send(self, sender: Sender, subject: str, message: Any) -> Receipt:
        number = f"m{next(self._ids)}"
        body = encode(
            Envelope(
                id=number,
                source="test",
                type=TYPE_OF[type(message)],
                subject=subject,
                time=START,
                data=message,
            )
        )
        [receipt] = asyncio.run(self._accept(sender, body))
        return receipt

    async def _accept(self, sender: Sender, body: bytes) -> Any:
        receipts = await self.edge.accept([Submission(sender, body)])
        await self.settle()
        return receipts

    async def settle(self) -> None:
        idle = 0
        while idle < 3:
            busy = [await worker.turn() for worker in self.workers]
            idle = 0 if any(busy) else idle + 1

    def stop(self, name: str) -> None:
        """One processor is down."""
        self.workers = [worker for worker in self.workers if worker.decider.processor.name != name]

    def start(self, name: str) -> None:
        """It is up again, with a new worker."""
        self.workers.append(self._worker(next(one for one in PROCESSORS if one.name == name)))
        asyncio.run(self.settle())

    def later(self, **delta: float) -> None:
        self.clock.step(self.clock.wall() + timedelta(**delta))
        asyncio.run(self.settle())

    def view(self) -> View:
        return View(
            "tiny", PARTITIONS, self.journals, self.letters, self.bundle, self.clock.wall(), self.editions
        )

    def look(self, _database: str | None, work: Callable[[View], Awaitable[T]]) -> T:
        """In place of `cli.opening.look`."""

        async def run() -> T:
            return await work(self.view())

        return asyncio.run(run())

    def act(self, _database: str | None, work: Callable[[Doorway], Awaitable[T]]) -> T:
        """In place of `cli.opening.act`."""

        async def view() -> View:
            return self.view()

        async def run() -> T:
            return await work(Doorway(self.edge, view, self.settle, self.editions.keep))

        return asyncio.run(run())

    def _token(self) -> bytes:
        return b"%d" % next(self._tokens)

    def _worker(self, processor: Any) -> Worker:
        decider = Decider(
            processor,
            city_code="tiny",
            partitions=PARTITIONS,
            city=self.clock.city,
            token=self._token,
            fold="f",
        )
        log = MemoryLog(self.broker, processor.topics, range(PARTITIONS))
        pace = Pace(margin_seconds=0, tick_seconds=0)
        return Worker(decider, log, self.journals[processor.name], self.editions, self.clock, pace=pace)


def dead_letter(city: MemoryCity) -> None:
    """A report from nowhere: the reader puts it among the dead letters."""
    nowhere = GridReport(channel="app", text="在海上", position=Position(lon_e7=0, lat_e7=0))
    city.send(Sender("source", "app"), "", nowhere)
