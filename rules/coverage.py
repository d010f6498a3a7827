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

    def of_kind(self, kind: str) -> Sequence[str]:
        return [area.code for area in self.areas.values() if area.kind == kind]

    @property
    def main(self) -> str:
        return self.bundle.city.layers[0]

    def chain(self, area: str) -> tuple[Area, ...]:
        return self.bundle.areas.chain(area, self.day)

    def alike(self, areas: Iterable[str]) -> Collection[Sequence[str]]:
        """The areas in groups: those of one group are told apart by no unit and by no entry."""
        groups: dict[tuple[str, ...], list[str]] = defaultdict(list)
        for area in areas:
            key = tuple(above.code for above in self.chain(area) if above.code in self._telling)
            groups[key].append(area)
        return groups.values()

    @cached_property
    def _telling(self) -> Collection[str]:
        parts = self.bundle.parts
        return {unit.area for unit in parts.units} | {entry.area for entry in parts.entries}

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


class _Ground:
    """The areas that one question is about, so that a gap can be told where it holds as a whole."""

    def __init__(self, survey: _Survey, areas: Iterable[str]) -> None:
        self._survey = survey
        self.areas = tuple(areas)
        self._counts = Counter(above.code for area in self.areas for above in survey.chain(area))

    def gaps(self, places: Mapping[_What, Collection[str]]) -> Iterator[Gap]:
        """Each gap at the topmost areas all of whose parts it holds for."""
        for what, areas in places.items():
            chains = {area: [above.code for above in self._survey.chain(area)] for area in areas}
            here = Counter(code for chain in chains.values() for code in chain)
            tops: dict[str, list[str]] = defaultdict(list)
            for area, chain in chains.items():
                tops[[code for code in chain if here[code] == self._counts[code]][-1]].append(area)
            for top, below in tops.items():
                yield Gap(area=top, areas=tuple(sorted(below)), **what._asdict())


def _pairings(survey: _Survey) -> Iterator[Gap]:
    """包联全覆盖: which lowest areas no unit answers for, nor for an area above them."""
    bundle, day, ground = survey.bundle, survey.day, _Ground(survey, survey.guarded)
    bare = [
        area
        for area in ground.areas
        if not any(bundle.units.get(row.unit, day) for row in bundle.pairings.of_area(area, day))
    ]
    yield from ground.gaps({_What("no_pairing"): bare})


def _posts(survey: _Survey) -> Iterator[Gap]:
    """人在格中: which lowest areas have no post of their own, or none that anybody holds."""
    known: dict[str, list[str]] = defaultdict(list)
    for post in survey.bundle.parts.posts:
        if holds(post, survey.day):
            known[post.area].append(post.code)
    ground = _Ground(survey, survey.guarded)
    places = {
        _What("vacant", found=tuple(sorted(known[area]))): [area]
        for area in ground.areas
        if known[area] and area not in survey.held
    }
    bare = [area for area in ground.areas if not known[area]]
    yield from ground.gaps({_What("no_post"): bare, **places})


def _staffing(survey: _Survey) -> Iterator[Gap]:
    """配备标准: which areas have fewer posts of a role than the template of their kind asks for."""
    below: Counter[tuple[str, str]] = Counter()
    at: Counter[tuple[str, str]] = Counter()
    for area, posts in survey.held.items():
        for post in posts:
            at[post.role, area] += 1
            below.update((post.role, above.code) for above in survey.chain(area))
    for row in survey.bundle.parts.staffing:
        ground = _Ground(survey, survey.of_kind(row.kind))
        short: dict[_What, list[str]] = defaultdict(list)
        for area in ground.areas:
            count = below[row.role, area]
            if row.shared:
                count += sum(at[row.role, above.code] for above in survey.chain(area)[1:])
            if count < row.least:
                short[_short(row, count)].append(area)
        yield from ground.gaps(short)


def _short(row: Staffing, count: int) -> _What:
    return _What("understaffed", row.role, row.kind, str(row.least), (str(count),))


def _owners(survey: _Survey) -> Iterator[Gap]:
    """Which matter nobody can lead in a place of the main layer, and which one two units lead there alike.

    As if every step of the guard were enforced, in 平; the fallback (兜底) is no owner.
    """
    ground = _Ground(survey, (area.code for area in survey.lowest if area.layer == survey.main))
    owned, groups = _Owned(survey), survey.alike(ground.areas)
    for matter in survey.bundle.parts.matters:
        found: dict[_What, list[str]] = defaultdict(list)
        for areas in groups:
            owners = owned.first(matter, areas[0])
            if not owners:
                found[_What("no_owner", matter.code, found=_named(matter))] += areas
            elif len(owners) > 1:
                found[_What("two_owners", matter.code, found=owners)] += areas
        yield from ground.gaps(found)


def _named(matter: Matter) -> tuple[str, ...]:
    return tuple(f"{rule.by}:{rule.select}" for rule in matter.responsibility if rule.role == "lead")


class _Owned:
    """Who leads what where."""

    def __init__(self, survey: _Survey) -> None:
        self._survey = survey

    def first(self, matter: Matter, area: str) -> tuple[str, ...]:
        """The units that come first, by code: those whom the first fruitful row of responsibility names
        with the nearest territory.
        """
        bundle, day, chain = self._survey.bundle, self._survey.day, self._survey.chain(area)
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
    layers = tuple(dict.fromkeys((survey.main, chain[0].layer)))
    found = survey.bundle.register.entries_for(matter, chain, layers, level, mode)
    return [entry for entry in found if entry.in_force(survey.day)]


def _entries(survey: _Survey) -> Iterator[Gap]:
    """Which matter names a guarded level without an entry that lets it lead or assist, or forbids it."""
    guarded = {kind.code for kind in survey.bundle.city.kinds if kind.guarded}
    grounds = {kind: _Ground(survey, survey.of_kind(kind)) for kind in guarded}
    groups = {kind: survey.alike(ground.areas) for kind, ground in grounds.items()}
    for matter in survey.bundle.parts.matters:
        for rule in matter.responsibility:
            kind = rule.select
            by_itself = rule.role == "lead" and matter.triage == SMALL
            if rule.by != "territory" or kind not in guarded or by_itself:
                continue
            lacking: dict[_What, list[str]] = defaultdict(list)
            for areas in groups[kind]:
                if modes := _without_entry(survey, matter, rule, areas[0]):
                    lacking[_What("no_entry", matter.code, kind, rule.role, modes)] += areas
            yield from grounds[kind].gaps(lacking)


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
