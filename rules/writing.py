"""A bundle written down again, as a workbook for who keeps it or a folder for who compares it."""

import csv
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import yaml

from rules.columns import DOCUMENTS, SHAPES, TABLES, TEMPLATES
from rules.documents import Cells, properties_of, sheets_of
from rules.instructions import GENERAL, PURPOSES
from rules.rows import Folder, Node
from rules.sheets import (
    CELL_CHARACTERS,
    CHOICES,
    FLAGS,
    INSTRUCTIONS,
    LISTS,
    REFERENCES,
    SHEETS,
    YES_NO,
    Sheet,
    column_letter,
    columns_of,
)

_TEXT: Final = "@"
_LAST_ROW: Final = 1_048_576
_WIDTHS: Final = {"name": 24, "text": 40, "value": 32, "legal_basis": 40, "geometry": 40, "code": 18}
_NO_XML: Final = re.compile(r"[^\t\n\u0020-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]")


class NoCellError(ValueError):
    """A value that no cell of Excel can hold: keep this bundle as a folder."""


def write_workbook(folder: Folder, path: Path) -> None:
    """Write a bundle as one workbook, with drop-downs and the sheet of instructions first."""
    excel: Any = import_module("openpyxl")
    sheets = sheets_of(folder)
    for name, rows in sheets.items():
        _refuse(name, rows)
    workbook = excel.Workbook(write_only=True)
    _instruct(workbook.create_sheet(INSTRUCTIONS))
    headers: dict[str, Sequence[str]] = {}
    for name, rows in sheets.items():
        headers[name] = _header(SHEETS[name], rows)
        _fill(workbook.create_sheet(name), headers[name], rows)
    _offer(workbook, headers)
    workbook.save(path)


def _header(sheet: Sheet, rows: Sequence[Cells]) -> Sequence[str]:
    """The columns of the sheet, then whatever else the rows have: faults are written down too."""
    found = dict.fromkeys(name for row in rows for name in row)
    columns = columns_of(sheet, list(found))
    needed = ("code", "zh", "en") if sheet.name == "templates" and not rows else columns.needed
    return list(dict.fromkeys((*needed, *columns.optional, *found)))


def _refuse(name: str, rows: Sequence[Cells]) -> None:
    """Raise what no cell can hold, before anything is written."""
    for number, row in enumerate(rows, start=2):
        for column, text in row.items():
            place = f"sheet {name} row {number} column {column}"
            if len(text) > CELL_CHARACTERS:
                raise NoCellError(f"{place}: {len(text):,} characters, a cell holds {CELL_CHARACTERS:,}")
            if strange := _NO_XML.search(text):
                raise NoCellError(f"{place}: the control character {strange[0]!r}")


def _fill(sheet: Any, header: Sequence[str], rows: Sequence[Cells]) -> None:
    sheet.freeze_panes = "A2"
    for at, column in enumerate(header):
        width = sheet.column_dimensions[column_letter(at)]
        width.width, width.number_format = _WIDTHS.get(column, 16), _TEXT
    sheet.append([_cell(sheet, column, bold=True) for column in header])
    for row in rows:
        sheet.append([_cell(sheet, row.get(column, "")) for column in header])


def _cell(sheet: Any, text: str, *, bold: bool = False) -> Any:
    """A cell of text, whatever it looks like: `=1+1` is no formula and 0104 no number."""
    cell = import_module("openpyxl.cell").WriteOnlyCell(sheet, value=None)
    cell.number_format = _TEXT
    if text:
        cell.value, cell.data_type = text, "s"
    if bold:
        cell.font = import_module("openpyxl.styles").Font(bold=True)
    return cell


def _instruct(sheet: Any) -> None:
    for letter, width in zip("ABCD", (16, 70, 70, 60), strict=True):
        sheet.column_dimensions[letter].width = width
    heads = ("", "填写说明", "How to fill in this workbook", "")
    sheet.append([_cell(sheet, text, bold=True) for text in heads])
    for number, (chinese, english) in enumerate(GENERAL, start=1):
        sheet.append([_cell(sheet, text) for text in (str(number), chinese, english)])
    sheet.append([])
    heads = ("工作表 sheet", "内容", "what it says", "必填列 needed columns")
    sheet.append([_cell(sheet, text, bold=True) for text in heads])
    for name, words in PURPOSES.items():
        needed = ", ".join(SHEETS[name].columns.needed)
        sheet.append([_cell(sheet, text) for text in (name, *words, needed)])


def _offer(workbook: Any, headers: Mapping[str, Sequence[str]]) -> None:
    """Drop-downs: closed lists are enforced, references offer what stands on the other sheet."""
    lists: dict[tuple[str, ...], str] = {}
    for sheet in workbook.worksheets:
        for at, column in enumerate(headers.get(sheet.title, ())):
            words = tuple(CHOICES.get((sheet.title, column), YES_NO if column in FLAGS else ()))
            reference = REFERENCES.get((sheet.title, column))
            if words:
                where = column_letter(len(lists))
                lists.setdefault(words, f"{LISTS}!${where}$1:${where}${len(words)}")
                _validate(sheet, column_letter(at), lists[words], strict=True)
            elif reference:
                other = column_letter(headers[reference[0]].index(reference[1]))
                column_there = f"{reference[0]}!${other}"
                filled = f"OFFSET({column_there}$2,0,0,MAX(1,COUNTA({column_there}:${other})-1),1)"
                _validate(sheet, column_letter(at), filled, strict=False)
    hidden = workbook.create_sheet(LISTS)
    hidden.sheet_state = "hidden"
    for number in range(max(map(len, lists))):
        hidden.append([_cell(hidden, words[number] if number < len(words) else "") for words in lists])


def _validate(sheet: Any, letter: str, formula: str, *, strict: bool) -> None:
    rule = import_module("openpyxl.worksheet.datavalidation").DataValidation(
        type="list", formula1=formula, allow_blank=True, showErrorMessage=strict
    )
    rule.errorTitle, rule.error = "请从列表中选择", "Choose one of the list. 请从下拉列表中选择。"
    rule.add(f"{letter}2:{letter}{_LAST_ROW}")
    sheet.data_validations.append(rule)


def write_folder(folder: Folder, path: Path) -> None:
    """Write a bundle as a folder of CSV, YAML and GeoJSON, such as can be compared line by line."""
    (path / TEMPLATES).mkdir(parents=True, exist_ok=True)
    for file in TABLES:
        rows = [row.cells for row in folder.table(file)]
        header = _header(SHEETS[file.removesuffix(".csv")], rows)
        kept = [name for name in header if name in TABLES[file].needed or any(name in row for row in rows)]
        with (path / file).open("w", encoding="utf-8", newline="") as lines:
            writer = csv.DictWriter(lines, kept, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
    for file in (*DOCUMENTS, *(name for name in folder.documents if name.startswith(TEMPLATES))):
        body: Any = yaml.safe_dump(
            _plain(folder.document(file)), allow_unicode=True, sort_keys=False, width=110
        )  # pyright: ignore[reportUnknownMemberType]
        (path / file).write_text(body, encoding="utf-8")
    features = [json.dumps(feature, ensure_ascii=False) for feature in _features(folder)]
    if features:
        text = '{"type": "FeatureCollection", "features": [\n' + ",\n".join(features) + "\n]}\n"
        (path / SHAPES).write_text(text, encoding="utf-8")


def _plain(node: Node) -> Any:
    if isinstance(node.value, str):
        return node.value
    if isinstance(node.value, tuple):
        return [_plain(child) for child in node.value]
    return {name: _plain(child) for name, child in node.value.items()}


def _features(folder: Folder) -> Iterator[Mapping[str, Any]]:
    for feature in folder.features:
        yield {"type": "Feature", "properties": properties_of(feature), "geometry": feature.geometry}
