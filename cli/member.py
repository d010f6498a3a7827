"""One process of a city on Kafka: journals in PostgreSQL, topics on the brokers."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Final

from cli.assemble import MemberCity, clock_of, decider_of, edge_of, pace_of, seals_of
from cli.topology import PERFORMING, PROCESSORS
from kernel.clock import Clock, StairClock
from kernel.edge import EDGE
from kernel.hosts.member import Heirs, Member
from kernel.kafka.cluster import Cluster, cluster_of
from kernel.kafka.deliveries import delivery_of
from kernel.kafka.log import KafkaLog
from kernel.kafka.looking import Looker
from kernel.kafka.publishing import Publisher
from kernel.pace import Pace
from kernel.performer import Channel, performing
from kernel.processor import AnyProcessor
from kernel.settings import DeliveryKind, Settings
from kernel.sql import steps
from kernel.sql.city import City
from kernel.sql.city import open_city as open_database
from kernel.sql.editions import SqlEditions
from kernel.sql.journal import SqlJournal
from kernel.sql.store import Store
from kernel.telemetry import MeteredJournal, Meters
from kernel.worker import Worker
from services.notifier.delivery.sender import Deliveries

NAMES: Final = tuple(processor.name for processor in PROCESSORS)
INSTANCES: Final = range(16)
"""Numbers of edges that there may be: 0 for the city's first, 1 to 8 for commands, the rest for more."""

SKEW_SECONDS: Final = 5.0
"""More than the clocks of all machines differ, if no setting says otherwise."""

_EDITIONS_SECONDS: Final = 2.0
"""How often the journals' ends are looked at: topics are not read from there, only new editions are seen."""


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
) -> AsyncGenerator[MemberCity]:
    """The part of a city that this process runs. `slot` names the process; no two at work may share it.

    `instance` is the number of its edge, whose journal partition nobody else may write at the same time;
    without it what the edge of this process takes leaves only when it is taken.
    """
    cluster = cluster_of(settings)
    async with _opened(settings.database_url, clock) as (city, store, clock):  # noqa: PLR1704 - it is the same
        editions = SqlEditions(store)
        journals = {name: SqlJournal(store, name, delivers=False) for name in (*NAMES, EDGE)}
        pace = _pace(clock, settings)
        logs = {one.name: _log(cluster, settings.kafka_delivery, one, slot, pace) for one in processors}
        perform = performing(Deliveries(channels or {}).perform)
        workers = [
            Worker(
                decider_of(one, city, clock, settings, delivers=False),
                logs[one.name],
                _metered(journals[one.name], one, meters),
                editions,
                clock,
                pace=pace,
                perform=perform if one.name in PERFORMING else None,
            )
            for one in processors
        ]
        seals, out = await seals_of(store), sending_log(cluster, slot)
        edge = partial(edge_of, city, clock, editions, journals[EDGE], seals, settings, out)
        own = edge(instance or 0)
        heirs = Heirs(journals[EDGE], [number for number in INSTANCES if number != instance], edge)
        try:
            host = Member(workers) if instance is None else Member(workers, own, heirs)
            yield MemberCity(city, store, clock, editions, journals, own, *seals, host)
        finally:
            await asyncio.gather(*(log.close() for log in (*logs.values(), out)), return_exceptions=True)


@asynccontextmanager
async def _opened(url: str, clock: Clock | None) -> AsyncGenerator[tuple[City, Store, Clock]]:
    """The database, with the clock given or the city's own, told of its steps if it has any."""
    opening = open_database(url, exclusive=False, host="kafka", poll_seconds=_EDITIONS_SECONDS)
    async with await opening as opened:
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


def _pace(clock: Clock, settings: Settings) -> Pace:
    pace = pace_of(clock, settings)
    if isinstance(clock, StairClock):  # a demonstration, all on one machine with one clock
        return pace
    return replace(pace, margin_seconds=pace.margin_seconds or SKEW_SECONDS)


def _metered(
    journal: SqlJournal, processor: AnyProcessor, meters: Meters | None
) -> SqlJournal | MeteredJournal:
    return MeteredJournal(journal, processor.name, meters) if meters else journal


def _log(cluster: Cluster, kind: DeliveryKind, processor: AnyProcessor, slot: str, pace: Pace) -> KafkaLog:
    worker = f"{processor.name}-{slot}"
    delivery = delivery_of(
        kind, cluster, processor.topics, group=processor.name, worker=worker, tick_seconds=pace.tick_seconds
    )
    return KafkaLog(delivery, Publisher(cluster, worker), Looker(cluster, worker))


def sending_log(cluster: Cluster, slot: str) -> KafkaLog:
    """For whoever reads no topic as a member of a group: the edge, and what mends."""
    worker = f"{EDGE}-{slot}"
    delivery = delivery_of("plain", cluster, (), group=EDGE, worker=worker, tick_seconds=1.0)
    return KafkaLog(delivery, Publisher(cluster, worker), Looker(cluster, worker))
