"""Where cases of one matter can meet: cells of a coarse net, an address line, else the area (同地判断).

Whole numbers only: the same points give the same metres on every machine.
"""

from math import cos, isqrt, radians

from schemas.intake import ReadReport
from services.intake.likeness import letters

LAT_CELL, LON_CELL = 20_000, 30_000
"""Sides of a cell in 10⁻⁷ degrees: about 220 m."""
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


def spots_near(report: ReadReport, metres: int) -> list[str]:
    """The keys at which cases within `metres` of the report may stand."""
    if report.position is None:
        return list(spots_of(report))
    matter, reach = report.matter, min(metres, FARTHEST) * 1_000_000
    lon, lat = report.position.lon_e7, report.position.lat_e7
    up = reach // MICRONS + 1
    across = reach // max(MICRONS * _cosine(lat) // 10_000, 1) + 1
    columns = range((lon - across) // LON_CELL, (lon + across) // LON_CELL + 1)
    rows = range((lat - up) // LAT_CELL, (lat + up) // LAT_CELL + 1)
    return [*(_cell(matter, x, y) for x in columns for y in rows), *spots_of(report)[1:]]


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
