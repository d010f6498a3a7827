"""Whether a process that works on and on stays as it is: samples over a long run, and how they are judged."""

from collections.abc import Sequence
from itertools import pairwise
from statistics import mean
from typing import Final, NamedTuple

WARM_UP: Final = 1 / 3
"""The part of a run in which caches may still fill."""

GROWTH_MIB: Final = 12.0
LAG_TIMES, LAG_MORE = 1.5, 60.0
"""The last part may lag so many times as much as the one before, and so many messages more."""


class Sample(NamedTuple):
    """One process at one time: memory in MiB, unread messages, seconds of the processor so far."""

    seconds: float
    rss: float
    lag: float
    cpu: float


def grown(samples: Sequence[Sample]) -> float:
    """By how many MiB the memory grew after the warm-up, from the middle of its first third to the last's."""
    early, late = _ends([one.rss for one in samples])
    return late - early


def lagging(samples: Sequence[Sample]) -> bool:
    """Whether what is unread became more and more."""
    early, late = _ends([one.lag for one in samples])
    return late > early * LAG_TIMES + LAG_MORE


def load(samples: Sequence[Sample]) -> float:
    """The part of one processor that was used, from the first sample to the last."""
    used = sum(after.cpu - before.cpu for before, after in pairwise(samples))
    return used / (samples[-1].seconds - samples[0].seconds)


def _ends(values: Sequence[float]) -> tuple[float, float]:
    """The mean of the first and of the last third of what followed the warm-up."""
    warm = values[int(len(values) * WARM_UP) :]
    third = max(1, len(warm) // 3)
    return mean(warm[:third]), mean(warm[-third:])
