import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfoNotFoundError

import yaml

from rules.almanac import zone_offsets
from rules.bundle import Bundle
from rules.columns import DOCUMENTS, OPTIONAL_FILES, SHAPES, TABLES, TEMPLATES, Columns
from rules.compile import compile_rows
from rules.daytable import Offset
from rules.faults import Fault, Faults
from rules.rows import NOTHING, Feature, Folder, Node, Row


def compile_folder(path: Path) -> Bundle | Faults:
    """The bundle of a folder (docs/reference/bundle.md), or everything that is wrong with it."""
    return compile_rows(read_folder(path))


def read_folder(path: Path) -> Folder:
    """Read every file of a city; the faults name what is missing, unreadable or not known."""
    faults: list[Fault] = list(_unknown_files(path))
    tables: dict[str, Sequence[Row]] = {}
    documents: dict[str, Node] = {}
    for file in TABLES:
        text = _read(path, file, faults)
        tables[file] = () if text is None else _table(file, text, faults)
    for file in (*DOCUMENTS, *_template_files(path)):
        text = _read(path, file, faults)
        documents[file] = NOTHING if text is None else _document(file, text, faults)
    shapes = _read(path, SHAPES, faults)
    features = () if shapes is None else tuple(_features(shapes, faults))
    zone = documents["city.yaml"].items().get("zone", NOTHING).text()
    return Folder(tables, documents, features, offsets_of(zone, faults), tuple(faults))


def offsets_of(zone: str, faults: list[Fault]) -> tuple[Offset, ...]:
    """The offsets of the city's zone: the edition carries them, and no decision reads the tz database."""
    try:
        return zone_offsets(zone) if zone else ()
    except (ZoneInfoNotFoundError, ValueError, OSError):
        wanted = "a name of the tz database such as Asia/Shanghai"
        faults.append(Row("city.yaml", 0).fault("bad_choice", "zone", wanted, zone))
        return ()


CHANNEL_MAPPING = "mapping.yaml"
"""How a channel reads the city's sheets (services.intake.channels.sheet): no section of the edition."""


def _unknown_files(path: Path) -> Iterator[Fault]:
    if not path.is_dir():
        yield Row(str(path), 0).fault("missing_file", "", "a folder", do="check the path")
        return
    for found in sorted(path.iterdir()):
        known = found.name in (*TABLES, *DOCUMENTS, SHAPES, CHANNEL_MAPPING)
        if known or found.name.startswith(("README", "_", ".")):
            continue
        if found.name != TEMPLATES.rstrip("/"):
            yield Row(found.name, 0).fault(
                "unknown_file", "", "a file of docs/reference/bundle.md", found.name
            )


def _template_files(path: Path) -> list[str]:
    return sorted(f"{TEMPLATES}{found.name}" for found in (path / TEMPLATES).glob("*.yaml"))


def _read(path: Path, file: str, faults: list[Fault]) -> str | None:
    try:
        return (path / file).read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        if file not in OPTIONAL_FILES and path.is_dir():
            faults.append(Row(file, 0).fault("missing_file", "", "the file"))
    except UnicodeDecodeError as error:
        faults.append(Row(file, 0).fault("unreadable", "", "UTF-8", f"byte {error.start}"))
    except OSError as error:
        faults.append(Row(file, 0).fault("unreadable", "", "a readable file", str(error.strerror)))
    return None


def _table(file: str, text: str, faults: list[Fault]) -> Sequence[Row]:
    try:
        lines = list(csv.reader(StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        faults.append(Row(file, 0).fault("unreadable", "", "comma-separated values", str(error)))
        return ()
    header = [name.strip() for name in lines[0]] if lines else []
    faults += header_faults(Row(file, 1), TABLES[file], header)
    rows: list[Row] = []
    for number, cells in enumerate(lines[1:], start=2):
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            wanted = f"{len(header)} cells"
            faults.append(Row(file, number).fault("ragged_row", "", wanted, f"{len(cells)} cells"))
        stripped = ((name, cell.strip()) for name, cell in zip(header, cells, strict=False))
        rows.append(Row(file, number, {name: cell for name, cell in stripped if cell}))
    return tuple(rows)


def header_faults(row: Row, columns: Columns, header: Sequence[str]) -> Iterator[Fault]:
    """What is wrong with the header of a table, whose place is the row."""
    known = (*columns.needed, *columns.optional)
    for name in columns.needed:
        if name not in header:
            yield row.fault("missing_column", name, f"the column {name}")
    for name in sorted(set(header)):
        if name not in known:
            yield row.fault("unknown_column", name, f"one of {', '.join(known)}", name)
        if header.count(name) > 1:
            yield row.fault("twice_column", name, "each column once", name)


def _document(file: str, text: str, faults: list[Fault]) -> Node:
    try:
        tokens = list(_tokens(text))
        root = cast("object", yaml.compose(text, yaml.SafeLoader))  # pyright: ignore[reportUnknownMemberType]
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        row = Row(file, mark.line + 1 if mark else 0)
        faults.append(row.fault("unreadable", "", "YAML", str(getattr(error, "problem", error))))
        return NOTHING
    except RecursionError:
        faults.append(Row(file, 0).fault("unreadable", "", "YAML of a few levels", "too deep"))
        return NOTHING
    if any(isinstance(token, yaml.AliasToken) for token in tokens):
        faults.append(Row(file, 0).fault("unreadable", "", "values, no aliases (*name)", "an alias"))
        return NOTHING
    if not isinstance(root, yaml.MappingNode):
        faults.append(Row(file, 1).fault("unreadable", "", "a mapping of names to values"))
        return NOTHING
    return _node(file, root, faults)


def _tokens(text: str) -> Iterable[object]:
    scan: Any = yaml.scan  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    return cast("Iterable[object]", scan(text, yaml.SafeLoader))


def _node(file: str, node: Any, faults: list[Fault]) -> Node:
    line: int = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        pairs = cast("list[tuple[yaml.Node, yaml.Node]]", node.value)
        return Node(line, dict(_pairs(file, pairs, faults)))
    if isinstance(node, yaml.SequenceNode):
        return Node(line, tuple(_node(file, child, faults) for child in cast("list[yaml.Node]", node.value)))
    text = str(node.value).strip()
    return Node(line, "" if text in ("~", "null") and node.style is None else text)


def _pairs(
    file: str, pairs: Iterable[tuple[yaml.Node, yaml.Node]], faults: list[Fault]
) -> Iterator[tuple[str, Node]]:
    seen: set[str] = set()
    for key, child in pairs:
        name = str(key.value)
        if name in seen:
            faults.append(Row(file, key.start_mark.line + 1).fault("twice_key", name, "each name once", name))
        seen.add(name)
        yield name, _node(file, child, faults)


def _features(text: str, faults: list[Fault]) -> Iterator[Feature]:
    try:
        document = json.loads(text)
        features: list[object] = list(document["features"])
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        faults.append(Row(SHAPES, 0).fault("unreadable", "", "a GeoJSON FeatureCollection", str(error)[:80]))
        return
    for number, feature in enumerate(features, start=1):
        properties, geometry = _mapping(feature, "properties"), _mapping(feature, "geometry")
        cells = {name: str(value) for name, value in properties.items() if value not in (None, "")}
        yield Feature(Row(SHAPES, number, cells), geometry)


def _mapping(feature: object, name: str) -> Mapping[str, Any]:
    """A member of a feature, empty if it is no object."""
    member = cast("dict[str, Any]", feature).get(name) if isinstance(feature, dict) else None
    return cast("dict[str, Any]", member) if isinstance(member, dict) else {}
