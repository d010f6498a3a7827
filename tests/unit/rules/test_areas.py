from datetime import date

import pytest
from msgspec.structs import replace

from rules.areas import Area, Areas
from rules.geometry import Shape
from tests.builders_city import MIDDLE, SIDE, SOUTH, WEST, square, tiny_city, tiny_parts

DAY = date(2026, 11, 23)
METRE_OF_LATITUDE = 90
"""About one metre in 10⁻⁷ degrees of latitude."""


def test_a_chain_goes_up_to_the_root() -> None:
    areas = tiny_city().areas
    assert [area.code for area in areas.chain("G11")] == ["G11", "C1", "S1", "D"]
    assert areas.chain("nowhere") == ()


def test_an_area_lies_within_itself_and_all_above() -> None:
    areas = tiny_city().areas
    assert areas.within("G11", "G11")
    assert areas.within("G11", "S1")
    assert not areas.within("G11", "C2")
    assert areas.ancestor("G11", "community") == areas["C1"]
    assert areas.ancestor("S1", "community") is None
    assert [area.code for area in areas.of_kind("community")] == ["C1", "C2"]
    assert [area.code for area in areas.children("C1")] == ["G11", "G12"]


@pytest.mark.parametrize("grid", MIDDLE)
def test_the_middle_of_a_grid_is_certain(grid: str) -> None:
    place = tiny_city().areas.at(*MIDDLE[grid], DAY)
    assert (place.area, place.confidence, place.candidates, place.outside) == (grid, 1000, (), False)


def test_near_a_boundary_the_neighbour_is_a_candidate_with_its_distance() -> None:
    lon, _ = MIDDLE["G11"]
    place = tiny_city().areas.at(lon, SOUTH + SIDE - 8 * METRE_OF_LATITUDE, DAY)
    assert place.area == "G11"
    assert place.candidates == (("G11", 0), ("G12", 8))
    assert 500 < place.confidence < 1000


def test_beyond_fifteen_metres_the_neighbour_is_no_candidate() -> None:
    lon, _ = MIDDLE["G11"]
    place = tiny_city().areas.at(lon, SOUTH + SIDE - 17 * METRE_OF_LATITUDE, DAY)
    assert (place.confidence, place.candidates) == (1000, ())


def test_a_point_on_the_common_corner_belongs_to_the_smallest_code() -> None:
    place = tiny_city().areas.at(WEST + SIDE, SOUTH + SIDE, DAY)
    assert place.area == "G11"
    assert place.confidence == 500
    assert [code for code, _ in place.candidates] == ["G11", "G12", "G21", "G22"]


def test_a_point_off_the_map_is_outside() -> None:
    place = tiny_city().areas.at(WEST - SIDE, SOUTH, DAY)
    assert place.outside
    assert place.area == ""


def test_without_a_grid_the_community_is_found_and_without_it_the_street() -> None:
    parts = tiny_parts()
    shapes = tuple(shape for shape in parts.shapes if shape.area not in {"G11", "C2", "G21", "G22"})
    areas = Areas(parts.areas, shapes, parts.city.layers)
    assert areas.at(*MIDDLE["G11"], DAY).area == "C1"
    assert areas.at(*MIDDLE["G22"], DAY).area == "S1"


def test_a_city_without_a_map_knows_no_outside() -> None:
    place = Areas(tiny_parts().areas).at(*MIDDLE["G11"], DAY)
    assert not place.outside
    assert place.areas == ()


def test_every_layer_answers_for_itself() -> None:
    parts = tiny_parts()
    cell = Area(code="X1", name="城管一片", kind="grid", level=3, layer="城管", parent="S1")
    areas = Areas(
        (*parts.areas, cell),
        (*parts.shapes, Shape(area="X1", polygons=((square(0, 0, 2, 1),),))),
        ("治理", "城管"),
    )
    place = areas.at(*MIDDLE["G21"], DAY)
    assert place.areas == (("治理", "G21"), ("城管", "X1"))
    assert place.within("城管") == "X1"
    assert areas.at(*MIDDLE["G22"], DAY).within("城管") == ""


def test_a_neighbouring_city_is_outside_but_known() -> None:
    parts = tiny_parts()
    other = Area(code="N", name="邻区", kind="district", level=0, layer="neighbour")
    areas = Areas((*parts.areas, other), (*parts.shapes, Shape(area="N", polygons=((square(2, 0, 4, 2),),))))
    place = areas.at(WEST + 3 * SIDE, SOUTH + SIDE, DAY)
    assert place.outside
    assert place.areas == (("neighbour", "N"),)


def test_the_map_of_the_day_decides() -> None:
    parts = tiny_parts()
    old = replace(parts.areas[-1], valid_to=date(2026, 6, 30))
    new = replace(old, name="柳树社区第三网格", parent="C1", valid_from=date(2026, 7, 1), valid_to=date.max)
    moved = Shape(area="G22", polygons=((square(1, 1, 2, 2),),), valid_from=new.valid_from)
    areas = Areas((*parts.areas[:-1], old, new), (*parts.shapes, moved), parts.city.layers)
    assert old.code == "G22"
    before, after = date(2026, 6, 30), date(2026, 7, 1)
    assert [a.code for a in areas.chain("G22", before)] == ["G22", "C2", "S1", "D"]
    assert [a.code for a in areas.chain("G22", after)] == ["G22", "C1", "S1", "D"]
    assert areas.chain("G22") == areas.chain("G22", after)
    assert areas.get("G22", before) == old
    assert areas.at(*MIDDLE["G22"], before).area == areas.at(*MIDDLE["G22"], after).area == "G22"


def test_names_in_a_text_come_longest_first() -> None:
    found = tiny_city().areas.named("杏花社区第一网格门口，靠近柳树社区")
    assert [area.code for area in found] == ["G21", "C1", "C2"]
    assert tiny_city().areas.named("别处") == ()
