"""Coverage queries (覆盖检查): what a bundle without faults still leaves open, on one day.

A gap is no fault: a city may live with it. It is told at the topmost area that it holds for as a whole,
so that a matter which nobody owns is one line and not one for each grid.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import cached_property
from typing import Final, NamedTuple

from msgspec import Struct

from rules.admission import Entry
from rules.areas import Area
from rules.bundle import Bundle
from rules.geometry import NEIGHBOUR
from rules.matters import Matter, Responsibility
from rules.modes import Mode
from rules.pairings import Staffing
from rules.posts import Post
from rules.responsible import able, reaches, selected
from rules.units import Unit
from rules.validity import holds

CODES: Final = (
    "no_pairing", "no_post", "vacant", "understaffed", "no_owner", "two_owners", "no_entry",
)  # fmt: skip
LEADS: Final = frozenset({"own", "entrusted"})
HELPS: Final = LEADS | {"assist"}
SMALL: Final = "small"
"""小事: what triage leaves to the community needs no entry (lifecycle.md §2, step 6)."""


class Gap(Struct, frozen=True, kw_only=True):
    """One thing that is not covered: in the whole of `area`, which are the places `areas`.

    `subject` is the matter, or the role that a staffing template asks for; `level` the guarded kind of area
    and `found` what there is instead: units, posts, how many, or in which modes there is no entry.
    """

    code: str
    area: str
    areas: tuple[str, ...]
    subject: str = ""
    level: str = ""
    expected: str = ""
    found: tuple[str, ...] = ()


class _What(NamedTuple):
    """What is the same about all places of one gap."""

    code: str
    subject: str = ""
    level: str = ""
    expected: str = ""
    found: tuple[str, ...] = ()


def coverage(bundle: Bundle, day: date) -> tuple[Gap, ...]:
    """Every gap of the bundle on that day, in the order of `CODES`, then by subject and area."""
    survey = _Survey(bundle, day)
    found = (
        *_pairings(survey), *_posts(survey), *_staffing(survey), *_owners(survey), *_entries(survey),
    )  # fmt: skip
    return tuple(sorted(found, key=lambda gap: (CODES.index(gap.code), gap.subject, gap.level, gap.area)))


class _Survey:
    """The bundle as it is on the day: its areas in force, and which of them are the lowest."""

    def __init__(self, bundle: Bundle, day: date) -> None:
        self.bundle = bundle
        self.day = day
        rows = [area for area in bundle.parts.areas if area.layer != NEIGHBOUR and holds(area, day)]
        above = {area.parent for area in rows}
        self.areas: Mapping[str, Area] = {area.code: area for area in rows}
        self.lowest = tuple(area for area in rows if area.code not in above)

    @property
    def guarded(self) -> Collection[str]:
        """The lowest areas of guarded kinds, in every layer: the grids, or what they are divided into."""
        return [area.code for area in self.lowest if self.bundle.register.guards(area.kind)]

    @property
    def main(self) -> str:
        return self.bundle.city.layers[0]

    def chain(self, area: str) -> tuple[Area, ...]:
        return self.bundle.areas.chain(area, self.day)

    def gaps(self, places: Mapping[_What, Collection[str]], among: Iterable[str]) -> Iterator[Gap]:
        """Each gap at the topmost areas that it holds for as a whole, counted by the areas `among`."""
        all_ = Counter(above.code for area in among for above in self.chain(area))
        for what, areas in places.items():
            here = Counter(above.code for area in areas for above in self.chain(area))
            tops: dict[str, list[str]] = defaultdict(list)
            for area in areas:
                whole = [above.code for above in self.chain(area) if here[above.code] == all_[above.code]]
                tops[whole[-1]].append(area)
            for top, lowest in tops.items():
                yield Gap(area=top, areas=tuple(sorted(lowest)), **what._asdict())

    @cached_property
    def held(self) -> Mapping[str, Sequence[Post]]:
        """By area, the posts on this day that somebody holds, or whose substitute somebody holds."""
        found: dict[str, list[Post]] = defaultdict(list)
        for post in self.bundle.parts.posts:
            if holds(post, self.day) and self._manned(post):
                found[post.area].append(post)
        return found

    def _manned(self, post: Post) -> bool:
        substitute = self.bundle.posts.get(post.substitute, self.day) if post.substitute else None
        return bool(post.person or (substitute and substitute.person))


def _pairings(survey: _Survey) -> Iterator[Gap]:
    """包联全覆盖: which lowest areas no unit answers for, nor for an area above them."""
    pairings, guarded = survey.bundle.pairings, survey.guarded
    bare = [area for area in guarded if not pairings.of_area(area, survey.day)]
    yield from survey.gaps({_What("no_pairing"): bare}, guarded)


def _posts(survey: _Survey) -> Iterator[Gap]:
    """人在格中: which lowest areas have no post of their own, or none that anybody holds."""
    known: dict[str, list[str]] = defaultdict(list)
    for post in survey.bundle.parts.posts:
        if holds(post, survey.day):
            known[post.area].append(post.code)
    guarded = survey.guarded
    vacant = [area for area in guarded if known[area] and area not in survey.held]
    places = {_What("vacant", found=tuple(sorted(known[area]))): [area] for area in vacant}
    yield from survey.gaps({_What("no_post"): [area for area in guarded if not known[area]]}, guarded)
    yield from survey.gaps(places, guarded)


def _staffing(survey: _Survey) -> Iterator[Gap]:
    """配备标准: which areas have fewer posts of a role than the template of their kind asks for."""
    below: Counter[tuple[str, str]] = Counter()
    at: Counter[tuple[str, str]] = Counter()
    for area, posts in survey.held.items():
        for post in posts:
            at[post.role, area] += 1
            below.update((post.role, above.code) for above in survey.chain(area))
    for row in survey.bundle.parts.staffing:
        kind = [area.code for area in survey.areas.values() if area.kind == row.kind]
        short: dict[_What, list[str]] = defaultdict(list)
        for area in kind:
            count = below[row.role, area]
            if row.shared:
                count += sum(at[row.role, above.code] for above in survey.chain(area)[1:])
            if count < row.least:
                short[_short(row, count)].append(area)
        yield from survey.gaps(short, kind)


def _short(row: Staffing, count: int) -> _What:
    return _What("understaffed", row.role, row.kind, str(row.least), (str(count),))


def _owners(survey: _Survey) -> Iterator[Gap]:
    """Which matter nobody can lead in a place of the main layer, and which one two units lead there alike.

    As if every step of the guard were enforced, in 平; the fallback (兜底) is no owner.
    """
    places = [area.code for area in survey.lowest if area.layer == survey.main]
    owned = _Owned(survey)
    for matter in survey.bundle.parts.matters:
        found: dict[_What, list[str]] = defaultdict(list)
        for area in places:
            owners = owned.of(matter, area)
            if not owners:
                found[_What("no_owner", matter.code, found=_named(matter))].append(area)
            elif len(owners) > 1:
                found[_What("two_owners", matter.code, found=owners)].append(area)
        yield from survey.gaps(found, places)


def _named(matter: Matter) -> tuple[str, ...]:
    return tuple(f"{rule.by}:{rule.select}" for rule in matter.responsibility if rule.role == "lead")


class _Owned:
    """Who leads what where; places that no unit and no entry tells apart are asked about once."""

    def __init__(self, survey: _Survey) -> None:
        self._survey = survey
        parts = survey.bundle.parts
        self._telling = {unit.area for unit in parts.units} | {entry.area for entry in parts.entries}
        self._known: dict[tuple[str, tuple[str, ...]], tuple[str, ...]] = {}

    def of(self, matter: Matter, area: str) -> tuple[str, ...]:
        """The units that come first, by code: those whom the first fruitful row of responsibility names
        with the nearest territory.
        """
        chain = self._survey.chain(area)
        key = matter.code, tuple(above.code for above in chain if above.code in self._telling)
        if key not in self._known:
            self._known[key] = self._first(matter, area, chain)
        return self._known[key]

    def _first(self, matter: Matter, area: str, chain: Sequence[Area]) -> tuple[str, ...]:
        bundle, day = self._survey.bundle, self._survey.day
        for rule in matter.responsibility:
            if rule.role != "lead":
                continue
            units = [
                unit for unit in selected(bundle, rule, area, day) if self._may_lead(unit, matter, chain)
            ]
            near = tuple(dict.fromkeys(unit.code for unit in units if unit.area == units[0].area))
            if near or self._of_another_net(rule, matter):
                return near or self._of_another_net(rule, matter)
        return ()

    def _of_another_net(self, rule: Responsibility, matter: Matter) -> tuple[str, ...]:
        """A unit whose territory lies in another layer: without the map nobody knows that it is not here."""
        bundle, day = self._survey.bundle, self._survey.day
        if rule.by in ("unit", "territory"):
            return ()
        areas = self._survey.areas
        there = [
            unit.code
            for unit in bundle.units.with_trade(rule.select, day=day)
            if unit.area in areas and areas[unit.area].layer != self._survey.main
            if able(bundle, unit, matter)
        ]
        return tuple(there[:1])

    def _may_lead(self, unit: Unit, matter: Matter, chain: Sequence[Area]) -> bool:
        survey = self._survey
        entries = _in_force(survey, matter, chain, unit.level, Mode.NORMAL)
        lent = not matter.row8 and any(entry.role == "entrusted" for entry in entries)
        may = reaches if lent else able
        if not may(survey.bundle, unit, matter):
            return False
        if any(entry.prohibits for entry in entries):
            return False
        if not survey.bundle.register.guards(unit.level):
            return True
        if not matter.row8_known or matter.triage == SMALL:
            return matter.row8_known
        return any(entry.role in LEADS and entry.funded(survey.day) for entry in entries)


def _in_force(survey: _Survey, matter: Matter, chain: Sequence[Area], level: str, mode: Mode) -> list[Entry]:
    found = survey.bundle.register.entries_for(matter, chain, (survey.main,), level, mode)
    return [entry for entry in found if entry.in_force(survey.day)]


def _entries(survey: _Survey) -> Iterator[Gap]:
    """Which matter names a guarded level without an entry that lets it lead or assist, or forbids it."""
    for matter in survey.bundle.parts.matters:
        for rule in matter.responsibility:
            of_level = rule.by == "territory" and survey.bundle.register.guards(rule.select)
            if of_level and not (rule.role == "lead" and matter.triage == SMALL):
                kind = [area.code for area in survey.areas.values() if area.kind == rule.select]
                lacking: dict[_What, list[str]] = defaultdict(list)
                for area in kind:
                    if modes := _without_entry(survey, matter, rule, area):
                        lacking[_What("no_entry", matter.code, rule.select, rule.role, modes)].append(area)
                yield from survey.gaps(lacking, kind)


def _without_entry(survey: _Survey, matter: Matter, rule: Responsibility, area: str) -> tuple[str, ...]:
    """The modes in which the register says nothing. A prohibition speaks of leads only."""
    says: Callable[[Entry], bool] = (
        (lambda entry: entry.prohibits or entry.role in LEADS)
        if rule.role == "lead"
        else (lambda entry: entry.role in HELPS)
    )
    chain = survey.chain(area)
    return tuple(
        mode.value
        for mode in Mode
        if not any(says(entry) for entry in _in_force(survey, matter, chain, rule.select, mode))
    )
