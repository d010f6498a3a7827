"""`gridcase up`: a whole city on Kafka on this machine, a process for each service."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Annotated, Final

import typer

from cli.opening import url_of
from cli.options import Database
from cli.output import console
from cli.worker import SERVICES
from kernel import settings
from kernel.settings import Settings

_STOP_SECONDS: Final = 15.0
_QUIET_SECONDS: Final = 10.0
"""A process that ends sooner after its start is not started again: its cause is no accident."""


def up(
    kafka: Annotated[bool, typer.Option("--kafka", help="On the brokers of GRIDCASE_KAFKA_BOOTSTRAP.")],
    slot: Annotated[str, typer.Option(help="Name of this machine among those of the city.")] = "up",
    database: Database = None,
) -> None:
    """Run every service of a city on Kafka as a process of its own, until stopped (起整座城)."""
    if not kafka:
        raise typer.BadParameter("a city in one process is run by: gridcase run", param_hint="--kafka")
    raise typer.Exit(asyncio.run(_up(settings.read(database_url=url_of(database)), slot)))


async def _up(given: Settings, slot: str) -> int:
    stop, now = asyncio.Event(), asyncio.Event()

    def heard() -> None:
        (now if stop.is_set() else stop).set()

    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):
            asyncio.get_running_loop().add_signal_handler(number, heard)
    tasks = [asyncio.create_task(_kept(name, environ(name, given), slot, stop, now)) for name in SERVICES]
    await asyncio.wait(
        [*tasks, waiting := asyncio.create_task(stop.wait())], return_when=asyncio.FIRST_COMPLETED
    )
    stop.set()
    waiting.cancel()
    return max(await asyncio.gather(*tasks))


def environ(service: str, given: Settings) -> dict[str, str]:
    """What the process of one service is told: a port of health that is given counts on from the first."""
    port = given.health_port
    own = str(port + SERVICES.index(service)) if port > 0 else str(port)
    return {"GRIDCASE_DATABASE_URL": given.database_url, "GRIDCASE_HEALTH_PORT": own}


async def _kept(
    service: str, told: Mapping[str, str], slot: str, stop: asyncio.Event, now: asyncio.Event
) -> int:
    """Start a service, and again if it dies; gives its last exit code when all are to stop."""
    while True:
        started = time.monotonic()
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", "from cli.main import app; app()",
            "worker", service, "--slot", slot,
            env={**os.environ, **told}, start_new_session=True,
        )  # fmt: skip
        ended = asyncio.create_task(process.wait())
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait([ended, stopping], return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if stop.is_set():
            return await _ended(process, now)
        code = ended.result()
        console.print(f"{service} ended with {code}")
        if time.monotonic() - started < _QUIET_SECONDS:
            return code


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
