import csv
import os
from pathlib import Path

import pytest
import yaml

from rules.bundle import Bundle
from services.intake.channels.sheet import SheetMapping, SheetReport, missing_columns, read_mapping, read_row
from tests.unit.cities.conftest import CITIES, city

DATA = Path(os.environ.get("GRIDCASE_TEST_DATA", "/nonexistent")).resolve() / "311"
SHEETS = {"boston": "boston311-100.csv", "newyork": "nyc311-100.csv"}


@pytest.mark.parametrize("name", SHEETS)
def test_the_bundle_has_no_faults(name: str) -> None:
    bundle = city(name)
    assert bundle.city.zone == "America/New_York"
    assert not any(kind.guarded for kind in bundle.city.kinds)


@pytest.mark.skipif(
    not DATA.is_dir(), reason="no test data: set GRIDCASE_TEST_DATA to the folder shared/data"
)
@pytest.mark.parametrize("name", SHEETS)
def test_every_real_row_is_a_report_that_the_bundle_knows(name: str) -> None:
    bundle, mapping = city(name), sheet(name)
    with (DATA / SHEETS[name]).open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert not missing_columns(mapping, rows[0])
    read = [read_row(mapping, number, row) for number, row in enumerate(rows, start=1)]
    reports = [one.report for one in read if isinstance(one, SheetReport)]
    assert len(reports) == 100
    assert {report.matter for report in reports} <= {matter.code for matter in bundle.parts.matters}
    assert unknown_areas(bundle, [report.area for report in reports]) <= {"", "boston"}


def sheet(name: str) -> SheetMapping:
    mapping = read_mapping(yaml.safe_load((CITIES / name / "mapping.yaml").read_text(encoding="utf-8")))
    assert isinstance(mapping, SheetMapping)
    return mapping


def unknown_areas(bundle: Bundle, areas: list[str]) -> set[str]:
    return {area for area in areas if area not in bundle.areas}
