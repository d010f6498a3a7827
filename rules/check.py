from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from rules.bundle import Bundle, Parts
from rules.faults import Fault
from rules.geometry import NEIGHBOUR
from rules.posts import ROLES
from rules.publication import publication_faults
from rules.rows import Folder, Row, rows_of
from rules.templates import FIELDS
from rules.validity import Dated

D = TypeVar("D", bound=Dated)
_APART = ("handler", "legal", "finance")
CENTRAL = tuple(role for role in ROLES if role not in _APART and not role.startswith("meeting"))
"""The roles without which a case would stop; a meeting level may be missing."""


def check(parts: Parts, folder: Folder | None = None) -> list[Fault]:
    """What is wrong between the rows of a city. Without the folder, rows are numbered as in the parts."""
    return check_bundle(Bundle(parts, ""), folder)


def check_bundle(bundle: Bundle, folder: Folder | None = None) -> list[Fault]:
    """The same of a bundle that has its indexes already."""
    found: list[Fault] = []
    for checker in CHECKERS:
        found += checker(bundle, folder or Folder())
    return found


def _areas(bundle: Bundle, folder: Folder) -> Iterator[Fault]:
    areas, rows = bundle.parts.areas, rows_of(folder, "areas.csv", bundle.parts.areas)
    yield from _overlaps(rows, areas)
    yield from _cycles(rows, areas, lambda area: area.parent)
    levels = {area.code: area.level for area in areas}
    kinds = {kind.code for kind in bundle.city.kinds}
    for row, area in zip(rows, areas, strict=True):
        if not area.parent and area.code != bundle.city.root and area.layer != NEIGHBOUR:
            yield row.fault("empty", "parent", f"a parent: only {bundle.city.root} has none")
        if area.code == bundle.city.root and (area.parent or area.level):
            yield row.fault("bad_level", "kind", "no parent and the kind of level 0, for the root", area.kind)
        if area.parent and area.kind in kinds and levels.get(area.parent, -1) >= area.level:
            yield row.fault("bad_level", "kind", f"a kind below that of {area.parent}")


def _map(bundle: Bundle, _: Folder) -> Iterator[Fault]:
    """Whoever draws any polygon draws the whole city, else most of it would be `outside`."""
    drawn = {shape.area for shape in bundle.parts.shapes}
    top = [area for area in bundle.areas.children(bundle.city.root) if area.layer != NEIGHBOUR]
    missing = [area.code for area in top if area.code not in drawn]
    if drawn and bundle.city.root not in drawn and (missing or not top):
        wanted = f"a polygon of {bundle.city.root}, or of each area right below it"
        yield Row("areas.geojson", 0).fault("bad_shape", "code", wanted, ", ".join(missing[:5]), "draw it")


def _units(bundle: Bundle, folder: Folder) -> Iterator[Fault]:
    units, rows = bundle.parts.units, rows_of(folder, "units.csv", bundle.parts.units)
    yield from _overlaps(rows, units)
    yield from _cycles(rows, units, lambda unit: unit.parent)
    for row, unit in zip(rows, units, strict=True):
        if unit.fallback and (bundle.register.guards(unit.level) or not unit.level):
            yield row.fault("bad_level", "fallback", "no: a fallback is a street or county body", unit.level)


def _posts(bundle: Bundle, folder: Folder) -> Iterator[Fault]:
    posts, rows = bundle.parts.posts, rows_of(folder, "posts.csv", bundle.parts.posts)
    yield from _overlaps(rows, posts)
    for row, post in zip(rows, posts, strict=True):
        if post.substitute == post.code:
            yield row.fault("unknown_reference", "substitute", "another post")
    held = {post.role for post in posts if post.area == bundle.city.root}
    for role in CENTRAL:
        if role not in held:
            yield Row("posts.csv", 0).fault(
                "missing_row", "role", f"a post {role} ({ROLES[role]}) at the root"
            )


def _pairings(bundle: Bundle, folder: Folder) -> Iterator[Fault]:
    pairings = bundle.parts.pairings
    yield from _overlaps(rows_of(folder, "pairings.csv", pairings), pairings)


def _matters(bundle: Bundle, folder: Folder) -> Iterator[Fault]:
    matters, seen = bundle.parts.matters, set[str]()
    for row, matter in zip(rows_of(folder, "matters.csv", matters), matters, strict=True):
        if matter.code in seen:
            yield row.fault("duplicate", "code", "each matter once")
        seen.add(matter.code)


def _entries(bundle: Bundle, folder: Folder) -> Iterator[Fault]:
    entries, rows = bundle.parts.entries, rows_of(folder, "entries.csv", bundle.parts.entries)
    seen: dict[tuple[str, int], Row] = {}
    known = {f"{entry.entry_id}@{entry.version}" for entry in entries}
    for row, entry in zip(rows, entries, strict=True):
        if (entry.entry_id, entry.version) in seen:
            yield row.fault("duplicate", "version", "each version of an entry once")
        seen[entry.entry_id, entry.version] = row
        if entry.supersedes and entry.supersedes not in known:
            yield row.fault("unknown_reference", "supersedes", "an entry and version of entries.csv")
        if entry.valid_to < entry.valid_from:
            yield row.fault("bad_day", "valid_to", "a day after valid_from", do="correct one of the two days")
        guiding = bundle.units.get(entry.guiding_dept)
        if guiding and bundle.register.guards(guiding.level):
            yield row.fault("bad_level", "guiding_dept", "a department above the guarded levels")


def _city(bundle: Bundle, _: Folder) -> Iterator[Fault]:
    city, row = bundle.city, Row("city.yaml", 0)
    for name, code in (("centre", city.centre), ("body", city.body)):
        unit = bundle.units.get(code)
        if unit and unit.area != city.root:
            yield row.fault("bad_level", name, f"a unit whose area is {city.root}", code, "correct its area")
    if city.desk_area in bundle.areas and not bundle.areas.within(city.desk_area, city.root):
        yield row.fault("unknown_reference", "desk_area", f"an area within {city.root}", city.desk_area)


def _routes(bundle: Bundle, folder: Folder) -> Iterator[Fault]:
    """A routed template asks only for what a notice can say, else its words would fail when they are due."""
    asked = {template.code: template.fields for template in bundle.parts.templates}
    routes = bundle.parts.routes
    for row, route in zip(rows_of(folder, "routes.csv", routes), routes, strict=True):
        strange = asked.get(route.template, FIELDS) - FIELDS
        if strange:
            wanted, found = "fields of a notice: " + ", ".join(sorted(FIELDS)), ", ".join(sorted(strange))
            yield row.fault("unknown_field", "template", wanted, f"{route.template} asks for {found}")


def _overlaps(rows: Sequence[Row], dated: Sequence[D]) -> Iterator[Fault]:
    """Of one code, one version at a time; and no version ends before it begins."""
    versions: dict[str, list[tuple[Row, D]]] = defaultdict(list)
    for row, item in zip(rows, dated, strict=True):
        if item.valid_to < item.valid_from:
            yield row.fault("bad_day", "valid_to", "a day after valid_from", do="correct one of the two days")
        for other, earlier in versions[item.code]:
            if item.valid_from <= earlier.valid_to and earlier.valid_from <= item.valid_to:
                yield row.fault("overlap", "valid_from", f"no overlap with row {other.number}", item.code)
        versions[item.code].append((row, item))


def _cycles(rows: Sequence[Row], dated: Sequence[D], parent: Callable[[D], str]) -> Iterator[Fault]:
    parents = {item.code: parent(item) for item in dated}
    for row, item in zip(rows, dated, strict=True):
        path, above = [item.code], parents.get(item.code, "")
        while above and above not in path:
            path.append(above)
            above = parents.get(above, "")
        if above == item.code:
            yield row.fault("cycle", "parent", "a tree", " → ".join([*path, above]))


CHECKERS = (
    _areas, _map, _units, _posts, _pairings, _matters, _entries, _city, _routes, publication_faults,
)  # fmt: skip
