"""Where cases of one matter can meet: cells of a coarse net, an address line, else the area (同地判断).

Whole numbers only: the same points give the same metres on every machine.
"""

from math import cos, isqrt, radians
from typing import NamedTuple

from schemas.intake import ReadReport
from services.intake.likeness import letters

LAT_CELL, LON_CELL = 10_000, 13_000
"""Sides of a cell in 10⁻⁷ degrees: about 110 m."""
FARTHEST = 1_000
"""Metres beyond which no report merges by rule, whatever a matter says."""
MICRONS = 11_132
"""Micrometres of one 10⁻⁷ degree of latitude."""
_COSINES = tuple(round(10_000 * cos(radians(degree))) for degree in range(91))


def spots_of(report: ReadReport) -> tuple[str, ...]:
    """The keys under which a case of this report is found again."""
    matter, keys = report.matter, list[str]()
    if report.position is not None:
        keys.append(_cell(matter, report.position.lon_e7 // LON_CELL, report.position.lat_e7 // LAT_CELL))
    if report.place:
        keys.append(f"{matter}@{letters(report.place)}")
    if not keys and report.areas:
        keys.append(f"{matter}#{report.areas[0].area}")
    return tuple(keys)


class Box(NamedTuple):
    """What a report can reach: a box of longitude and latitude around its point."""

    west: int
    south: int
    east: int
    north: int


def box_around(lon_e7: int, lat_e7: int, metres: int) -> Box:
    """A box that holds all points within `metres`, which `metres_between` rounds down."""
    reach = (min(metres, FARTHEST) + 1) * 1_000_000
    up = reach // MICRONS + 1
    across = reach // max(MICRONS * (_cosine(lat_e7) - 1) // 10_000, 1) + 1
    return Box(lon_e7 - across, lat_e7 - up, lon_e7 + across, lat_e7 + up)


def cells_of(matter: str, box: Box) -> list[str]:
    """The keys of all cells that the box touches."""
    columns = range(box.west // LON_CELL, box.east // LON_CELL + 1)
    rows = range(box.south // LAT_CELL, box.north // LAT_CELL + 1)
    return [_cell(matter, x, y) for x in columns for y in rows]


def metres_between(lon_e7: int, lat_e7: int, other_lon_e7: int, other_lat_e7: int) -> int:
    """The distance of two points that are not far apart, in whole metres."""
    y = (other_lat_e7 - lat_e7) * MICRONS
    x = (other_lon_e7 - lon_e7) * MICRONS * _cosine(lat_e7) // 10_000
    return isqrt(x * x + y * y) // 1_000_000


def _cosine(lat_e7: int) -> int:
    """Ten thousand times the cosine of a latitude, straight between whole degrees."""
    degree, rest = divmod(min(abs(lat_e7), 899_999_999), 10_000_000)
    low, high = _COSINES[degree], _COSINES[degree + 1]
    return low + (high - low) * rest // 10_000_000


def _cell(matter: str, x: int, y: int) -> str:
    return f"{matter}|{x}|{y}"
