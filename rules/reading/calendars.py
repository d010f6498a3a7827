from collections import defaultdict
from collections.abc import Mapping

from rules.cells import Cells
from rules.daytable import (
    CalendarFault,
    CalendarSpec,
    Day,
    DayTable,
    Offset,
    Window,
    calendar_faults,
    parse_windows,
)
from rules.faults import Fault
from rules.reading.codes import Codes
from rules.rows import NOTHING, Folder, Node, Row

FILE = "calendar.yaml"
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def read_calendars(folder: Folder, codes: Codes, zone: str, faults: list[Fault]) -> tuple[CalendarSpec, ...]:
    """The calendars, the city's own first."""
    tables = _day_tables(folder, faults)
    document = folder.document(FILE)
    city = Cells(document.row(FILE), faults).known("city", codes.calendars, FILE, "empty")
    offsets = folder.offsets or CalendarSpec("").offsets
    specs: list[CalendarSpec] = []
    for node in document.items().get("calendars", NOTHING).list():
        spec = _calendar(node, tables, zone, offsets, faults)
        if spec.code in (known.code for known in specs):
            Cells(node.row(FILE), faults).fault("duplicate", "code", "each calendar once")
        specs.append(spec)
    return tuple(sorted(specs, key=lambda spec: spec.code != city))


def _calendar(
    node: Node, tables: Mapping[str, DayTable], zone: str, offsets: tuple[Offset, ...], faults: list[Fault]
) -> CalendarSpec:
    cells = Cells(node.row(FILE), faults)
    table = cells.known("days", tables, "tables of days.csv")
    week = node.items().get("week", NOTHING)
    for name in week.items():
        if name not in WEEKDAYS:
            cells.fault("unknown_column", "week", "one of " + ", ".join(WEEKDAYS), name)
    hours = Cells(week.row(FILE), faults)
    cells.text("standard")
    spec = CalendarSpec(
        code=cells.code("code"),
        zone=zone,
        week=tuple(_windows(hours, name) for name in WEEKDAYS),
        standard=_windows(cells, "standard"),
        days=tables.get(table),
        offsets=offsets,
    )
    for fault in calendar_faults(spec):
        cells.fault("bad_calendar", "code", fault.expected, fault.value, fault.do)
    return spec


def _windows(cells: Cells, column: str) -> tuple[Window, ...]:
    text = cells.free(column).replace("|", ",")
    read = parse_windows(text)
    if isinstance(read, CalendarFault):
        cells.fault("bad_calendar", column, read.expected, text, read.do)
        return ()
    return read


def _day_tables(folder: Folder, faults: list[Fault]) -> Mapping[str, DayTable]:
    days: dict[str, list[Day]] = defaultdict(list)
    for row in folder.table("days.csv"):
        before = len(faults)
        day = _day(row, faults)
        if len(faults) == before:
            days[row.cells["table"]].append(day)
    return {
        code: DayTable(code, tuple(sorted(rows, key=lambda day: day.date))) for code, rows in days.items()
    }


def _day(row: Row, faults: list[Fault]) -> Day:
    cells = Cells(row, faults)
    cells.code("table")
    kind = (
        "off"
        if cells.choice("kind", {"off": "off", "work": "work", "休": "off", "班": "work"}) == "off"
        else "work"
    )
    return Day(
        cells.day("date"),
        kind,
        cells.free("name"),
        cells.free("notice"),
        _windows(cells, "windows"),
        cells.flag("expected"),
    )
