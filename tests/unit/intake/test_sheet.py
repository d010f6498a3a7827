import csv
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from schemas.refusal import Refusal
from schemas.report import Position, Reporter
from schemas.wire import TYPE_OF, checked, encode_data
from services.intake.channels.cells import degrees, slug
from services.intake.channels.sheet import (
    RowFault,
    SheetMapping,
    SheetReport,
    missing_columns,
    read_mapping,
    read_row,
)

ROOT = Path(__file__).resolve().parents[3]
REAL = Path(os.environ.get("GRIDCASE_TEST_DATA", "/nonexistent")) / "311"

MAPPING = {
    "channel": "sheet",
    "zone": "Asia/Shanghai",
    "blank": ["", "无"],
    "id": "编号",
    "text": ["标题", "内容"],
    "occurred": {"columns": ["时间"], "formats": ["%Y-%m-%d %H:%M", "%Y年%m月%d日"]},
    "longitude": "经度",
    "latitude": "纬度",
    "area": {"columns": ["社区"], "values": {"柳树": "C1"}},
    "kind": {"columns": ["类别"], "values": {"投诉": "complaint"}},
    "name": "姓名",
    "phone": "电话",
    "photos": "照片",
}
ROW = {
    "编号": "A-1",
    "标题": "井盖",
    "内容": " 缺失  了 ",
    "时间": "2026-03-02 09:30",
    "经度": "102.105",
    "纬度": "36.505",
    "社区": "柳树",
    "类别": "投诉",
    "姓名": "张三",
    "电话": "13800000000",
    "照片": "a.jpg b.jpg",
}


@pytest.fixture
def mapping() -> SheetMapping:
    read = read_mapping(MAPPING)
    assert isinstance(read, SheetMapping), read
    return read


def row_of(**cells: str | None) -> dict[str, str | None]:
    return {**ROW, **cells}


def test_a_row_becomes_a_report(mapping: SheetMapping) -> None:
    read = read_row(mapping, 1, ROW)
    assert isinstance(read, SheetReport)
    said = read.report
    assert (read.id, said.channel, said.kind, said.text) == ("A-1", "sheet", "complaint", "井盖 缺失 了")
    assert said.position == Position(lon_e7=1_021_050_000, lat_e7=365_050_000)
    assert said.occurred == datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
    assert (said.area, said.photos) == ("C1", ("a.jpg", "b.jpg"))
    assert said.reporter == Reporter(name="张三", phone="13800000000")


def test_several_forms_of_a_date_are_read_in_the_zone_of_the_sheet(mapping: SheetMapping) -> None:
    read = read_row(mapping, 1, row_of(时间="2026年3月2日"))
    assert isinstance(read, SheetReport)
    assert read.report.occurred == datetime(2026, 3, 1, 16, tzinfo=UTC)


def test_blank_cells_and_zeros_say_nothing(mapping: SheetMapping) -> None:
    read = read_row(mapping, 1, row_of(经度="0", 纬度="0.0", 时间="无", 社区=None, 姓名="", 电话="无"))
    assert isinstance(read, SheetReport)
    said = read.report
    assert (said.position, said.occurred, said.area, said.reporter) == (None, None, "", None)


@pytest.mark.parametrize(
    ("cells", "column", "code"),
    [
        ({"编号": " "}, "编号", "missing_id"),
        ({"经度": "东经102"}, "经度", "no_number"),
        ({"经度": "NaN"}, "经度", "out_of_range"),
        ({"纬度": "102.1"}, "纬度", "out_of_range"),
        ({"纬度": ""}, "纬度", "half_position"),
        ({"时间": "昨天"}, "时间", "no_time"),
        ({"时间": "2225年1月1日"}, "时间", "out_of_range"),
        ({"内容": "=1+1"}, "标题", "formula_cell"),
        ({"内容": "长" * 8001}, "标题", "too_long"),
        ({"社区": "a/b"}, "社区", "no_code"),
    ],
)
def test_a_row_that_cannot_be_read_says_where_and_why(
    mapping: SheetMapping, cells: dict[str, str], column: str, code: str
) -> None:
    read = read_row(mapping, 7, row_of(**cells))
    assert isinstance(read, RowFault)
    assert (read.row, read.column, read.refusal.code) == (7, column, code)


def test_a_mapping_with_an_unknown_field_is_refused() -> None:
    read = read_mapping({**MAPPING, "longtitude": "经度"})
    assert isinstance(read, Refusal)
    assert "longtitude" in read.found


def test_columns_that_the_sheet_lacks_are_named(mapping: SheetMapping) -> None:
    assert missing_columns(mapping, [name for name in ROW if name not in {"时间", "照片"}]) == (
        "时间",
        "照片",
    )


def test_codes_from_words() -> None:
    assert slug("Noise - Street/Sidewalk") == "noise-street-sidewalk"
    assert slug("Missed Trash/Recycling (All)") == "missed-trash-recycling-all"


def test_degrees_are_exact() -> None:
    assert degrees("-71.0587", 180) == -710_587_000
    assert degrees("40.69113738107441", 90) == 406_911_374


@pytest.mark.parametrize(("city", "sheet"), [("boston", "boston311-100.csv"), ("newyork", "nyc311-100.csv")])
def test_each_real_row_of_two_cities_becomes_a_valid_report(city: str, sheet: str) -> None:
    if not REAL.is_dir():
        pytest.skip("no real 311 rows (GRIDCASE_TEST_DATA)")
    mapping = read_mapping(yaml.safe_load((ROOT / "cities" / city / "mapping.yaml").read_text()))
    assert isinstance(mapping, SheetMapping), mapping
    with (REAL / sheet).open(encoding="utf-8-sig", newline="") as lines:
        rows = csv.DictReader(lines)
        assert missing_columns(mapping, rows.fieldnames or ()) == ()
        read = [read_row(mapping, number, row) for number, row in enumerate(rows, start=1)]
    faults = [one for one in read if isinstance(one, RowFault)]
    assert faults == []
    reports = [one for one in read if isinstance(one, SheetReport)]
    assert len({one.id for one in reports}) == 100
    for one in reports:
        assert one.report.matter
        assert one.report.text
        assert checked(as_event(one)).message == one.report


def as_event(one: SheetReport) -> bytes:
    head = f'{{"specversion":"1.0","id":"{one.id}","source":"311","type":"{TYPE_OF[type(one.report)]}",'
    return (
        f'{head}"subject":"311/{one.id}","time":"2026-03-02T01:00:00Z","data":'.encode()
        + encode_data(one.report)
        + b"}"
    )
