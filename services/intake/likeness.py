"""Words and likeness of texts, by characters: Chinese is written without spaces."""

import unicodedata
from functools import lru_cache
from itertools import pairwise

KEPT = 160
"""Characters of a text that are compared; what matters stands at the beginning."""


def plain(text: str) -> str:
    """One form for full-width and half-width, upper and lower case."""
    return unicodedata.normalize("NFKC", text).casefold()


def letters(text: str) -> str:
    """The first letters and digits of a text in one form: what two reports are compared by."""
    return "".join(filter(str.isalnum, plain(text)))[:KEPT]


@lru_cache(maxsize=2_048)
def bigrams(compared: str) -> frozenset[str]:
    """The pairs of neighbouring characters of what `letters` gave; a single character stands for itself."""
    if len(compared) < 2:
        return frozenset(compared)
    return frozenset(map("".join, pairwise(compared)))


def likeness(one: str, other: str) -> int:
    """How alike two texts are (相似度), per mille: Dice's share of common bigrams of what `letters` gave."""
    first, second = bigrams(one), bigrams(other)
    both = len(first) + len(second)
    return 2000 * len(first & second) // both if both else 0
