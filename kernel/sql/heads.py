"""Where every topic partition ends, as far as this process knows, and who waits for it to move."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple, TypeAlias

from kernel.sql.recent import Part, Recent

Source: TypeAlias = tuple[str, int]
"""A topic and its partition, or `@` and a processor, and the partition of its journal."""


class Head(NamedTuple):
    """The row of a topic partition or journal partition, and the offset of the next record."""

    id: int
    end: int


def journal_source(processor: str, partition: int) -> Source:
    """The event topic of a processor, by the processor's name."""
    return ("@" + processor, partition)


class Heads:
    """Ends only rise. A commit of this process raises them at once, those of others are polled."""

    def __init__(self) -> None:
        self.known: dict[Source, Head] = {}
        self.recent = Recent()
        self._waiting: defaultdict[str, set[asyncio.Future[None]]] = defaultdict(set)

    def raise_to(self, heads: Mapping[Source, Head]) -> None:
        """Take newer ends and wake whoever waits for one of their topics."""
        for source, head in heads.items():
            known = self.known.get(source)
            if known is None or known.end < head.end:
                self.known[source] = head
                for waiting in self._waiting[source[0]]:
                    if not waiting.done():
                        waiting.set_result(None)

    def committed(self, heads: Mapping[Source, Head], parts: Mapping[Source, Part]) -> None:
        """This process has moved the ends, by these records."""
        for source, part in parts.items():
            self.recent.add(source, part)
        self.raise_to(heads)

    def fail(self, error: Exception) -> None:
        """The database does not answer: whoever waits has to hear it."""
        for everyone in self._waiting.values():
            for waiting in everyone:
                if not waiting.done():
                    waiting.set_exception(error)

    async def moved(self, names: Iterable[str], seconds: float) -> bool:
        """Wait until a topic of these names has moved, at most so long; raises what `fail` was told."""
        waiting = asyncio.get_running_loop().create_future()
        names = list(names)
        for name in names:
            self._waiting[name].add(waiting)
        try:
            done, _ = await asyncio.wait({waiting}, timeout=seconds)
        finally:
            for name in names:
                self._waiting[name].discard(waiting)
        if done:
            waiting.result()
        return bool(done)
