"""How quickly a worker goes, and how much it takes at once."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final


@dataclass(frozen=True, slots=True)
class Pace:
    """How a worker goes: units are in the names.

    `margin_seconds` exceeds the skew between all clocks of the city (0 within one process);
    `look_seconds` is after how long an idle worker asks again for orders and for the ends of its topics (0:
    on every tick); its timers are at hand. `idle_ticks` is after how many idle turns the watermark of what is
    published gets its own transaction.
    """

    batch: int = 1000
    timers: int = 1000
    margin_seconds: float = 5.0
    tick_seconds: float = 0.25
    look_seconds: float = 0.0
    idle_ticks: int = 4
    failures_most: int = 30
    pause_seconds: float = 0.05


class Rest:
    """How long a log waits for messages: a tick, and four once nothing has come for forty of them.

    Messages end the wait at once; timers and what others ask for by hand come up to that much later.
    """

    def __init__(self, tick_seconds: float) -> None:
        self._tick_seconds = tick_seconds
        self._idle = 0

    def seconds(self) -> float:
        """At most so long."""
        return self._tick_seconds * (_IDLE_TIMES if self._idle >= _IDLE_TICKS else 1)

    def found(self, anything: bool) -> None:
        """Note whether anything came."""
        self._idle = 0 if anything else self._idle + 1


_IDLE_TICKS: Final = 40
_IDLE_TIMES: Final = 4


class Every:
    """Says once in so many seconds that it is time; a clock that is set back puts nothing off."""

    def __init__(self, seconds: float) -> None:
        self._seconds = timedelta(seconds=seconds)
        self._last: datetime | None = None

    def over(self, now: datetime) -> bool:
        """Whether the time is over, and if so begin it anew."""
        if self._last is not None and abs(now - self._last) < self._seconds:
            return False
        self._last = now
        return True

    def again(self) -> None:
        """Let it be over now."""
        self._last = None
