"""Every sender numbers what it sends to a target 1, 2, 3 …; the receiver tells copies from early ones."""

from enum import Enum


class Verdict(Enum):
    """What becomes of a message with a number."""

    TAKE = "take"
    COPY = "copy"
    EARLY = "early"


def judge(last: int, k: int) -> Verdict:
    """A copy is dropped. So is an early one: an honest sender sends the missing one again, then it."""
    if k == last + 1:
        return Verdict.TAKE
    return Verdict.COPY if k <= last else Verdict.EARLY
