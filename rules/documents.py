"""The documents of a bundle (city, calendars, policies, bounds, words, map) put together from the rows of
sheets, and taken apart into them.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, cast

from rules.columns import SHAPES, TEMPLATES
from rules.faults import Fault
from rules.limits import LimitWords
from rules.places import Places
from rules.reading.calendars import WEEKDAYS
from rules.reading.entries import MODES
from rules.rows import NOTHING, SEPARATOR, Feature, Folder, Node, Row
from rules.sheets import CELL_CHARACTERS, CITY_NAMES, GEOMETRY, LISTS_OF_CITY, SHEETS

Rows = Mapping[str, Sequence[Row]]
Cells = Mapping[str, str]
_SECTION: Final = {"normal": "clocks", "emergency": "emergency"}
_SECTIONS: Final = {"": "clocks"} | {said: _SECTION[mode] for said, mode in MODES.items() if mode in _SECTION}


class Composer:
    """Puts documents together; what belongs nowhere or stands twice becomes a fault."""

    def __init__(self, rows: Rows, places: Places, faults: list[Fault]) -> None:
        self._rows = rows
        self._places = places
        self._faults = faults

    def documents(self, languages: Sequence[str]) -> Mapping[str, Node]:
        """All of them, by the file that they are in a folder."""
        named, words = self._named("city"), list(self._keyed("templates", "code"))
        calendar = named.pop("calendar", None)
        items = {"city": calendar} if calendar else {}
        items["calendars"] = Node(0, tuple(self._calendars()))
        return {
            "city.yaml": self._city(named),
            "calendar.yaml": Node(0, items),
            "policies.yaml": self._policies(),
            "bounds.yaml": Node(0, self._named("bounds")),
            **{f"{TEMPLATES}{language}.yaml": self._words(language, words) for language in languages},
        }

    def features(self) -> tuple[Feature, ...]:
        return tuple(Feature(row, self._geometry(row)) for row in self._rows.get("shapes", ()))

    def _city(self, named: dict[str, Node]) -> Node:
        for name in [name for name in named if name not in CITY_NAMES]:
            line, expected = named.pop(name).line, "one of " + ", ".join(CITY_NAMES)
            self._faults.append(
                Row("city.yaml", line).fault(
                    "unknown_column", name, expected, name, "correct the name in column A, or delete the row"
                )
            )
        for name in LISTS_OF_CITY:
            if name in named:
                line, parts = named[name].line, named[name].text().split(SEPARATOR)
                named[name] = Node(line, tuple(Node(line, part.strip()) for part in parts if part.strip()))
        words = {name: named.pop(name) for name in LimitWords.__struct_fields__ if name in named}
        tables = {name: Node(0, tuple(self._nodes(name))) for name in ("kinds", "neighbours")}
        return Node(0, {**named, **tables, **({"limit_words": Node(0, words)} if words else {})})

    def _named(self, sheet: str) -> dict[str, Node]:
        """The rows of a sheet of names and values."""
        found: dict[str, Node] = {}
        for row in self._keyed(sheet, "name"):
            line = self._places.line(sheet, row.number)
            if "value" in row.cells:
                found[row.cells["name"]] = Node(line, row.cells["value"])
        return found

    def _keyed(self, sheet: str, *columns: str) -> Iterator[Row]:
        """The rows that have a name, each name once."""
        seen: dict[tuple[str, ...], int] = {}
        for row in self._rows.get(sheet, ()):
            key = tuple(row.cells.get(column, "") for column in columns)
            here = Row(SHEETS[sheet].file, self._places.line(sheet, row.number, columns[-1]))
            self._places.name(sheet, key[-1], row.number)
            if not key[-1]:
                self._faults.append(here.fault("empty", columns[-1], "a value"))
            elif key in seen:
                wanted = f"each {columns[-1]} once; it stands in row {seen[key]} too"
                self._faults.append(here.fault("twice_key", columns[-1], wanted, key[-1]))
            else:
                seen[key] = row.number
                yield row

    def _nodes(self, sheet: str) -> Iterator[Node]:
        yield from (self._node(sheet, row) for row in self._rows.get(sheet, ()))

    def _node(self, sheet: str, row: Row, *without: str) -> Node:
        line = self._places.line
        kept = {name: text for name, text in row.cells.items() if name not in without}
        items = {name: Node(line(sheet, row.number, name), text) for name, text in kept.items()}
        return Node(line(sheet, row.number), items)

    def _calendars(self) -> Iterator[Node]:
        for node in self._nodes("calendars"):
            items = dict(node.items())
            week = {name: items.pop(name) for name in WEEKDAYS if name in items}
            yield Node(node.line, {**items, "week": Node(node.line, week)})

    def _policies(self) -> Node:
        sections: dict[str, dict[str, Node]] = {"clocks": {}}
        rungs = self._rungs()
        for row in self._keyed("policies", "mode", "clock"):
            section = self._section("policies", row)
            node = self._node("policies", row, "clock", "mode")
            ladder = tuple(rungs.pop((section, row.cells["clock"]), ()))
            items = {**node.items(), **({"ladder": Node(node.line, ladder)} if ladder else {})}
            sections.setdefault(section, {})[row.cells["clock"]] = Node(node.line, items)
        for (_, clock), nodes in rungs.items():
            wanted = "a clock of the sheet policies, in the same mode"
            row = Row("policies.yaml", nodes[0].line)
            self._faults.append(row.fault("unknown_reference", "clock", wanted, clock))
        return Node(0, {name: Node(0, clocks) for name, clocks in sections.items()})

    def _rungs(self) -> dict[tuple[str, str], list[Node]]:
        found: dict[tuple[str, str], list[Node]] = {}
        for row in self._rows.get("ladders", ()):
            key = self._section("ladders", row), row.cells.get("clock", "")
            found.setdefault(key, []).append(self._node("ladders", row, "clock", "mode"))
        return found

    def _section(self, sheet: str, row: Row) -> str:
        mode = row.cells.get("mode", "")
        if mode not in _SECTIONS:
            here = Row("policies.yaml", self._places.line(sheet, row.number, "mode"))
            wanted = "normal or emergency; empty is normal"
            self._faults.append(here.fault("bad_choice", "mode", wanted, mode))
        return _SECTIONS.get(mode, "clocks")

    def _words(self, language: str, rows: Sequence[Row]) -> Node:
        line, said = self._places.line, [row for row in rows if language in row.cells]
        return Node(0, {
            row.cells["code"]: Node(line("templates", row.number, language), row.cells[language])
            for row in said
        })  # fmt: skip

    def _geometry(self, row: Row) -> Mapping[str, Any]:
        """The polygon of a row; its pieces are joined in the order of their numbers."""
        names = sorted((name for name in row.cells if GEOMETRY.fullmatch(name)), key=_piece)
        text = "".join(row.cells[name] for name in names)
        try:
            read = cast("object", json.loads(text))
        except (ValueError, RecursionError):
            read = None
        if isinstance(read, dict):
            return cast("dict[str, Any]", read)
        wanted = 'a polygon as GeoJSON: {"type": "Polygon", "coordinates": …}'
        self._faults.append(
            Row(SHAPES, row.number).fault("bad_shape", "geometry", wanted, text[:40], "paste it again, whole")
        )
        return {}


def _piece(name: str) -> int:
    return int(name.partition("_")[2] or 1)


def sheets_of(folder: Folder) -> Mapping[str, Sequence[Cells]]:
    """The rows of every sheet, from whatever the bundle was read from."""
    city, calendar = folder.document("city.yaml").items(), folder.document("calendar.yaml").items()
    found: dict[str, list[Cells]] = {
        "city": list(_city_rows(city, calendar)),
        "kinds": [node.row("").cells for node in city.get("kinds", NOTHING).list()],
        "neighbours": [node.row("").cells for node in city.get("neighbours", NOTHING).list()],
        "shapes": [{**properties_of(feature), **_pieces(feature.geometry)} for feature in folder.features],
        "calendars": [_calendar_row(node) for node in calendar.get("calendars", NOTHING).list()],
        "policies": [{**keys, **_scalars(node)} for keys, node in _clocks(folder)],
        "ladders": [
            {**keys, **rung.row("").cells}
            for keys, node in _clocks(folder)
            for rung in node.items().get("ladder", NOTHING).list()
        ],
        "bounds": [
            {"name": name, "value": node.text()}
            for name, node in folder.document("bounds.yaml").items().items()
        ],
        "templates": _template_rows(folder),
    }
    tables = {sheet.name: [row.cells for row in folder.table(sheet.file)] for sheet in SHEETS.values()}
    return {name: found.get(name) or tables[name] for name in SHEETS}


def _city_rows(city: Mapping[str, Node], calendar: Mapping[str, Node]) -> Iterator[Cells]:
    for name, node in city.items():
        if name not in ("kinds", "neighbours", "limit_words"):
            yield {"name": name, "value": node.text()}
    if "city" in calendar:
        yield {"name": "calendar", "value": calendar["city"].text()}
    for name, node in city.get("limit_words", NOTHING).items().items():
        yield {"name": name, "value": node.text()}


def _calendar_row(node: Node) -> Cells:
    week = node.items().get("week", NOTHING)
    return {**_scalars(node), **{name: day.text() for name, day in week.items().items()}}


def _clocks(folder: Folder) -> Iterator[tuple[Cells, Node]]:
    document = folder.document("policies.yaml").items()
    for section, mode in (("clocks", "normal"), ("emergency", "emergency")):
        for clock, node in document.get(section, NOTHING).items().items():
            yield {"clock": clock, "mode": mode}, node


def _scalars(node: Node) -> Cells:
    return {name: child.text() for name, child in node.items().items() if name not in ("ladder", "week")}


def properties_of(feature: Feature) -> Cells:
    """What a bundle knows of a polygon beside its points; what a drawing tool adds means nothing."""
    known = ("code", *SHEETS["shapes"].columns.optional)
    return {name: text for name, text in feature.row.cells.items() if name in known}


def _pieces(geometry: Mapping[str, Any]) -> Cells:
    text = json.dumps(geometry, ensure_ascii=False, separators=(",", ":"))
    pieces = [text[at : at + CELL_CHARACTERS] for at in range(0, len(text), CELL_CHARACTERS)]
    return {"geometry" if n == 1 else f"geometry_{n}": piece for n, piece in enumerate(pieces, start=1)}


def _template_rows(folder: Folder) -> list[Cells]:
    rows: dict[str, dict[str, str]] = {}
    said, asked = folder.templates(), folder.document("city.yaml").items().get("languages", NOTHING).text()
    for language in sorted(said, key=lambda one: (one not in asked, asked.find(one), one)):
        for code, node in said[language].items().items():
            rows.setdefault(code, {"code": code})[language] = node.text()
    return list(rows.values())
