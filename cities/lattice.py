"""An invented net of grids (网格): a crooked lattice whose neighbours share every corner.

Corners and the middles of edges are moved by a hash of their place, never by a random source: the same
figure comes out on every machine, without gaps or overlaps.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise

Point = tuple[int, int]
"""Longitude and latitude in 10⁻⁷ degrees."""
Cell = tuple[int, int]
"""Column and row of a lattice square, from the south-west."""


@dataclass(frozen=True, slots=True)
class Lattice:
    """Squares of `width` × `height` (10⁻⁷ degrees); corners stray by up to `stray` per cent of that."""

    west: int
    south: int
    width: int
    height: int
    stray: int

    def ring(self, cells: Iterable[Cell]) -> tuple[Point, ...]:
        """The closed outline of squares that hang together, counter-clockwise, with every shared corner."""
        points = tuple(self._placed(x, y) for x, y in _outline(frozenset(cells)))
        return (*points, points[0])

    def middle(self, cell: Cell) -> Point:
        column, row = cell
        return (
            self.west + column * self.width + self.width // 2,
            self.south + row * self.height + self.height // 2,
        )

    def _placed(self, x2: int, y2: int) -> Point:
        """A corner or the middle of an edge, in half squares, with its stray."""
        limit = self.stray if x2 % 2 == y2 % 2 == 0 else self.stray // 2
        east, north = _strays(f"{x2},{y2}", limit)
        lon = self.west + x2 * self.width // 2 + self.width * east // 100
        return lon, self.south + y2 * self.height // 2 + self.height * north // 100


def _strays(place: str, limit: int) -> tuple[int, int]:
    digest = sha256(place.encode()).digest()
    span = 2 * limit + 1
    return digest[0] % span - limit, digest[1] % span - limit


def _outline(cells: frozenset[Cell]) -> list[Point]:
    """The border of the squares in half-square units, walked once around with the inside on the left."""
    following = dict(_border(cells))
    start = min(following)
    walked = [start]
    while following[walked[-1]] != start:
        walked.append(following[walked[-1]])
    return [
        point
        for a, b in pairwise([*walked, start])
        for point in (a, ((a[0] + b[0]) // 2, (a[1] + b[1]) // 2))
    ]


def _border(cells: frozenset[Cell]) -> Iterator[tuple[Point, Point]]:
    for x, y in sorted(cells):
        corners = [(2 * x, 2 * y), (2 * x + 2, 2 * y), (2 * x + 2, 2 * y + 2), (2 * x, 2 * y + 2)]
        beyond = [(x, y - 1), (x + 1, y), (x, y + 1), (x - 1, y)]
        for edge, other in enumerate(beyond):
            if other not in cells:
                yield corners[edge], corners[(edge + 1) % 4]


def joined(
    columns: Sequence[int], rows: Sequence[int], pair: tuple[Cell, Cell] | None
) -> tuple[tuple[Cell, ...], ...]:
    """The squares of a block, row by row from the north; the two of `pair` make one grid."""
    cells = [(x, y) for y in reversed(rows) for x in columns]
    if pair is None:
        return tuple((cell,) for cell in cells)
    return tuple((cell, pair[1]) if cell == pair[0] else (cell,) for cell in cells if cell != pair[1])


def feature(code: str, ring: Sequence[Point], properties: Mapping[str, str]) -> dict[str, object]:
    """One polygon as GeoJSON, degrees with seven digits."""
    line = [[lon / 10_000_000, lat / 10_000_000] for lon, lat in ring]
    return {
        "type": "Feature",
        "properties": {"code": code, **properties},
        "geometry": {"type": "Polygon", "coordinates": [line]},
    }
