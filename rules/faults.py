from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from msgspec import Struct


class Fault(Struct, frozen=True, order=True):
    """One thing that is wrong with a city's files: where, what stood there, what was expected, what to do.

    `row` counts as a spreadsheet does (the header is 1), in YAML it is the line, in GeoJSON the number of
    the feature; 0 means the file as a whole. `code` selects the words of other languages.
    """

    file: str
    row: int
    column: str
    code: str
    value: str
    expected: str
    do: str

    def __str__(self) -> str:
        place = f"{self.file} row {self.row}" if self.row else self.file
        column = f" column {self.column}" if self.column else ""
        return f"{place}{column}: found {self.value!r}, expected {self.expected}. Do: {self.do}."


@dataclass(frozen=True, slots=True)
class Faults:
    """All faults of a bundle at once, in the order of files and rows: such a bundle is not published."""

    all: tuple[Fault, ...]

    @classmethod
    def of(cls, faults: Iterable[Fault]) -> "Faults":
        return cls(tuple(sorted(_without_echoes(set(faults)))))

    def __iter__(self) -> Iterator[Fault]:
        return iter(self.all)

    def __len__(self) -> int:
        return len(self.all)


def _without_echoes(faults: set[Fault]) -> Iterator[Fault]:
    """Leaves out what only follows from a file that could not be read or a column that is not there."""
    unread = {fault.file for fault in faults if fault.code in UNREAD and not fault.row}
    lacking = {(fault.file, fault.column) for fault in faults if fault.code == "missing_column"}
    for fault in faults:
        follows = fault.code in ECHOES and (unread or lacking)
        of_unread = fault.file in unread and fault.code not in UNREAD
        below = (fault.file, fault.column) in lacking and fault.row > 1 and fault.code != "missing_column"
        if not (follows or of_unread or below):
            yield fault


UNREAD = frozenset({"missing_file", "unreadable"})
ECHOES = frozenset({"unknown_reference", "missing_row", "row8_gap", "no_fallback", "bad_level"})

DO = {
    "missing_file": "add the file; docs/reference/bundle.md lists its columns",
    "unknown_file": "correct its name, or let it begin with _",
    "unreadable": "save the file again in the form that docs/reference/bundle.md describes, as UTF-8",
    "missing_column": "add the column to the header line",
    "unknown_column": "correct the column's name, or remove the column",
    "twice_column": "keep one of the two columns",
    "spoilt_cell": (
        "format the whole column as text (文本) and type the value again: Excel may have lost digits or zeros"
    ),
    "ragged_row": "quote cells that contain a comma, and give each column of the header one cell",
    "twice_key": "keep one of the two",
    "empty": "fill it in",
    "bad_code": "use letters, digits, _ - and . without spaces",
    "bad_choice": "choose one of these",
    "bad_number": "write a whole number within these limits",
    "bad_day": "write it like 2026-01-31",
    "bad_flag": "write yes or no",
    "bad_limit": "write a limit in the words of the standards",
    "bad_calendar": "correct the calendar",
    "bad_shape": 'draw the polygon again, or declare "repair": "make_valid" for it',
    "bad_text": "write fields as {name}",
    "unknown_field": "take the field out of the template, or write one of these",
    "unknown_reference": "correct the code, or add what it names",
    "duplicate": "remove one of the two rows, or give it another code",
    "overlap": "end the older row on the day before the newer begins",
    "cycle": "correct the parent",
    "bad_level": "correct the level",
    "no_basis": "name the law or regulation; without a basis nothing enters a grid",
    "no_guiding_dept": "name the department that guides the work (对接指导部门)",
    "no_funding": "name source, standard and what it is counted per; money follows the task (费随事转)",
    "tie": "limit one of the two by matter, area, layer, mode or dates, or let the newer supersede the older",
    "row8_gap": (
        "add a prohibited entry for both modes, in force on DAY (`starts` of city.yaml) and without end;"
        " row8:TAG at the root covers all"
    ),
    "no_fallback": "give the fallback unit or the government of the city the level and the power",
    "missing_row": "add the row",
    "mixed_languages": "give every language the same codes and fields",
}  # fmt: skip
"""What to do about each kind of fault, unless the place itself knows better."""
