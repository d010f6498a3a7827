"""A city in its database: what was fixed when it was founded, and the refusals to open the wrong one."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from sqlalchemy import Connection, insert, select

from kernel.errors import AnotherCity, CityThere, DatabaseNewer, DatabaseOlder, NoSuchCity
from kernel.sql import migrate, witness
from kernel.sql.place import Place, place_of
from kernel.sql.store import Store
from kernel.sql.tables import city as row
from kernel.sql.tables import micros, moment

_MARK_BYTES: Final = 16
_WITNESS_SECONDS: Final = 5.0

MOVED: Final = "moved"
"""The host of a city that goes on elsewhere: here it can be looked at and exported again, no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class City:
    """What never changes again. `clock` is `system` (city time from `start_wall` and `start_city` on, at
    `speed`; both unset: wall time) or `stepped`, from `start_city` on. `mark` tells it from any other city.
    `host` is `embedded`, all in one process, or `kafka`; `moved` once it was exported to go on elsewhere.
    """

    code: str
    name: str
    partitions: int = 24
    clock: str = "system"
    start_wall: datetime | None = None
    start_city: datetime | None = None
    speed: int = 1
    mark: str = ""
    host: str = "embedded"


class OpenCity:
    """An open city: set `store.stamp` to the wall time of its clock, and close it at the end."""

    def __init__(
        self, city: City, store: Store, let_go: Callable[[], Awaitable[None]] | None, seen: Path | None = None
    ) -> None:
        self.city = city
        self.store = store
        self._let_go = let_go
        self._seen = seen if let_go is not None else None
        self._beat = asyncio.create_task(self._beats()) if self._seen else None

    async def close(self) -> None:
        """Close the store, then let the next process have the city."""
        if self._beat is not None:
            self._beat.cancel()
            await self._witness()
        await self.store.close()
        if self._let_go is not None:
            await self._let_go()

    async def _beats(self) -> None:
        while True:
            await asyncio.sleep(_WITNESS_SECONDS)
            await self._witness()

    async def _witness(self) -> None:
        """Remember how far the city has come; a database that fails now says so to those who work on it."""
        if self._seen is not None:
            with suppress(Exception):
                rows = await self.store.read(witness.rows_of)
                witness.write(self._seen, witness.Witness(self.city.mark, rows))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


async def create_city(url: str, city: City) -> City:
    """Found a city in an empty database and give it with its mark. All or nothing is written."""
    place = place_of(url)
    return await place.run(lambda connection: _found(connection, place, city), create=True)


async def open_city(
    url: str,
    *,
    code: str | None = None,
    partitions: int | None = None,
    mark: str | None = None,
    host: str | None = None,
    exclusive: bool = True,
    poll_seconds: float = 0.2,
    stamp: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> OpenCity:
    """Open a city, if it is the expected one. Only the one process that decides has it `exclusive`."""
    place = place_of(url)
    city = await place.run(lambda connection: read_city(connection, place.name))
    _check(place.name, "its code", code, city.code, "name the database of the city that was meant")
    _check(place.name, "number of partitions", partitions, city.partitions, _KEEP)
    _check(place.name, "its mark", mark, city.mark, "name the database of the city that was meant")
    _check(place.name, "its host", host, city.host, _HOSTS.get(city.host, _KEEP))
    stores: list[Store] = []

    def lost(error: Exception) -> None:
        for one in stores:
            one.heads.fail(error)

    let_go = await place.lock(lost) if exclusive else None
    try:
        if exclusive:
            await place.run(lambda connection: witness.check(connection, place.name, place.witness))
        store = await place.store(stamp, poll_seconds)
        stores.append(store)
    except BaseException:
        if let_go is not None:
            await let_go()
        raise
    return OpenCity(city, store, let_go, place.witness)


_HOSTS: Final = {
    "embedded": "`gridcase run`, which runs the whole city in one process",
    "kafka": "`gridcase worker`, one or more for each service, with GRIDCASE_KAFKA_BOOTSTRAP set",
    MOVED: "it goes on where its export was imported; here it can be looked at, or exported again",
}
_KEEP: Final = "start with the number found; it is fixed for ever, and a city with another one is a new city"


def _check(place: str, what: str, expected: object, found: object, do: str) -> None:
    if expected is not None and expected != found:
        raise AnotherCity(place, what, expected, found, do)


async def accept_restored(url: str) -> int:
    """Go on from a restored database as it is; gives how many rows it lacks, as far as anybody has seen."""
    place = place_of(url)
    let_go = await place.lock()
    try:
        await place.run(lambda connection: read_city(connection, place.name))
        return await place.run(lambda connection: witness.renew(connection, place.witness))
    finally:
        await let_go()


async def upgrade_city(url: str, to: str = "head") -> str:
    """Bring a database to the schema of this release and give it."""
    return await _migrated(url, lambda connection: migrate.upgrade(connection, to))


async def downgrade_city(url: str, to: str) -> str:
    """Take a database back to an older schema and give it."""
    return await _migrated(url, lambda connection: migrate.downgrade(connection, to))


async def schema_of(url: str) -> tuple[str, str]:
    """The schema of a database (empty: none of ours) and the one of this release."""
    found = await place_of(url).run(migrate.revision)
    return (found or "", migrate.REVISIONS[-1])


async def _migrated(url: str, change: Callable[[Connection], None]) -> str:
    place = place_of(url)
    let_go = await place.lock()

    def work(connection: Connection) -> str:
        found = migrate.revision(connection)
        if found is None:
            raise NoSuchCity(place.name, "a city", _contents(connection))
        if found not in migrate.REVISIONS:
            raise DatabaseNewer(place.name, migrate.REVISIONS[-1], found)
        change(connection)
        return migrate.revision(connection) or ""

    try:
        return await place.run(work)
    finally:
        await let_go()


def _found(connection: Connection, place: Place, city: City) -> City:
    settle_in(connection, place.name, city)
    return read_city(connection, place.name)


def settle_in(connection: Connection, place: str, city: City, created: datetime | None = None) -> None:
    """Make the tables of a city in an empty database; one that has moved here brings its mark along."""
    if migrate.revision(connection) is not None:
        there = read_city(connection, place)
        if there.code != city.code:
            do = "give the new city a database of its own"
            raise AnotherCity(place, "its code", city.code, there.code, do)
        raise CityThere(place, f"{there.name} ({there.code})")
    strangers = migrate.tables(connection)
    if strangers:
        raise CityThere(place, f"tables of somebody else ({', '.join(strangers[:3])})")
    migrate.upgrade(connection)
    mark = bytes.fromhex(city.mark) or os.urandom(_MARK_BYTES)
    connection.execute(
        insert(row).values(
            id=1,
            code=city.code,
            name=city.name,
            partitions=city.partitions,
            host=city.host,
            clock=city.clock,
            start_wall=_stored(city.start_wall),
            start_city=_stored(city.start_city),
            speed=city.speed,
            mark=mark,
            created=micros(created or datetime.now(UTC)),
        )
    )


def read_city(connection: Connection, place: str) -> City:
    """The city of a database of this schema."""
    found, newest = migrate.revision(connection), migrate.REVISIONS[-1]
    if found is None:
        raise NoSuchCity(place, "a city", _contents(connection))
    if found not in migrate.REVISIONS:
        raise DatabaseNewer(place, newest, found)
    if found != newest:
        raise DatabaseOlder(place, newest, found)
    there = connection.execute(select(row)).first()
    if there is None:
        raise NoSuchCity(place, "a city", "its tables without a city")
    return City(
        code=there.code,
        name=there.name,
        partitions=there.partitions,
        host=there.host,
        clock=there.clock,
        start_wall=_read(there.start_wall),
        start_city=_read(there.start_city),
        speed=there.speed,
        mark=there.mark.hex(),
    )


def _contents(connection: Connection) -> str:
    strangers = migrate.tables(connection)
    return f"tables of somebody else ({', '.join(strangers[:3])})" if strangers else "an empty database"


def _stored(time: datetime | None) -> int | None:
    return None if time is None else micros(time)


def _read(time: int | None) -> datetime | None:
    return None if time is None else moment(time)
