"""Whether the brokers' topics are those of a city, before anybody works on them."""

from collections.abc import AsyncGenerator, Collection, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from kernel.errors import TopicsUnfit
from kernel.kafka.cluster import Cluster, cluster_of
from kernel.kafka.layout import Difference, Layout, differences, layouts, missing
from kernel.kafka.rights import actors, rights, rights_of_operator, used
from kernel.settings import Settings

if TYPE_CHECKING:
    from cli.assemble import MemberCity, Opened


async def topics_of(city: "Opened", cluster: Cluster, replicas: int) -> Sequence[Layout]:
    """The topics that a city needs: those of the registry, and of its subscribing units once it has rules."""
    rules = await city.rules()
    units = [unit.code for unit in rules.bundle.units.rows if unit.subscribes] if rules else []
    return layouts(cluster.name, city.city.partitions, units, replicas)


@asynccontextmanager
async def fitting(
    opening: AbstractAsyncContextManager["MemberCity"],
    cluster: Cluster,
    replicas: int,
    actors: Collection[str],
) -> AsyncGenerator["MemberCity"]:
    """What is opened, unless these of its processors may not use their topics, or these are others.

    Then it is `RightsMissing` or `TopicsUnfit`; the topics of other processors are none of our business.
    """
    from kernel.kafka.owner import refuse_foreign  # noqa: PLC0415 - the extra kafka may be absent
    from kernel.kafka.topics import brokers  # noqa: PLC0415 - as above

    async with opening as city:
        every = await topics_of(city, cluster, replicas)
        needed = rights(actors, every, cluster.name)
        wanted = used(needed, every)
        async with brokers(cluster) as asked:
            await asked.refuse_without(needed)
            found = differences(wanted, await asked.describe(wanted), ())
        _refuse(cluster, found)
        own = cluster.of(city.city.mark, city.city.partitions)
        await refuse_foreign(own, city.city.code)
        yield city


async def refuse_unfit(given: Settings, slot: str) -> None:
    """Raise what would keep any service of the city from working."""
    from cli.member import open_member  # noqa: PLC0415 - as above

    opening = open_member(given, slot, processors=())
    async with fitting(opening, cluster_of(given), given.kafka_replicas, actors()):
        return


class Ground:
    """The topics of a city that is about to be founded."""

    def __init__(self, cluster: Cluster, partitions: int, units: Sequence[str], replicas: int) -> None:
        self._cluster = replace(cluster, partitions=partitions)
        self._partitions = partitions
        self._wanted = layouts(cluster.name, partitions, units, replicas)

    async def check(self, code: str, mark: str) -> None:
        """Before anything is made: are we let in, may we make topics, do those fit that are there, and has
        no other city written there? `mark` is that of a city that was begun, else empty.
        """
        from kernel.kafka.owner import refuse_foreign  # noqa: PLC0415 - the extra kafka may be absent
        from kernel.kafka.topics import brokers  # noqa: PLC0415 - as above

        needed = rights_of_operator(self._wanted, self._cluster.name)
        async with brokers(self._cluster) as asked:
            await asked.refuse_without(needed)
            there = await asked.describe(self._wanted)
        _refuse(self._cluster, differences([one for one in self._wanted if one.name in there], there))
        own = self._cluster.of(mark, self._partitions) if mark else self._cluster
        await refuse_foreign(own, code)

    async def make(self) -> None:
        """Make what is not there."""
        from kernel.kafka.topics import brokers  # noqa: PLC0415 - as above

        async with brokers(self._cluster) as asked:
            await asked.create(missing(self._wanted, await asked.describe(self._wanted)))


def _refuse(cluster: Cluster, found: Sequence[Difference]) -> None:
    """`TopicsUnfit` with the first difference that lets nobody work."""
    stops = [one for one in found if one.stops]
    if stops:
        one = stops[0]
        raise TopicsUnfit(
            cluster.bootstrap,
            len(stops) - 1,
            topic=one.topic,
            what=one.what,
            expected=one.expected,
            found=one.found,
            do=one.do,
        )
