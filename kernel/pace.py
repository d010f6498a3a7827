"""How quickly a worker goes, and how much it takes at once."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """How a worker goes: units are in the names.

    `margin_seconds` exceeds the skew between all clocks of the city (0 within one process);
    `idle_ticks` is after how many idle turns the watermark of what is published gets its own transaction.
    """

    batch: int = 1000
    timers: int = 1000
    margin_seconds: float = 5.0
    tick_seconds: float = 0.25
    idle_ticks: int = 4
    failures_most: int = 30
    pause_seconds: float = 0.05
