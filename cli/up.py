"""`gridcase up`: a whole city on Kafka on this machine, a process for each service."""

import asyncio
import os
import signal
import sys
import time
from contextlib import suppress
from typing import Annotated, Final

import typer

from cli.opening import url_of
from cli.options import Database
from cli.output import console
from cli.worker import SERVICES

_STOP_SECONDS: Final = 15.0
_QUIET_SECONDS: Final = 10.0
"""A process that ends sooner after its start was never at work: its cause is no accident."""

_AGAIN_SECONDS: Final = 5.0
_AGAIN_MOST: Final = 60
"""How often, in vain, one that was at work before is started again: brokers may be away for minutes."""


def up(
    kafka: Annotated[bool, typer.Option("--kafka", help="On the brokers of GRIDCASE_KAFKA_BOOTSTRAP.")],
    slot: Annotated[str, typer.Option(help="Name of this machine among those of the city.")] = "up",
    database: Database = None,
) -> None:
    """Run every service of a city on Kafka as a process of its own, until stopped (起整座城)."""
    if not kafka:
        raise typer.BadParameter("a city in one process is run by: gridcase run", param_hint="--kafka")
    raise typer.Exit(asyncio.run(_up(url_of(database), slot)))


async def _up(url: str, slot: str) -> int:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
    tasks = {name: asyncio.create_task(_kept(name, url, slot, stop)) for name in SERVICES}
    await asyncio.wait(
        [*tasks.values(), waiting := asyncio.create_task(stop.wait())], return_when=asyncio.FIRST_COMPLETED
    )
    stop.set()
    waiting.cancel()
    codes = await asyncio.gather(*tasks.values())
    return max(codes)


async def _kept(service: str, url: str, slot: str, stop: asyncio.Event) -> int:
    """Start a service, and again if it dies; gives its last exit code when all are to stop."""
    left = 0
    while True:
        started = time.monotonic()
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", "from cli.main import app; app()",
            "worker", service, "--slot", slot,
            env={**os.environ, "GRIDCASE_DATABASE_URL": url}, start_new_session=True,
        )  # fmt: skip
        ended = asyncio.create_task(process.wait())
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait([ended, stopping], return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if stop.is_set():
            return await _ended(process)
        code = ended.result()
        console.print(f"{service} ended with {code}")
        if time.monotonic() - started >= _QUIET_SECONDS:
            left = _AGAIN_MOST
        elif not left:
            return code
        else:
            left -= 1
            if await _stopped(stop):
                return code


async def _stopped(stop: asyncio.Event) -> bool:
    """Let some time pass; says whether all are to stop meanwhile."""
    with suppress(TimeoutError):
        async with asyncio.timeout(_AGAIN_SECONDS):
            await stop.wait()
    return stop.is_set()


async def _ended(process: asyncio.subprocess.Process) -> int:
    """Tell a process to stop, and kill it if it does not."""
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(_STOP_SECONDS):
            return await process.wait()
    except TimeoutError:
        process.kill()
        return await process.wait()
