from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from typing import TypeAlias

from msgspec import Struct

from rules.areas import Areas
from rules.validity import FIRST_DAY, LAST_DAY, Versions, holds


class Channel(Struct, frozen=True):
    """How a unit hears of something: `terminal`, `topic`, `webhook` with its address."""

    kind: str
    address: str = ""


class Unit(Struct, frozen=True, kw_only=True):
    """A body that can be responsible: 条 (line, of a trade) or 块 (territory).

    `level` is the kind of area whose authority it has, empty for a company or an owners' body; `area` is
    where it acts, `parent` the unit above it, `guiding` its guiding department (对接指导部门).
    """

    code: str
    name: str
    axis: str
    kind: str
    area: str
    level: str = ""
    parent: str = ""
    guiding: str = ""
    powers: frozenset[str] = frozenset()
    calendar: str = ""
    trade: str = ""
    channels: tuple[Channel, ...] = ()
    subscribes: bool = False
    fallback: bool = False
    valid_from: date = FIRST_DAY
    valid_to: date = LAST_DAY


@dataclass(frozen=True)
class Units:
    """All units. Lists come nearest territory first, then by code; without a day the latest counts."""

    rows: tuple[Unit, ...]
    areas: Areas

    def get(self, code: str, day: date | None = None) -> Unit | None:
        return self._versions.get(code, day)

    def __getitem__(self, code: str) -> Unit:
        return self._versions.latest(code)

    def __contains__(self, code: object) -> bool:
        return code in self._versions

    def in_area(
        self, area: str, level: str = "", kind: str = "", day: date | None = None
    ) -> tuple[Unit, ...]:
        """The units whose territory covers the area, of one level or kind if asked."""
        covering = self._covering(area, day)
        if not level and not kind:
            return covering
        return tuple([unit for unit in covering if level in ("", unit.level) and kind in ("", unit.kind)])

    def with_trade(self, trade: str, area: str = "", day: date | None = None) -> tuple[Unit, ...]:
        """The units of a trade (行业); with an area only those whose territory covers it."""
        if area:
            return tuple([unit for unit in self._covering(area, day) if unit.trade == trade])
        return tuple(unit for unit in self._by_trade.get(trade, ()) if holds(unit, day))

    def fallback(self, area: str, day: date | None = None) -> Unit | None:
        """The 兜底 unit of an area: the nearest one so marked; the bundle check keeps guarded levels out."""
        return next((unit for unit in self.in_area(area, day=day) if unit.fallback), None)

    def above(self, unit: str, day: date | None = None) -> Unit | None:
        """The unit to which this one reports, if it has one."""
        known = self.get(unit, day)
        return self.get(known.parent, day) if known and known.parent else None

    def line(self, unit: str, day: date | None = None) -> tuple[Unit, ...]:
        """All units above this one, nearest first."""
        found: list[Unit] = []
        above = self.above(unit, day)
        while above is not None and above not in found:
            found.append(above)
            above = self.above(above.code, day)
        return tuple(found)

    @cached_property
    def _covering(self) -> "_Lookup":
        """By area and day: every case of a neighbourhood asks the same."""

        def covering(area: str, day: date | None) -> tuple[Unit, ...]:
            chain = self.areas.chain(area, day)
            return tuple(
                unit for place in chain for unit in self._by_area.get(place.code, ()) if holds(unit, day)
            )

        return lru_cache(4096)(covering)

    @cached_property
    def _versions(self) -> Versions[Unit]:
        return Versions(self.rows)

    @cached_property
    def _by_area(self) -> Mapping[str, tuple[Unit, ...]]:
        return _grouped((unit.area, unit) for unit in self.rows)

    @cached_property
    def _by_trade(self) -> Mapping[str, tuple[Unit, ...]]:
        return _grouped((unit.trade, unit) for unit in self.rows if unit.trade)


_Lookup: TypeAlias = Callable[[str, date | None], tuple[Unit, ...]]


def _grouped(pairs: Iterable[tuple[str, Unit]]) -> Mapping[str, tuple[Unit, ...]]:
    groups: dict[str, list[Unit]] = defaultdict(list)
    for key, unit in pairs:
        groups[key].append(unit)
    return {key: tuple(sorted(units, key=lambda unit: unit.code)) for key, units in groups.items()}
