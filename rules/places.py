"""Where things stand in a workbook: readers speak of files and lines, whoever keeps a workbook of cells."""

import re
from typing import Final, NamedTuple

from msgspec.structs import replace

from rules.columns import DOCUMENTS, SHAPES, TABLES, TEMPLATES
from rules.faults import DO, Fault


class Place(NamedTuple):
    """A cell, a row (no column) or a whole sheet (row 0)."""

    sheet: str
    row: int = 0
    column: str = ""


class Places:
    """The cells that documents were put together from; the number of one stands for the line of a file."""

    def __init__(self) -> None:
        self._all = [Place(""), Place("")]  # line 0 is a whole document, line 1 would be its header
        self._named: dict[tuple[str, str], int] = {}

    def line(self, sheet: str, row: int, column: str = "") -> int:
        self._all.append(Place(sheet, row, column))
        return len(self._all) - 1

    def name(self, sheet: str, name: str, row: int) -> None:
        """Note in which row something is named, for faults that know only its name."""
        self._named.setdefault((sheet, name), row)

    def located(self, fault: Fault) -> Fault:
        """The fault as whoever keeps the workbook reads it: the sheet, its row, and sheets in its words."""
        place = self._place(fault)
        do = _DO.get(fault.code, fault.do) if fault.do == DO.get(fault.code) else fault.do
        return replace(
            fault,
            file=place.sheet,
            row=place.row,
            column=place.column or fault.column,
            expected=_in_sheets(fault.expected),
            do=_in_sheets(do),
        )

    def _place(self, fault: Fault) -> Place:
        if fault.file in TABLES:
            return Place(fault.file.removesuffix(".csv"), fault.row)
        if fault.file == SHAPES:
            return Place("shapes", fault.row)
        if fault.file not in DOCUMENTS and not fault.file.startswith(TEMPLATES):
            return Place(fault.file, fault.row)
        if 1 < fault.row < len(self._all):
            return self._all[fault.row]
        sheet = _WHOLE.get((fault.file, fault.column)) or _SHEETS.get(fault.file, "templates")
        return Place(sheet, self._named.get((sheet, fault.column), 0))


_SHEETS: Final = {
    "city.yaml": "city",
    "calendar.yaml": "calendars",
    "policies.yaml": "policies",
    "bounds.yaml": "bounds",
}
_WHOLE: Final = {
    ("city.yaml", "kinds"): "kinds",
    ("city.yaml", "neighbours"): "neighbours",
    ("calendar.yaml", "city"): "city",
    ("policies.yaml", "ladders"): "ladders",
}
_DO: Final = {
    "missing_file": "add the sheet; `gridcase rules template FILE.xlsx` writes a workbook that has them all",
    "unknown_file": "correct the sheet's name, or let it begin with _ or README",
    "unknown_column": "correct the name in row 1, or remove the column",
    "missing_column": "write the name into row 1, above its column",
    "ragged_row": "move the value under a column that has a name in row 1, or delete it",
}
"""What to do in a workbook, where it differs from a folder."""
_WORDS: Final = (
    (re.compile(r"\b(kinds|neighbours) of city\.yaml"), r"sheet \1"),
    (re.compile(r"\bareas\.geojson"), "sheet shapes"),
    (re.compile(r"\bcalendar\.yaml"), "sheet calendars"),
    (re.compile(r"\b(city|policies|bounds)\.yaml"), r"sheet \1"),
    (re.compile(r"\btemplates/([\w-]+)\.yaml"), r"column \1 of sheet templates"),
    (re.compile(r"\b([a-z]+)\.csv"), r"sheet \1"),
)


def _in_sheets(text: str) -> str:
    for pattern, words in _WORDS:
        text = pattern.sub(words, text)
    return text
