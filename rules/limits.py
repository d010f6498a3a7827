"""Time limits (时限) as the standards write them, read strictly.

`4工作时`, `2紧急工作时`, `15自然日`: a whole number and one word of the table below. What does not
parse is a `LimitFault`, a value that the bundle check prints; nothing is ever guessed (the program
that turns `1紧急工作时制止` into one natural day is the reason). Staged and seasonal limits are rows
of their own in a bundle, never words inside one limit.
"""

import re
from typing import Final, TypeAlias

from msgspec import Struct

DAY_MINUTES: Final = 24 * 60
MOST_DAYS: Final = 9_999
"""A limit of 10,000 days or more is a slip of the pen, not a limit."""


class Limit(Struct, frozen=True):
    """So many minutes, counted in office hours (`working`) or without a break.

    `urgent` marks the 紧急 words: such a limit runs through nights and holidays and is never extended.
    """

    text: str
    minutes: int
    working: bool
    urgent: bool = False
    amount: int = 0


class LimitFault(Struct, frozen=True):
    """Why a text is no limit: what stood there, what was expected, what to do."""

    text: str
    expected: str
    do: str


class LimitWords(Struct, frozen=True):
    """What a city means by the words that the standards leave open.

    `standard_day` is the length of a 工作日 in minutes of office hours; `urgent_day` that of a
    紧急工作日, continuous unless the city says `urgent_day_working`. Bare 小时 and 天 are office hours
    and working days unless declared continuous (274 pairs of the Yuncheng standard agree on that).
    """

    standard_day: int = 8 * 60
    urgent_day: int = DAY_MINUTES
    urgent_day_working: bool = False
    bare_hour_working: bool = True
    bare_day_working: bool = True


class Measure(Struct, frozen=True):
    """One word of a limit: minutes for one of it, and how they are counted."""

    minutes: int
    working: bool
    urgent: bool = False


Measures: TypeAlias = dict[str, Measure]

DEFAULT_WORDS: Final = LimitWords()

ENGLISH: Final = {
    "minute": "分钟",
    "working minute": "工作分钟",
    "hour": "小时",
    "working hour": "工作时",
    "urgent hour": "紧急工作时",
    "day": "天",
    "working day": "工作日",
    "calendar day": "自然日",
    "urgent day": "紧急工作日",
}
"""For cities that write English: the same words, singular or plural, with one space."""

_SHAPE: Final = re.compile(r"([0-9]+)(?:个?([^\x00-\x7f]+)| ([a-z]+(?: [a-z]+)?))")


def measures(words: LimitWords = DEFAULT_WORDS) -> Measures:
    """Every word that a limit of this city may end in."""
    table = {
        "分钟": Measure(1, working=False),
        "工作分钟": Measure(1, working=True),
        "工作时": Measure(60, working=True),
        "紧急工作时": Measure(60, working=False, urgent=True),
        "工作日": Measure(words.standard_day, working=True),
        "自然日": Measure(DAY_MINUTES, working=False),
        "紧急工作日": Measure(words.urgent_day, working=words.urgent_day_working, urgent=True),
    }
    hour = Measure(60, working=words.bare_hour_working)
    day = table["工作日" if words.bare_day_working else "自然日"]
    return table | {"小时": hour, "天": day}


def parse_limit(text: str, words: LimitWords = DEFAULT_WORDS) -> Limit | LimitFault:
    """Read one limit; a fault says what was expected and what to write instead."""
    shape = _SHAPE.fullmatch(text)
    if shape is None:
        return _unread(text)
    word = shape[2] or _from_english(shape[3])
    measure = measures(words).get(word)
    if measure is None:
        return _unread(text)
    most = MOST_DAYS * (words.standard_day if measure.working else DAY_MINUTES)
    return _measured(text, shape[1], measure, most)


def _measured(text: str, digits: str, measure: Measure, most: int) -> Limit | LimitFault:
    if digits[0] == "0":
        return LimitFault(text, "a whole number from 1, without leading zeros", "write how long it may take")
    if len(digits) > len(str(most)) or int(digits) * measure.minutes > most:
        return LimitFault(text, f"at most {MOST_DAYS} days", "write a limit that somebody will live to see")
    amount = int(digits)
    return Limit(text, amount * measure.minutes, measure.working, measure.urgent, amount)


def _from_english(word: str) -> str:
    return ENGLISH.get(word.removesuffix("s"), "")


def _unread(text: str) -> LimitFault:
    words = "、".join(measures())
    return LimitFault(
        text,
        f"a whole number and one of {words}",
        "split staged or seasonal limits into rows of their own; put other words into the condition",
    )
