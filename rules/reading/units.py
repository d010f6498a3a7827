from rules.cells import Cells
from rules.faults import Fault
from rules.pairings import LINKS, Pairing, Staffing
from rules.posts import ROLES, STAFF, Post
from rules.reading.codes import Codes
from rules.rows import Folder
from rules.units import Channel, Unit
from rules.validity import FIRST_DAY, LAST_DAY

AXES = {"条": "条", "块": "块", "line": "条", "territory": "块"}
KINDS = ("government", "department", "centre", "committee", "company", "owner", "social")
WITHOUT_LEVEL = ("company", "owner", "social")
CHANNELS = ("terminal", "topic", "webhook")


def read_units(folder: Folder, codes: Codes, faults: list[Fault]) -> tuple[Unit, ...]:
    return tuple(_unit(Cells(row, faults), codes) for row in folder.table("units.csv"))


def _unit(cells: Cells, codes: Codes) -> Unit:
    kind = cells.choice("kind", KINDS)
    return Unit(
        code=cells.code("code"),
        name=cells.text("name"),
        axis=cells.choice("axis", AXES),
        kind=kind,
        area=cells.known("area", codes.areas, "areas.csv", "empty"),
        level=cells.known(
            "level", codes.kinds, "kinds of city.yaml", "" if kind in WITHOUT_LEVEL else "empty"
        ),
        parent=cells.known("parent", codes.units, "units.csv"),
        guiding=cells.known("guiding", codes.units, "units.csv"),
        powers=frozenset(cells.several("powers")),
        calendar=cells.known("calendar", codes.calendars, "calendar.yaml"),
        trade=cells.free("trade"),
        channels=_channels(cells),
        subscribes=cells.flag("subscribes"),
        fallback=cells.flag("fallback"),
        valid_from=cells.day("valid_from", FIRST_DAY),
        valid_to=cells.day("valid_to", LAST_DAY),
    )


def _channels(cells: Cells) -> tuple[Channel, ...]:
    found: list[Channel] = []
    for text in cells.several("channels"):
        kind, _, address = text.partition("=")
        if kind not in CHANNELS or (kind == "webhook") != address.startswith(("http://", "https://")):
            cells.fault("bad_choice", "channels", "terminal, topic or webhook=https://…", text)
        found.append(Channel(kind, address))
    return tuple(found)


def read_posts(folder: Folder, codes: Codes, faults: list[Fault]) -> tuple[Post, ...]:
    return tuple(_post(Cells(row, faults), codes) for row in folder.table("posts.csv"))


def _post(cells: Cells, codes: Codes) -> Post:
    return Post(
        code=cells.code("code"),
        role=cells.choice("role", (*ROLES, *STAFF)),
        unit=cells.known("unit", codes.units, "units.csv", "empty"),
        area=cells.known("area", codes.areas, "areas.csv", "empty"),
        person=cells.free("person"),
        substitute=cells.known("substitute", codes.posts, "posts.csv"),
        valid_from=cells.day("valid_from", FIRST_DAY),
        valid_to=cells.day("valid_to", LAST_DAY),
    )


def read_pairings(folder: Folder, codes: Codes, faults: list[Fault]) -> tuple[Pairing, ...]:
    return tuple(_pairing(Cells(row, faults), codes) for row in folder.table("pairings.csv"))


def _pairing(cells: Cells, codes: Codes) -> Pairing:
    return Pairing(
        unit=cells.known("unit", codes.units, "units.csv", "empty"),
        area=cells.known("area", codes.areas, "areas.csv", "empty"),
        link=cells.choice("link", tuple(LINKS), "unit"),
        contact=cells.free("contact"),
        valid_from=cells.day("valid_from", FIRST_DAY),
        valid_to=cells.day("valid_to", LAST_DAY),
    )


def read_staffing(folder: Folder, codes: Codes, faults: list[Fault]) -> tuple[Staffing, ...]:
    """配备标准: each kind and role once."""
    rows: list[Staffing] = []
    for row in folder.table("staffing.csv"):
        cells = Cells(row, faults)
        kind = cells.known("kind", codes.kinds, "kinds of city.yaml", "empty")
        role = cells.choice("role", (*ROLES, *STAFF))
        if (kind, role) in ((known.kind, known.role) for known in rows):
            cells.fault("duplicate", "role", "each kind and role once")
        least, shared = cells.whole("least", 1, 10_000), cells.flag("shared")
        rows.append(Staffing(kind=kind, role=role, least=least, shared=shared))
    return tuple(rows)
