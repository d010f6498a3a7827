"""How commands come to a city: to look at it, or to act through its edge."""

import asyncio
import getpass
import os
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from cli.reading import View
from kernel import settings
from kernel.clock import SteppedClock
from kernel.edge import Edge
from kernel.errors import CityRunsAlready
from kernel.hosts.embedded import Embedded
from kernel.sql.editions import put_edition
from rules.edition import Edition

if TYPE_CHECKING:
    from cli.assemble import LiveCity, MemberCity, Opened

T = TypeVar("T")

_QUIET_SECONDS: Final = 0.3


class Doorway(NamedTuple):
    """A city that is acted on: edge, a fresh view, how it decides if nobody else lets it, its editions."""

    edge: Edge
    view: Callable[[], Awaitable[View]]
    settle: Callable[[], Awaitable[object]]
    keep: Callable[[Edition], Awaitable[None]]


def url_of(database: str | None) -> str:
    """The database that is meant: the option, else the setting."""
    return settings.read(database_url=database).database_url


def account() -> str:
    """Who runs this command, for records of access: the account on this machine."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may know its user by number only
        return f"user {os.getuid()}"


def look(database: str | None, work: Callable[[View], Awaitable[T]]) -> T:
    """Run `work` on a city that is only read; a running city does not mind."""

    async def read(live: "LiveCity") -> T:
        return await work(await view_of(live))

    return enter(database, read)


def enter(database: str | None, work: Callable[["LiveCity"], Awaitable[T]]) -> T:
    """Run `work` on an open city beside whatever process runs it."""
    from cli.assemble import open_city  # noqa: PLC0415 - what asks for no city pays for no database

    async def run() -> T:
        async with open_city(url_of(database)) as live:
            return await work(live)

    return asyncio.run(run())


def act(database: str | None, work: Callable[[Doorway], Awaitable[T]]) -> T:
    """Run `work` on a city through its edge; if no process runs it, this one lets it decide meanwhile."""

    async def run() -> T:
        try:
            return await _acting(url_of(database), work, exclusive=True)
        except CityRunsAlready:
            return await _acting(url_of(database), work, exclusive=False)

    return asyncio.run(run())


def take_up(database: str | None, instances: Iterable[int]) -> int:
    """Let these edges try their ordered dead letters once more; gives how many passed."""
    from cli.assemble import open_city  # noqa: PLC0415 - as above

    async def run() -> int:
        passed = 0
        for instance in instances:
            async with open_city(url_of(database), instance=instance) as live:
                passed += await live.edge.take_up()
        return passed

    return asyncio.run(run())


async def view_of(live: "Opened") -> View:
    """What can be read of an open city."""
    rules = await live.rules()
    now = live.clock.city(live.clock.wall())
    return View(
        live.city.code,
        live.city.partitions,
        live.journals,
        live.letters,
        rules.bundle if rules else None,
        now,
        live.editions,
    )


async def _acting(url: str, work: Callable[[Doorway], Awaitable[T]], *, exclusive: bool) -> T:
    from cli.assemble import open_city  # noqa: PLC0415 - what asks for no city pays for no database

    instance = 0 if exclusive else 1 + os.getpid() % 8
    given = settings.read(database_url=url)
    if given.kafka_bootstrap:
        from cli.member import open_member  # noqa: PLC0415 - needs the extra kafka
        from kernel.kafka.cluster import cluster_of  # noqa: PLC0415 - as above
        from kernel.kafka.owner import refuse_foreign  # noqa: PLC0415 - as above

        async with open_member(given, f"command-{os.getpid()}", processors=(), instance=instance) as member:
            city = member.city
            await refuse_foreign(cluster_of(given).of(city.mark, city.partitions), city.code)
            return await work(_door(member, _nothing))
    async with open_city(url, exclusive=exclusive, instance=instance) as live:
        host = live.host

        if not exclusive:
            return await work(_door(live, _nothing))
        if isinstance(live.clock, SteppedClock):
            return await work(_door(live, host.settle))
        done = asyncio.Event()
        running = asyncio.create_task(host.run(done.is_set))
        try:
            found = await work(_door(live, _nothing))
            await _quiet(host)
            return found
        finally:
            done.set()
            await running


def _door(live: "LiveCity | MemberCity", settle: Callable[[], Awaitable[object]]) -> Doorway:
    async def keep(edition: Edition) -> None:
        await put_edition(live.store, edition)

    return Doorway(live.edge, lambda: view_of(live), settle, keep)


async def _quiet(host: Embedded) -> None:
    """Wait until what follows from what was sent is decided too: notices, clocks."""
    before = -1
    while (handled := sum(worker.handled for worker in host.workers)) != before:
        before = handled
        await asyncio.sleep(_QUIET_SECONDS)


async def _nothing() -> None:
    """Somebody else lets the city decide."""
