from rules.admission import ENFORCE, OBSERVE, OFF, Enforcement, Entry, Funding, Needs
from rules.cells import Cells
from rules.faults import Fault
from rules.matters import ROW8, prefixes
from rules.reading.codes import Codes
from rules.rows import Folder
from rules.validity import FIRST_DAY, LAST_DAY

FILE = "entries.csv"
ROLES = {
    "own": "own", "assist": "assist", "entrusted": "entrusted", "prohibited": "prohibited",
    "自治": "own", "协助": "assist", "委托": "entrusted", "负面": "prohibited",
}  # fmt: skip
MODES = {
    "normal": "normal", "emergency": "emergency", "both": "both",
    "平": "normal", "急": "emergency", "平急": "both",
}  # fmt: skip
STATES = ("active", "approved", "suspended", "exited")
STEPS = (2, 3, 5, 6, 7)


def read_entries(folder: Folder, codes: Codes, faults: list[Fault]) -> tuple[Entry, ...]:
    return tuple(_entry(Cells(row, faults), codes) for row in folder.table(FILE))


def _entry(cells: Cells, codes: Codes) -> Entry:
    role, term = cells.choice("role", ROLES), cells.choice("term", ("permanent", "temporary"), "permanent")
    _complete(cells, role, term)
    return Entry(
        entry_id=cells.code("entry_id"),
        version=cells.whole("version", 1, 100_000),
        matter=_matter(cells, codes, role),
        area=cells.known("area", codes.areas, "areas.csv", "empty"),
        role=role,
        layer=cells.known("layer", codes.layers, "layers of city.yaml"),
        unit_level=cells.known("unit_level", codes.guarded, "guarded kinds of city.yaml"),
        term=term,
        mode=cells.choice("mode", MODES, "both"),
        state=cells.choice("state", STATES, "active"),
        statutory_level=cells.known("statutory_level", codes.kinds, "kinds of city.yaml"),
        legal_basis=cells.several("legal_basis"),
        article=cells.free("article"),
        order_number=cells.free("order_number"),
        owner_instead=cells.known("owner_instead", codes.units, "units.csv"),
        applicant=cells.known("applicant", codes.units, "units.csv"),
        guiding_dept=cells.known("guiding_dept", codes.units, "units.csv", "no_guiding_dept"),
        duties=cells.free("duties"),
        limits_of_duty=cells.free("limits_of_duty"),
        frequency=cells.free("frequency"),
        funding=_funding(cells),
        conditions=Needs(cells.free("staff"), cells.free("training"), cells.free("equipment")),
        approval_no=cells.free("approval_no"),
        noticed_on=cells.day("noticed_on", FIRST_DAY),
        valid_from=cells.day("valid_from", FIRST_DAY),
        valid_to=cells.day("valid_to", LAST_DAY),
        exit_reason=cells.free("exit_reason"),
        supersedes=_supersedes(cells),
    )


def _complete(cells: Cells, role: str, term: str) -> None:
    """What an entry of this role and term must say, and what it must not."""
    cells.text("legal_basis", "no_basis")
    if role in ("assist", "entrusted"):
        for column in ("funding_source", "funding_standard", "funding_per"):
            cells.text(column, "no_funding")
    if term == "temporary":
        cells.text("order_number")
        cells.text("valid_to")
    if cells.has("owner_instead") and role != "prohibited":
        cells.fault("bad_choice", "owner_instead", "nothing, unless the role is prohibited", do="remove it")


def _matter(cells: Cells, codes: Codes, role: str) -> str:
    """A matter, a prefix of matters, or for denials a tag of row 8."""
    found = cells.text("matter")
    tag = found.removeprefix("row8:")
    if tag != found:
        if tag not in ROW8:
            cells.fault("unknown_reference", "matter", "row8: and one of " + ", ".join(ROW8))
        if role != "prohibited":
            cells.fault("bad_choice", "matter", "a matter or prefix: row8: is for prohibitions only")
    elif found and not any(found in prefixes(code) for code in codes.matters):
        cells.fault("unknown_reference", "matter", "a code or a prefix of matters.csv")
    return found


def _funding(cells: Cells) -> Funding:
    if cells.has("funding_proof"):
        cells.text("covers_from", "no_funding")
        cells.text("covers_to", "no_funding")
    return Funding(
        cells.free("funding_source"),
        cells.free("funding_standard"),
        cells.free("funding_per"),
        cells.free("funding_proof"),
        cells.day("covers_from", LAST_DAY),
        cells.day("covers_to", FIRST_DAY),
    )


def _supersedes(cells: Cells) -> str:
    found = cells.free("supersedes")
    name, _, version = found.partition("@")
    if found and not (name and version.isascii() and version.isdigit()):
        cells.fault("bad_code", "supersedes", "ENTRY_ID@VERSION")
    return found


def read_enforcement(folder: Folder, codes: Codes, faults: list[Fault]) -> tuple[Enforcement, ...]:
    rows: list[Enforcement] = []
    for row in folder.table("enforcement.csv"):
        cells = Cells(row, faults)
        level = cells.known("level", codes.guarded, "guarded kinds of city.yaml", "empty")
        step = int(cells.choice("step", tuple(str(step) for step in STEPS)) or STEPS[0])
        strength = cells.choice("strength", (OFF, OBSERVE, ENFORCE))
        since = cells.day("valid_from", FIRST_DAY)
        if (level, step, since) in ((known.level, known.step, known.valid_from) for known in rows):
            cells.fault("duplicate", "step", "each level and step once for each day")
        rows.append(Enforcement(level, step, since, strength))
    return tuple(rows)
