"""How a bundle lies in one Excel workbook: its sheets, which file of the folder each stands for, and what may
stand in a cell. A table of the folder is a sheet of the same name; a document (YAML, GeoJSON) is taken apart
into sheets with one thing a row, because nobody fills in a tree in Excel.
"""

import re
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Final, NamedTuple

from rules.admission import ENFORCE, OBSERVE, OFF
from rules.columns import OPTIONAL_FILES, SHAPES, TABLES, TEMPLATES, Columns
from rules.limits import LimitWords
from rules.matters import ROW8
from rules.modes import Mode
from rules.pairings import LINKS
from rules.policies import CLOCKS
from rules.posts import ROLES as POST_ROLES
from rules.posts import STAFF
from rules.reading.calendars import WEEKDAYS
from rules.reading.city import ALLOWED
from rules.reading.entries import MODES, ROLES, STATES, STEPS
from rules.reading.matters import HOW, KINDS, NONE, TRIAGE
from rules.reading.units import AXES
from rules.reading.units import KINDS as UNIT_KINDS
from rules.reading.words import LADDER
from rules.routes import AUDIENCES, CHANNELS, EVENTS

INSTRUCTIONS: Final = "README 说明"
LISTS: Final = "_lists"
"""The words of the drop-downs, on a hidden sheet: a rule itself holds no more than 255 characters."""
IGNORED: Final = ("readme", "_")
"""Sheets that begin so are the keeper's own, as files in a folder are."""


class Sheet(NamedTuple):
    """One sheet: the file that it stands for, its columns, and whether every bundle has it."""

    name: str
    file: str
    columns: Columns
    needed: bool = True


def _columns(needed: str, optional: str = "") -> Columns:
    return Columns(tuple(needed.split()), tuple(optional.split()))


_DOCUMENTS: Final = (
    Sheet("city", "city.yaml", _columns("name value")),
    Sheet("kinds", "city.yaml", _columns("code name level", "guarded")),
    Sheet("neighbours", "city.yaml", _columns("area name", "unit"), needed=False),
    Sheet("shapes", SHAPES, _columns("code geometry", "valid_from repair"), needed=False),
    Sheet("calendars", "calendar.yaml", _columns("code standard", f"{' '.join(WEEKDAYS)} days")),
    Sheet("policies", "policies.yaml", _columns("clock", "mode limit calendar warn")),
    Sheet("ladders", "policies.yaml", _columns("clock to", "mode after kind"), needed=False),
    Sheet("bounds", "bounds.yaml", _columns("name value"), needed=False),
    Sheet("templates", TEMPLATES, _columns("code")),
)
_TABLES: Final = tuple(
    Sheet(file.removesuffix(".csv"), file, columns, file not in OPTIONAL_FILES)
    for file, columns in TABLES.items()
)
_ORDER: Final = (
    "city", "kinds", "neighbours", "areas", "shapes", "units", "posts", "pairings", "staffing", "matters",
    "conditions", "responsibility", "keywords", "entries", "enforcement", "calendars", "days", "policies",
    "ladders", "bounds", "routes", "templates",
)  # fmt: skip
SHEETS: Final[Mapping[str, Sheet]] = {
    sheet.name: sheet for sheet in sorted((*_DOCUMENTS, *_TABLES), key=lambda one: _ORDER.index(one.name))
}
"""Every sheet by its name, in the order in which somebody fills them in."""

LANGUAGE: Final = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]+)*")
"""A column of the sheet `templates`: the words of one language."""
GEOMETRY: Final = re.compile(r"geometry(_\d+)?")
"""A polygon as the JSON of GeoJSON; what is longer than a cell goes on in geometry_2, geometry_3 …"""
CELL_CHARACTERS: Final = 32_767
"""What Excel takes in one cell."""

LISTS_OF_CITY: Final = ("languages", "layers", "channels")
"""Names on the sheet `city` whose value is several values."""
CITY_NAMES: Final = (
    *(name for name in ALLOWED if name not in ("kinds", "neighbours", "limit_words")),
    "calendar",
    *LimitWords.__struct_fields__,
)
"""What the sheet `city` may say, a row each."""

NUMBERS: Final = frozenset({
    ("kinds", "level"), ("entries", "version"), ("enforcement", "step"), ("responsibility", "order"),
    ("staffing", "least"), ("keywords", "weight"), ("matters", "merge_metres"), ("matters", "merge_hours"),
    ("policies", "warn"), ("city", "standard_day"), ("city", "urgent_day"),
})  # fmt: skip
"""Where a number may be a number. Everywhere else it is a code that Excel has spoilt."""
DAYS: Final = frozenset(
    {"valid_from", "valid_to", "covers_from", "covers_to", "noticed_on", "date", "starts"}
)
FLAGS: Final = frozenset({
    "check", "hazard", "emergency_continuous", "subscribes", "fallback", "shared", "digest", "guarded",
    "expected",
    *(name for name in LimitWords.__struct_fields__ if name.endswith("working")),
})  # fmt: skip
YES_NO: Final = ("yes", "no")

CHOICES: Final[Mapping[tuple[str, str], Sequence[str]]] = {
    ("units", "axis"): tuple(AXES),
    ("units", "kind"): UNIT_KINDS,
    ("posts", "role"): (*POST_ROLES, *STAFF),
    ("pairings", "link"): tuple(LINKS),
    ("staffing", "role"): (*POST_ROLES, *STAFF),
    ("matters", "kind"): tuple(KINDS),
    ("matters", "accept"): HOW,
    ("matters", "dispatch"): HOW,
    ("matters", "triage"): tuple(TRIAGE),
    ("matters", "urgency"): ("normal", "urgent"),
    ("matters", "row8"): (NONE, *ROW8),
    ("responsibility", "by"): ("unit", "trade", "owner", "operator", "territory"),
    ("responsibility", "role"): ("lead", "assist"),
    ("entries", "role"): tuple(ROLES),
    ("entries", "term"): ("permanent", "temporary"),
    ("entries", "mode"): tuple(MODES),
    ("entries", "state"): STATES,
    ("enforcement", "step"): tuple(str(step) for step in STEPS),
    ("enforcement", "strength"): (OFF, OBSERVE, ENFORCE),
    ("days", "kind"): ("off", "work", "休", "班"),
    ("policies", "clock"): CLOCKS,
    ("policies", "mode"): tuple(mode.value for mode in Mode),
    ("ladders", "clock"): CLOCKS,
    ("ladders", "mode"): tuple(mode.value for mode in Mode),
    ("ladders", "to"): LADDER,
    ("routes", "event"): tuple(sorted(EVENTS)),
    ("routes", "audience"): AUDIENCES,
    ("routes", "channel"): CHANNELS,
    ("shapes", "repair"): ("make_valid",),
}
"""The closed lists, offered as drop-downs."""
REFERENCES: Final[Mapping[tuple[str, str], tuple[str, str]]] = {
    ("areas", "kind"): ("kinds", "code"),
    ("areas", "parent"): ("areas", "code"),
    ("neighbours", "area"): ("areas", "code"),
    ("neighbours", "unit"): ("units", "code"),
    ("shapes", "code"): ("areas", "code"),
    ("units", "area"): ("areas", "code"),
    ("units", "level"): ("kinds", "code"),
    ("units", "parent"): ("units", "code"),
    ("units", "guiding"): ("units", "code"),
    ("units", "calendar"): ("calendars", "code"),
    ("posts", "unit"): ("units", "code"),
    ("posts", "area"): ("areas", "code"),
    ("posts", "substitute"): ("posts", "code"),
    ("pairings", "unit"): ("units", "code"),
    ("pairings", "area"): ("areas", "code"),
    ("staffing", "kind"): ("kinds", "code"),
    ("matters", "statutory_level"): ("kinds", "code"),
    ("matters", "answer"): ("templates", "code"),
    ("conditions", "matter"): ("matters", "code"),
    ("responsibility", "matter"): ("matters", "code"),
    ("keywords", "matter"): ("matters", "code"),
    ("entries", "area"): ("areas", "code"),
    ("entries", "unit_level"): ("kinds", "code"),
    ("entries", "statutory_level"): ("kinds", "code"),
    ("entries", "guiding_dept"): ("units", "code"),
    ("entries", "applicant"): ("units", "code"),
    ("entries", "owner_instead"): ("units", "code"),
    ("enforcement", "level"): ("kinds", "code"),
    ("policies", "calendar"): ("calendars", "code"),
    ("routes", "template"): ("templates", "code"),
}
"""Columns that name a row of another sheet, offered as drop-downs of what stands there."""


def columns_of(sheet: Sheet, header: Sequence[str] = ()) -> Columns:
    """The columns that a sheet may have; those of languages and of long polygons depend on its header."""
    pattern = {"templates": LANGUAGE, "shapes": GEOMETRY}.get(sheet.name)
    more = [
        name for name in header if pattern and pattern.fullmatch(name) and name not in sheet.columns.needed
    ]
    return Columns(sheet.columns.needed, (*sheet.columns.optional, *dict.fromkeys(more)))


def column_letter(at: int) -> str:
    """A, B … Z, AA: how Excel names the column at this place, counted from 0."""
    return str(import_module("openpyxl.utils").get_column_letter(at + 1))
