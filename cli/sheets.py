"""Files of reports: a CSV sheet, read by the mapping in the city's folder or beside its workbook."""

import csv
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

import yaml

from cities.day import Arrival
from cli.output import Exit, NotThere, fail
from kernel.errors import Fault
from rules.source import beside
from schemas.refusal import Refusal
from services.intake.channels.sheet import RowFault, SheetReport, missing_columns, read_mapping, read_row


class SheetFault(Fault):
    """{file} cannot be read as a sheet of reports: expected {expected}, found {found}. Do: {do}."""

    exit_code: ClassVar[int] = Exit.BUNDLE


def read_arrivals(city: Path, file: Path) -> Sequence[Arrival]:
    """Each row as a report that arrives when it says it happened; rows that are none are named on stderr."""
    if not file.exists():
        raise NotThere(
            what=f"the file {file}", do="give a CSV file of reports, or a number to make reports up"
        )
    mapping_file = beside(city, "mapping.yaml")
    if not mapping_file.exists():
        raise NotThere(
            what=f"the mapping {mapping_file}",
            do="describe the sheet's columns there; see cities/boston/mapping.yaml",
        )
    mapping = read_mapping(yaml.safe_load(mapping_file.read_text(encoding="utf-8")))
    if isinstance(mapping, Refusal):
        raise SheetFault(
            file=mapping_file, expected=mapping.expected, found=mapping.found, do="correct the mapping"
        )
    with file.open(encoding="utf-8-sig", newline="") as sheet:
        rows = csv.DictReader(sheet)
        missing = missing_columns(mapping, rows.fieldnames or ())
        if missing:
            raise SheetFault(
                file=file,
                expected=f"the columns {', '.join(missing)}",
                found="none of them",
                do="name them in the mapping",
            )
        return _arrivals(file, [read_row(mapping, number, row) for number, row in enumerate(rows, 1)])


def _arrivals(file: Path, rows: Sequence[SheetReport | RowFault]) -> Sequence[Arrival]:
    found: list[Arrival] = []
    for row in rows:
        if isinstance(row, RowFault):
            fail(
                f"{file.name} row {row.row} {row.column}: "
                f"expected {row.refusal.expected}, found {row.refusal.found}"
            )
            continue
        at = row.report.occurred or datetime.now(UTC)
        found.append(Arrival(at=at, source=file.stem, id=row.id, report=row.report))
    return found
