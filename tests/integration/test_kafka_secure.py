"""A city at brokers that ask who we are: each service comes in as a user of its own, by name and password
over TLS, with the rights that the registry grants it and no more; and by a certificate of its own.
"""

import asyncio
import logging
import time
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, date, datetime

import pytest
from typer.testing import CliRunner

from cli.assemble import MemberCity
from cli.conductor import arriving
from cli.fit import fitting
from cli.main import app
from cli.member import open_member
from cli.topology import PROCESSORS, REGISTRY_RULES
from kernel import settings
from kernel.edge import EDGE, Submission
from kernel.errors import NotLetIn, RightsMissing
from kernel.journal import RULES_STREAM
from kernel.kafka.cluster import cluster_of
from kernel.kafka.layout import layouts
from kernel.kafka.rights import (
    OPERATOR,
    actors,
    rights,
    rights_of_operator,
    services,
)
from kernel.kafka.topics import brokers
from kernel.processor import Sender
from kernel.settings import DeliveryKind, Settings
from schemas.entry.commands import RecordFunding
from schemas.envelope import Envelope
from schemas.switching import SwitchMode
from schemas.wire import TYPE_OF, encode
from tests.integration.access import grant
from tests.integration.lived import ROOT, arrivals, bundle_of
from tests.kafka import KafkaServer

PARTITIONS = 2
REPORTS = 6
PATIENCE_SECONDS = 60.0
WORK = [processor.name for processor in PROCESSORS if processor is not REGISTRY_RULES]
UNITS = [unit.code for unit in bundle_of().units.rows if unit.subscribes]

pytestmark = pytest.mark.timeout(300)


class Town:
    """A city whose services have users of their own."""

    def __init__(self, server: KafkaServer, url: str, delivery: DeliveryKind) -> None:
        self.server = server
        self.prefix = f"t{uuid.uuid4().hex[:8]}."
        self._environ = {
            "GRIDCASE_DATABASE_URL": url,
            "GRIDCASE_KAFKA_PREFIX": self.prefix,
            "GRIDCASE_KAFKA_REPLICAS": "1",
            "GRIDCASE_KAFKA_DELIVERY": delivery,
        }
        self.layouts = layouts(cluster_of(self.settings(OPERATOR)).name, PARTITIONS, UNITS, 1)

    def environ(self, user: str) -> Mapping[str, str]:
        return {**self._environ, **self.server.environ(user)}

    def settings(self, user: str) -> Settings:
        return settings.read(self.environ(user), None)

    async def grant(self) -> None:
        named = cluster_of(self.settings(OPERATOR)).name
        parties = {service: rights(who, self.layouts, named) for service, who in services().items()}
        operator = {OPERATOR: rights_of_operator(self.layouts, named)}
        await grant(self.server.bootstrap, parties | operator)

    async def found(self) -> None:
        words = ["init", "--kafka", "--city", str(ROOT / "cities" / "demo"), "--partitions", str(PARTITIONS)]
        said = await asyncio.to_thread(CliRunner().invoke, app, words, env=dict(self.environ(OPERATOR)))
        assert said.exit_code == 0, said.stderr

    @asynccontextmanager
    async def service(self, name: str) -> AsyncIterator[MemberCity]:
        """A service at work as its own user, in this process."""
        given = self.settings(name)
        ours = [one for one in PROCESSORS if one.service == name]
        opening = open_member(given, "a", processors=ours, instance=0 if name == EDGE else None)
        who = [one.name for one in ours] or [EDGE]
        async with fitting(opening, cluster_of(given), 1, who) as member:
            stop = asyncio.Event()
            working = asyncio.create_task(member.host.run(stop.is_set))
            try:
                yield member
            finally:
                stop.set()
                await working

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[MemberCity]:
        """All services; gives the one with the edge."""
        async with AsyncExitStack() as stack:
            members = {name: await stack.enter_async_context(self.service(name)) for name in services()}
            yield members[EDGE]


def ordered(post: str, subject: str, message: object) -> Submission:
    """The command of a post to the register or to a mode."""
    kind = TYPE_OF[type(message)]
    now = datetime.now(UTC)
    envelope = Envelope(id=subject, source=f"post/{post}", type=kind, subject=subject, time=now, data=message)
    return Submission(Sender("post", post), encode(envelope))


ORDERS = (
    ("P-YX-GOV-1", "AST-01", RecordFunding(proof_id="P-9", covers_from=date.min, covers_to=date.max)),
    ("P-lead_officer-1", "JD01", SwitchMode(mode="emergency", order_number="防汛", reason="暴雨")),
)


async def idle(city: MemberCity) -> None:
    """Until every processor has decided something and all that left is acknowledged.

    The edge notes what is acknowledged only when it takes more; that it is shows in who reads it.
    """
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        claims = {name: await journal.claim(range(PARTITIONS)) for name, journal in city.journals.items()}
        rows = {name: sum(claim.cursor.seq for claim in found) for name, found in claims.items()}
        unsent = {name: sum(len(claim.outgoing) for claim in found) for name, found in claims.items()}
        unsent[EDGE] = REPORTS - await reports_read(city)
        if all(rows[name] > PARTITIONS for name in WORK) and not any(unsent.values()):
            return
        assert time.monotonic() < until, f"{rows} {unsent}"
        await asyncio.sleep(0.2)


async def reports_read(city: MemberCity) -> int:
    """How many reports the reader has decided; what it writes about new editions does not count."""
    journal = city.journals["intake.reader"]
    count = 0
    for number in range(PARTITIONS):
        async for row in journal.records(number):
            count += not row.stream.startswith(RULES_STREAM)
    return count


@pytest.mark.parametrize(
    "delivery",
    ["faust", pytest.param("stock", marks=pytest.mark.soak), pytest.param("plain", marks=pytest.mark.soak)],
)
async def test_each_service_works_with_its_own_rights_and_no_more(
    kafka_server: KafkaServer, postgres_url: str, delivery: DeliveryKind, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    town = Town(kafka_server, postgres_url, delivery)
    await town.grant()
    await town.found()
    async with town.at_work() as city:
        await city.edge.accept([arriving(arrival) for arrival in arrivals(REPORTS)])
        await city.edge.accept([ordered(*one) for one in ORDERS])
        await idle(city)
    assert not [password for password in kafka_server.passwords.values() if password in caplog.text]
    for service, who in services().items():
        others = [actor for actor in actors() if actor not in who]
        await lacks_those_of(town, service, others)


async def lacks_those_of(town: Town, user: str, others: list[str]) -> None:
    """Of the others' rights this user has none but those that are its own as well."""
    cluster = cluster_of(town.settings(user))
    mine = {
        (one.kind, one.name): set(one.operations)
        for one in rights(services()[user], town.layouts, cluster.name)
    }
    async with brokers(cluster) as asked:
        for right in rights(others, town.layouts, cluster.name):
            for operation in set(right.operations) - mine.get((right.kind, right.name), set()):
                with pytest.raises(RightsMissing, match=operation):
                    await asked.refuse_without([right._replace(operations=[operation])])


async def test_brokers_that_ask_for_a_certificate_know_us_by_it(
    own_kafka: Callable[..., KafkaServer],
) -> None:
    server = own_kafka()
    server.authority.issue("router")
    server.set(
        {
            "listener.security.protocol.map": "PLAIN:PLAINTEXT,SECURE:SSL,CONTROLLER:PLAINTEXT",
            "listener.name.secure.ssl.client.auth": "required",
            "listener.name.secure.ssl.truststore.type": "PEM",
            "listener.name.secure.ssl.truststore.location": str(server.authority.file),
            "super.users": "User:ANONYMOUS;User:CN=router",
        }
    )
    server.start()
    environ = {
        "GRIDCASE_KAFKA_BOOTSTRAP": f"127.0.0.1:{server.secure_port}",
        "GRIDCASE_KAFKA_SECURITY": "ssl",
        "GRIDCASE_KAFKA_CA_FILE": str(server.authority.file),
    }
    with pytest.raises(NotLetIn, match="our certificate"):
        async with brokers(cluster_of(settings.read(environ, None))):
            pass
    files = {
        "GRIDCASE_KAFKA_CERTIFICATE_FILE": str(server.home / "router.crt"),
        "GRIDCASE_KAFKA_KEY_FILE": str(server.home / "router.key"),
    }
    cluster = cluster_of(settings.read(environ | files, None))
    wanted = layouts(cluster.name, 1, (), 1)
    async with brokers(cluster) as asked:
        await asked.create(wanted)
        await asked.refuse_without(rights_of_operator(wanted, cluster.name))
