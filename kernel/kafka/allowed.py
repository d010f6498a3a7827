"""What the brokers allow us: topics say it themselves, groups by letting us look at them."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from aiokafka.conn import AIOKafkaConnection
from aiokafka.errors import GroupAuthorizationFailedError, for_code
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.coordination import FindCoordinatorRequest
from aiokafka.protocol.types import Array, Boolean, Int16, Int32, Schema, String

from kernel.errors import RightsMissing
from kernel.kafka.cluster import Cluster
from kernel.kafka.rights import Operation, Right

_BITS: Final[Mapping[Operation, int]] = {
    "Read": 3, "Write": 4, "Create": 5, "Describe": 8, "DescribeConfigs": 10,
}  # fmt: skip
_UNKNOWN: Final = 3
_DENIED: Final = 29


class _MetadataResponse(Response):
    API_KEY = 3
    API_VERSION = 8
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            Array(("node_id", Int32), ("host", String("utf-8")), ("port", Int32), ("rack", String("utf-8"))),
        ),
        ("cluster_id", String("utf-8")),
        ("controller_id", Int32),
        (
            "topics",
            Array(
                ("error_code", Int16),
                ("topic", String("utf-8")),
                ("is_internal", Boolean),
                (
                    "partitions",
                    Array(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", Array(Int32)),
                        ("isr", Array(Int32)),
                        ("offline_replicas", Array(Int32)),
                    ),
                ),
                ("operations", Int32),
            ),
        ),
        ("cluster_operations", Int32),
    )


class _MetadataStruct(RequestStruct):
    API_KEY = 3
    API_VERSION = 8
    RESPONSE_TYPE = _MetadataResponse
    SCHEMA = Schema(
        ("topics", Array(String("utf-8"))),
        ("allow_auto_topic_creation", Boolean),
        ("include_cluster_authorized_operations", Boolean),
        ("include_topic_authorized_operations", Boolean),
    )


class _MetadataRequest(Request[_MetadataStruct]):
    """What aiokafka's own does not ask: which operations we are allowed. No topic is made by asking."""

    API_KEY = 3

    def __init__(self, topics: Sequence[str]) -> None:
        self._topics = topics

    def build(self, request_struct_class: type[_MetadataStruct]) -> _MetadataStruct:
        return request_struct_class(list(self._topics), False, False, True)


async def refuse_without_rights(
    cluster: Cluster, connection: AIOKafkaConnection, needed: Sequence[Right]
) -> None:
    """Unless all that is needed is allowed: the first that is not, and how many more there are.

    A topic that is not there is none of its business. Of a group it sees whether it may be described.
    """
    missing = await _denied_on_topics(connection, [one for one in needed if one.kind == "topic"])
    missing += await _denied_on_groups(connection, [one.name for one in needed if one.kind == "group"])
    if missing:
        raise RightsMissing(cluster.bootstrap, cluster.user, missing[0], len(missing) - 1)


async def _denied_on_topics(connection: AIOKafkaConnection, needed: Sequence[Right]) -> list[str]:
    if not needed:
        return []
    answer: Any = await connection.send(_MetadataRequest([right.name for right in needed]))
    allowed = {name: (code, bits) for code, name, _, _, bits in answer.topics}
    missing: list[str] = []
    for right in needed:
        code, bits = allowed[right.name]
        if code == _UNKNOWN:
            continue
        denied = [one for one in right.operations if code == _DENIED or not bits >> _BITS[one] & 1]
        if denied:
            missing.append(f"{' and '.join(denied)} on the topic {right.name}")
    return missing


async def _denied_on_groups(connection: AIOKafkaConnection, names: Collection[str]) -> list[str]:
    missing: list[str] = []
    for name in names:
        answer: Any = await connection.send(FindCoordinatorRequest(name, 0))
        if for_code(answer.error_code) is GroupAuthorizationFailedError:
            missing.append(f"Read on the group {name}")
    return missing
