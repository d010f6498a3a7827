"""The map of the Songbei test data as areas of a bundle: repaired where that changes nothing, else set aside.

Several polygons under one name are parts of one area. What is wrong is named in `Notes`, row by row.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import shapely
from shapely.geometry import mapping, shape
from shapely.geometry.base import BaseGeometry

LAYERS: Final = (
    ("区县", "district", "SB"),
    ("乡镇", "street", "JD"),
    ("社区", "community", "SQ"),
    ("网格", "grid", ""),
)
NAMES: Final = {"区县": "区县", "乡镇": "街道", "社区": "社区"}
LARGEST_CHANGE: Final = 0.01
Row = dict[str, str]


@dataclass(slots=True)
class Notes:
    """What was repaired, joined or set aside: file, name, what is wrong, what was done."""

    rows: list[tuple[str, str, str, str]] = field(default_factory=list[tuple[str, str, str, str]])

    def add(self, file: str, name: str, wrong: str, done: str) -> None:
        self.rows.append((file, name, wrong, done))


@dataclass(slots=True)
class Drawn:
    """One area: its row of areas.csv and its polygon."""

    row: Row
    polygon: BaseGeometry


def read_map(folder: Path, notes: Notes) -> list[Drawn]:
    """Districts, streets, communities and grids, each below its parent."""
    found: list[Drawn] = []
    parents: dict[tuple[str, ...], Drawn] = {}
    for word, kind, prefix in LAYERS:
        file = f"松北{word}.geojson"
        groups = _grouped(_features(folder / file, notes), word, file, parents, notes)
        for number, (path, parts) in enumerate(groups.items(), start=1):
            properties = parts[0][0]
            code = (
                properties["网格编码"]
                if kind == "grid"
                else f"{prefix}{number:03}"
                if len(path) > 1
                else prefix
            )
            parent = parents[path[:-1]].row["code"] if len(path) > 1 else ""
            name = properties["网格名称"] if kind == "grid" else properties[f"{NAMES[word]}名称"]
            alias = (properties.get("Name") or "") if kind == "grid" else ""
            row = _row(code, name, kind, parent, alias)
            drawn = Drawn(row, shapely.union_all([polygon for _, polygon in parts]))
            parents[path] = drawn
            found.append(drawn)
    return found


def _row(code: str, name: str, kind: str, parent: str, alias: str) -> Row:
    scheme = "哈尔滨网格编码" if kind == "grid" else "local"
    return {
        "code": code, "name": name, "kind": kind, "layer": "治理", "parent": parent, "scheme": scheme,
        "aliases": alias.replace("|", "、") if alias != name else "",
    }  # fmt: skip


Part = tuple[Mapping[str, Any], BaseGeometry]


def _features(path: Path, notes: Notes) -> Iterator[Part]:
    for feature in json.loads(path.read_text(encoding="utf-8"))["features"]:
        polygon = _sound(path.name, feature["properties"], shape(feature["geometry"]), notes)
        if polygon is not None:
            yield feature["properties"], polygon


def _sound(
    file: str, properties: Mapping[str, Any], polygon: BaseGeometry, notes: Notes
) -> BaseGeometry | None:
    """The polygon if it is valid or can be made so without changing its area, else nothing."""
    if polygon.is_valid:
        return polygon
    mended = shapely.make_valid(polygon)
    wrong = f"invalid polygon: {shapely.is_valid_reason(polygon).split('[')[0]}"
    change = abs(mended.area - polygon.area) / polygon.area
    if mended.geom_type == "Polygon" and change < LARGEST_CHANGE:
        notes.add(file, _named(properties), wrong, f"repaired, area changed by {change:.4%}")
        return mended
    notes.add(
        file,
        _named(properties),
        wrong,
        f"set aside: repair gives {mended.geom_type}, {change:.2%} other area",
    )
    return None


def _grouped(
    parts: Iterable[Part], word: str, file: str, parents: Mapping[tuple[str, ...], Drawn], notes: Notes
) -> Mapping[tuple[str, ...], Sequence[Part]]:
    """The parts of each area by its path of names; what lies in no parent is set aside."""
    groups: dict[tuple[str, ...], list[Part]] = defaultdict(list)
    streets = (
        shapely.union_all([one.polygon for path, one in parents.items() if len(path) == 2])
        if parents
        else None
    )
    for properties, polygon in parts:
        path = _path(properties, word)
        if len(path) > 1 and path[:-1] not in parents:
            notes.add(file, _named(properties), f"no {path[-2]} above it", "set aside")
        elif word == "社区" and streets and not streets.contains(polygon.representative_point()):
            notes.add(file, _named(properties), "in no township", "set aside this part")
        else:
            groups[path].append((properties, polygon))
    if word == "网格":
        _note_duplicates(groups, file, notes)
    return groups


def _note_duplicates(groups: Mapping[tuple[str, ...], Sequence[Part]], file: str, notes: Notes) -> None:
    for path, parts in groups.items():
        if len(parts) > 1:
            notes.add(
                file, path[-1], f"code on {len(parts)} polygons of one name", "joined as parts of one grid"
            )


def _path(properties: Mapping[str, Any], word: str) -> tuple[str, ...]:
    keys = ("区县名称", "街道名称", "社区名称", "网格编码")
    depth = [layer for layer, *_ in LAYERS].index(word) + 1
    return tuple(str(properties[key]) for key in keys[:depth])


def _named(properties: Mapping[str, Any]) -> str:
    for key in ("网格编码", "社区名称", "街道名称"):
        if properties.get(key):
            return f"{properties[key]} (OBJECTID {properties['OBJECTID']})"
    return str(properties["区县名称"])


def geojson(drawn: Sequence[Drawn]) -> str:
    features = [
        {"type": "Feature", "properties": {"code": one.row["code"]}, "geometry": mapping(one.polygon)}
        for one in drawn
    ]
    return json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False)
