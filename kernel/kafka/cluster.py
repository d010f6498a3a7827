"""Where the brokers are and how to come in: what every client of one process has in common."""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final

from kernel.kafka.access import access_of
from kernel.settings import Settings, SettingsWrong

ANSWER_SECONDS: Final = 10.0
"""How long one request may take; beyond it the broker counts as silent."""

_OTHER: Final = re.compile(r"[^A-Za-z0-9.-]")
_TOKEN_BYTES: Final = 16
_METADATA_SECONDS: Final = 10.0
"""After how long a client hears of topics that were made or deleted meanwhile."""

logging.getLogger("aiokafka").addHandler(logging.NullHandler())  # heard where somebody asks for it
logging.getLogger("aiokafka.conn").setLevel(logging.INFO)  # below that it writes down the password it sends


@dataclass(frozen=True, slots=True)
class Cluster:
    """`prefix` begins the name of every topic and group, so that several cities may share the brokers.

    `access` is passed on to every client as it is: security protocol, certificates, name and password.
    `city` is the token in every record of the city, and `partitions` its number of them; without a token
    records carry none and nobody asks for it.
    """

    bootstrap: str
    prefix: str = ""
    access: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)
    city: bytes = b""
    partitions: int = 0

    @property
    def user(self) -> str:
        """Who we are to the brokers, in words."""
        if name := self.access.get("sasl_plain_username"):
            return f"the user {name}"
        return "whoever holds our certificate" if "ssl_context" in self.access else "whoever asks"

    def of(self, mark: str, partitions: int) -> "Cluster":
        """The same brokers, for the city with this mark."""
        return replace(self, city=sha256(bytes.fromhex(mark)).digest()[:_TOKEN_BYTES], partitions=partitions)

    def name(self, topic: str) -> str:
        """What the brokers call a topic or a group of ours: they take no letters but those of ASCII."""
        return _ascii(self.prefix + topic)

    def client(self, who: str) -> dict[str, Any]:
        """The arguments of every aiokafka client; `who` is seen in the brokers' logs and metrics."""
        return {
            "bootstrap_servers": self.bootstrap,
            "client_id": f"{self.prefix}gridcase-{who}",
            "request_timeout_ms": int(ANSWER_SECONDS * 1000),
            "metadata_max_age_ms": int(_METADATA_SECONDS * 1000),
            **self.access,
        }


@lru_cache(maxsize=4096)
def _ascii(name: str) -> str:
    """`unit.城管.cases` is unit._e59f8e_e7aea1.cases: each other character is an underscore and its bytes."""
    return _OTHER.sub(lambda found: f"_{found[0].encode().hex()}", name)


def cluster_of(settings: Settings) -> Cluster:
    """The brokers that the settings name."""
    if not settings.kafka_bootstrap:
        raise SettingsWrong(wrong="GRIDCASE_KAFKA_BOOTSTRAP: expected HOST:PORT of a broker, found nothing")
    return Cluster(settings.kafka_bootstrap, settings.kafka_prefix, access_of(settings))


class TopicMissing(Exception):  # noqa: N818 - named by what happened
    """The brokers do not know a topic, or not this partition of it."""

    def __init__(self, topic: str, partition: int | None = None) -> None:
        part = "" if partition is None else f" with a partition {partition}"
        super().__init__(f"expected the topic {topic}{part}; found none; do: gridcase topics check")


class NoAnswer(Exception):  # noqa: N818 - named by what happened
    """The brokers are silent."""

    def __init__(self, bootstrap: str) -> None:
        super().__init__(f"expected {bootstrap} to answer within {ANSWER_SECONDS:.0f} s; found silence")
