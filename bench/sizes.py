"""How much is measured: all of it, enough to see a trend, or just enough to see that it runs."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """`rounds` of what is short, `runs` of the latency; the median counts.

    On Kafka: commands before router.case, and fewer before Faust as its manual shows it; after `race_seconds`
    only what has no figure yet is measured.
    """

    rounds: int
    reports: int
    life: int
    runs: int
    latency_reports: int
    per_second: int
    streams: int
    small_streams: int
    crowd_commands: int
    timers: int
    backlog: int
    faust_backlog: int
    race_seconds: float
    hops: int
    kafka_reports: int
    outages: int


FULL: Final = Sizes(
    rounds=5,
    reports=5_000,
    life=4_000,
    runs=3,
    latency_reports=4_000,
    per_second=200,
    streams=1_000_000,
    small_streams=50_000,
    crowd_commands=60_000,
    timers=3_000_000,
    backlog=100_000,
    faust_backlog=10_000,
    race_seconds=400,
    hops=5_000,
    kafka_reports=2_500,
    outages=2,
)
QUICK: Final = Sizes(
    rounds=3,
    reports=2_000,
    life=500,
    runs=1,
    latency_reports=1_000,
    per_second=200,
    streams=50_000,
    small_streams=5_000,
    crowd_commands=10_000,
    timers=150_000,
    backlog=10_000,
    faust_backlog=3_000,
    race_seconds=100,
    hops=2_500,
    kafka_reports=1_000,
    outages=1,
)
TINY: Final = Sizes(
    rounds=1,
    reports=40,
    life=30,
    runs=1,
    latency_reports=20,
    per_second=100,
    streams=500,
    small_streams=100,
    crowd_commands=100,
    timers=500,
    backlog=480,
    faust_backlog=240,
    race_seconds=0,
    hops=200,
    kafka_reports=60,
    outages=1,
)
