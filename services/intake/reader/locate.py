"""Where a report lies, in every layer: by its point, else by an area code, else by a name in its words."""

from collections.abc import Sequence
from datetime import date

from msgspec import Struct

from rules.areas import Area, Areas
from rules.bundle import Bundle
from rules.geometry import Place
from schemas.refusal import Refusal
from schemas.report import GridReport, Position

BY_CODE = 900
BY_NAME = 700
VAGUE = 400
"""Confidence, per mille, where two places of one name come into question or no desk area is known."""


class Location(Struct, frozen=True, gc=False):
    """The finding: the area per layer, the desk, how sure, by what, and what did not fit together."""

    desk: str
    areas: tuple[tuple[str, str], ...] = ()
    confidence: int = 0
    found_by: str = "nothing"
    nearby: tuple[tuple[str, int], ...] = ()
    doubts: tuple[str, ...] = ()


def locate(report: GridReport, bundle: Bundle, day: date) -> Location | Refusal:
    """Never loses a report of this city: what has no place goes to the city desk (城市受理台).

    Refused are a point outside the city or at (0,0), and an unknown area code where nothing else helps.
    """
    areas = bundle.areas
    doubts: tuple[str, ...] = ()
    if report.position is not None:
        found = _by_point(report.position, bundle, day)
        if not isinstance(found, Place):
            return found
        if found.areas:
            return _point_and_words(report, found, bundle, day)
        doubts = ("no_map",)
    if report.area:
        named = areas.get(report.area, day)
        if named is not None:
            return _area(named, bundle, BY_CODE, "area", doubts)
        doubts = (*doubts, "unknown_area")
    by_name = _by_name(report, areas, day)
    if by_name is not None:
        area, sure = by_name
        unsure = () if sure else ("ambiguous_name",)
        return _area(area, bundle, BY_NAME if sure else VAGUE, "name", (*doubts, *unsure))
    if "unknown_area" in doubts:
        return Refusal(
            code="unknown_area", expected="an area code of the edition, or a place", found=report.area
        )
    return Location(desk=bundle.city.desk_area, doubts=doubts)


def _by_point(position: Position, bundle: Bundle, day: date) -> Place | Refusal:
    lon, lat = position.lon_e7, position.lat_e7
    if not lon and not lat:
        return Refusal(code="position_zero", expected="a point of the city, or none", found="0,0")
    place = bundle.areas.at(lon, lat, day)
    if not place.outside or place.areas:
        return place
    found = f"{_degrees(lon)},{_degrees(lat)}"
    swapped = bundle.areas.at(lat, lon, day)
    if swapped.areas and not swapped.outside:
        return Refusal(code="axes_swapped", expected="longitude, then latitude", found=found)
    return Refusal(code="outside_city", expected=f"a point in {bundle.city.name}", found=found)


def _degrees(e7: int) -> str:
    sign, rest = "-" if e7 < 0 else "", abs(e7)
    return f"{sign}{rest // 10_000_000}.{rest % 10_000_000:07}"


def _point_and_words(report: GridReport, place: Place, bundle: Bundle, day: date) -> Location:
    """The point rules; a code or a name only makes it finer where the map knows no desk there.

    A point in a neighbouring city (邻市) that the bundle names is the city desk's to hand on.
    """
    area = place.area
    desk = bundle.desk_of(area)
    doubts: tuple[str, ...] = () if len(place.candidates) < 2 else ("near_boundary",)
    if place.outside:
        doubts = (*doubts, "neighbour")
    if report.area and not _agree(bundle.areas, report.area, area):
        doubts = (*doubts, "area_differs")
    areas, confidence = place.areas, place.confidence
    if desk == bundle.city.desk_area:
        finer = _finer(report, bundle, area, day)
        if finer is not None:
            areas = ((finer.layer, finer.code), *(pair for pair in areas if pair[0] != finer.layer))
            desk, confidence = bundle.desk_of(finer.code), BY_NAME
    return Location(
        desk=desk,
        areas=areas,
        confidence=confidence,
        found_by="point",
        nearby=place.candidates,
        doubts=doubts,
    )


def _finer(report: GridReport, bundle: Bundle, area: str, day: date) -> Area | None:
    coded = bundle.areas.get(report.area, day) if report.area else None
    by_name = None if coded else _by_name(report, bundle.areas, day)
    finer = coded or (by_name[0] if by_name and by_name[1] else None)
    return finer if finer and finer.code != area and bundle.areas.within(finer.code, area) else None


def _agree(areas: Areas, one: str, other: str) -> bool:
    return areas.within(one, other) or areas.within(other, one)


def _area(area: Area, bundle: Bundle, confidence: int, found_by: str, doubts: tuple[str, ...]) -> Location:
    desk = bundle.desk_of(area.code)
    if desk == bundle.city.desk_area != area.code:
        confidence = min(confidence, VAGUE)
    return Location(
        desk=desk, areas=((area.layer, area.code),), confidence=confidence, found_by=found_by, doubts=doubts
    )


def _by_name(report: GridReport, areas: Areas, day: date) -> tuple[Area, bool] | None:
    """The area whose name stands in the place line or else in the text, and whether it is the only one."""
    for words in (report.place, report.text):
        found = areas.named(words, day) if words else ()
        if found:
            return _best(found, areas)
    return None


def _best(found: Sequence[Area], areas: Areas) -> tuple[Area, bool]:
    """The area with most of the other named ones above it; between equals, what lies above them all."""
    if len(found) == 1:
        return found[0], True
    codes = {area.code for area in found}
    chains = {area.code: [above.code for above in areas.chain(area.code)] for area in found}
    support = {code: sum(above in codes for above in chain) for code, chain in chains.items()}
    most = max(support.values())
    best = [area for area in found if support[area.code] == most]
    longest = len(best[0].name)
    rivals = [area for area in best if area.level == best[0].level and len(area.name) == longest]
    if len(rivals) == 1:
        return best[0], True
    common = next((c for c in chains[rivals[0].code] if all(c in chains[r.code] for r in rivals)), "")
    above = areas.get(common)
    return (above or best[0]), False
