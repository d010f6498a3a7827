"""The port to the keyring, in SQL: apart from the journals, so that erasing a key leaves them whole."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager

import msgspec
from sqlalchemy import Connection, insert, select, update

from kernel.keyring import Access, Secret
from kernel.sql import bulk
from kernel.sql.store import Store
from kernel.sql.tables import accesses, micros, moment, secrets


class SqlSecrets:
    """Keys and what they seal, and who asked for them."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def keep(self, kept: Sequence[Secret]) -> None:
        """See the port."""

        def work(connection: Connection) -> None:
            with leaving_nothing(connection):
                bulk.insert_new(connection, secrets, [tuple(one) for one in kept])

        await self._store.write(work)

    async def find(self, report: str) -> Secret | None:
        """See the port."""

        def work(connection: Connection) -> Secret | None:
            row = connection.execute(select(secrets).where(secrets.c.id == report)).first()
            return None if row is None else Secret(row.id, row.key, row.sealed)

        return await self._store.read(work)

    async def erase(self, report: str) -> bool:
        """See the port."""
        there = update(secrets).where(secrets.c.id == report, secrets.c.key.is_not(None))

        def work(connection: Connection) -> bool:
            with leaving_nothing(connection):
                return connection.execute(there.values(key=None)).rowcount > 0

        return await self._store.write(work)

    async def note(self, access: Access) -> None:
        """See the port."""
        values = {
            "at": micros(access.at),
            "report": access.report,
            "reader": access.reader,
            "role": access.role,
            "purpose": access.purpose,
            "fields": msgspec.json.encode(access.fields),
            "answer": access.answer,
        }
        await self._store.write(
            lambda connection: connection.execute(insert(accesses).values(values)) and None
        )

    async def accesses(self, report: str) -> Sequence[Access]:
        """See the port."""

        def work(connection: Connection) -> list[Access]:
            query = select(accesses).where(accesses.c.report == report).order_by(accesses.c.at, accesses.c.id)
            return [
                Access(
                    moment(row.at),
                    row.report,
                    row.reader,
                    row.role,
                    row.purpose,
                    msgspec.json.decode(row.fields, type=tuple[str, ...]),
                    row.answer,
                )
                for row in connection.execute(query)
            ]

        return await self._store.read(work)


@contextmanager
def leaving_nothing(connection: Connection) -> Generator[None]:
    """SQLite leaves in its pages what it deletes or moves between them; of keys it must not."""
    if connection.dialect.name != "sqlite":
        yield
        return
    connection.exec_driver_sql("pragma secure_delete=on")
    try:
        yield
    finally:
        connection.exec_driver_sql("pragma secure_delete=off")
