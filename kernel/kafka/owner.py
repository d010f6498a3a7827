"""Whose topics these are: the token in the first record that each inner topic still has."""

from contextlib import suppress

from aiokafka.errors import TopicAuthorizationFailedError

from kernel.errors import AnotherCity
from kernel.kafka.cluster import Cluster, TopicMissing
from kernel.kafka.looking import Looker
from kernel.kafka.records import city_of
from kernel.kafka.topics import brokers
from kernel.log import Message
from schemas.topics import TOPICS, Topic
from schemas.wire import Unreadable, frame


async def refuse_foreign(cluster: Cluster, code: str) -> None:
    """Raise `AnotherCity` if a record of another city lies in an inner topic that may be read.

    Missing topics hold none. A cluster without a token stands for a city that is not founded yet: to it
    every record is another's.
    """
    looker = Looker(cluster, "owner", city_of)
    try:
        async with brokers(cluster):  # which says in words why they do not answer, or not to us
            await _refuse(looker, cluster, code)
    finally:
        await looker.close()


async def _refuse(looker: Looker, cluster: Cluster, code: str) -> None:
    for topic in reversed(TOPICS):  # the rules come last and are there first
        found = None if topic.open else await _first(looker, topic)
        if found is not None and (not cluster.city or found.headers.origin != cluster.city.hex()):
            raise AnotherCity(
                f"{cluster.name(topic.name)} at {cluster.bootstrap}", "its records",
                f"those of {code} alone", f"some of {_named(found, code)}",
                "name this city's topics by another GRIDCASE_KAFKA_PREFIX, or take its own database",
            )  # fmt: skip


async def _first(looker: Looker, topic: Topic) -> Message | None:
    try:
        spans = await looker.spans([(topic.name, number) for number in await looker.numbers(topic.name)])
    except TopicMissing:
        return None
    for (name, number), span in spans.items():
        if span.first < span.end:
            with suppress(TopicAuthorizationFailedError):  # who may only write there cannot look
                return await looker.look(name, number, span.first)
    return None


def _named(found: Message, code: str) -> str:
    """The other city, as far as its records say."""
    try:
        source = frame(found.body).source
    except Unreadable:
        return "somebody unknown"
    _, _, place = source.partition("/gridcase/")
    other, _, processor = place.partition("/")
    if not processor:
        return "somebody unknown"
    return f"another city of the same code {code}" if other == code else other
