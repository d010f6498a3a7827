"""Brokers that do not let us in, or are not those of this city: one line, an exit code, nothing changed."""

import asyncio
import struct
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from typer.testing import CliRunner

from cli.main import app
from cli.output import Exit
from kernel.kafka.cluster import Cluster
from kernel.kafka.entering import NEEDED, too_old
from kernel.kafka.layout import layouts
from kernel.kafka.topics import brokers
from tests.certificates import Authority
from tests.kafka import KafkaServer
from tests.postgres import PostgresServer, free_port, in_own_loop

TINY = Path(__file__).parents[1] / "cities" / "tiny"
PARTITIONS = 2
UNITS = ("CG", "SZ", "JD", "JW1")
Environ = Mapping[str, str]
Wrong = tuple[Environ, int, tuple[str, ...]]


class Place:
    """A founded city, and its broker."""

    def __init__(self, server: KafkaServer, url: str) -> None:
        self.server = server
        self.url = url
        self.prefix = f"t{uuid.uuid4().hex[:8]}."
        self.environ = {
            "GRIDCASE_DATABASE_URL": url,
            "GRIDCASE_KAFKA_BOOTSTRAP": server.bootstrap,
            "GRIDCASE_KAFKA_PREFIX": self.prefix,
            "GRIDCASE_KAFKA_REPLICAS": "1",
        }

    def run(self, *words: str, **environ: str) -> tuple[int, str]:
        found = CliRunner().invoke(app, words, env={**self.environ, **environ})
        assert found.exception is None or isinstance(found.exception, SystemExit), found.exception
        return found.exit_code, found.stderr

    def state(self, url: str = "") -> object:
        """All topics, and how far every journal has come."""
        found: list[object] = []

        async def look() -> None:
            admin = AIOKafkaAdminClient(bootstrap_servers=self.server.bootstrap)
            await admin.start()
            try:
                found.append(sorted(await admin.list_topics()))
            finally:
                await admin.close()
            connection = await asyncpg.connect((url or self.url).replace("+asyncpg", ""))
            try:
                tables = "select count(*) from information_schema.tables where table_schema = 'public'"
                found.append(await connection.fetchval(tables))
                if found[-1]:
                    rows = "select processor, partition, seq from journals order by 1, 2"
                    found.append(str(await connection.fetch(rows)))
            finally:
                await connection.close()

        in_own_loop(look())
        return found


@pytest.fixture(scope="module")
def place(kafka_server: KafkaServer, postgres_server: PostgresServer) -> Iterator[Place]:
    with postgres_server.fresh() as url:
        made = Place(kafka_server, url)
        words = ("init", "--kafka", "--city", str(TINY), "--partitions", str(PARTITIONS))
        code, said = made.run(*words)
        assert code == 0, said
        yield made


@contextmanager
def answering(answer: Callable[[bytes], bytes]) -> Iterator[str]:
    """A socket that gives each request its answer; gives its address."""
    port = free_port()
    loop = asyncio.new_event_loop()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                (size,) = struct.unpack(">i", await reader.readexactly(4))
                writer.write(answer(await reader.readexactly(size)))
        except (OSError, asyncio.IncompleteReadError):
            writer.close()

    server = loop.run_until_complete(asyncio.start_server(talk, "127.0.0.1", port))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def versions_of_kafka_2_0(request: bytes) -> bytes:
    """The answer to ApiVersions, as a broker of 2018 gives it."""
    offered = {0: 6, 1: 8, 2: 3, 3: 6, 11: 3, 18: 2, 22: 1, 32: 2}
    body = request[4:8] + struct.pack(">hi", 0, len(offered))
    body += b"".join(struct.pack(">hhh", key, 0, most) for key, most in offered.items())
    if request[2:4] > b"\x00\x00":  # the version of the request
        body += struct.pack(">i", 0)
    return struct.pack(">i", len(body)) + body


def refused(place: Place, wrong: Wrong) -> None:
    """`worker` and `up` say one line about it and change nothing."""
    environ, exit_code, expected = wrong
    before = place.state()
    for words in (("worker", "router", "--slot", "a"), ("up", "--kafka")):
        code, said = place.run(*words, **environ)
        assert code == exit_code, said
        assert said.strip().count("\n") == 0, said
        for part in (*expected, "expected", "found", "Do: "):
            assert part in said, said
        for password in place.server.passwords.values():
            assert password not in said
    assert place.state() == before


def ours(place: Place, **environ: str) -> Environ:
    return {**place.server.environ("admin"), **{f"GRIDCASE_KAFKA_{k}": v for k, v in environ.items()}}


def test_brokers_that_are_not_there(place: Place) -> None:
    port = free_port()
    expected = (f"No answer from 127.0.0.1:{port}", "nobody who listens there")
    refused(place, ({"GRIDCASE_KAFKA_BOOTSTRAP": f"127.0.0.1:{port}"}, Exit.BROKER, expected))


def test_brokers_that_are_too_old(place: Place) -> None:
    with answering(versions_of_kafka_2_0) as address:
        expected = (f"{address} is too old", "2.3 or newer", "Metadata only to version 6", "JoinGroup")
        refused(place, ({"GRIDCASE_KAFKA_BOOTSTRAP": address}, Exit.BROKER, expected))


def test_something_else_that_listens(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kernel.kafka.cluster.ANSWER_SECONDS", 1.0)
    with answering(lambda _: b"HTTP/1.1 400 Bad Request\r\n\r\n") as address:
        environ = {"GRIDCASE_KAFKA_BOOTSTRAP": address}
        code, said = place.run("worker", "router", **environ)
    assert (code, said.strip().count("\n")) == (Exit.BROKER, 0), said
    assert f"No answer from {address}" in said


def test_topics_with_other_partition_counts(place: Place) -> None:
    prefix = f"t{uuid.uuid4().hex[:8]}."
    cluster = Cluster(place.server.bootstrap, prefix)

    async def make() -> None:
        async with brokers(cluster) as asked:
            await asked.create(layouts(cluster.name, PARTITIONS + 1, UNITS, 1))

    in_own_loop(make())
    expected = ("do not fit this city", "partitions", "expected 2, found 3", "gridcase topics check")
    refused(place, ({"GRIDCASE_KAFKA_PREFIX": prefix}, Exit.BROKER, expected))


def test_a_user_without_rights(place: Place) -> None:
    expected = ("Rights are missing", "the user guest", "on the topic", " more. ", "topics rights")
    refused(place, (place.server.environ("guest"), Exit.BROKER, expected))


def test_a_certificate_of_another_authority(place: Place, tmp_path: Path) -> None:
    other = Authority(tmp_path, "other")
    expected = ("is not trusted", "an authority that we trust", "GRIDCASE_KAFKA_CA_FILE")
    refused(place, (ours(place, CA_FILE=str(other.file)), Exit.BROKER, expected))


def test_a_certificate_for_another_host(place: Place) -> None:
    environ = ours(place, BOOTSTRAP=f"localhost:{place.server.secure_port}")
    expected = ("is not trusted", "the name by which we call it", "localhost")
    refused(place, (environ, Exit.BROKER, expected))


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"])
def test_a_wrong_password(place: Place, tmp_path: Path, mechanism: str) -> None:
    (tmp_path / "password").write_text("hunter2")
    environ = ours(place, MECHANISM=mechanism, PASSWORD_FILE=str(tmp_path / "password"))
    code, said = place.run("worker", "router", **environ)
    assert code == Exit.BROKER, said
    assert "does not let us in: expected it to know the user admin with this password" in said
    assert "hunter2" not in said
    if mechanism == "PLAIN":
        refused(place, (environ, Exit.BROKER, ("does not let us in", "the user admin")))


def test_files_that_are_missing(place: Place, tmp_path: Path) -> None:
    for setting in ("CA_FILE", "PASSWORD_FILE", "CERTIFICATE_FILE"):
        environ = ours(place, **{setting: str(tmp_path / "gone")})
        code, said = place.run("worker", "router", **environ)
        assert code == Exit.SETTINGS, said
        assert f"GRIDCASE_KAFKA_{setting}: expected a file that can be read, found" in said


def test_a_listener_of_another_kind(place: Place) -> None:
    """TLS where there is none, and the other way round."""
    plain = ours(place, BOOTSTRAP=place.server.bootstrap)
    secure = {"GRIDCASE_KAFKA_BOOTSTRAP": f"127.0.0.1:{place.server.secure_port}"}
    for environ in (plain, secure):
        code, said = place.run("worker", "router", **environ)
        assert code == Exit.BROKER, said
        assert "GRIDCASE_KAFKA_SECURITY" in said


def test_nothing_is_founded_where_we_are_not_let_in(place: Place, postgres_url: str) -> None:
    """Neither tables nor topics, whatever is wrong."""
    words = ("init", "--kafka", "--city", str(TINY), "--partitions", "2", "--database", postgres_url)
    prefix = f"t{uuid.uuid4().hex[:8]}."

    async def make() -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=place.server.bootstrap)
        await admin.start()
        await admin.create_topics([NewTopic(f"{prefix}case.events", 5, 1)])
        await admin.close()

    in_own_loop(make())
    before = place.state(postgres_url)
    wrong: list[tuple[Environ, str]] = [
        ({"GRIDCASE_KAFKA_BOOTSTRAP": f"127.0.0.1:{free_port()}"}, "No answer"),
        (ours(place, BOOTSTRAP=f"localhost:{place.server.secure_port}"), "is not trusted"),
        (place.server.environ("guest"), "Rights are missing"),
        ({"GRIDCASE_KAFKA_PREFIX": prefix}, "expected 2, found 5"),
    ]
    for environ, expected in wrong:
        code, said = place.run(*words, **environ)
        assert (code, expected in said) == (Exit.BROKER, True), said
        assert place.state(postgres_url) == before


def test_what_is_too_old_is_said_request_by_request() -> None:
    enough = {key: (0, most) for key, (_, most) in NEEDED.items()}
    assert not too_old(enough)
    assert too_old({**enough, 3: (0, 7)}) == "Metadata only to version 7"
    del enough[22]
    assert too_old(enough) == "no InitProducerId"
