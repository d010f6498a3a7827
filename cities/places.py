"""Points inside the polygons of a bundle, and how people call the place."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import cos, radians
from random import Random

from cities.voices import Words
from rules.areas import Area
from rules.bundle import Bundle
from rules.geometry import E7, METRES_PER_DEGREE, Ring, Shape
from schemas.report import Position


@dataclass(frozen=True, slots=True)
class Spot:
    """A point with the area that it was drawn in and the words for it."""

    position: Position
    area: Area
    near: str


class Map:
    """The polygons of one kind of area, drawn from in proportion to their boxes."""

    def __init__(self, bundle: Bundle, kind: str = "") -> None:
        levels = {area.code: area for area in bundle.parts.areas if area.layer == bundle.city.layers[0]}
        shapes = [shape for shape in bundle.parts.shapes if shape.area in levels]
        deepest = kind or max((levels[shape.area] for shape in shapes), key=lambda area: area.level).kind
        self.bundle = bundle
        self.shapes = tuple(shape for shape in shapes if levels[shape.area].kind == deepest)
        self.areas = levels
        self._totals = tuple(accumulate(_box_size(shape) for shape in self.shapes))

    def spot(self, dice: Random, words: Words) -> Spot:
        """A point anywhere on the map."""
        shape = self.shapes[bisect_right(self._totals, dice.random() * self._totals[-1])]
        lon, lat = _inside(shape, dice)
        area = self.areas[shape.area]
        return Spot(Position(lon_e7=lon, lat_e7=lat), area, self._called(area, dice, words))

    def moved(self, position: Position, metres: int, dice: Random) -> Position:
        """A point up to `metres` to the east or west and to the north or south."""
        per_lon = METRES_PER_DEGREE * cos(radians(position.lat_e7 / E7))
        east, north = dice.randint(-metres, metres), dice.randint(-metres, metres)
        return Position(
            lon_e7=position.lon_e7 + round(east * E7 / per_lon),
            lat_e7=position.lat_e7 + round(north * E7 / METRES_PER_DEGREE),
        )

    def outside(self, dice: Random) -> Position:
        """A point some kilometres beyond the city."""
        ring = self.shapes[0].polygons[0][0]
        return Position(lon_e7=ring[0] + dice.randint(8_000_000, 20_000_000), lat_e7=ring[1] + 9_000_000)

    def _called(self, area: Area, dice: Random, words: Words) -> str:
        estates = tuple(alias for alias in area.aliases if not alias.isascii())
        name = estates[0] if estates else area.name
        if dice.random() < 0.55:
            return f"{name}{dice.randint(1, 24)}号楼{words.one(dice, 'sides')}"
        if dice.random() < 0.6:
            road = words.lists["roads"][sum(map(ord, area.code)) % len(words.lists["roads"])]
            return f"{name}{road}{dice.randint(1, 260)}号{words.one(dice, 'sides')}"
        return f"{name}{words.one(dice, 'sides')}"


def _box_size(shape: Shape) -> int:
    lons, lats = _sides(shape.polygons[0][0])
    return max((max(lons) - min(lons)) // 1000 * ((max(lats) - min(lats)) // 1000), 1)


def _inside(shape: Shape, dice: Random) -> tuple[int, int]:
    """A point within the first polygon, away from the corners of its box; its first corner if dice fail."""
    outer = shape.polygons[0][0]
    lons, lats = _sides(outer)
    for _ in range(200):
        lon, lat = dice.randint(min(lons), max(lons)), dice.randint(min(lats), max(lats))
        if contains(shape.polygons[0], lon, lat):
            return lon, lat
    return outer[0], outer[1]


def contains(polygon: Sequence[Ring], lon: int, lat: int) -> bool:
    """Whether a point lies within the outer ring and in none of the holes (even-odd rule, whole numbers)."""
    return sum(_crossings(ring, lon, lat) for ring in polygon) % 2 == 1


def _crossings(ring: Ring, lon: int, lat: int) -> int:
    lons, lats = _sides(ring)
    count = 0
    for x1, y1, x2, y2 in zip(lons, lats, lons[1:], lats[1:], strict=False):
        if (y1 > lat) != (y2 > lat):
            count += (lon - x1) * abs(y2 - y1) < (x2 - x1) * (lat - y1) * (1 if y2 > y1 else -1)
    return count


def _sides(ring: Ring) -> tuple[Ring, Ring]:
    return ring[::2], ring[1::2]
