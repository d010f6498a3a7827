"""The composition root: an opened database, its clock, processors, edge and channels put together."""

import importlib
import os
from collections.abc import AsyncGenerator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple

import kernel
import rules
import schemas
from cli.topology import COMPOSER, DOORS, PERFORMER, PROCESSORS
from kernel.clock import Clock, StairClock, SteppedClock, SystemClock
from kernel.decider import Decider
from kernel.edge import EDGE, Edge, Submission
from kernel.editions import rules_of
from kernel.hosts.embedded import Embedded
from kernel.hosts.member import Member
from kernel.journal import Journal
from kernel.keyring import Keyring, open_keyring
from kernel.letters import Letters, open_letters
from kernel.log import Log, Target
from kernel.meters import MeteredJournal, Meters
from kernel.pace import Pace
from kernel.page import partitions_of
from kernel.performer import Channel, answering, performing
from kernel.processor import AnyProcessor, Sender
from kernel.settings import Settings
from kernel.settings import read as read_settings
from kernel.sql import steps
from kernel.sql.city import City, create_city
from kernel.sql.city import open_city as open_database
from kernel.sql.editions import SqlEditions, put_edition
from kernel.sql.journal import SqlJournal
from kernel.sql.log import SqlLog, known_ends
from kernel.sql.pruning import Pruning
from kernel.sql.secrets import SqlSecrets
from kernel.sql.store import Store
from kernel.watching import Ends
from kernel.worker import Perform, Worker
from rules.bundle import Bundle
from rules.edition import Edition
from rules.inforce import Rules
from schemas.envelope import Envelope
from schemas.registry import ComposeEdition, PublishEdition
from schemas.topics import BY_NAME
from schemas.wire import TYPE_OF, encode
from services.notifier.delivery.sender import Deliveries
from services.registry.composer.composing import composing
from services.registry.rules.state import InForce

PARTITIONS: Final = 24
"""How many partitions a new city gets, fixed for its life."""
BATCH: Final = 1000
"""Messages in one transaction, if no setting says otherwise."""

READERS: Final = frozenset({"caller", "lead_officer", "reviewer", "supervisor"})
"""The roles that may read sealed personal data, for a purpose that is on record."""


class Seals(NamedTuple):
    """What keeps personal data from being read: of messages, and of what was no message."""

    keyring: Keyring
    letters: Letters


@dataclass(frozen=True, slots=True)
class Opened:
    """One open city: its ports and its edge."""

    city: City
    store: Store
    clock: Clock
    editions: SqlEditions
    journals: Mapping[str, SqlJournal]
    edge: Edge
    keyring: Keyring
    letters: Letters

    async def rules(self) -> Rules | None:
        """The rules in force, or `None` before the first edition."""
        number = await self.editions.latest()
        return await rules_of(self.editions, number) if number else None

    async def last_now(self) -> datetime | None:
        """The latest city time that any processor has decided at."""
        claims = [
            claim
            for name, journal in self.journals.items()
            for claim in await journal.claim(partitions_of(name, self.city.partitions))
        ]
        return max((claim.cursor.now for claim in claims if claim.cursor.now is not None), default=None)


@dataclass(frozen=True, slots=True)
class LiveCity(Opened):
    """A city whose workers are all in this process."""

    host: Embedded

    async def ends(self, targets: Collection[Target]) -> Mapping[Target, int]:
        """Where topics end: what this process has not written is looked for anyway."""
        return known_ends(self.store.heads, targets)


@dataclass(frozen=True, slots=True)
class MemberCity(Opened):
    """A city on Kafka, and those of its workers that are in this process. `ends` asks the brokers."""

    host: Member
    ends: Ends


def fold_of(processor: AnyProcessor) -> str:
    """The hash of all code that a processor's fold may use; snapshots of another hash are not read.

    Empty for a processor that makes none, so that nobody looks for them.
    """
    if processor.snapshot is None:
        return ""
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


async def seals_of(store: Store) -> Seals:
    """The seals of a city, opened with its secrets."""
    secrets = SqlSecrets(store)
    return Seals(await open_keyring(secrets, READERS), await open_letters(secrets))


def clock_of(city: City) -> Clock:
    """The city's one clock, as it was fixed when the city was created."""
    if city.clock == "stepped" and city.host == "kafka":
        return StairClock(city.start_city or datetime.now(UTC))
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
    host = "embedded" if exclusive else None  # whoever only looks or sends may do so on any
    async with await open_database(url, exclusive=exclusive, host=host) as opened:
        clock = clock or clock_of(opened.city)
        opened.store.stamp = clock.wall
        city = _assemble(
            opened.store,
            opened.city,
            clock,
            channels or {},
            await seals_of(opened.store),
            instance,
            settings or read_settings({}, None),
            meters,
        )
        if isinstance(clock, StairClock):
            await steps.learn(opened.store, clock)
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


async def publish_edition(live: LiveCity | MemberCity, bundle: Bundle) -> None:
    """Store an edition and put it in force, through the edge and registry.rules like any other rules."""
    await put_edition(live.store, Edition.of(bundle.parts))
    now = live.clock.city(live.clock.wall())
    await live.edge.accept([asking(bundle, InForce(), live.city.partitions, now, "init")])
    if isinstance(live.host, Embedded):
        await live.host.settle()


def asking(
    bundle: Bundle,
    before: InForce,
    partitions: int,
    now: datetime,
    sender: str,
    reason: str = "",
) -> Submission:
    """What asks registry.rules to put a stored edition in force; modes (平/急) stay as they were before."""
    envelope = Envelope(
        id=f"edition-{before.number}-{bundle.hash[:16]}",
        source=f"/gridcase/{sender}",
        type=TYPE_OF[PublishEdition],
        subject=bundle.city.code,
        time=now,
        data=PublishEdition(edition=bundle.hash, modes=before.modes, partitions=partitions, reason=reason),
    )
    return Submission(Sender("source", sender), encode(envelope))


def _assemble(
    store: Store,
    city: City,
    clock: Clock,
    channels: Mapping[str, Channel],
    seals: Seals,
    instance: int,
    settings: Settings,
    meters: Meters | None,
) -> LiveCity:
    pace = pace_of(clock, settings)
    editions = SqlEditions(store)
    names = [*(processor.name for processor in PROCESSORS), EDGE]
    journals = {name: SqlJournal(store, name, delivers=city.host == "embedded") for name in names}
    workers: list[Worker] = []
    performs = performs_of(channels, editions)
    for processor in PROCESSORS:
        topics = [BY_NAME[name] for name in processor.topics]
        log = SqlLog(store, topics, range(city.partitions), tick_seconds=pace.tick_seconds)
        perform = performs.get(processor.name)
        decider = decider_of(processor, city, clock, settings, delivers=True)
        journal = journals[processor.name]
        metered = metered_journal(journal, processor.name, meters)
        workers.append(Worker(decider, log, metered, editions, clock, pace=pace, perform=perform))
    edge = edge_of(
        city, clock, editions, metered_journal(journals[EDGE], EDGE, meters), seals, settings, None, instance
    )
    return LiveCity(
        city,
        store,
        clock,
        editions,
        journals,
        edge,
        *seals,
        Embedded(workers, edge, Pruning(store, PROCESSORS).step),
    )


def performs_of(channels: Mapping[str, Channel], editions: SqlEditions) -> Mapping[str, Perform]:
    """What the workers of the performing processors are given: ways out to people, the store of editions."""
    return {
        PERFORMER.name: performing(Deliveries(channels).perform),
        COMPOSER.name: answering(ComposeEdition, composing(editions)),
    }


def metered_journal(journal: SqlJournal, name: str, meters: Meters | None) -> Journal:
    """The journal of a processor or an edge, measured where somebody wants to know."""
    return MeteredJournal(journal, name, meters) if meters else journal


def edge_of(
    city: City,
    clock: Clock,
    editions: SqlEditions,
    journal: Journal,
    seals: Seals,
    settings: Settings,
    log: Log | None,
    instance: int,
) -> Edge:
    """One instance of the edge; its own `log` where a commit is not also the delivery."""
    return Edge(
        instance,
        DOORS,
        journal,
        clock,
        editions,
        token=new_token,
        partitions=city.partitions,
        seal=lambda frame, message: seals.keyring.seal(f"{frame.source}/{frame.id}", message),
        letters=seals.letters,
        keep=seals.keyring.keep,
        log=log,
        largest=settings.message_bytes_most,
    )


def pace_of(clock: Clock, settings: Settings) -> Pace:
    """How the workers of a city go."""
    return Pace(
        batch=settings.batch_messages or BATCH,
        timers=settings.batch_timers,
        margin_seconds=settings.clock_skew_seconds,
        tick_seconds=0 if isinstance(clock, SteppedClock) else settings.tick_seconds,
        look_seconds=0 if isinstance(clock, SteppedClock) else settings.look_seconds,
        failures_most=settings.failures_most,
        pause_seconds=settings.pause_seconds,
    )


def decider_of(
    processor: AnyProcessor, city: City, clock: Clock, settings: Settings, *, delivers: bool
) -> Decider:
    """What decides for one worker of a processor; `delivers` says whether a commit is also the delivery."""
    return Decider(
        processor,
        city_code=city.code,
        partitions=city.partitions,
        city=clock.city,
        token=new_token,
        delivers=delivers,
        fold=fold_of(processor),
        states=settings.states_most,
        parked_most=settings.parked_streams_most,
    )
