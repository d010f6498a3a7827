from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property, lru_cache
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from rules.admission import Enforcement, Entry, Register
from rules.areas import Area, Areas
from rules.bounds import Bounds
from rules.daytable import CalendarSpec
from rules.geometry import Shape
from rules.limits import LimitWords
from rules.matters import Matter, Matters
from rules.pairings import Pairing, Pairings, Staffing
from rules.policies import Policies, Policy
from rules.posts import Post, Posts
from rules.routes import Route, Routes
from rules.templates import Template, Templates
from rules.units import Unit, Units
from rules.validity import FIRST_DAY, LAST_DAY
from rules.workdays import EPOCH, Calendars, calendars

QUARTER: Final = timedelta(minutes=15)


class Kind(Struct, frozen=True):
    """A kind of area: its word, its level number (0 at the root) and whether it is guarded (准入)."""

    code: str
    name: str
    level: int
    guarded: bool = False


class Neighbour(Struct, frozen=True):
    """Another city whose reports are handed on: an area of the layer `neighbour`, the unit doing it."""

    area: str
    name: str
    unit: str = ""


class City(Struct, frozen=True, kw_only=True):
    """Whose bundle this is. `desk_area` takes what has no place; the unit `centre` is the operations centre
    (城运中心), the unit `body` the government of the whole; the first layer and language are the main ones.
    `starts` is the first day for which this edition decides; without `channels` any may report.
    """

    code: str
    name: str
    zone: str
    root: str
    desk_area: str
    desk_kind: str
    centre: str
    body: str
    languages: tuple[str, ...]
    layers: tuple[str, ...]
    kinds: tuple[Kind, ...]
    starts: date = FIRST_DAY
    neighbours: tuple[Neighbour, ...] = ()
    limit_words: LimitWords = LimitWords()
    channels: tuple[str, ...] = ()

    def level(self, kind: str) -> int:
        """The number of a level word, larger the deeper; a KeyError means that the check has a hole."""
        for known in self.kinds:
            if known.code == kind:
                return known.level
        raise KeyError(kind)

    def below(self, level: str, other: str) -> bool:
        """Whether authority at `level` is lower than at `other`."""
        return self.level(level) > self.level(other)


class Parts(Struct, frozen=True, kw_only=True):
    """What an edition stores: the rows of every section, nothing derived. The fields name the sections.

    A section that came later has a default, and an edition without its rows does not have the section: the
    hash of a city that does not use it stays what it was.
    """

    city: City
    bounds: Bounds
    areas: tuple[Area, ...]
    shapes: tuple[Shape, ...]
    units: tuple[Unit, ...]
    posts: tuple[Post, ...]
    matters: tuple[Matter, ...]
    entries: tuple[Entry, ...]
    enforcement: tuple[Enforcement, ...]
    calendars: tuple[CalendarSpec, ...]
    policies: tuple[Policy, ...]
    routes: tuple[Route, ...]
    templates: tuple[Template, ...]
    pairings: tuple[Pairing, ...] = ()
    staffing: tuple[Staffing, ...] = ()


_OF_ENTRIES: Final = frozenset({"parts", "hash", "register", "_turns"})
"""What of a bundle another register changes."""


@dataclass(frozen=True)
class Bundle:
    """The compiled city: the rows of an edition with their indexes, and the hash that decisions cite."""

    parts: Parts
    hash: str

    def with_entries(self, entries: tuple[Entry, ...], digest: str = "") -> "Bundle":
        """The same city with another admission register; its maps, units and calendars are not read again."""
        other = Bundle(replace(self.parts, entries=entries), digest)
        vars(other).update({name: found for name, found in vars(self).items() if name not in _OF_ENTRIES})
        return other

    def day(self, when: datetime) -> date:
        """The city's calendar day of an instant: what every lookup by day wants."""
        return self._days((when - EPOCH) // QUARTER)

    def stretch(self, day: date) -> int:
        """The number of the stretch of days, around this one, in which no row begins or ceases to hold.

        Whatever depends on a day only by what holds on it is the same on all days of a stretch.
        """
        return bisect_right(self._turns, day)

    @cached_property
    def _turns(self) -> tuple[date, ...]:
        parts = self.parts
        begins = {row.valid_from for row in (*parts.enforcement, *parts.shapes)}
        ends: set[date] = set()
        for rows in (parts.areas, parts.units, parts.posts, parts.pairings, parts.entries):
            begins.update(row.valid_from for row in rows)
            ends.update(row.valid_to for row in rows)
        for entry in parts.entries:
            begins.add(entry.funding.covers_from)
            ends.add(entry.funding.covers_to)
        return tuple(sorted(begins | {end + timedelta(days=1) for end in ends if end != LAST_DAY}))

    @cached_property
    def _days(self) -> Callable[[int], date]:
        """By quarter of an hour since 1970: no zone begins its day within one."""
        local = self.calendars.get("").local

        @lru_cache(4096)
        def day(quarter: int) -> date:
            return local(EPOCH + quarter * QUARTER).date()

        return day

    def desk_of(self, area: str) -> str:
        """The desk area that takes a report from there: its ancestor of the desk kind, else the city desk."""
        found = self.areas.ancestor(area, self.city.desk_kind)
        return found.code if found else self.city.desk_area

    @property
    def city(self) -> City:
        return self.parts.city

    @property
    def bounds(self) -> Bounds:
        return self.parts.bounds

    @cached_property
    def areas(self) -> Areas:
        parts = self.parts
        return Areas(parts.areas, parts.shapes, parts.city.layers, parts.bounds.near_metres)

    @cached_property
    def units(self) -> Units:
        return Units(self.parts.units, self.areas)

    @cached_property
    def posts(self) -> Posts:
        return Posts(self.parts.posts, self.areas)

    @cached_property
    def pairings(self) -> Pairings:
        return Pairings(self.parts.pairings, self.areas)

    @cached_property
    def matters(self) -> Matters:
        return Matters(self.parts.matters)

    @cached_property
    def register(self) -> Register:
        guarded = frozenset(kind.code for kind in self.city.kinds if kind.guarded)
        return Register(self.parts.entries, self.parts.enforcement, guarded)

    @cached_property
    def calendars(self) -> Calendars:
        return calendars(self.parts.calendars)

    @cached_property
    def policies(self) -> Policies:
        return Policies(self.parts.policies)

    @cached_property
    def routes(self) -> Routes:
        return Routes(self.parts.routes)

    @cached_property
    def templates(self) -> Templates:
        return Templates(self.parts.templates, self.city.languages)
