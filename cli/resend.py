"""What the topics on Kafka have lost, sent again from the journals: for `republish` and `recover`."""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import ClassVar, Final, NamedTuple

from cli.assemble import MemberCity
from cli.fit import fitting
from cli.member import open_member, sending_log
from cli.mend import books_of
from cli.output import Exit
from cli.topology import PROCESSORS
from kernel.errors import CityRunsAlready, Fault
from kernel.hosts.mending import Gone, Misfit, misfits, read_through, refit, republish, unseen
from kernel.kafka.cluster import Cluster, cluster_of
from kernel.kafka.log import KafkaLog
from kernel.kafka.rights import actors
from kernel.kafka.topics import brokers
from kernel.log import Outgoing
from kernel.settings import Settings

_ROUNDS_MOST: Final = 10
_TOKEN_BYTES: Final = 16


class TopicsAhead(Fault):
    """{count} contradictions between topics and journals, the first: {first}. The database is older than the
    topics: it was restored from a backup. Do: restore a newer one; or stop everything, delete the topics of
    this city, `gridcase topics apply`, and recover again: the city goes on from the backup.
    """

    exit_code: ClassVar[int] = Exit.DATABASE

    def __init__(self, found: Sequence[Misfit]) -> None:
        first = f"{found[0].where}: expected {found[0].expected}, found {found[0].found}"
        super().__init__(count=len(found), first=first)


class LogRefused(Fault):
    """What was sent again {rounds} times is not in the topics: expected the brokers to take it, found
    messages missing still. Do: look at the brokers, then run this again.
    """

    exit_code: ClassVar[int] = Exit.BROKER


class Resent(NamedTuple):
    """Where topics no longer fitted their readers, and what was sent again."""

    gone: Sequence[Gone]
    sent: Sequence[Outgoing]

    def by_target(self) -> Mapping[tuple[str, int, str], int]:
        """How many messages were sent again, by topic, partition and origin."""
        return Counter((one.topic, one.partition, one.headers.origin) for one in self.sent)


async def resend(settings: Settings) -> Resent:
    """Let every cursor fit its topics again, and send what some receiver would never see.

    Every worker must have stopped. An edge may be at work: what it sends meanwhile is looked at once more.
    """
    cluster, slot = cluster_of(settings), f"mend-{os.getpid()}"
    opening = open_member(settings, slot, processors=())
    async with fitting(opening, cluster, settings.kafka_replicas, actors()) as city:
        await _nobody_at_work(cluster)
        log = sending_log(cluster.of(city.city.mark, city.city.partitions), slot)
        try:
            books = await books_of(city)
            _refuse(misfits(PROCESSORS, await read_through(PROCESSORS, books.cursors, log), *books.sides))
            gone = await _refitted(city, log)
            return Resent(gone, await _sent_again(city, log))
        finally:
            await log.close()


def _refuse(found: Sequence[Misfit]) -> None:
    if found:
        raise TopicsAhead(found)


async def _nobody_at_work(cluster: Cluster) -> None:
    async with brokers(cluster) as asked:
        members = await asked.members([processor.name for processor in PROCESSORS])
    if members:
        raise CityRunsAlready(cluster.bootstrap, f"{len(members)} workers, one of them {min(members)}")


async def _refitted(city: MemberCity, log: KafkaLog) -> list[Gone]:
    numbers = range(city.city.partitions)
    return [
        one
        for processor in PROCESSORS
        for one in await refit(
            processor, city.journals[processor.name], log, numbers, os.urandom(_TOKEN_BYTES)
        )
    ]


async def _sent_again(city: MemberCity, log: KafkaLog) -> list[Outgoing]:
    """Send until a look at journals and topics finds nothing that is lost."""
    found: list[Outgoing] = []
    for _ in range(_ROUNDS_MOST):
        books = await books_of(city)
        some = unseen(PROCESSORS, await read_through(PROCESSORS, books.cursors, log), books.sent, apart=True)
        if not some:
            return found
        await republish(some, log)
        found += some
    raise LogRefused(rounds=_ROUNDS_MOST)
