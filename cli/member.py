"""One process of a city on Kafka: journals in PostgreSQL, topics on the brokers."""

import asyncio
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Final

from cli.assemble import MemberCity, clock_of, decider_of, edge_of, metered_journal, pace_of, seals_of
from cli.topology import PERFORMING, PROCESSORS
from kernel.clock import Clock, StairClock
from kernel.edge import EDGE
from kernel.hosts.member import Heirs, Member
from kernel.kafka.cluster import Cluster, cluster_of
from kernel.kafka.deliveries import delivery_of
from kernel.kafka.log import KafkaLog
from kernel.kafka.looking import Looker
from kernel.kafka.publishing import Publisher
from kernel.log import Target
from kernel.meters import Meters
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
from kernel.watching import Ends
from kernel.worker import Worker
from services.notifier.delivery.sender import Deliveries

NAMES: Final = tuple(processor.name for processor in PROCESSORS)
INSTANCES: Final = range(16)
"""Numbers of edges that there may be: 0 for the city's first, 1 to 8 for commands, the rest for more."""

_POLL_SECONDS: Final = 60.0
_EDGE_POLL_SECONDS: Final = 2.0
"""How often is looked what came into the journals: only an edge wants to know if there are new rules."""

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
) -> AsyncGenerator[MemberCity]:
    """The part of a city that this process runs. `slot` names the process; no two at work may share it.

    `instance` is the number of its edge, whose journal partition nobody else may write at the same time;
    without it what the edge of this process takes leaves only when it is taken.
    """
    cluster, poll = cluster_of(settings), _POLL_SECONDS if instance is None else _EDGE_POLL_SECONDS
    async with _opened(settings.database_url, clock, poll) as (city, store, clock):  # noqa: PLR1704 - it is the same
        editions = SqlEditions(store)
        journals = {name: SqlJournal(store, name, delivers=False) for name in (*NAMES, EDGE)}
        pace = _pace(clock, settings)
        told = meters or Meters()
        logs = {one.name: _log(cluster, settings.kafka_delivery, one, slot, pace, told) for one in processors}
        metered = {name: metered_journal(journal, name, meters) for name, journal in journals.items()}
        perform = performing(Deliveries(channels or {}).perform)

        def worker(one: AnyProcessor) -> Worker:
            decider = decider_of(one, city, clock, settings, delivers=False)
            ports = logs[one.name], metered[one.name], editions, clock
            return Worker(decider, *ports, pace=pace, perform=perform if one.name in PERFORMING else None)

        workers = [worker(one) for one in processors]
        seals, out = await seals_of(store), sending_log(cluster, slot, told)
        watch = Looker(cluster, f"watch-{slot}")
        edge = partial(edge_of, city, clock, editions, metered[EDGE], seals, settings, out)
        own = edge(instance or 0)
        heirs = Heirs(journals[EDGE], [number for number in INSTANCES if number != instance], edge)
        try:
            host = Member(workers) if instance is None else Member(workers, own, heirs)
            yield MemberCity(city, store, clock, editions, journals, own, *seals, host, _ends(watch))
        finally:
            closing = [log.close() for log in (*logs.values(), out, watch)]
            await asyncio.gather(*closing, return_exceptions=True)


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


def _pace(clock: Clock, settings: Settings) -> Pace:
    pace = pace_of(clock, settings)
    if isinstance(clock, StairClock):  # a demonstration, all on one machine with one clock
        return pace
    return replace(pace, margin_seconds=pace.margin_seconds or SKEW_SECONDS)


def _ends(looker: Looker) -> Ends:
    async def ends(targets: Collection[Target]) -> Mapping[Target, int]:
        return {target: span.end for target, span in (await looker.spans(targets)).items()}

    return ends


def _log(
    cluster: Cluster, kind: DeliveryKind, processor: AnyProcessor, slot: str, pace: Pace, meters: Meters
) -> KafkaLog:
    worker = f"{processor.name}-{slot}"
    delivery = delivery_of(
        kind,
        cluster,
        processor.topics,
        group=processor.name,
        worker=worker,
        tick_seconds=pace.tick_seconds,
        moved=meters.rebalances.labels(processor.name).inc,
    )
    publisher = Publisher(cluster, worker, meters.publish.labels(processor.name).observe)
    return KafkaLog(delivery, publisher, Looker(cluster, worker))


def sending_log(cluster: Cluster, slot: str, meters: Meters) -> KafkaLog:
    """For whoever reads no topic as a member of a group: the edge, and what mends."""
    worker = f"{EDGE}-{slot}"
    delivery = delivery_of("plain", cluster, (), group=EDGE, worker=worker, tick_seconds=1.0)
    publisher = Publisher(cluster, worker, meters.publish.labels(EDGE).observe)
    return KafkaLog(delivery, publisher, Looker(cluster, worker))
