"""A city arrives on Kafka: its topics are made, what goes along is sent, and it is told where they end."""

import asyncio
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from aiokafka.errors import KafkaError

from kernel.errors import BrokerRefused, BrokerUnreachable, TopicsUnfit
from kernel.inbox import overtaken
from kernel.kafka.cluster import Cluster, NoAnswer, TopicMissing
from kernel.kafka.layout import Difference, Layout, differences, missing
from kernel.kafka.looking import Looker
from kernel.kafka.publishing import Publisher
from kernel.kafka.topics import brokers
from kernel.log import Message, Outgoing, Span, Target
from kernel.moving import lines
from kernel.moving.arriving import Begin, Begins, inboxes
from kernel.processor import AnyProcessor

_WHO: Final = "import"
_PATIENCE_SECONDS: Final = 60.0
_RETRY_SECONDS: Final = 0.2


async def make_ready(
    cluster: Cluster,
    wanted: Sequence[Layout],
    processors: Sequence[AnyProcessor],
    cursors: Sequence[lines.CursorLine],
    brought: Iterable[Outgoing],
) -> Begins:
    """Make the topics that are missing, send what they lack of what is `brought`, and say where all end.

    Topics of an earlier stay of the same city are taken up where they end; those of another are refused.
    """
    async with brokers(cluster) as asked:
        there = await asked.describe(wanted)
        unfit = [one for one in differences(wanted, there) if one.stops and one.what != "missing"]
        if unfit:
            raise _told(cluster, unfit[0])
        made = missing(wanted, there)
        await asked.create(made)
    looker, publisher = Looker(cluster, _WHO), Publisher(cluster, _WHO)
    try:
        own = _events(processors, cursors)
        inbox = inboxes(processors, cursors)
        ends = await _ends(looker, {*inbox, *own})
        for target, seq in own.items():
            refusal = overtaken(target[0], seq, [last] if (last := ends[target].last) else [])
            if refusal is not None:
                do = "name the city's own by GRIDCASE_KAFKA_PREFIX, or import its latest export"
                what, found = f"{target[0]}/{target[1]}", refusal.found
                raise _told(cluster, Difference(what, refusal.code, refusal.expected, found, do, stops=True))
        begins = await _sent(cluster, looker, publisher, inbox, list(brought))
        return {**begins, **_new(made)}
    except (NoAnswer, TopicMissing, TimeoutError, KafkaError) as error:
        raise BrokerUnreachable(cluster.bootstrap, str(error) or type(error).__name__) from error
    finally:
        await asyncio.gather(publisher.close(), looker.close(), return_exceptions=True)


def _new(made: Iterable[Layout]) -> Begins:
    """Topics that hold nothing: what others wrote to those of another cluster is not there to be read on."""
    return {(one.topic, number): Begin(0) for one in made for number in range(one.partitions)}


def _events(processors: Iterable[AnyProcessor], cursors: Iterable[lines.CursorLine]) -> Mapping[Target, int]:
    """Each event topic partition, and the last row of the journal that it is."""
    topics = {one.name: one.events.name for one in processors if one.events is not None}
    return {(topics[one.processor], one.partition): one.seq for one in cursors if one.processor in topics}


async def _ends(looker: Looker, targets: Collection[Target]) -> dict[Target, Begin]:
    """The end of each topic partition and the record below it."""
    spans = await _spans(looker, targets)
    found: dict[Target, Begin] = {}
    for target, span in spans.items():
        last: Message | None = None
        if span.end > span.first:
            last = await looker.look(*target, span.end - 1)
        found[target] = Begin(span.end, last)
    return found


async def _spans(looker: Looker, targets: Collection[Target]) -> Mapping[Target, Span]:
    """First and end offsets. Topics just made may have no leader for a while, on busy brokers a long one."""
    until = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            return await looker.spans(targets)
        except (TopicMissing, NoAnswer):
            if time.monotonic() > until:
                raise
        await asyncio.sleep(_RETRY_SECONDS)


def _lacking(ends: Mapping[Target, Begin], brought: Iterable[Outgoing]) -> dict[Target, list[Outgoing]]:
    """Of what is brought that above the last number that a topic has."""
    found: dict[Target, list[Outgoing]] = {}
    for message in brought:
        target = (message.topic, message.partition)
        last = ends[target].last
        if last is None or message.k > last.headers.k:
            found.setdefault(target, []).append(message)
    return found


async def _sent(
    cluster: Cluster,
    looker: Looker,
    publisher: Publisher,
    inbox: Collection[Target],
    brought: Sequence[Outgoing],
) -> Begins:
    """The ends of the inboxes, once all that is brought stands there."""
    until = time.monotonic() + _PATIENCE_SECONDS
    while lacking := _lacking(ends := await _ends(looker, inbox), brought):
        if time.monotonic() > until:
            count = sum(len(batch) for batch in lacking.values())
            raise BrokerRefused(cluster.bootstrap, "what is sent to be acknowledged", f"{count} records not")
        await publisher.publish(lacking)
    return ends


def _told(cluster: Cluster, one: Difference) -> TopicsUnfit:
    return TopicsUnfit(
        cluster.bootstrap,
        0,
        topic=one.topic,
        what=one.what,
        expected=one.expected,
        found=one.found,
        do=one.do,
    )
