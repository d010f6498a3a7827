"""A city has one clock: wall time, and the map from it to city time. See docs/decisions for stepped time."""

import asyncio
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Protocol


class Clock(Protocol):
    """The only source of time. Stamps of the log are wall times of the same clock."""

    def wall(self) -> datetime:
        """The wall time, in UTC."""
        ...

    def city(self, wall: datetime) -> datetime:
        """City time at a wall time: a fixed, rising map."""
        ...

    async def pause(self, seconds: float) -> None:
        """Let time pass."""
        ...


@dataclass(frozen=True, slots=True)
class SystemClock:
    """The machine's clock. A demonstration city starts at `start_city` and runs at `speed`."""

    start_wall: datetime | None = None
    start_city: datetime | None = None
    speed: int = 1

    def wall(self) -> datetime:
        """The machine's time."""
        return datetime.now(UTC)

    def city(self, wall: datetime) -> datetime:
        """The identity, or the map that was fixed when the city was created."""
        if self.start_wall is None or self.start_city is None:
            return wall
        return self.start_city + (wall - self.start_wall) * self.speed

    async def pause(self, seconds: float) -> None:
        """Sleep on the event loop."""
        await asyncio.sleep(seconds)


class SteppedClock:
    """City time that moves only when its host says so: for demonstrations, tests and what-if.

    However slow the machine, a case decided at ten o'clock is decided at ten o'clock.
    """

    def __init__(self, start: datetime) -> None:
        self._now = start

    def wall(self) -> datetime:
        """The time last stepped to."""
        return self._now

    def city(self, wall: datetime) -> datetime:
        """The identity: what is stepped is city time itself."""
        return wall

    def step(self, to: datetime) -> None:
        """Go on to `to`; never backwards."""
        self._now = max(self._now, to)

    async def pause(self, seconds: float) -> None:
        """Give way; no time passes by waiting."""
        del seconds
        await asyncio.sleep(0)


class Step(NamedTuple):
    """From a wall time on, it is this time in the city."""

    wall: datetime
    city: datetime


class StairClock:
    """City time that stands still between steps on record, for a stepped city of several processes.

    Each learns of a step before it is in force, so that all have the same fixed, rising map.
    """

    def __init__(self, start: datetime) -> None:
        self._walls: list[datetime] = []
        self._cities = [start]

    @property
    def last(self) -> datetime | None:
        """From when on the last known step is in force."""
        return self._walls[-1] if self._walls else None

    def wall(self) -> datetime:
        """The machine's time, which the log stamps with too."""
        return datetime.now(UTC)

    def city(self, wall: datetime) -> datetime:
        """Where the stair stands at a wall time."""
        return self._cities[bisect_right(self._walls, wall)]

    def learn(self, steps: Iterable[Step]) -> None:
        """Add steps, in order, behind those that are known."""
        for step in steps:
            self._walls.append(step.wall)
            self._cities.append(max(self._cities[-1], step.city))

    async def pause(self, seconds: float) -> None:
        """Sleep on the event loop."""
        await asyncio.sleep(seconds)


WILD_STAMP = timedelta(minutes=5)
"""How far ahead of the worker's clock a stamp may lie before it ends the worker."""
