"""Rows of a sheet (表格导入) to reports, by a mapping that is data of the city: which column is what.

Files are read by the CLI; here a row is a mapping of column to cell. A row that cannot be read is a
`RowFault` that names row, column, expected and found, so that it can be corrected and sent again.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import cast

import msgspec
from msgspec import Struct

from schemas.refusal import Refusal
from schemas.report import GridReport, Position, Reporter
from services.intake.channels.cells import degrees, instant, slug

LONGEST_TEXT, LONGEST_LINE, LONGEST_CODE = 8000, 200, 64


class Column(Struct, frozen=True, forbid_unknown_fields=True):
    """Where a field comes from: the cells of `columns`, joined by `between`.

    `values` replaces whole cells; with `slug` what is left becomes a code; `formats` are those of a time.
    """

    columns: tuple[str, ...]
    between: str = " "
    values: dict[str, str] = {}
    slug: bool = False
    formats: tuple[str, ...] = ("iso",)


class SheetMapping(Struct, frozen=True, forbid_unknown_fields=True):
    """One kind of sheet. `blank` lists the cells that say nothing, `zone` is that of times without one.

    `source` is the column that names the channel of a row, which is else `channel`. A row whose position
    is 0,0 has none: sheets write zero for what they do not know.
    """

    channel: str
    zone: str
    id: Column
    text: Column
    source: Column | None = None
    occurred: Column | None = None
    longitude: Column | None = None
    latitude: Column | None = None
    place: Column | None = None
    area: Column | None = None
    matter: Column | None = None
    kind: Column | None = None
    photos: Column | None = None
    name: Column | None = None
    phone: Column | None = None
    default_kind: str = "problem"
    historic: bool = False
    blank: tuple[str, ...] = ("",)

    def wanted(self) -> frozenset[str]:
        """All columns that the mapping reads; the header of the sheet must have them."""
        fields = (getattr(self, field) for field in self.__struct_fields__)
        return frozenset(name for field in fields if isinstance(field, Column) for name in field.columns)


class SheetReport(Struct, frozen=True):
    """One row read: the source's own id and the report."""

    id: str
    report: GridReport


class RowFault(Struct, frozen=True):
    """Why a row is no report. `row` counts from 1 below the header."""

    row: int
    column: str
    refusal: Refusal


class UnreadableCell(Exception):  # noqa: N818 - travels inside this module only
    """A cell that ends the reading of its row."""

    def __init__(self, column: str, refusal: Refusal) -> None:
        super().__init__(column)
        self.column, self.refusal = column, refusal


def read_mapping(data: object) -> SheetMapping | Refusal:
    """The mapping from what YAML or JSON held; a column may be written as its bare name."""
    try:
        return msgspec.convert(_spelled_out(data), SheetMapping)
    except msgspec.ValidationError as error:
        return Refusal(code="mapping", expected="a mapping of columns", found=str(error)[:400])


def missing_columns(mapping: SheetMapping, header: Iterable[str]) -> tuple[str, ...]:
    """The columns that the mapping needs and the sheet lacks."""
    return tuple(sorted(mapping.wanted() - set(header)))


def read_row(mapping: SheetMapping, number: int, row: Mapping[str, str | None]) -> SheetReport | RowFault:
    """One row as a report, or what is wrong with it."""
    try:
        return _read(mapping, row)
    except UnreadableCell as cell:
        return RowFault(row=number, column=cell.column, refusal=cell.refusal)


def _read(mapping: SheetMapping, row: Mapping[str, str | None]) -> SheetReport:
    ident = _words(mapping, mapping.id, row, LONGEST_LINE)
    if not ident:
        raise _refused(mapping.id, "missing_id", "an id of its own for each row", "an empty cell")
    report = GridReport(
        channel=_code(mapping, mapping.source, row) or mapping.channel,
        kind=_words(mapping, mapping.kind, row, LONGEST_LINE) or mapping.default_kind,
        text=_words(mapping, mapping.text, row, LONGEST_TEXT),
        occurred=_occurred(mapping, row),
        position=_position(mapping, row),
        place=_words(mapping, mapping.place, row, LONGEST_LINE),
        area=_code(mapping, mapping.area, row),
        matter=_code(mapping, mapping.matter, row),
        reporter=_reporter(mapping, row),
        photos=tuple(_words(mapping, mapping.photos, row, LONGEST_TEXT).split()),
        historic=mapping.historic,
    )
    return SheetReport(id=ident, report=report)


def _words(mapping: SheetMapping, column: Column | None, row: Mapping[str, str | None], longest: int) -> str:
    """The cells that say something, each replaced as declared, joined."""
    if column is None:
        return ""
    cells = [(row.get(name) or "").strip() for name in column.columns]
    for cell in cells:
        if cell.startswith("=") and len(cell) > 1:
            raise _refused(column, "formula_cell", "a value", cell)
    said = [column.values.get(cell, cell) for cell in cells if cell not in mapping.blank]
    words = column.between.join(" ".join(cell.split()) for cell in said if cell)
    if len(words) > longest:
        raise _refused(column, "too_long", f"at most {longest} characters", f"{len(words)}")
    return words


def _code(mapping: SheetMapping, column: Column | None, row: Mapping[str, str | None]) -> str:
    words = _words(mapping, column, row, LONGEST_LINE)
    if column is None or not words:
        return ""
    code = slug(words) if column.slug else words
    if len(code) > LONGEST_CODE or any(sign in "/~" or sign.isspace() for sign in code):
        raise _refused(column, "no_code", "a code without blanks, / and ~", words)
    return code


def _occurred(mapping: SheetMapping, row: Mapping[str, str | None]) -> datetime | None:
    column = mapping.occurred
    cell = _words(mapping, column, row, LONGEST_LINE)
    if column is None or not cell:
        return None
    read = instant(cell, column.formats, mapping.zone)
    if isinstance(read, Refusal):
        raise UnreadableCell(column.columns[0], read)
    return read


def _position(mapping: SheetMapping, row: Mapping[str, str | None]) -> Position | None:
    if mapping.longitude is None or mapping.latitude is None:
        return None
    lon = _axis(mapping, mapping.longitude, row, 180)
    lat = _axis(mapping, mapping.latitude, row, 90)
    if (lon is None) != (lat is None):
        lacking = mapping.longitude if lon is None else mapping.latitude
        raise _refused(lacking, "half_position", "longitude and latitude, or neither", "an empty cell")
    if lon is None or lat is None or (lon, lat) == (0, 0):
        return None
    return Position(lon_e7=lon, lat_e7=lat)


def _axis(mapping: SheetMapping, column: Column, row: Mapping[str, str | None], most: int) -> int | None:
    cell = _words(mapping, column, row, LONGEST_LINE)
    if not cell:
        return None
    read = degrees(cell, most)
    if isinstance(read, Refusal):
        raise UnreadableCell(column.columns[0], read)
    return read


def _reporter(mapping: SheetMapping, row: Mapping[str, str | None]) -> Reporter | None:
    name = _words(mapping, mapping.name, row, LONGEST_LINE)
    phone = _words(mapping, mapping.phone, row, LONGEST_LINE)
    return Reporter(name=name, phone=phone) if name or phone else None


def _refused(column: Column, code: str, expected: str, found: str) -> UnreadableCell:
    return UnreadableCell(column.columns[0], Refusal(code=code, expected=expected, found=found[:400]))


def _spelled_out(data: object) -> object:
    """`id: Unique Key` means `id: {columns: [Unique Key]}`; a list of names means several columns."""
    if not isinstance(data, dict):
        return data
    known = cast("dict[str, object]", data)
    return {field: _column(value) if field in _COLUMNS else value for field, value in known.items()}


def _column(value: object) -> object:
    if isinstance(value, str):
        return {"columns": [value]}
    return {"columns": cast("list[object]", value)} if isinstance(value, list) else value


_COLUMNS = frozenset(
    "id text source occurred longitude latitude place area matter kind photos name phone".split()  # noqa: SIM905
)
