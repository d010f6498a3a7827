"""What the batch doors (批量接口) share: a city's rules, a sheet read row by row, an answer for each row."""

import csv
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple, TypeAlias

import msgspec
import typer

from cli.bundles import bundle_of
from cli.opening import enter
from cli.output import NotThere
from cli.sheets import SheetFault
from rules.inforce import Rules
from schemas.refusal import Refusal
from services.intake.reader.lookup import Refused

if TYPE_CHECKING:
    from cli.assemble import LiveCity

_DO: Final = {
    "empty_row": "remove the row, or fill it in",
    "ragged_row": "quote cells that contain a comma, and give each column of the header one cell",
    "unreadable_row": "quote the cell, and close the quotes",
    "empty": "fill it in",
    "no_place": "give the row a point, a code or words",
    "no_number": "write decimal degrees such as 118.6277",
    "out_of_range": "correct the value; metres of a map projection must be brought to degrees first",
    "position_zero": "leave lon and lat empty where no point is known",
    "axes_swapped": "exchange lon and lat",
    "outside_city": "send it to the city in which it lies, or correct the point",
    "suspected_crs": "if the points come from such a map, name its system in the column crs",
    "unknown_crs": "name the coordinate system in the column crs",
    "unknown_layer": "take one of these, or leave the column empty",
    "not_in_layer": "leave the layer empty, or draw its areas there",
    "unknown_scheme": "take one of these, or leave the column empty",
    "bad_code": "correct the code, or the scheme",
    "unknown_code": "correct the code, or add it to areas.csv as an alias",
    "unknown_area": "correct the code, or add it to areas.csv",
    "unknown_matter": "take a code of matters.csv",
    "unknown_condition": "take one of these codes of conditions.csv",
    "unknown_mode": "write normal (平) or emergency (急), or leave it empty",
    "no_time": "write it like 2026-03-02T09:00+08:00, or as the city's own time without a zone",
}  # fmt: skip
"""What to do about a row that has no answer; refusals themselves say only what was expected and found."""
_CHUNK: Final = 500
_HEAD: Final = 65_536


class Encoding(StrEnum):
    """How the bytes of a sheet mean characters."""

    UTF_8 = "utf-8"
    GBK = "gbk"
    GB18030 = "gb18030"


class Row(NamedTuple):
    """One row, counted as a spreadsheet does (the header is 1): its cells by name, or what is wrong."""

    number: int
    cells: Mapping[str, str] | Refusal


Answer: TypeAlias = dict[str, Any]
CityOf: TypeAlias = Annotated[
    str, typer.Option("--city", metavar="CITY", help="A bundle (folder, workbook) or a city's database.")
]
Batch: TypeAlias = Annotated[Path, typer.Option("--batch", metavar="FILE", help="The rows, as CSV.")]
Encoded: TypeAlias = Annotated[Encoding, typer.Option("--encoding", help="Encoding of the file.")]


def rules_of_city(city: str) -> Rules:
    """The rules by which a batch is answered: those of the folder, or those in force in the database."""
    if "://" in city:
        return enter(city, _in_force)
    if not Path(city).exists():
        raise NotThere(what=f"the city {city}", do="give the folder of a bundle, its workbook or a database")
    return Rules(number=0, bundle=bundle_of(Path(city)))


async def _in_force(live: "LiveCity") -> Rules:
    rules = await live.rules()
    if rules is None:
        raise NotThere(what=f"an edition of {live.city.code}", do="publish one with gridcase init")
    return rules


def answer_all(
    rows: Iterator[Row],
    answer: Callable[[Mapping[str, str]], Answer | Refused],
    words: Callable[[Answer], str],
    *,
    as_json: bool,
) -> None:
    """A line for each row in its order; no more than a few hundred are held at any time."""
    encode, lines = msgspec.json.Encoder().encode, list[str]()
    for row in rows:
        found = (row.cells,) if isinstance(row.cells, Refusal) else answer(row.cells)
        name = "" if isinstance(row.cells, Refusal) else row.cells.get("id", "")
        head: Answer = {"row": row.number, "id": name} if name else {"row": row.number}
        if isinstance(found, tuple):
            head["errors"] = [_error(refusal) for refusal in found]
        else:
            head.update(found)
        lines.append(encode(head).decode() if as_json else f"row {row.number}: {_said(head, words)}")
        if len(lines) >= _CHUNK:
            _write(lines)
    _write(lines)


def read_rows(file: Path, encoding: Encoding, needed: Sequence[Sequence[str]]) -> Iterator[Row]:
    """The rows of a sheet, one by one; `needed` are sets of columns of which the header has one whole.

    A row that cannot be used is a refusal and the next one follows; a file that cannot is a fault.
    """
    try:
        with file.open(encoding="utf-8-sig" if encoding is Encoding.UTF_8 else encoding, newline="") as sheet:
            reader = csv.reader(sheet)
            header = _header(file, next(reader, list[str]()), needed)
            yield from _numbered(reader, header)
    except FileNotFoundError:
        raise NotThere(what=f"file {file}", do="check the path") from None
    except UnicodeDecodeError as error:
        raise _not_decoded(file, encoding, error) from error
    except (OSError, csv.Error) as error:
        raise SheetFault(
            file=file, expected="a readable CSV file", found=error, do="check the file"
        ) from error


def _numbered(reader: Iterator[list[str]], header: Sequence[str]) -> Iterator[Row]:
    number = 1
    while True:
        number += 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Row(
                number, Refusal(code="unreadable_row", expected="comma-separated cells", found=str(error))
            )
            continue
        yield Row(number, _cells(header, cells))


def _cells(header: Sequence[str], cells: Sequence[str]) -> Mapping[str, str] | Refusal:
    if not any(cell.strip() for cell in cells):
        return Refusal(code="empty_row", expected="a filled row", found="an empty row")
    if len(cells) != len(header):
        return Refusal(code="ragged_row", expected=f"{len(header)} cells", found=f"{len(cells)} cells")
    return {name: cell.strip() for name, cell in zip(header, cells, strict=True)}


def _header(file: Path, header: Sequence[str], needed: Sequence[Sequence[str]]) -> Sequence[str]:
    names = [name.strip() for name in header]
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise SheetFault(
            file=file, expected="each column once", found=f"{', '.join(twice)} twice", do="keep one of them"
        )
    if not any(set(columns) <= set(names) for columns in needed):
        raise SheetFault(
            file=file,
            expected="the columns " + " or ".join(" + ".join(columns) for columns in needed),
            found=", ".join(names)[:200] or "an empty file",
            do="name the columns so in the first line",
        )
    return names


def _not_decoded(file: Path, encoding: Encoding, error: UnicodeDecodeError) -> SheetFault:
    with file.open("rb") as raw:
        head = raw.read(_HEAD)
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        looks, do = "UTF-16", "save it as CSV in UTF-8"
    elif encoding is Encoding.UTF_8 and _decodes(head, Encoding.GB18030):
        looks, do = "what looks like GBK", "save it as UTF-8, or give --encoding gbk"
    else:
        looks, do = f"bytes that are none ({error.reason})", "save it as CSV in UTF-8"
    return SheetFault(file=file, expected=encoding.value, found=looks, do=do)


def _decodes(head: bytes, encoding: str) -> bool:
    """Whether these bytes are characters there; the last one may be cut."""
    try:
        head[: head.rfind(b"\n") + 1 or None].decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _error(refusal: Refusal) -> Answer:
    do = _DO.get(refusal.code, "correct the row")
    return {"code": refusal.code, "expected": refusal.expected, "found": refusal.found, "do": do}


def _said(head: Answer, words: Callable[[Answer], str]) -> str:
    if "errors" not in head:
        return words(head)
    return " ".join(
        f"{error['code']}: expected {error['expected']}, found {error['found']!r}. Do: {error['do']}."
        for error in head["errors"]
    )


def _write(lines: list[str]) -> None:
    if lines:
        sys.stdout.write("\n".join(lines) + "\n")
        lines.clear()
