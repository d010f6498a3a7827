from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from msgspec import Struct

from rules.areas import Areas
from rules.validity import FIRST_DAY, LAST_DAY, holds

LINKS = {"unit": "单位联点", "leader": "领导包点", "cadre": "干部驻点"}
"""How somebody is bound to an area: a unit as a whole, one of its leaders, a cadre who is there."""


class Pairing(Struct, frozen=True, kw_only=True):
    """包联: a unit answers for an area and all below it, one to one, one to many or many to one.

    `link` is one of `LINKS`; `contact` names the post or person whom the residents may ask for.
    """

    unit: str
    area: str
    link: str = "unit"
    contact: str = ""
    valid_from: date = FIRST_DAY
    valid_to: date = LAST_DAY

    @property
    def code(self) -> str:
        return f"{self.unit} {self.area} {self.link}"


@dataclass(frozen=True)
class Pairings:
    """All pairings (包联表), found by area or by unit."""

    rows: tuple[Pairing, ...]
    areas: Areas

    def of_area(self, area: str, day: date | None = None) -> tuple[Pairing, ...]:
        """Those that cover the area: its own first, then those of the areas above it."""
        return tuple(
            row
            for place in self.areas.chain(area, day)
            for row in self._by_area.get(place.code, ())
            if holds(row, day)
        )

    def of_unit(self, unit: str, day: date | None = None) -> tuple[Pairing, ...]:
        return tuple(row for row in self.rows if row.unit == unit and holds(row, day))

    @cached_property
    def _by_area(self) -> Mapping[str, tuple[Pairing, ...]]:
        groups: dict[str, list[Pairing]] = defaultdict(list)
        for row in sorted(self.rows, key=lambda row: (row.unit, row.link)):
            groups[row.area].append(row)
        return {area: tuple(rows) for area, rows in groups.items()}


class Staffing(Struct, frozen=True, kw_only=True):
    """One line of a staffing template (配备标准, such as 1+1+1+N): each area of `kind` has `least` posts of
    `role`, in it or below it. `shared`: one that acts for an area above counts too (片区民警).
    """

    kind: str
    role: str
    least: int
    shared: bool = False
