from hypothesis import given
from hypothesis import strategies as st

from schemas.report import Position
from services.intake.desk.spots import box_around, cells_of, metres_between, spots_of
from tests.builders_intake import read

LON = st.integers(-1_790_000_000, 1_790_000_000)
LAT = st.integers(-600_000_000, 600_000_000)
STEP = st.integers(-90_000, 90_000)


@given(LON, LAT, STEP, STEP, st.sampled_from([0, 10, 50, 300, 1000]))
def test_whoever_is_within_reach_is_found(
    lon: int, lat: int, east_by: int, north_by: int, reach: int
) -> None:
    here = read(position=Position(lon_e7=lon, lat_e7=lat))
    there = read(position=Position(lon_e7=lon + east_by, lat_e7=lat + north_by))
    if metres_between(lon, lat, lon + east_by, lat + north_by) <= reach:
        west, south, east, north = box_around(lon, lat, reach)
        assert west <= lon + east_by <= east
        assert south <= lat + north_by <= north
        assert set(spots_of(there)) & set(cells_of(here.matter, box_around(lon, lat, reach)))


def test_a_hundredth_of_a_degree_north_is_1113_metres() -> None:
    assert metres_between(1_165_000_000, 400_000_000, 1_165_000_000, 400_100_000) == 1113


def test_degrees_of_longitude_are_shorter_away_from_the_equator() -> None:
    assert metres_between(0, 600_000_000, 100_000, 600_000_000) == 556
