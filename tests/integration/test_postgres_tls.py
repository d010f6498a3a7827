"""A database over TLS: the words of libpq in the URL hold, and what is wrong is one line.

PostgreSQL from a wheel knows no TLS, so a door before it does, as the protocol asks for it.
"""

import asyncio
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from typer.testing import CliRunner

from cli.main import app
from cli.output import Exit
from kernel.sql.postgres import engine_of
from tests.certificates import Authority
from tests.postgres import free_port, in_own_loop

TINY = Path(__file__).parents[1] / "cities" / "tiny"
ASKS = bytes.fromhex("0000000804d2162f")
"""SSLRequest, the first eight bytes of a client that wants TLS; the answer is one letter."""


class Door:
    """Ends TLS before a server that knows none; whoever comes without is let through as he is."""

    def __init__(self, url: str, certificate: Path) -> None:
        self._behind = make_url(url)
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._context.load_cert_chain(certificate)
        self.encrypted = 0
        self.port = free_port()
        self._loop = asyncio.new_event_loop()
        self._loop.run_until_complete(asyncio.start_server(self._enter, "127.0.0.1", self.port))
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return self._behind.set(host="127.0.0.1", port=self.port).render_as_string(hide_password=False)

    async def _enter(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            first = await reader.readexactly(len(ASKS))
            if first == ASKS:
                writer.write(b"S")
                await writer.start_tls(self._context)
                self.encrypted += 1
                first = b""
            inner, outer = await asyncio.open_connection(self._behind.host, self._behind.port)
            outer.write(first)
            await asyncio.gather(self._pass(reader, outer), self._pass(inner, writer))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
            writer.close()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()


@pytest.fixture
def door(postgres_url: str, tmp_path: Path) -> Iterator[Door]:
    with closing(Door(postgres_url, Authority(tmp_path).issue("server", ["127.0.0.1"]))) as made:
        yield made


def answers(url: str) -> None:
    async def ask() -> None:
        engine = engine_of(url, 1)
        async with engine.connect() as connection:
            assert await connection.scalar(text("select 1")) == 1
        await engine.dispose()

    in_own_loop(ask())


def test_the_words_of_libpq_in_the_url_are_kept(door: Door, tmp_path: Path) -> None:
    for number, words in enumerate((f"sslmode=verify-full&sslrootcert={tmp_path / 'ca.pem'}", "ssl=require")):
        answers(f"{door.url}?{words}")
        assert door.encrypted == number + 1
    answers(f"{door.url}?sslmode=disable")
    assert door.encrypted == 2


def test_what_is_wrong_is_one_line(door: Door, tmp_path: Path, postgres_url: str) -> None:
    other = Authority(tmp_path, "other").file
    here = door.url.replace("127.0.0.1", "localhost")
    wrong = {
        f"{door.url}?sslmode=verify-full&sslrootcert={other}": "certificate verify failed",
        f"{here}?sslmode=verify-full&sslrootcert={tmp_path / 'ca.pem'}": "Hostname mismatch",
        f"{door.url}?sslmode=verify-full&sslrootcert=/gone": "No such file",
        f"{door.url}?sslmode=sometimes": "sslmode",
        f"{postgres_url}?sslmode=require": "rejected SSL upgrade",
    }
    password = make_url(door.url).password
    assert password
    for address, expected in wrong.items():
        said = CliRunner().invoke(app, ["init", "--city", str(TINY), "--database", address])
        assert (said.exit_code, "No answer from" in said.stderr) == (Exit.DATABASE, True), said.exception
        assert expected in said.stderr
        assert said.stderr.strip().count("\n") == 0
        assert password not in said.stderr
