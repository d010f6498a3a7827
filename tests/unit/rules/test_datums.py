"""Coordinate systems: what the maps of China show comes back to where it was."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.datums import BD09, E7, GCJ02, WGS84, datum, to_gcj02, to_wgs84

IN_CHINA = st.tuples(st.integers(740_000_000, 1_350_000_000), st.integers(180_000_000, 530_000_000))


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("", WGS84), ("WGS-84", WGS84), ("EPSG:4326", WGS84), ("CGCS2000", WGS84), ("EPSG:4490", WGS84),
        ("gcj02", GCJ02), ("GCJ-02", GCJ02), ("bd-09", BD09), ("BD09LL", BD09),
        ("EPSG:3857", None), ("北京54", None),
    ],
)  # fmt: skip
def test_a_system_is_known_by_its_names(said: str, meant: str | None) -> None:
    assert datum(said) == meant


@given(IN_CHINA)
def test_what_was_shifted_comes_back_to_the_decimetre(point: tuple[int, int]) -> None:
    lon, lat = to_gcj02(point[0] / E7, point[1] / E7)
    back = to_wgs84(round(lon * E7), round(lat * E7), GCJ02)
    assert all(abs(was - now) <= 10 for was, now in zip(point, back, strict=True))
    assert 30 < max(abs(lon * E7 - point[0]), abs(lat * E7 - point[1])) < 150_000


def test_the_shifts_are_those_of_the_maps_of_beijing() -> None:
    """About 550 m between satellite and Amap at Tian'anmen, and 900 m more to Baidu."""
    lon, lat = to_gcj02(116.391, 39.907)
    assert (round(lon - 116.391, 4), round(lat - 39.907, 4)) == (0.0062, 0.0014)
    east, north = to_wgs84(1_163_910_000, 399_070_000, BD09)
    assert (round(116.391 - east / E7, 3), round(39.907 - north / E7, 3)) == (0.013, 0.008)


@given(st.integers(-1_800_000_000, 1_800_000_000), st.integers(-900_000_000, 900_000_000))
def test_no_point_of_the_earth_breaks_it(lon: int, lat: int) -> None:
    assert to_wgs84(lon, lat, WGS84) == (lon, lat)
    for of in (GCJ02, BD09):
        east, north = to_wgs84(lon, lat, of)
        assert abs(east - lon) < 300_000
        assert abs(north - lat) < 300_000
