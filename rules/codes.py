"""Code systems of areas (编码体系) side by side: what the parts of a code are, and whose code lies above it.

A city's own areas carry one code and any others as aliases; which system a code belongs to follows from
its shape. A code that no area has may still say in which community, street or district it lies.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from types import MappingProxyType
from typing import Final, NamedTuple

from rules.areas import Area, Areas
from rules.validity import holds


class Scheme(NamedTuple):
    """A code system: its shape, and where in the code the ways up end, nearest first.

    `start` is where the division (行政区划) begins; `ends` are where its parts end, the whole code left out.
    """

    name: str
    title: str
    shape: str
    start: int
    ends: tuple[int, ...]


STATISTICAL: Final = "statistical"
_UP: Final = (9, 6, 4, 2)
"""Street, county, prefecture and province within a statistical code of 2-2-2-3-3 digits."""

SCHEMES: Final[Mapping[str, Scheme]] = MappingProxyType({
    scheme.name: scheme
    for scheme in (
        Scheme(STATISTICAL, "12 digits 2-2-2-3-3 (统计用区划代码)", r"[0-9]{12}", 0, _UP),
        Scheme("cell14", "14 digits 6-3-3-2 (CJ/T 213-2005)", r"[0-9]{14}", 0, (12, *_UP)),
        Scheme("cell15", "15 digits 6-3-3-3 (GB/T 30428.1-2013)", r"[0-9]{15}", 0, (12, *_UP)),
        Scheme("cell16", "16 characters 12-3 and a class letter", r"[0-9]{15}[A-Z]", 0, (15, 12, *_UP)),
        Scheme("object20", "20 digits 6-6-3-3-2 (CJ/T 349-2010)", r"[0-9]{20}", 6, (18, 15, 12, 10, 8)),
    )
})  # fmt: skip
"""The national systems. Codes of a city's own making (`local`) have no parts and are found whole or not."""

LOCAL: Final = "local"
_SHAPES: Final = {name: re.compile(scheme.shape) for name, scheme in SCHEMES.items()}
_ALIASES: Final = MappingProxyType({
    "": "", "统计": STATISTICAL, "nbs": STATISTICAL, "gb/t 30428.1": "cell15", "gb/t 30428.1-2013": "cell15",
    "cj/t 213": "cell14", "cj/t 213-2005": "cell14", "cj/t 349": "object20", "cj/t 349-2010": "object20",
})  # fmt: skip
"""How people and standards name the systems, in lower case."""


class CodeFault(NamedTuple):
    """Why a code finds nothing."""

    code: str
    expected: str
    found: str


class CodeFound(NamedTuple):
    """The area of a code; `exact` says that it is this area's own code and not of one above."""

    area: Area
    scheme: str
    exact: bool


def scheme_of(code: str) -> str:
    """The national system whose shape the code has, else `local`; their lengths tell them apart."""
    return next((name for name, shape in _SHAPES.items() if shape.fullmatch(code)), LOCAL)


def above(code: str, scheme: str) -> Iterator[str]:
    """The codes on the way up from a code, nearest first: as they are, and filled to 12 digits by zeros."""
    known = SCHEMES[scheme]
    for end in known.ends:
        part = code[known.start : end]
        yield part
        if len(part) < 12:
            yield part.ljust(12, "0")


@dataclass(frozen=True)
class CodeBook:
    """All codes of all systems that the areas of a city have (对照表), by their own code and by aliases."""

    areas: Areas

    def find(self, code: str, scheme: str, day: date) -> CodeFound | CodeFault:
        """The area of a code of this system, or of any if none is said; else the nearest area above it."""
        named = self._scheme(scheme)
        shape = scheme_of(code)
        if named is None:
            return CodeFault("unknown_scheme", f"one of {', '.join((*SCHEMES, *sorted(self._own)))}", scheme)
        if named in SCHEMES and shape != named:
            return CodeFault("bad_code", SCHEMES[named].title, code)
        own = named if named and named not in SCHEMES else ""
        area = self._at(code, own, day)
        if area is not None:
            return CodeFound(area, own or shape, exact=True)
        ways = above(code, shape) if shape in SCHEMES and not own else iter(())
        upper = next((found for up in ways if (found := self._at(up, "", day))), None)
        if upper is not None:
            return CodeFound(upper, shape, exact=False)
        return CodeFault("unknown_code", "a code of the city, or one that lies below such a code", code)

    def _scheme(self, said: str) -> str | None:
        """The system that is meant: a name of ours or of a standard, else one that the areas use."""
        lowered = said.lower()
        if lowered in SCHEMES:
            return lowered
        return _ALIASES.get(lowered, said if said in self._own else None)

    def _at(self, code: str, scheme: str, day: date) -> Area | None:
        """The area that has this code on the day; its own code goes before an alias."""
        rows = [area for area in self._by_code.get(code, ()) if holds(area, day)]
        fitting = [area for area in rows if scheme in ("", area.scheme)]
        return min(fitting, key=lambda area: (area.code != code, area.level, area.code), default=None)

    @cached_property
    def _own(self) -> frozenset[str]:
        return frozenset(area.scheme for area in self.areas.rows if area.scheme)

    @cached_property
    def _by_code(self) -> Mapping[str, tuple[Area, ...]]:
        found: dict[str, list[Area]] = {}
        for area in self.areas.rows:
            for code in dict.fromkeys((area.code, *filter(_is_code, area.aliases))):
                found.setdefault(code, []).append(area)
        return {code: tuple(rows) for code, rows in found.items()}


def _is_code(alias: str) -> bool:
    """Whether an alias is a code of another system, and not a further name."""
    return alias.isascii() and any(sign.isdigit() for sign in alias)
