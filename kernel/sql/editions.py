"""The port to rules editions, in SQL: sections by hash, and the journal that says which number means what."""

from collections.abc import Mapping
from typing import Final

import msgspec
from sqlalchemy import Connection, select

from kernel.errors import NoSuchEdition
from kernel.sql import bulk, reading
from kernel.sql.heads import journal_source
from kernel.sql.store import Store
from kernel.sql.tables import editions, sections
from rules.bundle import Bundle
from rules.edition import Edition
from schemas.kernel import ActivateRules
from schemas.registry import EditionPublished
from schemas.topics import RULES_EDITIONS
from schemas.wire import trusted

_MANIFEST: Final = msgspec.json.Decoder(dict[str, str])
(_REGISTRY,) = RULES_EDITIONS.producers
_PUBLISHED: Final = bulk.Lookup(
    given=(("journal", "int"), ("seq", "bigint")),
    table="journal",
    columns="t.journal, t.seq, t.body",
    match="t.journal = given.journal and t.seq > given.seq",
    order="t.journal, t.seq",
)


async def put_edition(store: Store, edition: Edition) -> None:
    """Store an edition; sections that are there already, of whatever edition, stay."""
    manifest = msgspec.json.encode(dict(edition.manifest), order="sorted")

    def work(connection: Connection) -> None:
        bulk.insert_new(connection, sections, sorted(edition.sections.items()))
        bulk.insert_new(connection, editions, [(edition.hash, manifest)])

    await store.write(work)


class SqlEditions:
    """Which edition a number stands for is read where it was decided, in the journal of `registry.rules`.

    So it is known before anybody is told, on every host.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._activations: dict[int, ActivateRules] = {}
        self._bundles: dict[str, Bundle] = {}
        self._manifests: dict[str, Mapping[str, str]] = {}
        self._read: dict[int, int] = {}

    async def latest(self) -> int:
        """See the port."""
        if not self._activations or self._moved():
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
            stored = await self.edition(edition)
            known = [(self._manifests[name], bundle) for name, bundle in self._bundles.items()]
            self._bundles[edition] = stored.load(known)
            self._manifests[edition] = stored.manifest
        return self._bundles[edition]

    async def edition(self, edition: str) -> Edition:
        """An edition as it was published; its hashes are those of the bytes that are stored."""
        stored = await self.find(edition)
        if stored is None:
            raise NoSuchEdition(f"edition {edition}", "another or none")
        return stored

    async def put(self, edition: Edition) -> None:
        """Store an edition, see `put_edition`: what registry.composer has made."""
        await put_edition(self._store, edition)

    async def find(self, edition: str) -> Edition | None:
        """As `edition`, or nothing where there is none."""

        def work(connection: Connection) -> Edition | None:
            manifest = connection.execute(
                select(editions.c.manifest).where(editions.c.hash == edition)
            ).scalar()
            if manifest is None:
                return None
            names = _MANIFEST.decode(manifest)
            rows = connection.execute(select(sections).where(sections.c.hash.in_(set(names.values()))))
            return Edition(edition, names, {row.hash: row.body for row in rows})

        return await self._store.read(work)

    def _moved(self) -> bool:
        name, _ = journal_source(_REGISTRY, 0)
        heads = self._store.heads.known
        return any(
            head.end > self._read.get(head.id, 0) for source, head in heads.items() if source[0] == name
        )

    async def _learn(self) -> None:
        """Read what came into the journal since the last time."""

        def work(connection: Connection) -> list[tuple[int, int, bytes]]:
            numbers = reading.numbers_of(connection, _REGISTRY).values()
            behind = [(number, self._read.get(number, 0)) for number in numbers]
            return bulk.look_up(connection, _PUBLISHED, behind)

        for number, seq, body in await self._store.read(work):
            self._read[number] = seq
            message = trusted(body).message
            if isinstance(message, EditionPublished):
                self._activations[message.number] = ActivateRules(
                    number=message.number,
                    edition=message.edition,
                    modes=message.modes,
                    effective=message.effective,
                )
