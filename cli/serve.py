"""Workers at work in this process until they are told to stop: of a whole city, or of some services of it."""

import asyncio
import gc
import math
import os
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, suppress
from typing import Final, TypeAlias

import httpx

from cli.assemble import LiveCity, MemberCity, open_city
from kernel.clock import SystemClock
from kernel.guard import Guard
from kernel.health import Health, Watchdog, listening
from kernel.hosts.attended import attended
from kernel.meters import Meters
from kernel.performer import Channel
from kernel.settings import Settings
from kernel.stall import Patience
from kernel.telemetry import configure
from kernel.watching import Watch
from services.notifier.delivery.terminal import Terminal
from services.notifier.delivery.webhook import Webhook, WebhookSettings

_SILENT_SECONDS: Final = 15.0
_TURN_SECONDS: Final = 1.0

Opening: TypeAlias = AbstractAsyncContextManager[LiveCity] | AbstractAsyncContextManager[MemberCity]
Open: TypeAlias = Callable[[Mapping[str, Channel], Meters], Opening]
"""Opens what is to work, given the ways out to people and what is measured."""


def serve(settings: Settings, write: Callable[[str], None]) -> None:
    """Run the city of `settings` until SIGINT or SIGTERM; a second process on it is refused."""

    def opening(channels: Mapping[str, Channel], meters: Meters) -> Opening:
        return open_city(
            settings.database_url, exclusive=True, channels=channels, settings=settings, meters=meters
        )

    work(settings, write, opening)


def work(settings: Settings, write: Callable[[str], None], opening: Open) -> None:
    """Run what is opened until SIGINT or SIGTERM; a second one ends at once."""
    configure(settings.log_format, settings.log_level)
    with Guard(settings.stall_end_seconds) as guard:
        asyncio.run(_serve(settings, write, opening, guard))
    gc.freeze()  # else the interpreter goes through all that is in memory once more before it ends


async def _serve(settings: Settings, write: Callable[[str], None], opening: Open, guard: Guard) -> None:
    stop = asyncio.Event()
    _heed(stop)
    turns = asyncio.create_task(_turn(stop, guard, watchdog := Watchdog(time.monotonic, _SILENT_SECONDS)))
    async with httpx.AsyncClient(timeout=settings.call_timeout_seconds) as client:
        meters = Meters()
        async with opening(_channels(client, write, settings), meters) as city:
            watch = _watch(city, settings)
            meters.show(watch)
            health = Health(watchdog.lives, watch.ready, meters.text)
            async with listening(health, settings.health_host, settings.health_port) as port:
                where = f", health on port {port}" if port else ""
                write(f"{city.city.name} ({city.city.code}) is at work{where}; stop with Ctrl-C")
                await attended(city.host.run(stop.is_set), watch, stop)
            write(f"{city.city.name} stopped; everything accepted is on record")
    turns.cancel()


def _heed(stop: asyncio.Event) -> None:
    """The first signal asks to stop; who sends a second one will not wait for it."""

    def heard(number: signal.Signals) -> None:
        if stop.is_set():
            os._exit(128 + number)  # all that was acknowledged is on record, as after kill -9
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):
            asyncio.get_running_loop().add_signal_handler(number, heard, number)


async def _turn(stop: asyncio.Event, guard: Guard, watchdog: Watchdog) -> None:
    """As long as the loop turns."""
    while True:
        if stop.is_set():
            guard.stop()
        guard.turned()
        watchdog.turned()
        await asyncio.sleep(_TURN_SECONDS)


def _watch(city: LiveCity | MemberCity, settings: Settings) -> Watch:
    """Only a process that somebody starts again ends for a stall; a city in one process says so."""

    async def ask() -> None:
        await city.store.read(lambda connection: connection.exec_driver_sql("select 1"))

    ends = settings.stall_end_seconds if isinstance(city, MemberCity) else math.inf
    return Watch(city.host.workers, city.ends, ask, Patience(settings.stall_warn_seconds, ends))


def _channels(
    client: httpx.AsyncClient, write: Callable[[str], None], settings: Settings
) -> dict[str, Channel]:
    """The ways out that this installation serves; a webhook without a secret is refused and says so."""
    secrets = settings.webhook_secrets
    hook = Webhook(
        client,
        lambda address: secrets.get(address, ""),
        SystemClock().wall,
        WebhookSettings(settings.call_timeout_seconds),
    )
    return {"terminal": Terminal(write), "webhook": hook}
