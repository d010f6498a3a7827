"""Whether the brokers' topics are those of a city, before anybody works on them."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING

from kernel.errors import TopicsUnfit
from kernel.kafka.cluster import Cluster
from kernel.kafka.layout import Layout, differences, layouts

if TYPE_CHECKING:
    from cli.assemble import MemberCity, Opened


async def topics_of(city: "Opened", cluster: Cluster, replicas: int) -> Sequence[Layout]:
    """The topics that a city needs: those of the registry, and of its subscribing units once it has rules."""
    rules = await city.rules()
    units = [unit.code for unit in rules.bundle.units.rows if unit.subscribes] if rules else []
    return layouts(cluster.name, city.city.partitions, units, replicas)


@asynccontextmanager
async def fitting(
    opening: AbstractAsyncContextManager["MemberCity"], cluster: Cluster, replicas: int
) -> AsyncGenerator["MemberCity"]:
    """What is opened, unless its topics are missing or are others: then `TopicsUnfit`."""
    from kernel.kafka.owner import refuse_foreign  # noqa: PLC0415 - the extra kafka may be absent
    from kernel.kafka.topics import brokers  # noqa: PLC0415 - as above

    async with opening as city:
        await refuse_foreign(cluster.of(city.city.mark, city.city.partitions), city.city.code)
        wanted = await topics_of(city, cluster, replicas)
        async with brokers(cluster) as asked:
            found = differences(wanted, await asked.describe(wanted), ())
        unfit = [one for one in found if one.stops]
        if unfit:
            one = unfit[0]
            raise TopicsUnfit(
                cluster.bootstrap,
                len(unfit) - 1,
                topic=one.topic,
                what=one.what,
                expected=one.expected,
                found=one.found,
                do=one.do,
            )
        yield city
