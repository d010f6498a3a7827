from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rules.rows import NOTHING, Folder, Row


@dataclass(frozen=True, slots=True)
class Codes:
    """Every code that a reference may name, gathered before the rows are read; kinds carry their level."""

    areas: frozenset[str]
    units: frozenset[str]
    posts: frozenset[str]
    matters: frozenset[str]
    trades: frozenset[str]
    calendars: frozenset[str]
    day_tables: frozenset[str]
    templates: frozenset[str]
    kinds: Mapping[str, int]
    guarded: frozenset[str]
    layers: frozenset[str]


def gather(folder: Folder, kinds: Mapping[str, int], guarded: frozenset[str]) -> Codes:
    layers = folder.document("city.yaml").items().get("layers", NOTHING)
    calendars = folder.document("calendar.yaml").items().get("calendars", NOTHING)
    return Codes(
        areas=_column(folder.table("areas.csv"), "code"),
        units=_column(folder.table("units.csv"), "code"),
        posts=_column(folder.table("posts.csv"), "code"),
        matters=_column(folder.table("matters.csv"), "code"),
        trades=_column(folder.table("units.csv"), "trade"),
        calendars=frozenset(node.row("").cells.get("code", "") for node in calendars.list()),
        day_tables=_column(folder.table("days.csv"), "table"),
        templates=frozenset(code for words in folder.templates().values() for code in words.items()),
        kinds=kinds,
        guarded=guarded,
        layers=frozenset(node.text() for node in layers.list()),
    )


def _column(rows: Sequence[Row], column: str) -> frozenset[str]:
    return frozenset(row.cells[column] for row in rows if column in row.cells)
