"""How people of an invented city speak: `voices.yaml` (per matter) and `words.yaml`, filled by dice.

A voice is a list of sentences with slots; a frame is how one channel wraps a place and a sentence. The
matters of `lists.yaml` bring their own sentences, which are said in the cities of `LISTS_HEARD_IN` only.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, Final, cast

import yaml

from cities.lists import sayings
from rules.matters import Matter

HERE: Final = Path(__file__).parent
SLOT: Final = re.compile(r"\{([a-z]+)\}")
HOURS: Final[Mapping[str, frozenset[int]]] = {
    "night": frozenset((22, 23, 0, 1, 2, 3, 4, 5)),
    "morning": frozenset(range(5, 11)),
    "day": frozenset(range(7, 19)),
    "evening": frozenset(range(16, 24)),
}
DEFAULT_WEIGHT: Final = 4
LISTS_HEARD_IN: Final = frozenset({"tsolung"})
"""Elsewhere nobody reports them: the day of a city stays the same when lists are added to its register."""


@dataclass(frozen=True, slots=True)
class Voice:
    """What is said of one matter, how often it comes up, and at which hours above all.

    What is only `told`, at a counter or by phone, neither a camera nor a patrol sees.
    """

    say: tuple[str, ...]
    name: str = ""
    weight: int = DEFAULT_WEIGHT
    hours: str = ""
    cities: frozenset[str] = frozenset()
    told: bool = False

    def heard_in(self, city: str) -> bool:
        """Whether it is said in a city: in every one, or in those that are named."""
        return not self.cities or city in self.cities

    def likely(self, hour: int) -> int:
        """The weight at an hour of the day: what belongs to other hours comes up a fifth as often."""
        if not self.hours or hour in HOURS[self.hours]:
            return self.weight * 5
        return self.weight


@dataclass(frozen=True, slots=True)
class Words:
    """Everything else that sentences are made of."""

    frames: Mapping[str, tuple[str, ...]]
    lists: Mapping[str, tuple[str, ...]]
    typos: tuple[tuple[str, str], ...]

    def one(self, dice: Random, name: str) -> str:
        return dice.choice(self.lists[name])

    def fill(self, text: str, dice: Random, known: Mapping[str, str]) -> str:
        """The text with each slot filled from `known`, else drawn."""
        return SLOT.sub(lambda slot: known.get(slot[1]) or self._drawn(slot[1], dice), text)

    def slip(self, text: str, dice: Random) -> str:
        """One slip of the finger, if the text has a word that is easily mistyped."""
        open_to = [pair for pair in self.typos if pair[0] in text]
        if not open_to:
            return text
        right, wrong = dice.choice(open_to)
        return text.replace(right, wrong, 1)

    def _drawn(self, slot: str, dice: Random) -> str:
        if slot in DRAWN:
            low, high, unit = DRAWN[slot]
            return f"{dice.randint(low, high)}{unit}"
        if slot == "phone":
            return f"1990000{dice.randint(0, 9999):04}"
        if slot == "day":
            return dice.choice(("上午", "中午", "下午", "傍晚"))
        return self.one(dice, f"{slot}s")


DRAWN: Final[Mapping[str, tuple[int, int, str]]] = {
    "lou": (1, 24, "号楼"),
    "dy": (1, 4, "单元"),
    "n": (2, 9, ""),
    "hour": (1, 4, "点"),
    "percent": (71, 99, ""),
}


@cache
def words() -> Words:
    raw = _loaded("words.yaml")
    frames = {
        channel: tuple(texts) for channel, texts in cast("Mapping[str, Sequence[str]]", raw["frames"]).items()
    }
    typos = tuple((right, wrong) for right, wrong in cast("Sequence[tuple[str, str]]", raw["typos"]))
    lists = {name: tuple(texts) for name, texts in raw.items() if name not in {"frames", "typos"}}
    return Words(frames, lists, typos)


@cache
def voices() -> Mapping[str, Voice]:
    """The voices by matter code."""
    raw = _loaded("voices.yaml")
    written = {
        code: Voice(tuple(row["say"]), row["name"], row.get("weight", DEFAULT_WEIGHT), row.get("hours", ""))
        for code, row in raw.items()
    }
    lists = {
        code: Voice(tuple(say), name, weight, cities=LISTS_HEARD_IN, told=True)
        for code, name, say, weight in sayings()
    }
    return {**written, **lists}


def voice_of(matter: Matter) -> Voice:
    """The voice of a matter; one that nobody wrote for speaks in its own name and filing conditions."""
    written = voices().get(matter.code)
    if written is not None and _alike(written.name, matter.name):
        return written
    plain = tuple(f"有{matter.name}问题，{condition.text}" for condition in matter.conditions)
    return Voice((f"发现{matter.name}", *plain), weight=1)


def _alike(first: str, second: str) -> bool:
    """Whether two names mean one matter: local codes of two cities may differ."""
    pairs = {first[at : at + 2] for at in range(len(first) - 1)}
    shared = sum(pair in second for pair in pairs)
    return shared * 2 >= len(pairs)


def _loaded(name: str) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", yaml.safe_load((HERE / name).read_text(encoding="utf-8")))
