"""The port to rules editions, in SQL: sections by hash, and the topic that says which number means what."""

from typing import Final

import msgspec
from sqlalchemy import Connection, select

from kernel.errors import NoSuchEdition
from kernel.sql import bulk
from kernel.sql.store import Store
from kernel.sql.tables import editions, messages, sections, targets
from rules.bundle import Bundle
from rules.edition import Edition
from schemas.kernel import ActivateRules
from schemas.topics import RULES_EDITIONS
from schemas.wire import trusted

_MANIFEST: Final = msgspec.json.Decoder(dict[str, str])


async def put_edition(store: Store, edition: Edition) -> None:
    """Store an edition; sections that are there already, of whatever edition, stay."""
    manifest = msgspec.json.encode(dict(edition.manifest), order="sorted")

    def work(connection: Connection) -> None:
        bulk.insert_new(connection, sections, sorted(edition.sections.items()))
        bulk.insert_new(connection, editions, [(edition.hash, manifest)])

    await store.write(work)


class SqlEditions:
    """Which edition a number stands for is read from topic `rules.editions`, wherever it went first."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._activations: dict[int, ActivateRules] = {}
        self._bundles: dict[str, Bundle] = {}
        self._read: dict[int, int] = {}

    async def latest(self) -> int:
        """See the port."""
        await self._learn()
        return max(self._activations, default=0)

    async def activation(self, number: int) -> ActivateRules:
        """See the port."""
        if number not in self._activations:
            await self._learn()
        if number not in self._activations:
            raise NoSuchEdition(
                f"rules number {number}", f"numbers up to {max(self._activations, default=0)}"
            )
        return self._activations[number]

    async def bundle(self, edition: str) -> Bundle:
        """See the port."""
        if edition not in self._bundles:
            self._bundles[edition] = (await self.edition(edition)).load()
        return self._bundles[edition]

    async def edition(self, edition: str) -> Edition:
        """An edition as it was published; its hashes are those of the bytes that are stored."""

        def work(connection: Connection) -> Edition:
            manifest = connection.execute(
                select(editions.c.manifest).where(editions.c.hash == edition)
            ).scalar()
            if manifest is None:
                raise NoSuchEdition(f"edition {edition}", "another or none")
            names = _MANIFEST.decode(manifest)
            rows = connection.execute(select(sections).where(sections.c.hash.in_(set(names.values()))))
            return Edition(edition, names, {row.hash: row.body for row in rows})

        return await self._store.read(work)

    async def _learn(self) -> None:
        """Read what came into the topic since the last time."""

        def work(connection: Connection) -> list[tuple[int, int, bytes]]:
            known = connection.execute(
                select(targets.c.id).where(targets.c.topic == RULES_EDITIONS.name)
            ).scalars()
            return [
                (number, offset, body)
                for number in known.all()
                for offset, body in connection.execute(
                    select(messages.c.offset, messages.c.body)
                    .where(messages.c.target == number, messages.c.offset >= self._read.get(number, 0))
                    .order_by(messages.c.offset)
                )
            ]

        for target, offset, body in await self._store.read(work):
            self._read[target] = offset + 1
            message = trusted(body).message
            if isinstance(message, ActivateRules):
                self._activations[message.number] = message
