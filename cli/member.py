"""One process of a city on Kafka: journals in PostgreSQL, topics on the brokers."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Final, NamedTuple

from cli.assemble import (
    MemberCity,
    clock_of,
    decider_of,
    edge_of,
    metered_journal,
    new_token,
    pace_of,
    performs_of,
    seals_of,
)
from cli.topology import PROCESSORS
from kernel.both import side_by_side
from kernel.clock import Clock, StairClock
from kernel.edge import Edge
from kernel.editions import Editions, rules_of
from kernel.hosts.member import Heirs, Member
from kernel.journal import Journal
from kernel.kafka.bridge import Bridge, Inlets
from kernel.kafka.cluster import Cluster, cluster_of
from kernel.kafka.deliveries import delivery_of
from kernel.kafka.group import unheard
from kernel.kafka.log import KafkaLog
from kernel.kafka.looking import Looker
from kernel.kafka.publishing import Publisher
from kernel.kafka.records import outside_of
from kernel.log import Target
from kernel.meters import Meters
from kernel.pace import Pace
from kernel.page import EDGE, INSTANCES
from kernel.performer import Channel
from kernel.processor import AnyProcessor, Sender
from kernel.settings import Settings
from kernel.sql import steps
from kernel.sql.city import City
from kernel.sql.city import open_city as open_database
from kernel.sql.editions import SqlEditions
from kernel.sql.journal import SqlJournal
from kernel.sql.store import Store
from kernel.watching import Ends
from kernel.worker import Worker
from schemas.topics import GRID_EVENTS, UNIT_COMMANDS

NAMES: Final = tuple(processor.name for processor in PROCESSORS)
_POLL_SECONDS: Final = 60.0
_EDGE_POLL_SECONDS: Final = 2.0
"""How often is looked what came into the journals: only an edge wants to know if there are new rules."""

BATCH: Final = 4000
"""Messages in one transaction, if no setting says otherwise: brokers and database answer once for each."""
SKEW_SECONDS: Final = 5.0
"""More than the clocks of all machines differ, if no setting says otherwise."""


@asynccontextmanager
async def open_member(
    settings: Settings,
    slot: str,
    *,
    processors: Sequence[AnyProcessor] = PROCESSORS,
    instance: int | None = None,
    channels: Mapping[str, Channel] | None = None,
    clock: Clock | None = None,
    meters: Meters | None = None,
    bridged: bool = False,
    given_up: Collection[str] = (),
) -> AsyncGenerator[MemberCity]:
    """The part of a city that this process runs. `slot` names the process; no two at work may share it.

    `instance` is the number of its edge, whose journal partition nobody else may write at the same time;
    without it what the edge of this process takes leaves only when it is taken. One that is `bridged` reads
    what others write to open topics, and gives up what those in `given_up` have lost.
    """
    poll = _POLL_SECONDS if instance is None else _EDGE_POLL_SECONDS
    async with _opened(settings.database_url, clock, poll) as (city, store, clock):  # noqa: PLR1704 - it is the same
        journals = {name: SqlJournal(store, name, delivers=False) for name in (*NAMES, EDGE)}
        cluster = cluster_of(settings).of(city.mark, city.partitions)
        parts = _Parts(settings, slot, city, clock, SqlEditions(store), journals, cluster, meters, [])
        host = Member(_workers(parts, processors, channels or {}))
        seals, out = await seals_of(store), sending_log(cluster, slot, parts.published(EDGE))
        watch = Looker(cluster, f"watch-{slot}")
        parts.ends.extend((out.close, watch.close))
        edge = partial(edge_of, city, clock, parts.editions, parts.metered(EDGE), seals, settings, out)
        own = edge(instance or 0)
        if instance is not None:
            heirs = Heirs(journals[EDGE], [number for number in INSTANCES if number != instance], edge)
            host = Member(host.workers, own, heirs, _bridge(parts, own, given_up) if bridged else None)
        try:
            yield MemberCity(city, store, clock, parts.editions, journals, own, *seals, host, _ends(watch))
        finally:
            await asyncio.gather(*(end() for end in parts.ends), return_exceptions=True)


@asynccontextmanager
async def _opened(
    url: str, clock: Clock | None, poll_seconds: float
) -> AsyncGenerator[tuple[City, Store, Clock]]:
    """The database, with the clock given or the city's own, told of its steps if it has any."""
    async with await open_database(url, exclusive=False, host="kafka", poll_seconds=poll_seconds) as opened:
        clock = clock or clock_of(opened.city)
        opened.store.stamp = clock.wall
        following: list[asyncio.Task[None]] = []
        if isinstance(clock, StairClock):
            await steps.learn(opened.store, clock)
            following.append(asyncio.create_task(steps.follow(opened.store, clock), name="steps"))
        try:
            yield opened.city, opened.store, clock
        finally:
            for task in following:
                task.cancel()


class _Parts(NamedTuple):
    """What the parts of one process have in common; `ends` closes what each has opened."""

    settings: Settings
    slot: str
    city: City
    clock: Clock
    editions: SqlEditions
    journals: Mapping[str, SqlJournal]
    cluster: Cluster
    meters: Meters | None
    ends: list[Callable[[], Awaitable[None]]]

    @property
    def pace(self) -> Pace:
        pace = replace(pace_of(self.clock, self.settings), batch=self.settings.batch_messages or BATCH)
        if isinstance(self.clock, StairClock):  # a demonstration, all on one machine with one clock
            return pace
        return replace(pace, margin_seconds=pace.margin_seconds or SKEW_SECONDS)

    def published(self, name: str) -> Callable[[float], object]:
        return self.meters.publish.labels(name).observe if self.meters else unheard

    def metered(self, processor: str) -> Journal:
        return metered_journal(self.journals[processor], processor, self.meters)


def _workers(
    parts: _Parts, processors: Sequence[AnyProcessor], channels: Mapping[str, Channel]
) -> Sequence[Worker]:
    performs = performs_of(channels, parts.editions)
    workers: list[Worker] = []
    for one in processors:
        log = _log(parts, one)
        parts.ends.append(log.close)
        decider = decider_of(one, parts.city, parts.clock, parts.settings, delivers=False)
        asked = performs.get(one.name)
        journal = parts.metered(one.name)
        workers.append(
            Worker(
                decider,
                log,
                journal,
                parts.editions,
                parts.clock,
                pace=parts.pace,
                perform=asked,
                both=side_by_side,
            )
        )
    return workers


def _bridge(parts: _Parts, edge: Edge, given_up: Collection[str]) -> Bridge:
    bridge = Bridge(
        edge,
        parts.metered(EDGE),
        parts.editions,
        parts.clock,
        open_log=partial(_open_log, parts.cluster, parts.slot, parts.pace),
        inlets=partial(_inlets, parts.editions),
        token=new_token,
        pace=parts.pace,
        given_up=given_up,
    )
    parts.ends.append(bridge.close)
    return bridge


def _ends(looker: Looker) -> Ends:
    async def ends(targets: Collection[Target]) -> Mapping[Target, int]:
        return {target: span.end for target, span in (await looker.spans(targets)).items()}

    return ends


def _log(parts: _Parts, processor: AnyProcessor) -> KafkaLog:
    worker = f"{processor.name}-{parts.slot}"
    delivery = delivery_of(
        parts.settings.kafka_delivery,
        parts.cluster,
        processor.topics,
        group=processor.name,
        worker=worker,
        tick_seconds=parts.pace.tick_seconds,
        moved=parts.meters.rebalances.labels(processor.name).inc if parts.meters else unheard,
    )
    publisher = Publisher(parts.cluster, worker, parts.published(processor.name))
    return KafkaLog(delivery, publisher, Looker(parts.cluster, worker))


def _open_log(cluster: Cluster, slot: str, pace: Pace, topics: Collection[str]) -> KafkaLog:
    """Strangers' bytes come by plain aiokafka whatever the setting: there a hole is seen as what it is."""
    worker = f"{EDGE}-{slot}"
    delivery = delivery_of(
        "plain", cluster, list(topics), group=EDGE, worker=worker, tick_seconds=pace.tick_seconds,
        singles=[topic for topic in topics if topic != GRID_EVENTS.name], read=outside_of,
    )  # fmt: skip
    return KafkaLog(delivery, Publisher(cluster, f"{worker}-bridge"), Looker(cluster, worker, outside_of))


async def _inlets(editions: Editions) -> Inlets:
    """What the edge reads, and who alone may write there: anybody, or the unit that subscribes."""
    found = {GRID_EVENTS.name: Sender("outside", GRID_EVENTS.name)}
    number = await editions.latest()
    if number:
        units = (await rules_of(editions, number)).bundle.units.rows
        found |= {
            UNIT_COMMANDS.of(unit.code).name: Sender("unit", unit.code) for unit in units if unit.subscribes
        }
    return found


def sending_log(cluster: Cluster, slot: str, took: Callable[[float], object] = unheard) -> KafkaLog:
    """For whoever reads no topic as a member of a group: the edge, and what mends."""
    worker = f"{EDGE}-{slot}"
    delivery = delivery_of("plain", cluster, (), group=EDGE, worker=worker, tick_seconds=1.0)
    return KafkaLog(delivery, Publisher(cluster, worker, took), Looker(cluster, worker))
