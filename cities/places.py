"""Points inside the polygons of a bundle, and how people call the place."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import cos, radians
from random import Random

import shapely
from shapely import Polygon

from cities.voices import Words
from rules.areas import Area
from rules.bundle import Bundle
from rules.geometry import E7, METRES_PER_DEGREE, Ring, Shape
from schemas.report import Position


@dataclass(frozen=True, slots=True)
class Spot:
    """A point with the area that it was drawn in and the words for it."""

    position: Position | None
    area: Area
    near: str


class Map:
    """Polygons that together cover the city, drawn from in proportion to their size.

    Without a kind they are of the deepest kind that leaves no more than half a per cent open: where grids
    are drawn for a part only, communities or streets. A city without polygons has areas and no points.
    """

    def __init__(self, bundle: Bundle, kind: str = "") -> None:
        self.bundle = bundle
        levels = {area.code: area for area in bundle.parts.areas if area.layer == bundle.city.layers[0]}
        drawn = [
            (levels[shape.area], polygon)
            for shape in bundle.parts.shapes
            if shape.area in levels
            for polygon in _polygons(shape)
        ]
        chosen = kind or _covering(drawn)
        self.parts = [(area, polygon) for area, polygon in drawn if area.kind == chosen]
        self.desks = bundle.areas.of_kind(bundle.city.desk_kind) or bundle.parts.areas
        self._totals = tuple(accumulate(polygon.area for _, polygon in self.parts))

    def spot(self, dice: Random, words: Words) -> Spot:
        """A point anywhere on the map."""
        if not self.parts:
            area = dice.choice(self.desks)
            return Spot(None, area, self._called(area, dice, words))
        drawn = dice.random() * self._totals[-1]
        area, polygon = self.parts[min(bisect_right(self._totals, drawn), len(self.parts) - 1)]
        lon, lat = _inside(polygon, dice)
        place = self.bundle.areas.at(lon, lat, self.bundle.city.starts)
        found = (self.bundle.areas.get(place.area) if place.area else None) or area
        return Spot(Position(lon_e7=lon, lat_e7=lat), found, self._called(found, dice, words))

    def moved(self, position: Position | None, metres: int, dice: Random) -> Position | None:
        """A point up to `metres` to the east or west and to the north or south."""
        if position is None:
            return None
        per_lon = METRES_PER_DEGREE * cos(radians(position.lat_e7 / E7))
        east, north = dice.randint(-metres, metres), dice.randint(-metres, metres)
        return Position(
            lon_e7=position.lon_e7 + round(east * E7 / per_lon),
            lat_e7=position.lat_e7 + round(north * E7 / METRES_PER_DEGREE),
        )

    def outside(self, dice: Random) -> Position | None:
        """A point some kilometres beyond the city."""
        if not self.parts:
            return None
        east, north = (max(int(part.bounds[side]) for _, part in self.parts) for side in (2, 3))
        return Position(lon_e7=east + dice.randint(800_000, 20_000_000), lat_e7=north + 900_000)

    def _called(self, area: Area, dice: Random, words: Words) -> str:
        estates = tuple(alias for alias in area.aliases if not alias.isascii())
        name = estates[0] if estates else area.name
        if dice.random() < 0.55:
            return f"{name}{dice.randint(1, 24)}号楼{words.one(dice, 'sides')}"
        if dice.random() < 0.6:
            road = words.lists["roads"][sum(map(ord, area.code)) % len(words.lists["roads"])]
            return f"{name}{road}{dice.randint(1, 260)}号{words.one(dice, 'sides')}"
        return f"{name}{words.one(dice, 'sides')}"


def _covering(drawn: Sequence[tuple[Area, Polygon]]) -> str:
    """The deepest kind whose polygons cover the city, empty if nothing is drawn."""
    sizes: dict[tuple[int, str], float] = defaultdict(float)
    for area, polygon in drawn:
        sizes[area.level, area.kind] += polygon.area
    whole = max(sizes.values(), default=0.0)
    return max((kind for kind, size in sizes.items() if size > 0.995 * whole), default=(0, ""))[1]


def _polygons(shape: Shape) -> list[Polygon]:
    """The polygons of an area, in whole 10⁻⁷ degrees, ready to be asked often."""
    found = [Polygon(_pairs(outer), [_pairs(hole) for hole in holes]) for outer, *holes in shape.polygons]
    shapely.prepare(found)
    return found


def _pairs(ring: Ring) -> list[tuple[int, int]]:
    return list(zip(ring[::2], ring[1::2], strict=True))


def _inside(polygon: Polygon, dice: Random) -> tuple[int, int]:
    """A point within the polygon; its first corner if the dice fail."""
    west, south, east, north = (int(side) for side in polygon.bounds)
    for _ in range(500):
        lon, lat = dice.randint(west, east), dice.randint(south, north)
        if shapely.contains_xy(polygon, lon, lat):
            return lon, lat
    lon, lat = polygon.exterior.coords[0]
    return int(lon), int(lat)
