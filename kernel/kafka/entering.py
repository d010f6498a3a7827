"""Coming in to the brokers once, before anybody works: what keeps us out is said in words.

aiokafka's clients try every address and say only that none served; here each refusal keeps its cause. The
same connection asks what we may do: topics say it themselves, groups by letting us look at them.
"""

import ssl
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, NamedTuple

from aiokafka.conn import AIOKafkaConnection, create_conn
from aiokafka.errors import GroupAuthorizationFailedError, KafkaError, for_code
from aiokafka.protocol.admin import ApiVersionRequest
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.coordination import FindCoordinatorRequest
from aiokafka.protocol.types import Array, Boolean, Int16, Int32, Schema, String

from kernel.errors import BrokerOld, BrokerUnreachable, BrokerUntrusted, Fault, NotLetIn, RightsMissing
from kernel.kafka.cluster import ANSWER_SECONDS, Cluster
from kernel.kafka.rights import Operation, Right

OLDEST: Final = "Apache Kafka 2.3 or newer"
NEEDED: Final[Mapping[int, tuple[str, int]]] = {
    0: ("Produce", 3),
    1: ("Fetch", 4),
    2: ("ListOffsets", 1),
    3: ("Metadata", 8),
    11: ("JoinGroup", 5),
    22: ("InitProducerId", 0),
    32: ("DescribeConfigs", 1),
}
"""What brokers must understand: headers and idempotence, members of groups with names of their own, rights."""

_BITS: Final[Mapping[Operation, int]] = {
    "Read": 3, "Write": 4, "Create": 5, "Describe": 8, "DescribeConfigs": 10,
}  # fmt: skip
_UNKNOWN: Final = 3
_DENIED: Final = 29
_WRONG_HOST: Final = 62
_SASL: Final = frozenset({
    "AuthenticationFailedError", "IllegalSaslStateError", "SaslAuthenticationFailed",
    "UnsupportedSaslMechanismError",
})  # fmt: skip


class _MetadataResponse(Response):
    API_KEY = 3
    API_VERSION = 8
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            Array(
                ("node_id", Int32), ("host", String("utf-8")), ("port", Int32), ("rack", String("utf-8"))
            ),
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


class _Refusal(NamedTuple):
    fault: Fault
    cause: BaseException


@asynccontextmanager
async def entered(cluster: Cluster) -> AsyncGenerator[AIOKafkaConnection]:
    """A connection by the first address that lets us in. If none does: why not, in one fault.

    A refusal for a reason is told rather than silence.
    """
    refused: list[_Refusal] = []
    for address in cluster.bootstrap.split(","):
        connection: AIOKafkaConnection | None = None
        try:
            connection = await _connect(cluster, address)
            versions = await _versions(connection)
        except (OSError, KafkaError, ValueError, EOFError, AssertionError) as error:
            if connection is not None:
                connection.close()
            refused.append(_Refusal(_fault(cluster, address, error), error))
            continue
        try:
            _refuse_old(address, versions)
            yield connection
        finally:
            connection.close()
        return
    told = next((one for one in refused if not isinstance(one.fault, BrokerUnreachable)), refused[0])
    raise told.fault from told.cause


async def _connect(cluster: Cluster, address: str) -> AIOKafkaConnection:
    host, _, port = address.rpartition(":")
    known = cluster.client("start")
    known = {name: value for name, value in known.items() if name not in _NOT_OF_CONNECTIONS}
    return await create_conn(host, int(port), **known)


_NOT_OF_CONNECTIONS: Final = frozenset({"bootstrap_servers", "metadata_max_age_ms"})


async def _versions(connection: AIOKafkaConnection) -> Mapping[int, tuple[int, int]]:
    answer = await connection.send(ApiVersionRequest())
    return {key: (least, most) for key, least, most in answer.api_versions}


def too_old(versions: Mapping[int, tuple[int, int]]) -> str:
    """What brokers with these API versions do not understand of what we need, in words; or nothing."""
    missing = [
        f"{name} only to version {versions[key][1]}" if key in versions else f"no {name}"
        for key, (name, needed) in NEEDED.items()
        if key not in versions or versions[key][1] < needed
    ]
    return ", ".join(missing)


def _refuse_old(address: str, versions: Mapping[int, tuple[int, int]]) -> None:
    if missing := too_old(versions):
        raise BrokerOld(address, OLDEST, missing)


def _fault(cluster: Cluster, address: str, error: BaseException) -> Fault:
    """Why an address did not let us in. A connection that broke keeps the cause that broke it."""
    broken = error.__cause__ or error
    if isinstance(broken, ssl.SSLCertVerificationError):
        host = broken.verify_code == _WRONG_HOST
        by = "an authority of GRIDCASE_KAFKA_CA_FILE" if not host else "the name that we call it by"
        return BrokerUntrusted(address, by, broken.verify_message)
    if isinstance(broken, ssl.SSLError):
        reason = (broken.reason or str(broken)).lower().replace("_", " ")
        if "certificate" in reason or "unknown ca" in reason:
            return NotLetIn(address, "our certificate", reason)
        return BrokerUnreachable(address, f"no TLS as we know it ({reason}); see GRIDCASE_KAFKA_SECURITY")
    if type(error).__name__ in _SASL:
        return NotLetIn(address, f"{cluster.user} with this password", _first_line(error))
    if isinstance(error, TimeoutError):
        return BrokerUnreachable(address, f"silence for {ANSWER_SECONDS:.0f} s")
    if isinstance(error, ConnectionRefusedError):
        return BrokerUnreachable(address, "nobody who listens there")
    if isinstance(error, OSError):
        return BrokerUnreachable(address, error.strerror or _first_line(error))
    way = cluster.access.get("security_protocol", "PLAINTEXT").lower()
    return BrokerUnreachable(
        address, f"that it hangs up on GRIDCASE_KAFKA_SECURITY={way} ({_first_line(error)})"
    )


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]


# What we may do.


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
