import os
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from cities.songbei import build, songbei_reports
from cities.songbei_map import Notes
from rules.bundle import Bundle
from rules.faults import Faults
from rules.folder import compile_folder

DATA = Path(os.environ.get("GRIDCASE_TEST_DATA", "/nonexistent")).resolve()
pytestmark = pytest.mark.skipif(
    not (DATA / "grids").is_dir(), reason="no test data: set GRIDCASE_TEST_DATA to the folder shared/data"
)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Notes, Bundle]:
    folder = tmp_path_factory.mktemp("songbei")
    notes = build(DATA, folder)
    bundle = compile_folder(folder)
    assert not isinstance(bundle, Faults), "\n".join(map(str, bundle))
    return notes, bundle


def test_every_defect_of_the_data_is_named(built: tuple[Notes, Bundle]) -> None:
    found = Counter(
        (wrong.split(":")[0].split("'")[0].strip(), done.split(",")[0]) for _, _, wrong, done in built[0].rows
    )
    assert found["invalid polygon", "repaired"] == 5
    assert found["in no township", "set aside this part"] == 4
    joined = [name for _, name, wrong, _ in built[0].rows if wrong.startswith("code on")]
    assert sorted(joined) == ["230109103010015Z", "230109105001013Z", "230111014004014Z"]
    assert [name for _, name, wrong, _ in built[0].rows if wrong.startswith("limit")] == [
        "E-01-22-1 非法伐树"
    ]


def test_the_standard_becomes_matters_with_limits(built: tuple[Notes, Bundle]) -> None:
    matters = built[1].parts.matters
    assert len(matters) == 190
    assert sum(len(matter.conditions) for matter in matters) == 518


def test_most_reports_fall_back_to_community_or_street(built: tuple[Notes, Bundle]) -> None:
    bundle, day = built[1], date(2026, 11, 23)
    arrivals = songbei_reports(bundle, 1, 500, day=day)
    places = [
        bundle.areas.at(arrival.report.position.lon_e7, arrival.report.position.lat_e7, day).area
        for arrival in arrivals
        if arrival.report and arrival.report.position
    ]
    kinds = Counter(bundle.areas[place].kind if place else "outside" for place in places)
    assert kinds["community"] + kinds["street"] > 5 * kinds["grid"] > 0
