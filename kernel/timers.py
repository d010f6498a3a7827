"""Timers in the order in which they fire: by due time, stream and name."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from heapq import heapify, heappop, heappush
from typing import Final

from kernel.journal import CancelledTimer, StoredTimer

NEVER: Final = datetime.min.replace(tzinfo=UTC)
_LEAST: Final = timedelta(microseconds=1)
_SOON_MOST: Final = 10_000


class Soon:
    """All stored timers of one partition that are due at or before `until`: what need not be asked for again.

    It follows what its owner commits, and nobody else sets timers here. Too many, and it knows nothing.
    """

    __slots__ = ("_timers", "until")

    def __init__(self) -> None:
        self.until = NEVER
        self._timers: dict[tuple[str, str], StoredTimer] = {}

    def learn(self, timers: Iterable[StoredTimer], until: datetime, cut: datetime | None = None) -> None:
        """Take an answer up to `until`, whole only before `cut`, the time of its last timer, if any."""
        self.until = until if cut is None else min(until, cut - _LEAST)
        self._timers = {(timer.stream, timer.name): timer for timer in timers if timer.due <= self.until}

    def due(self, until: datetime) -> Iterator[StoredTimer]:
        """Those due at or before a time, in no order."""
        return (timer for timer in self._timers.values() if timer.due <= until)

    def follow(self, changed: Iterable[StoredTimer | CancelledTimer]) -> None:
        """Timers were set and cancelled in a transaction that is on record."""
        for timer in changed:
            if isinstance(timer, StoredTimer) and timer.due <= self.until:
                self._timers[timer.stream, timer.name] = timer
            else:
                self._timers.pop((timer.stream, timer.name), None)
        if len(self._timers) > _SOON_MOST:
            self.learn((), NEVER)


def to_ask(soons: Mapping[int, Soon], until: Mapping[int, datetime], ahead: datetime) -> dict[int, datetime]:
    """Up to when to ask the journal for the timers of those partitions of which too little is known."""
    return {partition: max(when, ahead) for partition, when in until.items() if when > soons[partition].until}


def learned(
    soons: Mapping[int, Soon],
    until: Mapping[int, datetime],
    asked: Mapping[int, datetime],
    found: Sequence[StoredTimer],
    *,
    whole: bool,
) -> tuple[list[StoredTimer], datetime | None]:
    """All that is due after this answer, in no order, and from when on more may be due than was found.

    An answer that is not whole ends at its last timer: of those due at that very time some may be missing.
    """
    cut = None if whole else found[-1].due
    of: defaultdict[int, list[StoredTimer]] = defaultdict(list)
    for timer in found:
        of[timer.partition].append(timer)
    for partition, when in asked.items():
        soons[partition].learn(of[partition], when, cut)
    due = [timer for partition, when in until.items() for timer in soons[partition].due(when)]
    due += [timer for timer in found if cut == timer.due <= until[timer.partition]]
    return due, cut if any(until[partition] > soons[partition].until for partition in asked) else None


class Agenda:
    """The timers of one partition that matter for one batch, and the changes the batch makes to all of them.

    `horizon` is the time below which the stored timers are known completely; at or above it only those
    that were fetched may fire, and no message may be taken.
    """

    __slots__ = ("_heap", "changed", "horizon")

    def __init__(self, stored: Iterable[StoredTimer], horizon: datetime | None = None) -> None:
        self._heap = [(timer.due, timer.stream, timer.name, 0, timer) for timer in stored]
        heapify(self._heap)
        self.horizon = horizon
        self.changed: dict[tuple[str, str], StoredTimer | CancelledTimer] = {}

    def covers(self, now: datetime) -> bool:
        """Whether all timers due at or before `now` are known."""
        return self.horizon is None or now < self.horizon

    def set(self, timer: StoredTimer) -> None:
        """Set a timer, or replace the one of that name."""
        self.changed[timer.stream, timer.name] = timer
        heappush(
            self._heap, (timer.due, timer.stream, timer.name, len(self.changed) + len(self._heap), timer)
        )

    def cancel(self, partition: int, stream: str, name: str) -> None:
        """Forget a timer."""
        self.changed[stream, name] = CancelledTimer(partition, stream, name)

    def pop(self, until: datetime) -> StoredTimer | None:
        """The next timer due at or before `until`, now cancelled; `None` when there is none."""
        heap = self._heap
        while heap and heap[0][0] <= until:
            if heap[0][3] and not self.covers(heap[0][0]):
                return None
            timer = heappop(heap)[4]
            key = (timer.stream, timer.name)
            if self.changed.get(key, timer) is timer:
                self.cancel(timer.partition, timer.stream, timer.name)
                return timer
        return None
