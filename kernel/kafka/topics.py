"""The topics on the brokers: described for a comparison, made where missing. Nothing is altered."""

from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.conn import AIOKafkaConnection
from aiokafka.errors import (
    GroupIdNotFound,
    KafkaConnectionError,
    KafkaError,
    TopicAlreadyExistsError,
    for_code,
)

from kernel.errors import BrokerRefused, BrokerUnreachable
from kernel.kafka.allowed import refuse_without_rights
from kernel.kafka.cluster import Cluster
from kernel.kafka.entering import entered
from kernel.kafka.layout import Found, Layout
from kernel.kafka.rights import Right

_NO_ERROR: Final = 0


class Brokers:
    """What may be asked of the brokers about topics, over open connections."""

    def __init__(self, cluster: Cluster, admin: AIOKafkaAdminClient, connection: AIOKafkaConnection) -> None:
        self._cluster = cluster
        self._admin = admin
        self._connection = connection

    async def refuse_without(self, needed: Sequence[Right]) -> None:
        """`RightsMissing` unless we have these rights, as far as their topics are there."""
        await refuse_without_rights(self._cluster, self._connection, needed)

    async def names(self) -> Collection[str]:
        """The names of all topics that we may see."""
        return await self._admin.list_topics()

    async def describe(self, wanted: Sequence[Layout]) -> Mapping[str, Found]:
        """Those of the topics that are there, with the settings that the layouts name."""
        there = set(await self.names())
        asked = [layout for layout in wanted if layout.name in there]
        if not asked:
            return {}
        settings = await self._settings(asked)
        found: dict[str, Found] = {}
        for topic in await self._admin.describe_topics([layout.name for layout in asked]):
            replicas = [len(part["replicas"]) for part in topic["partitions"]]
            found[topic["topic"]] = Found(len(replicas), min(replicas, default=0), settings[topic["topic"]])
        return found

    async def _settings(self, asked: Sequence[Layout]) -> Mapping[str, Mapping[str, str]]:
        resources = [
            ConfigResource(ConfigResourceType.TOPIC, layout.name, dict.fromkeys(layout.settings))
            for layout in asked
        ]
        found: dict[str, Mapping[str, str]] = {}
        for answer in await self._admin.describe_configs(resources):
            for code, words, _, name, entries in answer.resources:
                self._check(code, words, f"the settings of {name}")
                found[name] = {key: value for key, value, *_ in entries}
        return found

    async def create(self, layouts: Sequence[Layout]) -> None:
        """Make these topics; one that somebody else has just made is left as it is."""
        if not layouts:
            return
        made = [
            NewTopic(layout.name, layout.partitions, layout.replicas, topic_configs=dict(layout.settings))
            for layout in layouts
        ]
        answer = await self._admin.create_topics(made)
        for name, code, words, *_ in answer.topic_errors:
            if for_code(code) is not TopicAlreadyExistsError:
                self._check(code, words, f"the topic {name}")

    async def members(self, groups: Sequence[str]) -> Collection[str]:
        """Who is a member of these groups of ours now, by the names that clients give."""
        names: set[str] = set()
        for group in groups:  # aiokafka cannot read an answer about several
            [answer] = await self._admin.describe_consumer_groups([self._cluster.name(group)])
            for code, name, _, _, _, members, *_ in answer.groups:
                if for_code(code) is not GroupIdNotFound:
                    self._check(code, None, f"the group {name}")
                names.update(client for _, client, *_ in members)
        return names

    def _check(self, code: int, words: str | None, what: str) -> None:
        if code != _NO_ERROR:
            found = words or for_code(code).__name__
            raise BrokerRefused(self._cluster.bootstrap, what, found)


@asynccontextmanager
async def brokers(cluster: Cluster) -> AsyncGenerator[Brokers]:
    """The brokers, once they have let us in; whatever they cannot or will not do is a fault in words."""
    arguments: dict[str, Any] = cluster.client("topics")
    async with (
        entered(cluster) as connection,
        _started(cluster, AIOKafkaAdminClient(**arguments)) as admin,
    ):
        yield Brokers(cluster, admin, connection)


@asynccontextmanager
async def _started(cluster: Cluster, admin: AIOKafkaAdminClient) -> AsyncGenerator[AIOKafkaAdminClient]:
    try:
        await admin.start()
        yield admin
    except KafkaConnectionError as error:
        raise BrokerUnreachable(cluster.bootstrap, str(error)) from error
    except KafkaError as error:
        raise BrokerRefused(cluster.bootstrap, "an answer", f"{type(error).__name__}: {error}") from error
    finally:
        await admin.close()
