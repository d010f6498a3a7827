"""Whether this process lives and is ready, and its metrics: a port on the loopback, with asyncio alone."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import ClassVar, Final, NamedTuple

from kernel.errors import Fault

_LONGEST_REQUEST: Final = 8192
_PATIENCE_SECONDS: Final = 5.0


class PortTaken(Fault):
    """{host}:{port} cannot be opened ({reason}): expected a free port. Do: set GRIDCASE_HEALTH_PORT to
    another, to 0 for any, or to -1 for none.
    """

    exit_code: ClassVar[int] = 3


class Condition(NamedTuple):
    """Yes or no, and why."""

    good: bool
    words: str = "ok"


class Health(NamedTuple):
    """What is asked: `lives` is false if a restart would help, `ready` if no work should come now."""

    lives: Callable[[], Condition]
    ready: Callable[[], Condition]
    metrics: Callable[[], bytes]


class Watchdog:
    """Says whether the loop still turns: whoever turns calls `turned`."""

    def __init__(self, clock: Callable[[], float], most_seconds: float) -> None:
        self._clock = clock
        self._most = most_seconds
        self._last = clock()

    def turned(self) -> None:
        """One more turn."""
        self._last = self._clock()

    def lives(self) -> Condition:
        """Good as long as the last turn is not too long ago."""
        silent = self._clock() - self._last
        return Condition(
            silent <= self._most, "ok" if silent <= self._most else f"no turn for {silent:.0f} s"
        )


@asynccontextmanager
async def listening(health: Health, host: str, port: int) -> AsyncGenerator[int]:
    """Answer GET on the three paths until the block is left; gives the port, 0 where none was wanted."""
    if port < 0:
        yield 0
        return

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                writer.write(_reply(health, await reader.readline()))
                await writer.drain()
        except (TimeoutError, ConnectionError, ValueError):
            pass
        finally:
            writer.close()

    try:
        server = await asyncio.start_server(answer, host, port, limit=_LONGEST_REQUEST)
    except OSError as error:
        raise PortTaken(host=host, port=port, reason=error.strerror or str(error)) from error
    async with server:
        yield int(server.sockets[0].getsockname()[1])


def _reply(health: Health, request: bytes) -> bytes:
    """The whole answer to a request's first line."""
    method, _, rest = request.decode("latin-1").partition(" ")
    path = rest.partition(" ")[0].partition("?")[0]
    if method not in {"GET", "HEAD"}:
        return _page(HTTPStatus.METHOD_NOT_ALLOWED, b"GET only\n")
    if path == "/metrics":
        return _page(HTTPStatus.OK, health.metrics(), "text/plain; version=0.0.4; charset=utf-8")
    asked = {"/livez": health.lives, "/readyz": health.ready}.get(path)
    if asked is None:
        return _page(HTTPStatus.NOT_FOUND, b"/livez /readyz /metrics\n")
    condition = asked()
    status = HTTPStatus.OK if condition.good else HTTPStatus.SERVICE_UNAVAILABLE
    return _page(status, f"{condition.words}\n".encode())


def _page(status: HTTPStatus, body: bytes, kind: str = "text/plain; charset=utf-8") -> bytes:
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
    )
    return f"{head}Connection: close\r\n\r\n".encode() + body
