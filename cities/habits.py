"""How the people of a demonstration city are: how long they take, how often they stay silent, object or fail.

Shares are per cent. Times are minutes of the calendar named beside them, drawn from a skewed curve, so that
most are quick and a few are very late.
"""

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class Habits:
    """Per cent of the moments at which somebody does the other thing."""

    clerk_slow: int = 6
    check_fails: int = 10
    sign_silent: int = 4
    objects: int = 5
    decider_silent: int = 8
    objection_accepted: int = 45
    objection_referred: int = 10
    contact_reached: int = 86
    resolves_late: int = 5
    inspector_slow: int = 5
    inspection_fails: int = 6
    reporter_reached: int = 85
    reporter_satisfied: int = 91
    unreasonable: int = 8
    urges_at_breach: int = 30
    answers_supervision: int = 80
    reopened: int = 1


def chance(dice: Random, per_cent: int) -> bool:
    return dice.randrange(100) < per_cent


def minutes(dice: Random, usual: int, most: int) -> int:
    """Around `usual`, rarely up to `most`: a lognormal curve cut off at both ends."""
    return max(1, min(most, round(usual * dice.lognormvariate(0, 0.6))))


def share_of_limit(dice: Random, habits: Habits) -> int:
    """Per cent of its limit after which a unit reports the case resolved; beyond 100 it is late."""
    if chance(dice, habits.resolves_late):
        return dice.randint(104, 190)
    return min(96, max(8, round(45 * dice.lognormvariate(0, 0.45))))
