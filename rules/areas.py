from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from ahocorasick_rs import AhoCorasick
from msgspec import Struct

from rules.geometry import Place, Shape, ShapeIndex
from rules.validity import FIRST_DAY, LAST_DAY, Versions, holds


class Area(Struct, frozen=True, kw_only=True):
    """One node of the tree 市 → 区 → 街道 → 社区 → 网格; `kind` and its `level` number are the city's data.

    `layer` is the net that it belongs to (治理, 城管, …), `scheme` the code system that `code` comes from.
    """

    code: str
    name: str
    kind: str
    level: int
    layer: str
    parent: str = ""
    scheme: str = ""
    aliases: tuple[str, ...] = ()
    valid_from: date = FIRST_DAY
    valid_to: date = LAST_DAY


@dataclass(frozen=True)
class Areas:
    """All areas with their polygons. Without a day, a lookup means the latest version of a code."""

    rows: tuple[Area, ...]
    shapes: tuple[Shape, ...] = ()
    layers: tuple[str, ...] = ()
    near_metres: int = 15

    def get(self, code: str, day: date | None = None) -> Area | None:
        return self._versions.get(code, day)

    def __getitem__(self, code: str) -> Area:
        return self._versions.latest(code)

    def __contains__(self, code: object) -> bool:
        return code in self._versions

    def chain(self, code: str, day: date | None = None) -> tuple[Area, ...]:
        """The area itself and all above it up to the root; empty if the code is unknown (or not in force)."""
        known = self._chains.get(code)
        if known is not None and (day is None or code in self._timeless):
            return known
        return self._walk(code, day)

    def within(self, code: str, ancestor: str, day: date | None = None) -> bool:
        """Whether `code` is `ancestor` or lies below it."""
        return any(area.code == ancestor for area in self.chain(code, day))

    def of_kind(self, kind: str, day: date | None = None) -> tuple[Area, ...]:
        return tuple(area for area in self._kinds.get(kind, ()) if holds(area, day))

    def ancestor(self, code: str, kind: str, day: date | None = None) -> Area | None:
        """The area of that kind on the way from `code` (itself included) to the root."""
        return next((area for area in self.chain(code, day) if area.kind == kind), None)

    def children(self, code: str, day: date | None = None) -> tuple[Area, ...]:
        return tuple(area for area in self._children.get(code, ()) if holds(area, day))

    def at(self, lon_e7: int, lat_e7: int, day: date) -> Place:
        """Where a point lies in every layer on the map of that day; see `rules.geometry`."""
        return self._index.locate(lon_e7, lat_e7, day)

    def named(self, text: str, day: date | None = None) -> tuple[Area, ...]:
        """The areas whose name or alias stands in the text, longest word first, then the deeper area."""
        automaton, words, owners = self._names
        found = {words[hit[0]] for hit in automaton.find_matches_as_indexes(text, overlapping=True)}
        ranked: dict[str, tuple[int, int, str, Area]] = {}
        for word in sorted(found, key=len):
            for area in owners[word]:
                if holds(area, day):
                    ranked[area.code] = (-len(word), -area.level, area.code, area)
        return tuple(area for *_, area in sorted(ranked.values(), key=lambda rank: rank[:3]))

    @cached_property
    def _versions(self) -> Versions[Area]:
        return Versions(self.rows)

    @cached_property
    def _chains(self) -> Mapping[str, tuple[Area, ...]]:
        return {code: self._walk(code, None) for code in self._versions}

    @cached_property
    def _timeless(self) -> frozenset[str]:
        single = self._versions.single
        return frozenset(code for code, up in self._chains.items() if all(single(area.code) for area in up))

    @cached_property
    def _kinds(self) -> Mapping[str, tuple[Area, ...]]:
        return _grouped((area.kind, area) for area in self.rows)

    @cached_property
    def _children(self) -> Mapping[str, tuple[Area, ...]]:
        return _grouped((area.parent, area) for area in self.rows if area.parent)

    @cached_property
    def _index(self) -> ShapeIndex:
        return ShapeIndex.over(self.rows, self.shapes, self.layers, self.near_metres)

    @cached_property
    def _names(self) -> tuple[AhoCorasick, tuple[str, ...], Mapping[str, tuple[Area, ...]]]:
        owners = _grouped((word, area) for area in self.rows for word in (area.name, *area.aliases) if word)
        words = tuple(sorted(owners))
        return AhoCorasick(words), words, owners

    def _walk(self, code: str, day: date | None) -> tuple[Area, ...]:
        chain: list[Area] = []
        area = self._versions.get(code, day)
        while area is not None and area not in chain:
            chain.append(area)
            area = self._versions.get(area.parent, day) if area.parent else None
        return tuple(chain)


def _grouped(pairs: Iterable[tuple[str, Area]]) -> Mapping[str, tuple[Area, ...]]:
    groups: dict[str, list[Area]] = defaultdict(list)
    for key, area in pairs:
        groups[key].append(area)
    return {key: tuple(areas) for key, areas in groups.items()}
