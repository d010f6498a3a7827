"""One composition carried out: two editions are loaded, one is made of them and stored under its hash.

Doing it twice does no harm: an edition is found by its content, and the same request gives the same one.
"""

from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from rules.bundle import Bundle
from rules.composing import compose
from rules.edition import Edition
from rules.faults import Fault
from schemas.refusal import Refusal
from schemas.registry import Composed, ComposeEdition, Composition

NOT_TRIED: Final = Refusal(code="not_tried", expected="a composer", found="taken up without one")


class Store(Protocol):
    """Where editions are kept, by their hash."""

    async def find(self, edition: str) -> Edition | None:
        """An edition as it was stored, or nothing."""
        ...

    async def bundle(self, edition: str) -> Bundle:
        """The compiled bundle of an edition that is there."""
        ...

    async def put(self, edition: Edition) -> None:
        """Store an edition; one that is there already stays."""
        ...


def composing(store: Store) -> Callable[[ComposeEdition], Awaitable[Composed]]:
    """What a worker of registry.composer is given."""

    async def perform(request: ComposeEdition) -> Composed:
        return Composed(request=request, outcome=await composed(store, request))

    return perform


async def composed(store: Store, request: ComposeEdition) -> Composition:
    """The edition with the changes that it could take, or why there is none."""
    stored = await store.find(request.base)
    if stored is None:
        return Composition(
            fault=Refusal(code="no_edition", expected="an edition that is stored here", found=request.base)
        )
    base, under = await store.bundle(request.base), await store.bundle(request.under)
    found = compose(base, under, request.kept, request.changes)
    if isinstance(found, list):
        return Composition(fault=_contradiction(found))
    edition = stored
    if found.entries != base.parts.entries:
        edition = stored.with_entries(found.entries)
        await store.put(edition)
    return Composition(edition=edition.hash, taken=found.taken, refused=found.refused)


def _contradiction(faults: list[Fault]) -> Refusal:
    """The published edition and the entries in force do not fit together."""
    first, more = faults[0], len(faults) - 1
    wanted = f"{first.column}: {first.expected}" + (f" (and {more} more faults)" if more else "")
    return Refusal(code=first.code, expected=wanted[:400], found=first.value[:400] or "nothing")
