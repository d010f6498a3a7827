from collections.abc import Mapping, Sequence
from typing import Any, cast

import shapely
from shapely.geometry.base import BaseGeometry

from rules.areas import Area
from rules.cells import Cells
from rules.faults import Fault
from rules.geometry import E7, NEIGHBOUR, Ring, Shape
from rules.reading.codes import Codes
from rules.rows import Feature, Folder
from rules.validity import FIRST_DAY, LAST_DAY

Rings = tuple[tuple[Ring, ...], ...]


def read_areas(folder: Folder, codes: Codes, faults: list[Fault]) -> tuple[Area, ...]:
    areas: list[Area] = []
    for row in folder.table("areas.csv"):
        cells = Cells(row, faults)
        kind = cells.known("kind", codes.kinds, "kinds of city.yaml", "empty")
        areas.append(
            Area(
                code=cells.code("code"),
                name=cells.text("name"),
                kind=kind,
                level=codes.kinds.get(kind, 0),
                layer=cells.known("layer", codes.layers | {NEIGHBOUR}, "layers of city.yaml", "empty"),
                parent=cells.known("parent", codes.areas, "areas.csv"),
                scheme=cells.free("scheme"),
                aliases=cells.several("aliases"),
                valid_from=cells.day("valid_from", FIRST_DAY),
                valid_to=cells.day("valid_to", LAST_DAY),
            )
        )
    return tuple(areas)


def read_shapes(folder: Folder, areas: Sequence[Area], faults: list[Fault]) -> tuple[Shape, ...]:
    """The polygons, each bound to one version of its area."""
    versions: dict[str, list[Area]] = {}
    for area in areas:
        versions.setdefault(area.code, []).append(area)
    shapes: list[Shape] = []
    for feature in folder.features:
        shape = _shape(feature, versions, faults)
        if shape and any(
            (known.area, known.valid_from) == (shape.area, shape.valid_from) for known in shapes
        ):
            Cells(feature.row, faults).fault("duplicate", "code", "one feature for each version of an area")
        elif shape:
            shapes.append(shape)
    return tuple(shapes)


def _shape(feature: Feature, versions: Mapping[str, Sequence[Area]], faults: list[Fault]) -> Shape | None:
    cells = Cells(feature.row, faults)
    code = cells.known("code", versions, "areas.csv", "empty")
    repair = cells.choice("repair", ("", "make_valid"), "")
    since = cells.day("valid_from", FIRST_DAY)
    rings = _rings(feature.geometry, cells)
    if code not in versions or rings is None:
        return None
    dates = [area.valid_from for area in versions[code]]
    if not cells.has("valid_from") and len(dates) == 1:
        since = dates[0]
    if since not in dates:
        wanted = ", ".join(day.isoformat() for day in dates)
        cells.fault("unknown_reference", "valid_from", f"the valid_from of a row of areas.csv: {wanted}")
        return None
    valid = _valid(rings, cells, repair=bool(repair))
    return Shape(area=code, polygons=valid, valid_from=since) if valid else None


def _rings(geometry: Mapping[str, Any], cells: Cells) -> Rings | None:
    """Coordinates as whole numbers of 10⁻⁷ degrees; None if they are no polygons on the earth."""
    kind, coordinates = geometry.get("type"), geometry.get("coordinates")
    if kind not in ("Polygon", "MultiPolygon"):
        cells.fault("bad_shape", "geometry", "a Polygon or MultiPolygon", str(kind))
        return None
    polygons = cast("Any", [coordinates] if kind == "Polygon" else coordinates)
    try:
        rings = tuple(tuple(_ring(ring) for ring in polygon) for polygon in polygons)
    except (TypeError, ValueError, IndexError, OverflowError) as error:
        cells.fault("bad_shape", "geometry", "closed rings of longitude and latitude", str(error)[:80])
        return None
    if not rings or not all(rings):
        cells.fault("bad_shape", "geometry", "at least one ring", "none")
        return None
    return rings


def _ring(points: Any) -> Ring:
    ring = tuple(round(float(value) * E7) for point in points for value in (point[0], point[1]))
    if len(ring) < 8 or ring[:2] != ring[-2:]:
        raise ValueError("a ring has four points and ends where it begins")
    if not all(abs(lon) <= 180 * E7 for lon in ring[::2]) or not all(
        abs(lat) <= 90 * E7 for lat in ring[1::2]
    ):
        raise ValueError("longitude within 180 and latitude within 90 degrees")
    return ring


def _valid(rings: Rings, cells: Cells, *, repair: bool) -> Rings:
    drawn = shapely.MultiPolygon([shapely.Polygon(_points(p[0]), [_points(r) for r in p[1:]]) for p in rings])
    if drawn.is_valid:
        return rings
    if not repair:
        cells.fault("bad_shape", "geometry", "a valid polygon", _reason(drawn))
        return ()
    repaired = _polygons(shapely.make_valid(drawn))
    if not repaired:
        cells.fault("bad_shape", "geometry", "a polygon with an inside", "nothing is left after make_valid")
    return repaired


def _reason(drawn: shapely.MultiPolygon) -> str:
    """What is wrong and where, in degrees: `Ring Self-intersection at 126.6472428, 45.8431181`."""
    what, _, place = str(shapely.is_valid_reason(drawn)).partition("[")
    degrees = ", ".join(f"{float(value) / E7:.7f}" for value in place.removesuffix("]").split())
    return f"{what} at {degrees}" if degrees else what


def _polygons(geometry: BaseGeometry) -> Rings:
    """The polygons of whatever `make_valid` returns, lines and points left out, rounded to whole numbers."""
    parts = cast("list[BaseGeometry]", shapely.get_parts(shapely.get_parts(geometry)).tolist())
    polygons = [part for part in parts if isinstance(part, shapely.Polygon) and part.area > 1]
    return tuple(
        (_flat(polygon.exterior), *(_flat(hole) for hole in polygon.interiors)) for polygon in polygons
    )


def _points(ring: Ring) -> list[tuple[int, int]]:
    return list(zip(ring[::2], ring[1::2], strict=True))


def _flat(ring: shapely.LinearRing) -> Ring:
    return tuple(round(value) for point in ring.coords for value in point[:2])
