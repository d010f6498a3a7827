"""The composition root: which processors a city has, what its edge lets in, and the parts of one open city."""

import inspect
import os
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from cli.topology import DOORS, PROCESSORS
from kernel.clock import Clock, SteppedClock, SystemClock
from kernel.decider import Decider
from kernel.edge import EDGE, Edge, Seal
from kernel.editions import Editions
from kernel.hosts.embedded import Embedded
from kernel.performer import Channel, performing
from kernel.processor import AnyProcessor
from kernel.sql.city import City, OpenCity
from kernel.sql.editions import SqlEditions
from kernel.sql.journal import SqlJournal
from kernel.sql.log import SqlLog
from kernel.worker import Pace, Perform, Worker
from schemas.topics import BY_NAME
from services.notifier.delivery.sender import Deliveries
from services.notifier.performing import PERFORMER


@dataclass(frozen=True, slots=True)
class LiveCity:
    """One open city: its ports, its host and its edge."""

    city: City
    store: Any
    clock: Clock
    editions: Editions
    journals: Mapping[str, SqlJournal]
    host: Embedded
    edge: Edge


def fold_of(processor: AnyProcessor) -> str:
    """The hash of the code that folds a processor's state; snapshots of another hash are not read."""
    module = inspect.getmodule(type(processor.initial)) if processor.initial is not None else None
    if module is None or module.__file__ is None:
        return ""
    digest = sha256()
    for file in sorted(Path(module.__file__).parent.glob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def new_token() -> bytes:
    """A token for one transaction, never drawn again."""
    return os.urandom(16)


def clock_of(city: City) -> Clock:
    """The city's one clock, as it was fixed when the city was created."""
    if city.clock == "stepped":
        return SteppedClock(city.start_city)
    return SystemClock(city.start_wall, city.start_city, city.speed)


def assemble(
    opened: OpenCity, clock: Clock, channels: Mapping[str, Channel], seal: Seal, *, instance: int = 0
) -> LiveCity:
    """Put a city together from an opened store, its clock and the ways in which people are told."""
    store, city = opened.store, opened.city
    stepped = isinstance(clock, SteppedClock)
    pace = Pace(margin_seconds=0, tick_seconds=0 if stepped else 0.5)
    editions = SqlEditions(store)
    journals = {
        name: SqlJournal(store, name, delivers=True) for name in [*(one.name for one in PROCESSORS), EDGE]
    }
    workers = [
        Worker(
            Decider(
                processor,
                city_code=city.code,
                partitions=city.partitions,
                city=clock.city,
                token=new_token,
                delivers=True,
                fold=fold_of(processor),
            ),
            SqlLog(
                store,
                [BY_NAME[name] for name in processor.topics],
                range(city.partitions),
                tick_seconds=pace.tick_seconds,
            ),
            journals[processor.name],
            editions,
            clock,
            pace,
            _perform(processor, channels),
        )
        for processor in PROCESSORS
    ]
    edge = Edge(
        instance, DOORS, journals[EDGE], clock, editions, new_token, partitions=city.partitions, seal=seal
    )
    return LiveCity(city, store, clock, editions, journals, Embedded(workers, edge), edge)


def _perform(processor: AnyProcessor, channels: Mapping[str, Channel]) -> Perform | None:
    return performing(Deliveries(channels).perform) if processor is PERFORMER else None
