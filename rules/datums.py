"""Coordinate systems of maps (坐标系): what is not WGS 84 is brought there, to within a metre.

Chinese web maps shift every point by some hundred metres: GCJ-02 (国测局, Amap, Tencent) and, upon it,
BD-09 (Baidu). CGCS2000 (国家大地坐标系) differs from WGS 84 by centimetres and is taken as it is.
"""

from collections.abc import Mapping
from math import atan2, cos, pi, radians, sin, sqrt
from types import MappingProxyType
from typing import Final

WGS84: Final = "WGS 84"
GCJ02: Final = "GCJ-02"
BD09: Final = "BD-09"
SYSTEMS: Final = (WGS84, GCJ02, BD09)

_NAMES: Final[Mapping[str, str]] = MappingProxyType({
    "": WGS84, "WGS84": WGS84, "EPSG4326": WGS84, "4326": WGS84,
    "CGCS2000": WGS84, "EPSG4490": WGS84, "4490": WGS84,
    "GCJ02": GCJ02, "BD09": BD09, "BD09LL": BD09,
})  # fmt: skip
_SEMI_MAJOR: Final = 6_378_245.0
_FLATNESS: Final = 0.006_693_421_622_965_943
E7: Final = 10_000_000


def datum(said: str) -> str | None:
    """The system that a word means, `None` for one that is not known here."""
    return _NAMES.get("".join(sign for sign in said.upper() if sign.isalnum()))


def to_wgs84(lon_e7: int, lat_e7: int, of: str) -> tuple[int, int]:
    """The point in WGS 84; the shift has no inverse in closed form and is approached in four steps."""
    if of == WGS84:
        return lon_e7, lat_e7
    lon, lat = lon_e7 / E7, lat_e7 / E7
    if of == BD09:
        lon, lat = _without_baidu(lon, lat)
    guess_lon, guess_lat = lon, lat
    for _ in range(4):
        shifted_lon, shifted_lat = to_gcj02(guess_lon, guess_lat)
        guess_lon, guess_lat = guess_lon + lon - shifted_lon, guess_lat + lat - shifted_lat
    return round(guess_lon * E7), round(guess_lat * E7)


def to_gcj02(lon: float, lat: float) -> tuple[float, float]:
    """Degrees of WGS 84 as the maps of China show them; outside of China nothing is shifted."""
    if not (72.004 <= lon <= 137.8347 and 0.8293 <= lat <= 55.8271):
        return lon, lat
    x, y = lon - 105.0, lat - 35.0
    root = sqrt(abs(x))
    short = _waves(20, 6 * x, 20, 2 * x)
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + short
    east += _waves(20, x, 40, x / 3) + _waves(150, x / 12, 300, x / 30)
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + short
    north += _waves(20, y, 40, y / 3) + _waves(160, y / 12, 320, y / 30)
    bend = 1 - _FLATNESS * sin(radians(lat)) ** 2
    across = _SEMI_MAJOR / sqrt(bend) * cos(radians(lat)) * pi / 180
    along = _SEMI_MAJOR * (1 - _FLATNESS) / (bend * sqrt(bend)) * pi / 180
    return lon + east / across, lat + north / along


def _waves(height: float, turn: float, other: float, second: float) -> float:
    """Two of the sine waves that the shift consists of, in metres."""
    return (height * sin(turn * pi) + other * sin(second * pi)) * 2 / 3


def _without_baidu(lon: float, lat: float) -> tuple[float, float]:
    """BD-09 to GCJ-02: a turn around the origin and a shift."""
    x, y = lon - 0.0065, lat - 0.006
    radius = sqrt(x * x + y * y) - 0.000_02 * sin(y * pi * 3000 / 180)
    angle = atan2(y, x) - 0.000_003 * cos(x * pi * 3000 / 180)
    return radius * cos(angle), radius * sin(angle)
