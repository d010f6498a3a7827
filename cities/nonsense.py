"""What comes in on any day and is no use: empty words, other cities, keyboards, broken bytes."""

from collections.abc import Callable
from random import Random
from typing import Final

from cities.voices import Words
from schemas.report import GridReport, Position

Drawn = tuple[GridReport | None, bytes | None]


def drawn(dice: Random, words: Words, channel: str, outside: Position | None, said: str) -> Drawn:
    """One piece of nonsense: a report that is well formed and useless, or bytes that are no report."""
    draw = dice.random()
    if draw < 0.25:
        return GridReport(channel=channel, text=dice.choice(("", " ", "\n"))), None
    if draw < 0.55:
        return GridReport(channel=channel, text=words.one(dice, "gibberish")), None
    if draw < 0.80:
        return GridReport(channel=channel, text=f"路过看到{said}", position=outside), None
    return None, dice.choice(BROKEN)(channel, said)


def _half(channel: str, said: str) -> bytes:
    return f'{{"channel": "{channel}", "text": "{said}'.encode()


def _other_encoding(channel: str, said: str) -> bytes:
    return f'{{"channel": "{channel}", "text": "{said}"}}'.encode("gb18030")


def _missing_field(channel: str, said: str) -> bytes:
    return f'{{"channel": "{channel}", "words": "{said}"}}'.encode()


def _wrong_type(channel: str, _: str) -> bytes:
    return f'{{"channel": "{channel}", "text": 42}}'.encode()


def _out_of_range(channel: str, said: str) -> bytes:
    body = f'{{"channel": "{channel}", "text": "{said}", "position": {{"lon_e7": 99999999999, "lat_e7": 0}}}}'
    return body.encode()


def _no_json(_: str, said: str) -> bytes:
    return said.encode()


def _nothing(_: str, __: str) -> bytes:
    return b""


BROKEN: Final[tuple[Callable[[str, str], bytes], ...]] = (
    _half,
    _other_encoding,
    _missing_field,
    _wrong_type,
    _out_of_range,
    _no_json,
    _nothing,
)
