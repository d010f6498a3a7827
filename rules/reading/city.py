from collections.abc import Mapping

from msgspec.structs import fields

from rules.bounds import Bounds
from rules.bundle import City, Kind, Neighbour
from rules.cells import Cells
from rules.faults import Fault
from rules.limits import LimitWords
from rules.reading.codes import Codes
from rules.rows import NOTHING, Folder, Node, Row
from rules.validity import FIRST_DAY

FILE = "city.yaml"
GUARDED_BY_DEFAULT = frozenset({"community", "village", "grid", "subgrid", "estate"})
AT_LEAST_ONE = frozenset({"decide_days", "notice_days"})
"""Days in which somebody must be able to decide or to object."""
NEEDED = ("code", "name", "zone", "root", "desk_area", "desk_kind", "centre", "body")
ALLOWED = (*NEEDED, "starts", "languages", "layers", "kinds", "neighbours", "limit_words", "channels")


def read_kinds(folder: Folder, faults: list[Fault]) -> tuple[Kind, ...]:
    """The kinds of area: first of all, because nearly every other file names them."""
    kinds: list[Kind] = []
    for node in folder.document(FILE).items().get("kinds", NOTHING).list():
        cells = Cells(node.row(FILE), faults)
        code = cells.code("code")
        guarded = cells.flag("guarded", default=code in GUARDED_BY_DEFAULT)
        if code in (kind.code for kind in kinds):
            cells.fault("duplicate", "code", "each kind once")
        kinds.append(Kind(code, cells.text("name"), cells.whole("level", 0, 20), guarded))
    if not kinds:
        faults.append(Row(FILE, 0).fault("empty", "kinds", "at least one kind of area"))
    if 0 not in (kind.level for kind in kinds) and kinds:
        faults.append(Row(FILE, 0).fault("bad_level", "kinds", "a kind with level 0: the root"))
    return tuple(kinds)


def read_city(folder: Folder, kinds: tuple[Kind, ...], codes: Codes, faults: list[Fault]) -> City:
    document = folder.document(FILE)
    cells = Cells(document.row(FILE), faults)
    _only(FILE, document, ALLOWED, faults)
    return City(
        code=cells.code("code"),
        name=cells.text("name"),
        zone=cells.text("zone"),
        root=cells.known("root", codes.areas, "areas.csv", "empty"),
        desk_area=cells.known("desk_area", codes.areas, "areas.csv", "empty"),
        desk_kind=cells.known("desk_kind", codes.kinds, "kinds", "empty"),
        centre=cells.known("centre", codes.units, "units.csv", "empty"),
        body=cells.known("body", codes.units, "units.csv", "empty"),
        languages=_languages(cells, folder),
        starts=cells.day("starts", FIRST_DAY),
        layers=_at_least_one(cells, "layers"),
        kinds=kinds,
        neighbours=_neighbours(document, codes, faults),
        limit_words=read_limit_words(folder, faults),
        channels=cells.several("channels"),
    )


def read_limit_words(folder: Folder, faults: list[Fault]) -> LimitWords:
    node = folder.document(FILE).items().get("limit_words", NOTHING)
    _only(FILE, node, LimitWords.__struct_fields__, faults)
    cells, usual = Cells(node.row(FILE), faults), LimitWords()
    return LimitWords(
        cells.whole("standard_day", 60, 1440, usual.standard_day),
        cells.whole("urgent_day", 60, 1440, usual.urgent_day),
        cells.flag("urgent_day_working", default=usual.urgent_day_working),
        cells.flag("bare_hour_working", default=usual.bare_hour_working),
        cells.flag("bare_day_working", default=usual.bare_day_working),
    )


def read_bounds(folder: Folder, faults: list[Fault]) -> Bounds:
    document = folder.document("bounds.yaml")
    names = [field.name for field in fields(Bounds)]
    _only("bounds.yaml", document, names, faults)
    cells = Cells(document.row("bounds.yaml"), faults)
    said = [name for name in names if cells.has(name)]
    return Bounds(**{name: cells.whole(name, int(name in AT_LEAST_ONE), 100_000) for name in said})


def _languages(cells: Cells, folder: Folder) -> tuple[str, ...]:
    languages = _at_least_one(cells, "languages")
    for language in languages:
        if language not in folder.templates():
            cells.fault("missing_file", "languages", f"templates/{language}.yaml", language)
    for language in set(folder.templates()) - set(languages):
        cells.fault("unknown_file", "languages", f"the language of templates/{language}.yaml", language)
    return languages or ("zh",)


def _at_least_one(cells: Cells, column: str) -> tuple[str, ...]:
    cells.text(column)
    return cells.several(column)


def _neighbours(document: Node, codes: Codes, faults: list[Fault]) -> tuple[Neighbour, ...]:
    found: list[Neighbour] = []
    for node in document.items().get("neighbours", NOTHING).list():
        cells = Cells(node.row(FILE), faults)
        area = cells.known("area", codes.areas, "areas.csv", "empty")
        found.append(Neighbour(area, cells.text("name"), cells.known("unit", codes.units, "units.csv")))
    return tuple(found)


def _only(
    file: str, node: Node, allowed: "tuple[str, ...] | list[str]", faults: list[Fault]
) -> Mapping[str, Node]:
    """The members of a mapping, with a fault for each name that means nothing here."""
    for name, child in node.items().items():
        if name not in allowed:
            faults.append(
                Row(file, child.line).fault("unknown_column", name, "one of " + ", ".join(allowed), name)
            )
    return node.items()
