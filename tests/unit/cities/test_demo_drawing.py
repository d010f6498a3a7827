import json

import pytest
import shapely

from cities import make_demo


@pytest.mark.parametrize("name", list(make_demo.drawn()))
def test_what_is_committed_is_what_the_script_draws(name: str) -> None:
    assert (make_demo.FOLDER / name).read_text(encoding="utf-8") == make_demo.drawn()[name]


def test_the_grids_cover_the_district_without_overlap() -> None:
    shapes = {
        one["properties"]["code"]: shapely.geometry.shape(one["geometry"])
        for one in json.loads(make_demo.shapes())["features"]
    }
    grids = [shapes[code] for code, *_ in make_demo.grids()]
    assert len(grids) == 59
    assert all(shape.is_valid for shape in shapes.values())
    assert sum(grid.area for grid in grids) == pytest.approx(shapes["YX"].area)
    assert shapely.union_all(grids).equals(shapes["YX"])


def test_no_two_persons_and_no_two_estates_share_a_name() -> None:
    persons = [row["person"] for row in make_demo.posts()]
    estates = [make_demo.estate(number) for number in range(59)]
    assert len(set(persons)) == len(persons)
    assert len(set(estates)) == 59
