"""The composition root: an opened database, its clock, processors, edge and channels put together."""

import importlib
import os
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final

import kernel
import rules
import schemas
from cli.topology import DOORS, PERFORMING, PROCESSORS
from kernel.clock import Clock, SteppedClock, SystemClock
from kernel.decider import Decider
from kernel.edge import EDGE, Edge, Submission
from kernel.editions import rules_of
from kernel.hosts.embedded import Embedded
from kernel.keyring import Keyring, open_keyring
from kernel.performer import Channel, performing
from kernel.processor import AnyProcessor, Sender
from kernel.settings import Settings
from kernel.settings import read as read_settings
from kernel.sql.city import City, create_city
from kernel.sql.city import open_city as open_database
from kernel.sql.editions import SqlEditions, put_edition
from kernel.sql.journal import SqlJournal
from kernel.sql.log import SqlLog
from kernel.sql.pruning import Pruning
from kernel.sql.secrets import SqlSecrets
from kernel.sql.store import Store
from kernel.telemetry import MeteredJournal, Meters
from kernel.worker import Pace, Worker
from rules.bundle import Bundle
from rules.edition import Edition
from rules.inforce import Rules
from schemas.envelope import Envelope
from schemas.registry import PublishEdition
from schemas.topics import BY_NAME
from schemas.wire import TYPE_OF, encode
from services.notifier.delivery.sender import Deliveries

PARTITIONS: Final = 24
"""How many partitions a new city gets, fixed for its life."""

READERS: Final = frozenset({"caller", "lead_officer", "reviewer", "supervisor"})
"""The roles that may read sealed personal data, for a purpose that is on record."""


@dataclass(frozen=True, slots=True)
class LiveCity:
    """One open city: its ports, its host and its edge."""

    city: City
    store: Store
    clock: Clock
    editions: SqlEditions
    journals: Mapping[str, SqlJournal]
    host: Embedded
    edge: Edge
    keyring: Keyring

    async def rules(self) -> Rules | None:
        """The rules in force, or `None` before the first edition."""
        number = await self.editions.latest()
        return await rules_of(self.editions, number) if number else None

    async def last_now(self) -> datetime | None:
        """The latest city time that any processor has decided at."""
        claims = [
            claim
            for journal in self.journals.values()
            for claim in await journal.claim(range(self.city.partitions))
        ]
        return max((claim.cursor.now for claim in claims if claim.cursor.now is not None), default=None)


def fold_of(processor: AnyProcessor) -> str:
    """The hash of all code that a processor's fold may use; snapshots of another hash are not read."""
    service = importlib.import_module(f"services.{processor.service}")
    digest = sha256()
    for package in (schemas, rules, kernel, service):
        digest.update(_code_of(package.__path__[0]))
    return digest.hexdigest()


@cache
def _code_of(folder: str) -> bytes:
    digest = sha256()
    for file in sorted(Path(folder).rglob("*.py")):
        digest.update(f"{file.relative_to(folder).as_posix()}\n".encode())
        digest.update(sha256(file.read_bytes()).digest())
    return digest.digest()


def new_token() -> bytes:
    """A token for one transaction, never drawn again."""
    return os.urandom(16)


def clock_of(city: City) -> Clock:
    """The city's one clock, as it was fixed when the city was created."""
    if city.clock == "stepped":
        return SteppedClock(city.start_city or datetime.now(UTC))
    return SystemClock(city.start_wall, city.start_city, city.speed)


@asynccontextmanager
async def open_city(
    url: str,
    *,
    channels: Mapping[str, Channel] | None = None,
    instance: int = 0,
    exclusive: bool = False,
    clock: Clock | None = None,
    settings: Settings | None = None,
    meters: Meters | None = None,
) -> AsyncGenerator[LiveCity]:
    """An existing city. One process at most opens it `exclusive`, to run its workers; others look or send."""
    async with await open_database(url, exclusive=exclusive) as opened:
        clock = clock or clock_of(opened.city)
        opened.store.stamp = clock.wall
        keyring = await open_keyring(SqlSecrets(opened.store), READERS)
        city = _assemble(
            opened.store,
            opened.city,
            clock,
            channels or {},
            keyring,
            instance,
            settings or read_settings({}, None),
            meters,
        )
        last = await city.last_now()
        if isinstance(clock, SteppedClock) and last is not None:
            clock.step(last)
        yield city


@asynccontextmanager
async def found_city(
    url: str, bundle: Bundle, clock: SteppedClock, channels: Mapping[str, Channel] | None = None
) -> AsyncGenerator[LiveCity]:
    """A new demonstration city in stepped time, with its first edition in force."""
    city = City(
        code=bundle.city.code,
        name=bundle.city.name,
        partitions=PARTITIONS,
        clock="stepped",
        start_city=clock.wall(),
    )
    await create_city(url, city)
    async with open_city(url, channels=channels, exclusive=True, clock=clock) as live:
        await publish_edition(live, bundle)
        yield live


async def forget_demonstration(url: str) -> None:
    """Delete the file of an earlier demonstration city; any other city is left to be refused."""
    path = Path(url.removeprefix("sqlite:///"))
    if not url.startswith("sqlite:///") or not _is_there(path):
        return
    async with await open_database(url, exclusive=True) as opened:
        demonstration = opened.city.clock == "stepped"
    if demonstration:
        _delete(path)


def _is_there(path: Path) -> bool:
    return path.exists()


def _delete(path: Path) -> None:
    """The file of a database with what SQLite keeps beside it."""
    for file in path.parent.glob(f"{path.name}*"):
        file.unlink()


async def publish_edition(live: LiveCity, bundle: Bundle) -> None:
    """Store an edition and put it in force, through the edge and registry.rules like any other rules."""
    await put_edition(live.store, Edition.of(bundle.parts))
    message = PublishEdition(edition=bundle.hash, partitions=live.city.partitions)
    envelope = Envelope(
        id=f"edition-{bundle.hash[:16]}",
        source="/gridcase/init",
        type=TYPE_OF[PublishEdition],
        subject=live.city.code,
        time=live.clock.city(live.clock.wall()),
        data=message,
    )
    await live.edge.accept([Submission(Sender("source", "init"), encode(envelope))])
    await live.host.settle()


def _assemble(
    store: Store,
    city: City,
    clock: Clock,
    channels: Mapping[str, Channel],
    keyring: Keyring,
    instance: int,
    settings: Settings,
    meters: Meters | None,
) -> LiveCity:
    pace = _pace(clock, settings)
    editions = SqlEditions(store)
    names = [*(processor.name for processor in PROCESSORS), EDGE]
    journals = {name: SqlJournal(store, name, delivers=True) for name in names}
    workers: list[Worker] = []
    for processor in PROCESSORS:
        topics = [BY_NAME[name] for name in processor.topics]
        log = SqlLog(store, topics, range(city.partitions), tick_seconds=pace.tick_seconds)
        perform = performing(Deliveries(channels).perform) if processor.name in PERFORMING else None
        decider = _decider(processor, city, clock, settings)
        journal = journals[processor.name]
        metered = MeteredJournal(journal, processor.name, meters) if meters else journal
        workers.append(Worker(decider, log, metered, editions, clock, pace=pace, perform=perform))
    edge = Edge(
        instance,
        DOORS,
        journals[EDGE],
        clock,
        editions,
        token=new_token,
        partitions=city.partitions,
        seal=lambda frame, message: keyring.seal(f"{frame.source}/{frame.id}", message),
        keep=keyring.keep,
        largest=settings.message_bytes_most,
    )
    host = Embedded(workers, edge, Pruning(store, PROCESSORS).step)
    return LiveCity(city, store, clock, editions, journals, host, edge, keyring)


def _pace(clock: Clock, settings: Settings) -> Pace:
    return Pace(
        batch=settings.batch_messages,
        timers=settings.batch_timers,
        margin_seconds=settings.clock_skew_seconds,
        tick_seconds=0 if isinstance(clock, SteppedClock) else settings.tick_seconds,
        failures_most=settings.failures_most,
        pause_seconds=settings.pause_seconds,
    )


def _decider(processor: AnyProcessor, city: City, clock: Clock, settings: Settings) -> Decider:
    return Decider(
        processor,
        city_code=city.code,
        partitions=city.partitions,
        city=clock.city,
        token=new_token,
        delivers=True,
        fold=fold_of(processor),
        states=settings.states_most,
        parked_most=settings.parked_streams_most,
    )
