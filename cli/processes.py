"""The services of a city on Kafka as processes of this machine."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO, Final

from cli.output import console
from cli.worker import SERVICES

_PORT: Final = "GRIDCASE_HEALTH_PORT"
_STOP_SECONDS: Final = 15.0
_QUIET_SECONDS: Final = 10.0
"""A process that ends sooner after its start was never at work: its cause is no accident."""

_AGAIN_SECONDS: Final = 5.0
_AGAIN_MOST: Final = 60
"""How often, in vain, one that was at work before is started again: brokers may be away for minutes."""


class Processes:
    """A process for each service, started again when it dies, all stopped in order.

    `said` is a file for what they say, if not this terminal; `environ` are settings of theirs.
    """

    def __init__(
        self,
        url: str,
        slot: str,
        services: Sequence[str] = SERVICES,
        said: Path | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.stop = asyncio.Event()
        self._now = asyncio.Event()
        self._environ = {**os.environ, "GRIDCASE_DATABASE_URL": url, **(environ or {})}
        self._slot = slot
        self._services = services
        self._said = said

    async def run(self) -> int:
        """Until `stop` is set, a signal comes, or one of them does not stay up; gives the worst exit code.

        With a second signal they are not waited for.
        """

        def heard() -> None:
            (self._now if self.stop.is_set() else self.stop).set()

        for number in (signal.SIGINT, signal.SIGTERM):
            with suppress(NotImplementedError):
                asyncio.get_running_loop().add_signal_handler(number, heard)
        with ExitStack() as stack:
            out = None if self._said is None else stack.enter_context(self._said.open("w"))
            tasks = [asyncio.create_task(self._keep(name, out)) for name in self._services]
            stopping = asyncio.create_task(self.stop.wait())
            await asyncio.wait([*tasks, stopping], return_when=asyncio.FIRST_COMPLETED)
            self.stop.set()
            await stopping
            return max(await asyncio.gather(*tasks))

    async def _keep(self, service: str, out: IO[str] | None) -> int:
        """Start a service, and again if it dies; gives its last exit code when all are to stop."""
        left = 0
        while True:
            started = time.monotonic()
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-c", "from cli.main import app; app()",
                "worker", service, "--slot", self._slot,
                env=told(service, self._environ), start_new_session=True, stdout=out, stderr=out,
            )  # fmt: skip
            ended = asyncio.create_task(process.wait())
            stopping = asyncio.create_task(self.stop.wait())
            await asyncio.wait([ended, stopping], return_when=asyncio.FIRST_COMPLETED)
            stopping.cancel()
            if self.stop.is_set():
                return await _ended(process, self._now)
            code = ended.result()
            console.print(f"{service} ended with {code}")
            if time.monotonic() - started >= _QUIET_SECONDS:
                left = _AGAIN_MOST
            elif not left or await self._stopped():
                return code
            else:
                left -= 1

    async def _stopped(self) -> bool:
        """Let some time pass; says whether all are to stop meanwhile."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_AGAIN_SECONDS):
                await self.stop.wait()
        return self.stop.is_set()


def told(service: str, environ: Mapping[str, str]) -> dict[str, str]:
    """The settings of one service's process: ports of health count on from the first that is given."""
    port = int(environ.get(_PORT, "0")) if environ.get(_PORT, "0").isdigit() else 0
    return {**environ, _PORT: str(port + SERVICES.index(service))} if port else dict(environ)


async def _ended(process: asyncio.subprocess.Process, now: asyncio.Event) -> int:
    """Tell a process to stop, and kill it if it does not, or if it is to be now."""
    with suppress(ProcessLookupError):
        process.terminate()
    ended, hurried = asyncio.create_task(process.wait()), asyncio.create_task(now.wait())
    await asyncio.wait([ended, hurried], timeout=_STOP_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    hurried.cancel()
    if not ended.done():
        process.kill()
    return await ended
