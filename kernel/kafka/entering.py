"""Coming in to the brokers once, before anybody works: what keeps us out is said in words.

aiokafka's clients try every address and say only that none served; here each refusal keeps its cause.
"""

import ssl
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Final, NamedTuple

from aiokafka.conn import AIOKafkaConnection, create_conn
from aiokafka.errors import KafkaError
from aiokafka.protocol.admin import ApiVersionRequest

from kernel.errors import BrokerOld, BrokerUnreachable, BrokerUntrusted, Fault, NotLetIn
from kernel.kafka.cluster import ANSWER_SECONDS, Cluster

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
"""What brokers must understand: headers, idempotence, members with names of their own, rights told."""

_WRONG_HOST: Final = 62
_SASL: Final = frozenset({
    "AuthenticationFailedError", "IllegalSaslStateError", "SaslAuthenticationFailed",
    "UnsupportedSaslMechanismError",
})  # fmt: skip


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
    if isinstance(broken, ssl.SSLError):
        return _fault_of_tls(address, broken)
    if type(error).__name__ in _SASL:
        return NotLetIn(address, f"{cluster.user} with this password", _first_line(error))
    if isinstance(error, KafkaError | ConnectionResetError | EOFError):
        way = cluster.access.get("security_protocol", "PLAINTEXT").lower()
        found = f"that it hangs up on GRIDCASE_KAFKA_SECURITY={way} ({_first_line(error)})"
    elif isinstance(error, TimeoutError):
        found = f"silence for {ANSWER_SECONDS:.0f} s"
    elif isinstance(error, ConnectionRefusedError):
        found = "nobody who listens there"
    else:
        found = getattr(error, "strerror", None) or _first_line(error)
    return BrokerUnreachable(address, found)


def _fault_of_tls(address: str, error: ssl.SSLError) -> Fault:
    if isinstance(error, ssl.SSLCertVerificationError):
        wrong_host = error.verify_code == _WRONG_HOST
        by = "the name by which we call it" if wrong_host else "an authority that we trust"
        return BrokerUntrusted(address, by, error.verify_message)
    reason = (error.reason or str(error)).lower().replace("_", " ")
    if "certificate" in reason or "unknown ca" in reason:
        return NotLetIn(address, "our certificate", reason)
    return BrokerUnreachable(address, f"no TLS as we know it ({reason}); see GRIDCASE_KAFKA_SECURITY")


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
