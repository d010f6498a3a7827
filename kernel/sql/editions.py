"""Editions in the city's database: sections stored once by their hash, numbers read from the rules topic."""

from typing import Final

import msgspec
from sqlalchemy import Connection, select

from kernel.errors import Fault
from kernel.sql.bulk import insert_new
from kernel.sql.store import Store
from kernel.sql.tables import editions, messages, sections, targets
from rules.bundle import Bundle
from rules.edition import Edition
from schemas.kernel import ActivateRules
from schemas.topics import RULES_EDITIONS
from schemas.wire import trusted


class EditionMissing(Fault):
    """The rules edition {edition} is not in this database: expected it stored before it was published. Do: store it again with `gridcase init` or restore the tables `editions` and `sections`."""  # noqa: E501 - a message is one line

    exit_code = 6


async def put_edition(store: Store, edition: Edition) -> None:
    """Store an edition; sections that are there already stay as they are."""

    def work(connection: Connection) -> None:
        insert_new(
            connection, sections, [(digest, body) for digest, body in sorted(edition.sections.items())]
        )
        insert_new(connection, editions, [(edition.hash, msgspec.json.encode(dict(edition.manifest)))])

    await store.write(work)


class SqlEditions:
    """The port over one store. Compiled bundles are kept: they never change, and there are few."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._activations: dict[int, ActivateRules] = {}
        self._bundles: dict[str, Bundle] = {}

    async def latest(self) -> int:
        """See the port."""
        newest = await self._store.read(_newest)
        return _activation(newest).number if newest is not None else 0

    async def activation(self, number: int) -> ActivateRules:
        """See the port."""
        if number not in self._activations:
            for body in await self._store.read(_all):
                told = _activation(body)
                self._activations[told.number] = told
        return self._activations[number]

    async def bundle(self, edition: str) -> Bundle:
        """See the port; raises `EditionMissing`."""
        known = self._bundles.get(edition)
        if known is None:
            known = self._bundles[edition] = (await read_edition(self._store, edition)).load()
        return known


async def read_edition(store: Store, edition: str) -> Edition:
    """A stored edition with all its sections; raises `EditionMissing`."""

    def work(connection: Connection) -> Edition | None:
        manifest = connection.execute(select(editions.c.manifest).where(editions.c.hash == edition)).scalar()
        if manifest is None:
            return None
        named = msgspec.json.decode(manifest, type=dict[str, str])
        rows = connection.execute(
            select(sections.c.hash, sections.c.body).where(sections.c.hash.in_(named.values()))
        )
        return Edition(edition, named, {digest: bytes(body) for digest, body in rows})

    found = await store.read(work)
    if found is None:
        raise EditionMissing(edition=edition)
    return found


_TOLD: Final = (
    select(messages.c.body)
    .join(targets, targets.c.id == messages.c.target)
    .where(targets.c.topic == RULES_EDITIONS.name)
)


def _newest(connection: Connection) -> bytes | None:
    query = _TOLD.where(targets.c.partition == 0).order_by(messages.c.offset.desc()).limit(1)
    return connection.execute(query).scalar()


def _all(connection: Connection) -> list[bytes]:
    return [bytes(body) for (body,) in connection.execute(_TOLD.where(targets.c.partition == 0))]


def _activation(body: bytes) -> ActivateRules:
    told = trusted(bytes(body)).message
    assert isinstance(told, ActivateRules)
    return told
