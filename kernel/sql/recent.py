"""What this process has just committed, so that its own workers need not ask the database for it again.

A worker mostly reads what another worker of the same process wrote a moment before. Only what is committed
comes here, at the offsets and with the stamp that the transaction gave it; whatever is not here is read.
"""

from bisect import bisect_right
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Final, NamedTuple, TypeAlias

from kernel.journal import Record
from kernel.log import Outgoing

Source: TypeAlias = tuple[str, int]

_MOST: Final = 20_000
_first = attrgetter("first")


class Part(NamedTuple):
    """Records of one topic partition that follow each other: the first one's offset, and the stamp of all."""

    first: int
    appended: datetime
    records: Sequence[Outgoing] | Sequence[Record]

    @property
    def end(self) -> int:
        return self.first + len(self.records)


class Recent:
    """The last parts of those topics that a worker of this process reads; the oldest go first."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._count = 0
        self._read: set[str] = set()
        self._parts: defaultdict[Source, deque[Part]] = defaultdict(deque)
        self._order: deque[Source] = deque()

    def reads(self, names: Iterable[str]) -> None:
        """Somebody will ask for the sources of these names."""
        self._read.update(names)

    def add(self, source: Source, part: Part) -> None:
        """Remember what was committed."""
        if source[0] not in self._read or not part.records:
            return
        self._parts[source].append(part)
        self._order.append(source)
        self._count += len(part.records)
        while self._count > self._most:
            self._count -= len(self._parts[self._order.popleft()].popleft().records)

    def take(self, source: Source, low: int, high: int) -> Sequence[Part] | None:
        """All from `low` to below `high`, in parts; `None` if something of it is not here."""
        known = self._parts.get(source)
        if not known:
            return None
        place = bisect_right(known, low, key=_first) - 1
        return _cut(known, place, low, high) if place >= 0 else None


def _cut(known: deque[Part], place: int, low: int, high: int) -> Sequence[Part] | None:
    found: list[Part] = []
    for part in _from(known, place):
        if part.first > low or part.end <= low:
            return None
        stop = min(high, part.end)
        found.append(Part(low, part.appended, part.records[low - part.first : stop - part.first]))
        low = stop
        if low == high:
            return found
    return None


def _from(known: deque[Part], place: int) -> Iterator[Part]:
    for number in range(place, len(known)):
        yield known[number]
