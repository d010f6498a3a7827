import re
import sys
import time
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from rules import workbook as reading
from rules.bundle import Bundle
from rules.faults import Faults
from rules.folder import compile_folder, read_folder
from rules.source import beside, compile_bundle, read_bundle
from rules.workbook import MOST_BYTES, MOST_EMPTY, compile_workbook
from rules.writing import NoCellError, write_folder, write_workbook
from tests.builders_city import tiny_city
from tests.keeping import TINY, Clerk, Keeper

ROOT = Path(__file__).parents[2]
CITIES = (
    TINY,
    ROOT / "rules/starter",
    *((ROOT / "cities" / name) for name in ("demo", "county", "boston", "newyork")),
)
HOSTILE = (
    "=1+1",
    "0104",
    "1-2",
    "+86",
    "@x",
    "'x",
    "a\nb",
    "a_x0041_b",
    "🙂 中文",
    '<&>"',
    "1e5",
    "yes",
    "#N/A",
)


@pytest.mark.parametrize("city", CITIES, ids=lambda path: path.name)
def test_a_city_comes_back_from_a_workbook_with_the_same_hash(city: Path, tmp_path: Path) -> None:
    write_workbook(read_folder(city), tmp_path / "city.xlsx")
    compiled, again = compile_folder(city), compile_bundle(tmp_path / "city.xlsx")
    assert isinstance(compiled, Bundle)
    assert compiled == again


@pytest.mark.parametrize("city", CITIES, ids=lambda path: path.name)
def test_a_workbook_comes_back_as_a_folder_with_the_same_hash(city: Path, tmp_path: Path) -> None:
    write_workbook(read_folder(city), tmp_path / "city.xlsx")
    write_folder(read_bundle(tmp_path / "city.xlsx"), tmp_path / "city")
    assert compile_folder(city) == compile_bundle(tmp_path / "city")


def test_a_text_stays_what_it_is(keeper: Keeper, tmp_path: Path) -> None:
    for text in HOSTILE:
        quoted = '"' + text.replace('"', '""') + '"'
        keeper.add("keywords.csv", f"Q-01-01,{quoted},3")
    write_workbook(read_folder(keeper.path), tmp_path / "city.xlsx")
    compiled = compile_workbook(tmp_path / "city.xlsx")
    assert isinstance(compiled, Bundle)
    assert compiled == compile_folder(keeper.path)
    assert set(HOSTILE) <= {word for word, _ in compiled.matters["Q-01-01"].keywords}


def test_a_polygon_longer_than_a_cell_goes_on_in_the_next_column(keeper: Keeper, tmp_path: Path) -> None:
    points = ", ".join(f"[102.12, {36.51 + at / 10_000_000:.7f}]" for at in range(1, 4_000))
    first, last = "[[102.11, 36.51], [102.12, 36.51], ", "[102.12, 36.52], [102.11, 36.52], "
    keeper.edit("areas.geojson", first + last, f"{first}{points}, {last}")
    write_workbook(read_folder(keeper.path), tmp_path / "city.xlsx")
    header = [cell.value for cell in load_workbook(tmp_path / "city.xlsx")["shapes"][1]]
    assert "geometry_2" in header
    assert compile_folder(keeper.path) == compile_workbook(tmp_path / "city.xlsx")


def test_a_value_longer_than_a_cell_is_refused_in_words(keeper: Keeper, tmp_path: Path) -> None:
    keeper.edit("conditions.csv", "店铺超出门窗经营", "长" * 40_000)
    with pytest.raises(NoCellError, match="sheet conditions row 2"):
        write_workbook(read_folder(keeper.path), tmp_path / "city.xlsx")


@pytest.mark.parametrize("strange", ["\x0b", "\r", "\ufffe"])
def test_a_character_that_excel_cannot_keep_is_refused_in_words(
    keeper: Keeper, tmp_path: Path, strange: str
) -> None:
    keeper.edit("conditions.csv", "店铺超出门窗经营", f'"店铺{strange}超出"')
    with pytest.raises(NoCellError, match="sheet conditions row 2 column text: the control character"):
        write_workbook(read_folder(keeper.path), tmp_path / "city.xlsx")
    assert not (tmp_path / "city.xlsx").exists()


def test_the_order_of_columns_and_empty_rows_between_change_nothing(clerk: Clerk) -> None:
    def shuffle(workbook: Any) -> None:
        sheet = workbook["areas"]
        sheet.move_range("B1:B20", cols=20)
        sheet.insert_rows(4, 3)

    clerk.change(shuffle)
    assert compile_workbook(clerk.path) == tiny_city()


# ── what Excel does to what people type ──────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("sheet", "cell", "value", "told"),
    [
        ("areas", "A6", 990601001001001, ("code", "990601001001001 (a number)")),
        ("areas", "A6", 9.906e15, ("code", "9906000000000000 (a number)")),
        ("matters", "A4", datetime(2026, 1, 2), ("code", "2026-01-02 00:00:00 (a date or a time)")),
        ("matters", "E2", 4, ("big", "4 (a number)")),
        ("conditions", "D2", 2, ("limit", "2 (a number)")),
        ("entries", "A7", "=A6", ("entry_id", "=A6")),
        ("posts", "E2", True, ("person", "True (true or false)")),
        ("days", "B2", 46296, ("date", "46296 (a number)")),
        ("days", "B2", datetime(2026, 10, 1, 8), ("date", "2026-10-01 08:00:00 (a date or a time)")),
        ("calendars", "B2", datetime(2026, 10, 1, 8).time(), ("standard", "08:00:00 (a date or a time)")),
    ],
)
def test_what_excel_made_of_a_code_is_one_fault_and_never_a_guess(
    clerk: Clerk, sheet: str, cell: str, value: object, told: tuple[str, str]
) -> None:
    clerk.put(sheet, cell, value)
    place = sheet, int(cell[1:]), told[0]
    (fault,) = (one for one in clerk.faults() if (one.file, one.row, one.column) == place)
    assert (fault.code, fault.value) == ("spoilt_cell", told[1])
    assert "文本" in fault.do or "数值" in fault.do


def test_a_number_code_is_the_only_fault_though_other_sheets_name_it(clerk: Clerk) -> None:
    clerk.put("city", "B2", 4711)
    assert clerk.found() == [("city", 2, "code", "spoilt_cell")]


def test_true_days_and_true_numbers_are_read_as_they_are(clerk: Clerk) -> None:
    header = [cell.value for cell in load_workbook(clerk.path)["units"][1]]
    column = chr(ord("A") + header.index("subscribes"))
    clerk.put("days", "B2", datetime(2026, 10, 1))
    clerk.put("keywords", "C2", 30)
    clerk.put("kinds", "C2", 0.0)
    clerk.put("units", f"{column}4", True)
    assert compile_workbook(clerk.path) == tiny_city()


def test_an_error_of_excel_is_a_fault(clerk: Clerk) -> None:
    clerk.put("areas", "B3", "#N/A")
    assert ("areas", 3, "name", "spoilt_cell") in clerk.found()


# ── sheets, headers, places ──────────────────────────────────────────────────────────────────────────


def test_a_missing_sheet_is_one_fault_that_names_it(clerk: Clerk) -> None:
    clerk.change(lambda workbook: workbook.remove(workbook["posts"]))
    (fault,) = clerk.faults()
    assert (fault.file, fault.row, fault.code) == ("posts", 0, "missing_file")
    assert "rules template" in fault.do


@pytest.mark.parametrize("name", ["city", "kinds", "calendars", "policies", "templates"])
def test_a_missing_sheet_of_a_document_is_named(clerk: Clerk, name: str) -> None:
    clerk.change(lambda workbook: workbook.remove(workbook[name]))
    assert (name, "missing_file") in [(file, code) for file, _, _, code in clerk.found()]


@pytest.mark.parametrize("name", ["neighbours", "bounds", "enforcement"])
def test_a_sheet_that_may_be_missing_may(clerk: Clerk, name: str) -> None:
    clerk.change(lambda workbook: workbook.remove(workbook[name]))
    assert compile_workbook(clerk.path) == tiny_city()


def test_an_unknown_sheet_is_a_fault_unless_it_is_marked_as_the_keepers_own(clerk: Clerk) -> None:
    clerk.change(lambda workbook: [workbook.create_sheet(name) for name in ("Sheet1", "_mine", "README 2")])
    (fault,) = clerk.faults()
    assert (fault.file, fault.code) == ("Sheet1", "unknown_file")
    assert "areas, shapes, units" in fault.expected


@pytest.mark.parametrize("sheet", ["areas", "policies"])
def test_merged_cells_are_a_fault_for_their_values_would_be_lost(clerk: Clerk, sheet: str) -> None:
    clerk.change(lambda workbook: workbook[sheet].merge_cells("F2:F3"))
    (fault,) = (one for one in clerk.faults() if one.code == "ragged_row")
    assert (fault.file, fault.row, fault.value) == (sheet, 0, "merged cells F2:F3")
    assert "取消合并单元格" in fault.do


def test_a_wrong_header_is_named_once_and_not_in_each_row(clerk: Clerk) -> None:
    clerk.put("units", "B1", "nom")
    assert clerk.found() == [("units", 1, "name", "missing_column"), ("units", 1, "nom", "unknown_column")]
    assert all("csv" not in fault.expected + fault.do for fault in clerk.faults())


def test_a_wrong_header_of_a_document_is_named_too(clerk: Clerk) -> None:
    clerk.put("kinds", "C1", "depth")
    assert clerk.found() == [
        ("kinds", 1, "depth", "unknown_column"),
        ("kinds", 1, "level", "missing_column"),
    ]


def test_a_value_under_no_header_is_a_fault_with_the_letter_of_its_column(clerk: Clerk) -> None:
    clerk.put("routes", "AB3", "forgotten")
    (fault,) = clerk.faults()
    assert (fault.file, fault.row, fault.column, fault.value) == ("routes", 3, "AB", "forgotten")


@pytest.mark.parametrize(
    ("sheet", "cell", "value", "fault"),
    [
        ("city", "B4", "Asia/Shangri-La", ("city", 4, "zone", "bad_choice")),
        ("city", "A4", "zonne", ("city", 4, "zonne", "unknown_column")),
        ("city", "A4", "name", ("city", 4, "name", "twice_key")),
        ("city", "B6", "X9", ("city", 6, "desk_area", "unknown_reference")),
        ("kinds", "C3", "deep", ("kinds", 3, "level", "bad_number")),
        ("calendars", "H3", "8-12", ("calendars", 3, "sat", "bad_calendar")),
        ("policies", "C2", "一天", ("policies", 2, "limit", "bad_limit")),
        ("policies", "A3", "accept", ("policies", 3, "clock", "twice_key")),
        ("policies", "B3", "sometimes", ("policies", 3, "mode", "bad_choice")),
        ("policies", "A3", None, ("policies", 3, "clock", "empty")),
        ("ladders", "B2", "nobody", ("ladders", 2, "to", "bad_choice")),
        ("ladders", "A2", "nowhen", ("ladders", 2, "clock", "unknown_reference")),
        ("templates", "B3", "案件{case", ("templates", 3, "zh", "bad_text")),
        ("templates", "C3", None, ("templates", 3, "case_accepted", "mixed_languages")),
        ("shapes", "B3", '{"type": "Polygon"', ("shapes", 3, "geometry", "bad_shape")),
        ("shapes", "A3", "G99", ("shapes", 3, "code", "unknown_reference")),
    ],
)
def test_a_fault_in_a_document_stands_at_its_cell(
    clerk: Clerk, sheet: str, cell: str, value: object, fault: tuple[str, int, str, str]
) -> None:
    clerk.put(sheet, cell, value)
    faults = clerk.faults()
    assert fault in [(one.file, one.row, one.column, one.code) for one in faults]
    assert not any(word in one.expected for one in faults for word in (".csv", ".yaml", ".geojson"))


# ── what is no workbook, or too much of one ──────────────────────────────────────────────────────────


def only(path: Path) -> tuple[str, str, str]:
    """The one fault of a file: its code, what was found, what to do."""
    compiled = compile_bundle(path)
    assert isinstance(compiled, Faults)
    (fault,) = compiled
    assert fault.file == path.name
    return fault.code, fault.value, fault.do


@pytest.mark.parametrize(
    ("name", "body", "found"),
    [
        ("city.xlsx", b"code,name\n", "another kind of file"),
        ("city.xlsx", b"", "another kind of file"),
        ("city.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "a workbook of the old form"),
        ("city.pdf", b"%PDF-1.7", "another kind of file"),
    ],
)
def test_what_is_no_workbook_is_refused_in_words(tmp_path: Path, name: str, body: bytes, found: str) -> None:
    (tmp_path / name).write_bytes(body)
    code, value, do = only(tmp_path / name)
    assert (code, value.startswith(found)) == ("unreadable", True)
    assert ".xlsx" in do


def test_a_zip_without_a_workbook_in_it_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "city.xlsx", "w") as file:
        file.writestr("word/document.xml", "<w/>")
    assert only(tmp_path / "city.xlsx")[0] == "unreadable"


def test_a_workbook_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert only(tmp_path / "city.xlsx")[0] == "missing_file"


@pytest.mark.parametrize("cut", [b"<sheetData>", b"</row>", b"</worksheet>"])
def test_a_sheet_cut_short_is_refused_as_a_whole(clerk: Clerk, cut: bytes) -> None:
    clerk.rewrite("xl/worksheets/sheet5.xml", lambda body: body[: body.index(cut)])
    assert only(clerk.path)[0] == "unreadable"


def test_a_zip_bomb_is_refused_by_its_size_before_anything_is_parsed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, piece = tmp_path / "city.xlsx", bytes(2**20)
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file,
        file.open("xl/worksheets/sheet1.xml", "w") as part,
    ):
        for _ in range(MOST_BYTES // 2**20 + 1):
            part.write(piece)
    assert path.stat().st_size < MOST_BYTES / 50
    monkeypatch.setattr(zipfile.ZipExtFile, "read", None)
    code, found, do = only(path)
    assert (code, found) == ("unreadable", "257 MiB")
    assert "folder" in do


def test_a_million_empty_rows_are_not_read_to_the_end(clerk: Clerk) -> None:
    rows = "".join(f'<row r="{number}"><c r="A{number}" s="1"/></row>' for number in range(100, 1_000_100))
    clerk.rewrite(
        "xl/worksheets/sheet5.xml",
        lambda body: body.replace(b"<sheetData>", b'<dimension ref="A1:A1000099"/><sheetData>').replace(
            b"</sheetData>", f"{rows}</sheetData>".encode()
        ),
    )
    started = time.process_time()
    (fault,) = clerk.faults()
    assert time.process_time() - started < 3
    assert (fault.file, fault.row, fault.code) == ("areas", 9, "ragged_row")
    assert f"{MOST_EMPTY:,} empty rows after row 9" in fault.value
    assert "below row 9" in fault.do


def test_entities_that_swell_are_refused(clerk: Clerk) -> None:
    entities = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    head = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a0 "aaaaaaaaaa">{entities}]>'.encode()
    clerk.rewrite(
        "xl/worksheets/sheet5.xml",
        lambda body: head + re.sub(rb"<t>[^<]*</t>", b"<t>&a9;</t>", body, count=1),
    )
    assert only(clerk.path)[0] == "unreadable"


def test_a_wrong_dimension_cuts_nothing(clerk: Clerk) -> None:
    clerk.rewrite(
        "xl/worksheets/sheet5.xml",
        lambda body: body.replace(b"<sheetData>", b'<dimension ref="A1:B2"/><sheetData>'),
    )
    assert compile_workbook(clerk.path) == tiny_city()


def test_without_openpyxl_the_missing_package_is_named(clerk: Clerk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(ModuleNotFoundError) as error:
        reading.read_workbook(clerk.path)
    assert error.value.name == "openpyxl"


# ── the template ─────────────────────────────────────────────────────────────────────────────────────


def test_the_template_offers_closed_lists_and_what_stands_on_other_sheets(clerk: Clerk) -> None:
    workbook = load_workbook(clerk.path)
    first = workbook.worksheets[0]
    assert first.title == "README 说明"
    assert [cell.value for cell in first[1]][1:3] == ["填写说明", "How to fill in this workbook"]
    rules = {str(rule.sqref): rule.formula1 for rule in workbook["posts"].data_validations.dataValidation}
    header = [cell.value for cell in workbook["posts"][1]]
    role, unit = (chr(ord("A") + header.index(name)) for name in ("role", "unit"))
    lists, _, where = rules[f"{role}2:{role}1048576"].partition("!")
    cells: Any = workbook[lists][where.replace("$", "")]
    offered = [cell.value for (cell,) in cells]
    assert offered[:2] == ["clerk", "dispatcher"]
    assert rules[f"{unit}2:{unit}1048576"].startswith("OFFSET(units!$A$2")
    assert workbook["posts"]["A500"].number_format in ("@", "General")
    assert workbook["posts"].column_dimensions["A"].number_format == "@"


def test_what_belongs_to_a_bundle_lies_in_its_folder_or_beside_its_workbook(clerk: Clerk) -> None:
    assert beside(clerk.path, "mapping.yaml") == clerk.path.parent / "mapping.yaml"
    assert beside(TINY, "mapping.yaml") == TINY / "mapping.yaml"
