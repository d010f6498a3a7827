"""A bundle kept as one Excel workbook (docs/reference/workbook.md), read into the same rows as a folder.

Excel changes what people type: a code of fifteen digits becomes a rounded number, `1-2` a date. Such a cell
is a fault and never a guess. Whatever comes from outside is bounded before it is parsed.
"""

import re
import warnings
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time
from importlib import import_module
from pathlib import Path
from typing import Any, Final, NamedTuple

from rules.bundle import Bundle
from rules.columns import DOCUMENTS, TABLES
from rules.compile import compile_rows
from rules.documents import Composer
from rules.faults import Fault, Faults
from rules.folder import header_faults, offsets_of
from rules.places import Places
from rules.rows import NOTHING, Folder, Row
from rules.sheets import DAYS, FLAGS, IGNORED, LANGUAGE, NUMBERS, SHEETS, Sheet, column_letter, columns_of

MOST_BYTES: Final = 256 * 1024 * 1024
"""Of all parts of a workbook, unpacked; a city that needs more is kept as a folder."""
MOST_EMPTY: Final = 10_000
"""So many empty rows in a row are formatting to the end of the sheet and no gap between two rows."""
SPOILT: Final = "spoilt_cell"
_WORKBOOK: Final = "an Excel workbook (.xlsx)"
_OLD_EXCEL: Final = b"\xd0\xcf\x11\xe0"
_NO_VALUE: Final = {
    "f": "copy the cells with formulas and paste them as values (选择性粘贴 → 数值)",
    "e": "correct the cell: Excel shows an error in it",
}
_MERGED: Final = re.compile(rb'<mergeCell ref="([A-Z0-9:]{1,30})"')
_SAVE_AGAIN: Final = "save it in Excel or WPS as .xlsx (Excel 工作簿), without a password"


class WorkbookRead(NamedTuple):
    """The rows of a workbook, and where what was put together from them stands."""

    folder: Folder
    places: Places

    def located(self, faults: Iterable[Fault]) -> Faults:
        """The faults by sheet, row and column; of a cell that Excel spoilt, nothing else is told."""
        found = {self.places.located(fault) for fault in faults}
        spoilt = {(one.file, one.row, one.column) for one in found if one.code == SPOILT}
        told = (one for one in found if one.code == SPOILT or (one.file, one.row, one.column) not in spoilt)
        return Faults(tuple(sorted(told)))


def compile_workbook(path: Path) -> Bundle | Faults:
    """The bundle of a workbook, or everything that is wrong with it."""
    read = _read(path)
    if isinstance(read, Fault):
        return Faults((read,))
    compiled = compile_rows(read.folder)
    return read.located(compiled) if isinstance(compiled, Faults) else compiled


def read_workbook(path: Path) -> Folder:
    """The rows of a workbook; one that cannot be read has a fault and no rows."""
    read = _read(path)
    return Folder(faults=(read,)) if isinstance(read, Fault) else read.folder


def _open(path: Path) -> Any:
    """The opened workbook, or why it is none. Sizes are looked at before anything is unpacked."""
    row, excel = Row(path.name, 0), import_module("openpyxl")
    try:
        with path.open("rb") as file:
            if file.read(4) == _OLD_EXCEL:
                found = "a workbook of the old form (.xls), or one with a password"
                return row.fault("unreadable", "", _WORKBOOK, found, _SAVE_AGAIN)
            with zipfile.ZipFile(file) as parts:
                size = sum(part.file_size for part in parts.infolist())
        if size > MOST_BYTES:
            do = "delete the empty rows and the pictures, or keep a large city as a folder"
            wanted = f"at most {MOST_BYTES // 2**20} MiB when it is unpacked"
            return row.fault("unreadable", "", wanted, f"{size / 2**20:,.0f} MiB", do)
        return excel.load_workbook(path, read_only=True)
    except FileNotFoundError:
        return row.fault("missing_file", "", "the workbook", do="check the path")
    except zipfile.BadZipFile:
        return row.fault("unreadable", "", _WORKBOOK, "another kind of file", _SAVE_AGAIN)
    except Exception as error:  # noqa: BLE001 - a broken workbook makes openpyxl raise nearly anything
        return row.fault("unreadable", "", _WORKBOOK, _words(error), _SAVE_AGAIN)


def _read(path: Path) -> WorkbookRead | Fault:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # openpyxl warns of what it leaves out: drop-downs, pictures
        workbook = _open(path)
        if isinstance(workbook, Fault):
            return workbook
        places, faults = Places(), list[Fault]()
        try:
            rows, languages = _sheets(workbook, places, faults)
        except Exception as error:  # noqa: BLE001 - as in `_open`: parts are parsed while rows are read
            return Row(path.name, 0).fault("unreadable", "", _WORKBOOK, _words(error), _SAVE_AGAIN)
        finally:
            workbook.close()
    composer = Composer(rows, places, faults)
    documents, features = composer.documents(languages), composer.features()
    offsets = offsets_of(documents["city.yaml"].items().get("zone", NOTHING).text(), faults)
    tables = {file: rows[file.removesuffix(".csv")] for file in TABLES}
    return WorkbookRead(Folder(tables, documents, features, offsets, tuple(faults)), places)


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:80]


def _sheets(
    workbook: Any, places: Places, faults: list[Fault]
) -> tuple[dict[str, Sequence[Row]], Sequence[str]]:
    """The rows of each sheet, and the languages that the sheet of words has columns for."""
    found = {str(sheet.title).strip().lower(): sheet for sheet in workbook.worksheets}
    for name in sorted(found.keys() - SHEETS.keys()):
        if not name.startswith(IGNORED):
            wanted = "one of " + ", ".join(SHEETS)
            faults.append(Row(str(found[name].title), 0).fault("unknown_file", "", wanted, name))
    rows: dict[str, Sequence[Row]] = {}
    languages: list[str] = []
    for sheet in SHEETS.values():
        rows[sheet.name] = ()
        if sheet.name in found:
            reader = _SheetReader(sheet, places, faults)
            rows[sheet.name] = tuple(reader.rows(_cells(found[sheet.name])))
            reader.refuse_merged(_merged(workbook, found[sheet.name]))
            languages += [
                name for name in reader.header if sheet.name == "templates" and LANGUAGE.fullmatch(name)
            ]
        elif sheet.needed:
            faults.append(Row(sheet.file, 0).fault("missing_file", _of(sheet), f"the sheet {sheet.name}"))
    return rows, [name for name in dict.fromkeys(languages) if name != "code"]


def _of(sheet: Sheet) -> str:
    """What tells the sheets of one document apart in a fault about a whole one."""
    return sheet.name if sheet.file in DOCUMENTS else ""


def _cells(sheet: Any) -> Iterator[Sequence[Any]]:
    sheet.reset_dimensions()  # what a workbook says of its own size may be wrong, and would cut it
    yield from sheet.iter_rows()


def _merged(workbook: Any, sheet: Any) -> str:
    """Which cells are merged, the first of them: all but one of their values would be lost unseen."""
    with workbook._archive.open(sheet._worksheet_path) as part:  # noqa: SLF001 - read-only sheets do not say it
        before = b""
        while piece := part.read(2**20):
            if found := _MERGED.search(before + piece):
                return found[1].decode("ascii")
            before = piece[-100:]
    return ""


class _SheetReader:
    """Reads one sheet row by row; the faults stand where a folder's would."""

    def __init__(self, sheet: Sheet, places: Places, faults: list[Fault]) -> None:
        self._sheet = sheet
        self._places = places
        self._faults = faults
        self.header: list[str] = []

    def rows(self, lines: Iterator[Sequence[Any]]) -> Iterator[Row]:
        first = next(lines, ())
        self.header = [_plain(cell.value) for cell in first]
        while self.header and not self.header[-1]:
            self.header.pop()
        columns = columns_of(self._sheet, self.header)
        self._faults += header_faults(self._row(1), columns, [name for name in self.header if name])
        empty = 0
        for number, cells in enumerate(lines, start=2):
            if all(cell.value is None or cell.value == "" for cell in cells):
                empty += 1
                if empty > MOST_EMPTY:
                    self._endless(number - empty)
                    return
                continue
            empty = 0
            yield from self._read(number, cells)

    def refuse_merged(self, cells: str) -> None:
        """Note that cells are merged, if any are."""
        if cells:
            do = "undo merged cells (取消合并单元格) and fill every row"
            self._fault("ragged_row", 0, "", "a value of its own in each cell", f"merged cells {cells}", do)

    def _endless(self, last: int) -> None:
        do = f"select all rows below row {last} in Excel, delete them (删除整行), and save"
        found = f"more than {MOST_EMPTY:,} empty rows after row {last}"
        self._fault("ragged_row", last, "", "a sheet that ends with its last filled row", found, do)

    def _read(self, number: int, cells: Sequence[Any]) -> Iterator[Row]:
        named = dict(zip(self.header, cells, strict=False))
        by_name = self._sheet.columns.needed == ("name", "value") and "name" in named
        meaning = _plain(named["name"].value) if by_name else ""
        texts: dict[str, str] = {}
        for at, cell in enumerate(cells):
            name = self.header[at] if at < len(self.header) else ""
            if cell.value is None or cell.value == "":
                continue
            if not name:
                wanted = f"values under the {len(self.header)} columns of row 1"
                self._fault("ragged_row", number, column_letter(at), wanted, _plain(cell.value))
            elif text := self._text(number, meaning if name == "value" else name, cell):
                texts[name] = text
        if texts:
            yield Row(self._sheet.file, number, texts)

    def _text(self, number: int, column: str, cell: Any) -> str:
        """What stands in the cell, as a folder would have it; what Excel made of it is a fault."""
        value = cell.value
        if cell.data_type in _NO_VALUE:
            self._fault(SPOILT, number, column, "a value", str(value), _NO_VALUE[cell.data_type])
        elif isinstance(value, str):
            return value.strip()
        elif isinstance(value, bool) and column in FLAGS:
            return "yes" if value else "no"
        elif isinstance(value, date) and column in DAYS and _midnight(value):
            return f"{value:%Y-%m-%d}"
        elif isinstance(value, int | float) and self._counts(column) and value == int(value):
            return str(int(value))
        else:
            wanted = "a day like 2026-01-31" if column in DAYS else "text"
            self._fault(SPOILT, number, column, wanted, f"{_plain(value)} ({_made(value)})")
        return _plain(value)

    def _counts(self, meaning: str) -> bool:
        return self._sheet.name == "bounds" or (self._sheet.name, meaning) in NUMBERS

    def _fault(self, code: str, number: int, column: str, *told: str) -> None:
        """Note a fault; told is what was expected, what was found and what to do."""
        self._faults.append(self._row(number).fault(code, column, *told))

    def _row(self, number: int) -> Row:
        """A row as its file counts: documents by the number of a place."""
        if self._sheet.file in TABLES or self._sheet.name == "shapes":
            return Row(self._sheet.file, number)
        return Row(self._sheet.file, self._places.line(self._sheet.name, number))


def _midnight(value: date) -> bool:
    return not isinstance(value, datetime) or value.time() == time()


def _made(value: object) -> str:
    """What Excel made of whatever was typed."""
    if isinstance(value, bool):
        return "true or false"
    return "a number" if isinstance(value, int | float) else "a date or a time"


def _plain(value: object) -> str:
    """A value as people see it."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else str(value).strip()
