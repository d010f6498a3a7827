"""Apache Kafka for tests: jars by Maven, once, into build/; started on first use, stopped whatever happens.

`kafka_bootstrap`  the address of the session's broker: the one named by KAFKA_BOOTSTRAP, else one of ours
`own_kafka`        brokers of this test alone, to be stopped, killed, frozen and restarted

Without Maven, Java and KAFKA_BOOTSTRAP there is no broker, and its tests are skipped with that reason.
Docker and Tansu are not tried.
"""

import base64
import contextlib
import functools
import hashlib
import os
import re
import shutil
import signal
import ssl
import string
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.certificates import Authority
from tests.postgres import die_with_parent, free_port

ROOT: Final = Path(__file__).resolve().parents[1]
DEPLOY: Final = ROOT / "deploy" / "kafka"
BUILD: Final = ROOT / "build" / "kafka"
PREFIX: Final = "gridcase-kafka-"
START_SECONDS: Final = 60
STOP_SECONDS: Final = 20
FETCH_SECONDS: Final = 600
STARTED: Final = "Kafka Server started"
ADMIN: Final = "admin"
USERS: Final = (ADMIN, "guest", "operator", "edge", "registry", "intake", "router", "sla", "notifier")
"""Those whom the secure listener knows; only the first may do anything before it is allowed."""


class MissingKafkaError(RuntimeError):
    """No Kafka here: expected Maven and Java, or a broker named by KAFKA_BOOTSTRAP."""


def given() -> str:
    """The broker that whoever runs the tests has named."""
    return os.environ.get("KAFKA_BOOTSTRAP", "")


def version() -> str:
    """The version of the broker that Maven fetches."""
    found = re.search(r"kafka_2\.13</artifactId>\s*<version>([^<]+)<", (DEPLOY / "pom.xml").read_text())
    return found[1] if found else "unknown"


def jars() -> Path:
    """Where the jars of this pom lie, or will lie."""
    digest = hashlib.sha256((DEPLOY / "pom.xml").read_bytes()).hexdigest()
    return BUILD / f"{version()}-{digest[:12]}"


def java() -> str | None:
    home = os.environ.get("JAVA_HOME")
    inside = shutil.which("java", path=f"{home}/bin") if home else None
    return inside or shutil.which("java")


def missing() -> str | None:
    """Why no broker of our own can be had, or nothing."""
    if java() is None:
        return "no Kafka: neither Java nor KAFKA_BOOTSTRAP"
    if shutil.which("mvn") is None and not jars().exists():
        return "no Kafka: neither Maven nor KAFKA_BOOTSTRAP"
    return None


def described() -> str:
    """The broker in words, for the head of every run."""
    if given():
        return f"{given()} (KAFKA_BOOTSTRAP); tests that stop or kill a broker are skipped"
    reason = missing()
    if reason:
        return f"absent, its tests are skipped ({reason})"
    return f"Apache Kafka {version()} ({'Maven' if jars().exists() else 'Maven, fetched on first use'})"


@functools.cache
def fetched() -> Path:
    """The jars, fetched if need be; two runs at once both fetch, and the later one throws its own away."""
    folder = jars()
    if folder.exists():
        return folder
    BUILD.mkdir(parents=True, exist_ok=True)
    half = Path(tempfile.mkdtemp(prefix="half-", dir=BUILD))
    command = ["mvn", "--quiet", "--batch-mode", "--file", str(DEPLOY / "pom.xml")]
    command += ["dependency:copy-dependencies", f"-DoutputDirectory={half}"]
    said = subprocess.run(command, capture_output=True, text=True, check=False, timeout=FETCH_SECONDS)
    if said.returncode:
        shutil.rmtree(half)
        lines = [line for line in said.stdout.splitlines() if line.strip()] or ["nothing"]
        raise MissingKafkaError(f"no Kafka: Maven could not fetch it ({lines[0][:200]})")
    with contextlib.suppress(OSError):
        half.rename(folder)
    shutil.rmtree(half, ignore_errors=True)
    return folder


def forget_the_dead() -> None:
    """Deletes the folders of test runs that were killed; their brokers died with them."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*-*"):
        number = folder.name.removeprefix(PREFIX).split("-")[0]
        try:
            os.kill(int(number), 0)
        except ProcessLookupError:
            shutil.rmtree(folder, ignore_errors=True)
        except (ValueError, OSError):
            continue


class KafkaServer:
    """One broker on loopback with its files in a temporary folder: `bootstrap` by no name, `secure` by one.

    `settings` overrides lines of deploy/kafka/server.properties. Who comes in by `detour_port` is sent on to
    `detour`, the port of a proxy in front of it.
    """

    def __init__(self, settings: dict[str, str] | None = None, heap: str = "512m", detour: int = 0) -> None:
        reason = missing()
        if reason:
            raise MissingKafkaError(reason)
        self.libraries = fetched()
        forget_the_dead()
        self.home = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
        self.settings = settings or {}
        self.heap = heap
        self.passwords = {user: uuid.uuid4().hex for user in USERS}
        self.plain_port, self.secure_port, self.controller_port = free_port(), free_port(), free_port()
        self.detour, self.detour_port = detour, free_port() if detour else 0
        self.process: subprocess.Popen[bytes] | None = None
        self.authority = Authority(self.home)
        self.authority.issue("server", ["127.0.0.1"])
        (self.home / "server.properties").write_text(self._properties())
        try:
            self._format()
        except BaseException:
            self.remove()
            raise

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self.plain_port}"

    @property
    def log(self) -> Path:
        return self.home / "server.log"

    def set(self, settings: dict[str, str]) -> None:
        """Override more lines of its properties; they hold from the next start on."""
        self.settings |= settings
        (self.home / "server.properties").write_text(self._properties())

    def environ(self, user: str) -> dict[str, str]:
        """The settings by which somebody comes in by the secure listener; the password lies in a file."""
        password = self.home / f"{user}.password"
        password.write_text(f"{self.passwords[user]}\n")
        return {
            "GRIDCASE_KAFKA_BOOTSTRAP": f"127.0.0.1:{self.secure_port}",
            "GRIDCASE_KAFKA_SECURITY": "sasl_ssl",
            "GRIDCASE_KAFKA_CA_FILE": str(self.authority.file),
            "GRIDCASE_KAFKA_USER": user,
            "GRIDCASE_KAFKA_PASSWORD_FILE": str(password),
        }

    def secure(self, user: str = ADMIN, password: str | None = None) -> dict[str, Any]:
        """What an aiokafka client needs to come in by the secure listener."""
        return {
            "bootstrap_servers": f"127.0.0.1:{self.secure_port}",
            "security_protocol": "SASL_SSL",
            "ssl_context": ssl.create_default_context(cafile=str(self.home / "ca.pem")),
            "sasl_mechanism": "SCRAM-SHA-512",
            "sasl_plain_username": user,
            "sasl_plain_password": password or self.passwords[user],
        }

    def _properties(self) -> str:
        text = string.Template((DEPLOY / "server.properties").read_text()).substitute(
            plain_port=self.plain_port,
            secure_port=self.secure_port,
            controller_port=self.controller_port,
            data=self.home / "data",
            keystore=self.home / "server.pem",
            users=" ".join(f'user_{user}="{password}"' for user, password in self.passwords.items()),
        )
        if self.detour:
            here, there = f",DETOUR://127.0.0.1:{self.detour_port}", f",DETOUR://127.0.0.1:{self.detour}"
            for line, more in (
                ("listeners=", here),
                ("advertised.listeners=", there),
                ("listener.security.protocol.map=", ",DETOUR:PLAINTEXT"),
            ):
                text = re.sub(rf"(?m)^({re.escape(line)}.*)$", rf"\g<1>{more}", text)
        return text + "".join(f"{name}={value}\n" for name, value in self.settings.items())

    def _java(self, *words: str) -> list[str]:
        command = [java() or "java", f"-Xmx{self.heap}", "-XX:+UseSerialGC", "-cp", f"{self.libraries}/*"]
        command += [f"-Dlog4j2.configurationFile={DEPLOY / 'log4j2.properties'}", *words]
        return command

    def _format(self) -> None:
        city = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        command = self._java("kafka.tools.StorageTool", "format", "--standalone", f"--cluster-id={city}")
        command += ["-c", str(self.home / "server.properties")]
        for user, password in self.passwords.items():
            for way in ("SCRAM-SHA-256", "SCRAM-SHA-512"):
                command += ["--add-scram", f"{way}=[name={user},password={password}]"]
        said = subprocess.run(command, capture_output=True, text=True, check=False, cwd=self.home)
        if said.returncode:
            raise RuntimeError(f"Kafka cannot format its folder: {said.stdout}{said.stderr}")

    def start(self) -> "KafkaServer":
        """Starts, on the ports it had before, and waits until it serves."""
        with self.log.open("ab") as log:
            begin = log.tell()
            self.process = subprocess.Popen[bytes](
                self._java("kafka.Kafka", str(self.home / "server.properties")),
                cwd=self.home,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=lambda: die_with_parent(signal.SIGKILL),  # one system call: safe beside threads
            )
        until = time.monotonic() + START_SECONDS
        while self.process.poll() is None and time.monotonic() < until:
            with self.log.open("rb") as log:
                log.seek(begin)
                if STARTED.encode() in log.read():
                    return self
            time.sleep(0.05)
        self.stop(signal.SIGKILL)
        raise RuntimeError(f"Kafka does not start: {self.log.read_text()[-2000:]}")

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """SIGTERM: an orderly stop; SIGKILL: as in a crash, with recovery at the next start."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(timeout=STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None

    def restart(self, how: signal.Signals = signal.SIGTERM, after_seconds: float = 0) -> None:
        self.stop(how)
        time.sleep(after_seconds)
        self.start()

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """Stands still for the length of the block: connections stay open, nobody answers."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def remove(self) -> None:
        """Stops and deletes; a second time does nothing."""
        self.stop(signal.SIGKILL)
        shutil.rmtree(self.home, ignore_errors=True)


@pytest.fixture(scope="session")
def kafka_server() -> Iterator[KafkaServer]:
    """Started when the first test asks for it; what a test makes there has names of its own."""
    if given():
        pytest.skip("KAFKA_BOOTSTRAP names a broker of whose users we know nothing")
    try:
        server = KafkaServer()
    except MissingKafkaError as error:
        pytest.skip(str(error))
    try:
        yield server.start()
    finally:
        server.remove()


@pytest.fixture(scope="session")
def kafka_bootstrap(request: pytest.FixtureRequest) -> str:
    """The broker of the session, where nobody is asked who he is."""
    return given() or request.getfixturevalue("kafka_server").bootstrap


@pytest.fixture
def own_kafka() -> Iterator[Callable[..., KafkaServer]]:
    """Makes brokers that belong to this test: `own_kafka({"message.max.bytes": "2000"}).start()`."""
    if given():
        pytest.skip("KAFKA_BOOTSTRAP names a broker that no test may stop")
    made: list[KafkaServer] = []

    def make(settings: dict[str, str] | None = None, heap: str = "512m", detour: int = 0) -> KafkaServer:
        try:
            made.append(KafkaServer(settings, heap, detour))
        except MissingKafkaError as error:
            pytest.skip(str(error))
        return made[-1]

    try:
        yield make
    finally:
        for server in made:
            server.remove()
