"""Workers at work in this process until they are told to stop: of a whole city, or of some services of it."""

import asyncio
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, suppress
from typing import TypeAlias

import httpx

from cli.assemble import LiveCity, MemberCity, open_city
from kernel.clock import SystemClock
from kernel.health import Condition, Health, Watchdog, listening
from kernel.performer import Channel
from kernel.settings import Settings
from kernel.telemetry import Meters, configure
from services.notifier.delivery.terminal import Terminal
from services.notifier.delivery.webhook import Webhook, WebhookSettings

_SILENT_SECONDS = 60.0

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
    """Run what is opened until SIGINT or SIGTERM."""
    configure(settings.log_format, settings.log_level)
    asyncio.run(_serve(settings, write, opening))


async def _serve(settings: Settings, write: Callable[[str], None], opening: Open) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):
            loop.add_signal_handler(number, stop.set)
    async with httpx.AsyncClient(timeout=settings.call_timeout_seconds) as client:
        channels = _channels(client, write, settings)
        meters = Meters()
        async with opening(channels, meters) as city:
            await _work(city, settings, meters, stop, write)


async def _work(
    city: LiveCity | MemberCity,
    settings: Settings,
    meters: Meters,
    stop: asyncio.Event,
    write: Callable[[str], None],
) -> None:
    meters.watch(city.host.workers)
    watchdog = Watchdog(time.monotonic, _SILENT_SECONDS)

    def stopped() -> bool:
        watchdog.turned()
        return stop.is_set()

    claimed = [worker.decider for worker in city.host.workers]

    def ready() -> Condition:
        owns = all(decider.tenures for decider in claimed)
        return Condition(owns, "ok" if owns else "partitions are still being claimed")

    health = Health(watchdog.lives, ready, meters.text)
    async with listening(health, settings.health_host, settings.health_port) as port:
        where = f", health on port {port}" if port else ""
        write(f"{city.city.name} ({city.city.code}) is at work{where}; stop with Ctrl-C")
        await city.host.run(stopped)
    write(f"{city.city.name} stopped; everything accepted is on record")


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
