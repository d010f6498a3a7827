"""Timers in the order in which they fire: by due time, stream and name."""

from collections.abc import Iterable
from datetime import datetime
from heapq import heapify, heappop, heappush

from kernel.journal import CancelledTimer, StoredTimer


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
