"""Where a row of another system lies: by a point of any coordinate system, a code of any scheme, words."""

from datetime import date
from typing import Final, NamedTuple, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from rules.areas import Areas
from rules.bundle import Bundle
from rules.codes import CodeBook, CodeFault
from rules.datums import SYSTEMS, WGS84, datum, to_wgs84
from schemas.refusal import Refusal
from schemas.report import GridReport, Position
from services.intake.channels.cells import degrees
from services.intake.reader.locate import VAGUE, Location, locate

Refused: TypeAlias = tuple[Refusal, ...]
"""All that is wrong with a place."""
_KNOWN: Final = "WGS 84, CGCS2000, GCJ-02 or BD-09, in degrees"


class Sought(NamedTuple):
    """What a row says about its place, as it stands there; what is not said is empty."""

    lon: str = ""
    lat: str = ""
    crs: str = ""
    code: str = ""
    scheme: str = ""
    text: str = ""


class Placed(Struct, frozen=True):
    """The finding of `locate`, and the coordinate system from which the point was brought to WGS 84."""

    location: Location
    crs: str = ""


def look_up(sought: Sought, bundle: Bundle, book: CodeBook, day: date) -> Placed | Refused:
    """A report with nothing but its place, located as any other: the point rules, a code or words refine."""
    if not (sought.lon or sought.lat or sought.code or sought.text):
        return (Refusal(code="no_place", expected="lon and lat, or a code, or words", found="none of them"),)
    point = _point(sought) if sought.lon or sought.lat else None
    code = book.find(sought.code, sought.scheme, day) if sought.code else None
    wrong = [*point] if isinstance(point, tuple) else []
    if isinstance(code, CodeFault):
        wrong.append(Refusal(code=code.code, expected=code.expected[:400], found=code.found[:400]))
    if isinstance(point, tuple) or isinstance(code, CodeFault):
        return tuple(wrong)
    report = GridReport(
        channel="", text=sought.text, position=point, place=sought.text, area=code.area.code if code else ""
    )
    found = locate(report, bundle, day)
    if isinstance(found, Refusal):
        return (_suspected(found, sought, bundle.areas, day),)
    if code is not None and not code.exact:
        found = _by_code_above(found)
    crs = datum(sought.crs) if point is not None else None
    return Placed(found, "" if crs in (None, WGS84) else crs)


def _by_code_above(found: Location) -> Location:
    """Found through a code that no area has: only as sure as the way up, unless the point decided."""
    sure = min(found.confidence, VAGUE) if found.found_by == "area" else found.confidence
    return replace(found, confidence=sure, doubts=(*found.doubts, "code_of_area_above"))


def _point(sought: Sought) -> Position | Refused:
    crs, lon, lat = datum(sought.crs), degrees(sought.lon, 180), degrees(sought.lat, 90)
    if crs is None or isinstance(lon, Refusal) or isinstance(lat, Refusal):
        unknown = Refusal(code="unknown_crs", expected=_KNOWN, found=sought.crs[:400])
        found = (lon, lat, unknown if crs is None else None)
        return tuple(one for one in found if isinstance(one, Refusal))
    east, north = to_wgs84(lon, lat, crs) if lon or lat else (lon, lat)
    return Position(lon_e7=east, lat_e7=north)


def _suspected(refusal: Refusal, sought: Sought, areas: Areas, day: date) -> Refusal:
    """A point outside that another system would explain is told so; it is never moved on suspicion."""
    lon, lat = degrees(sought.lon, 180), degrees(sought.lat, 90)
    if refusal.code != "outside_city" or isinstance(lon, Refusal) or isinstance(lat, Refusal):
        return refusal
    said = datum(sought.crs)
    for crs in SYSTEMS:
        place = areas.at(*to_wgs84(lon, lat, crs), day)
        if crs != said and place.areas and not place.outside:
            words = f"{sought.lon},{sought.lat} as {said}, outside; read as {crs} it lies in {place.area}"
            return Refusal(code="suspected_crs", expected=refusal.expected, found=words[:400])
    return refusal
