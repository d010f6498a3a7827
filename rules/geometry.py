from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import cos, radians
from typing import Any, Protocol, TypeAlias, cast

import numpy as np
import shapely
from msgspec import Struct
from shapely import Polygon

from rules.validity import FIRST_DAY

METRES_PER_DEGREE = 111_320
E7 = 10_000_000

Ring = tuple[int, ...]
"""A closed ring as lon, lat, lon, lat … in 10⁻⁷ degrees (WGS 84)."""


class Shape(Struct, frozen=True, kw_only=True):
    """The polygons of one version of an area: each an outer ring, then its holes."""

    area: str
    polygons: tuple[tuple[Ring, ...], ...]
    valid_from: date = FIRST_DAY


Polygons: TypeAlias = "np.ndarray[Any, np.dtype[np.object_]]"


class Place(Struct, frozen=True, gc=False):
    """Where a point lies: the deepest area of each layer, the main layer (治理) first.

    `confidence` is per mille: 1000 clear of every boundary, 500 on one; `candidates` are what comes into
    question in the main layer with the distance in metres, nearest first, if there is more than one.
    `outside` says that the city has a map and the point is not on it.
    """

    areas: tuple[tuple[str, str], ...] = ()
    confidence: int = 0
    candidates: tuple[tuple[str, int], ...] = ()
    outside: bool = False

    @property
    def area(self) -> str:
        """The code in the main layer, else in the first layer that knows the point, else empty."""
        return self.areas[0][1] if self.areas else ""

    def within(self, layer: str) -> str:
        """The code in one layer, empty if that layer has nothing there."""
        return next((code for name, code in self.areas if name == layer), "")


NEIGHBOUR = "neighbour"
"""The layer of areas that belong to somebody else: a point there is outside, but the bundle knows whose."""

NOWHERE = Place()
OUTSIDE = Place(outside=True)


class Mapped(Protocol):
    """What the index needs to know of an area."""

    @property
    def code(self) -> str: ...
    @property
    def layer(self) -> str: ...
    @property
    def level(self) -> int: ...
    @property
    def valid_from(self) -> date: ...
    @property
    def valid_to(self) -> date: ...


@dataclass(frozen=True, slots=True)
class ShapeIndex:
    """An STRtree over all polygons, in a plane of metres around the middle of the map.

    Every box is widened by `near`, so one query finds both what contains the point and what is close. The
    plane is an affine image of longitude and latitude: containment is exact, distances are good to 1 %
    within a degree of the middle. What lies on a common border goes to the smaller code.
    """

    areas: tuple[Mapped, ...]
    polygons: Polygons
    drawn: Mapping[tuple[str, date], shapely.MultiPolygon]
    tree: shapely.STRtree
    ranks: Mapping[str, int]
    near: int
    plane: "Plane"

    @classmethod
    def over(
        cls, rows: Sequence[Mapped], shapes: Sequence[Shape], layers: Sequence[str], near: int
    ) -> "ShapeIndex":
        by_version = {(row.code, row.valid_from): row for row in rows}
        drawn = sorted(
            ((by_version[shape.area, shape.valid_from], shape) for shape in shapes),
            key=lambda pair: pair[0].code,
        )
        plane = Plane.around([shape for _, shape in drawn])
        polygons = [plane.polygon(shape) for _, shape in drawn]
        shapely.prepare(polygons)
        keys = [(row.code, row.valid_from) for row, _ in drawn]
        return cls(
            areas=tuple(row for row, _ in drawn),
            polygons=np.array(polygons, dtype=object),
            drawn=dict(zip(keys, polygons, strict=True)),
            tree=shapely.STRtree([_widened(polygon, near) for polygon in polygons]),
            ranks={layer: rank for rank, layer in enumerate(layers)},
            near=near,
            plane=plane,
        )

    def locate(self, lon_e7: int, lat_e7: int, day: date) -> Place:
        if not self.areas:
            return NOWHERE
        point = self.plane.point(lon_e7, lat_e7)
        hits = self.tree.query(point)
        indexes: list[int] = hits.tolist()
        around: list[Mapped] = []
        deepest: dict[str, Mapped] = {}
        for index, within in zip(indexes, _within(self.polygons[hits], point), strict=True):
            area = self.areas[index]
            if not area.valid_from <= day <= area.valid_to:
                continue
            around.append(area)
            best = deepest.get(area.layer)
            if within and (best is None or (-area.level, area.code) < (-best.level, best.code)):
                deepest[area.layer] = area
        return self._place(deepest, around, point) if deepest else OUTSIDE

    def _place(self, deepest: Mapping[str, Mapped], around: Sequence[Mapped], point: shapely.Point) -> Place:
        found = sorted(deepest.values(), key=lambda area: self.ranks.get(area.layer, len(self.ranks)))
        chosen = found[0]
        places = tuple([(area.layer, area.code) for area in found])
        if chosen.layer == NEIGHBOUR:
            return Place(places, outside=True)
        doubts = [area for area in around if _rivals(chosen, area)]
        rivals = [
            (area.code, metres) for area in doubts if (metres := self._metres(area, point)) <= self.near
        ]
        if not rivals:
            return Place(places, 1000)
        confidence = 500 + 500 * min(metres for _, metres in rivals) // (self.near + 1)
        return Place(
            places, confidence, ((chosen.code, 0), *sorted(rivals, key=lambda rival: (rival[1], rival[0])))
        )

    def _metres(self, area: Mapped, point: shapely.Point) -> int:
        """Whole metres to an area, or one more than counts as near."""
        polygon = self.drawn[area.code, area.valid_from]
        return _distance(polygon, point) if _is_near(polygon, point, self.near) else self.near + 1


@dataclass(frozen=True, slots=True)
class Plane:
    """Degrees to metres by three whole numbers, so that every machine computes the same plane."""

    lon_e7: int
    lat_e7: int
    metres_per_lon: int

    @classmethod
    def around(cls, shapes: Iterable[Shape]) -> "Plane":
        rings = [ring for shape in shapes for polygon in shape.polygons for ring in polygon]
        if not rings:
            return cls(0, 0, METRES_PER_DEGREE)
        lon = (min(min(ring[::2]) for ring in rings) + max(max(ring[::2]) for ring in rings)) // 2
        lat = (min(min(ring[1::2]) for ring in rings) + max(max(ring[1::2]) for ring in rings)) // 2
        return cls(lon, lat, round(METRES_PER_DEGREE * cos(radians(lat / E7))))

    def point(self, lon_e7: int, lat_e7: int) -> shapely.Point:
        x = (lon_e7 - self.lon_e7) * self.metres_per_lon / E7
        return shapely.Point(x, (lat_e7 - self.lat_e7) * METRES_PER_DEGREE / E7)

    def polygon(self, shape: Shape) -> shapely.MultiPolygon:
        return shapely.MultiPolygon([self._polygon(rings) for rings in shape.polygons])

    def _polygon(self, rings: Sequence[Ring]) -> Polygon:
        outer, *holes = (self._ring(ring) for ring in rings)
        return Polygon(outer, holes)

    def _ring(self, ring: Ring) -> "np.ndarray[Any, np.dtype[np.float64]]":
        pairs = np.array(ring, dtype=np.int64).reshape(-1, 2) - (self.lon_e7, self.lat_e7)
        return pairs * (self.metres_per_lon, METRES_PER_DEGREE) / E7


def _widened(polygon: shapely.MultiPolygon, near: int) -> Polygon:
    west, south, east, north = polygon.bounds
    return shapely.box(west - near, south - near, east + near, north + near)


_GEOS = cast("Any", shapely)
"""The functions of shapely, whose signatures leave their options untyped."""


def _within(polygons: Polygons, point: shapely.Point) -> list[bool]:
    """For each polygon whether the point lies in it or on its border; quick, for they are prepared."""
    return _GEOS.intersects(polygons, point).tolist()


def _is_near(polygon: shapely.MultiPolygon, point: shapely.Point, metres: int) -> bool:
    return bool(_GEOS.dwithin(polygon, point, float(metres)))


def _distance(polygon: shapely.MultiPolygon, point: shapely.Point) -> int:
    return int(_GEOS.distance(polygon, point))


def _rivals(chosen: Mapped, other: Mapped) -> bool:
    """Whether a close area puts the choice in doubt: same layer, as deep or deeper, not the choice itself."""
    return other.layer == chosen.layer and other.level >= chosen.level and other is not chosen
