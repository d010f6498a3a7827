from datetime import date

import shapely
from hypothesis import given
from hypothesis import strategies as st

from rules.areas import Area, Areas
from rules.geometry import METRES_PER_DEGREE, Shape
from tests.builders_city import SIDE, SOUTH, WEST, tiny_city

DAY = date(2026, 11, 23)
SIZE = 12
corners = st.lists(st.integers(-SIDE // 3, SIDE // 3), min_size=SIZE, max_size=SIZE)
points = st.tuples(st.integers(-SIDE, 3 * SIDE), st.integers(-SIDE, 3 * SIDE))


def ring(column: int, row: int, bends: list[int]) -> tuple[int, ...]:
    """A cell of a bent lattice: neighbours share corners, so the cells fill the city without overlap."""

    def corner(x: int, y: int) -> tuple[int, int]:
        bend = bends[(3 * x + y) % SIZE]
        return WEST + x * SIDE + bend, SOUTH + y * SIDE - bend

    around = [(column, row), (column + 1, row), (column + 1, row + 1), (column, row + 1), (column, row)]
    return tuple(value for x, y in around for value in corner(x, y))


def lattice(bends: list[int]) -> Areas:
    cells = [(x, y) for x in range(2) for y in range(2)]
    areas = [Area(code=f"G{x}{y}", name="", kind="grid", level=3, layer="治理") for x, y in cells]
    shapes = [Shape(area=f"G{x}{y}", polygons=((ring(x, y, bends),),)) for x, y in cells]
    return Areas(tuple(areas), tuple(shapes), ("治理",))


def metres(areas: Areas, code: str, lon: int, lat: int) -> float:
    """By shapely alone, on the plane of the first shape's middle: the slow answer."""
    shape = next(shape for shape in areas.shapes if shape.area == code)
    flat = shape.polygons[0][0]
    scale = METRES_PER_DEGREE * 0.8037 / 10_000_000, METRES_PER_DEGREE / 10_000_000
    outline = [
        ((x - WEST) * scale[0], (y - SOUTH) * scale[1]) for x, y in zip(flat[::2], flat[1::2], strict=True)
    ]
    point = shapely.Point((lon - WEST) * scale[0], (lat - SOUTH) * scale[1])
    return float(shapely.Polygon(outline).distance(point))


@given(corners, points)
def test_the_index_agrees_with_looking_at_every_polygon(bends: list[int], offset: tuple[int, int]) -> None:
    areas = lattice(bends)
    lon, lat = WEST + offset[0], SOUTH + offset[1]
    away = {area.code: metres(areas, area.code, lon, lat) for area in areas.rows}
    place = areas.at(lon, lat, DAY)
    assert place.outside == (min(away.values()) > 0)
    if not place.outside:
        assert away[place.area] == 0
        assert {code for code, d in away.items() if d <= 14} <= {place.area, *dict(place.candidates)}
        assert all(away[code] <= 16 for code, _ in place.candidates)
        assert (place.confidence == 1000) == (not place.candidates)


@given(points)
def test_the_answer_is_the_same_twice_and_in_another_order_of_shapes(offset: tuple[int, int]) -> None:
    city = tiny_city().areas
    shuffled = Areas(city.rows[::-1], city.shapes[::-1], city.layers)
    lon, lat = WEST + offset[0], SOUTH + offset[1]
    assert city.at(lon, lat, DAY) == city.at(lon, lat, DAY) == shuffled.at(lon, lat, DAY)
