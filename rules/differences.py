"""What a compiled city says, row by row, and where two editions differ: the ground for `show` and `diff`."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from hashlib import sha256
from typing import Any, Final, NamedTuple, cast

from msgspec import Struct, json

from rules.bundle import Bundle
from rules.daytable import CalendarSpec
from rules.limits import Limit
from rules.matters import Matter
from rules.reading.calendars import WEEKDAYS
from rules.sheets import SHEETS
from rules.validity import FIRST_DAY, LAST_DAY

Key = tuple[str, ...]
Fields = Mapping[str, str]
Section = Mapping[Key, Fields]
_KEYS: Final[Mapping[str, Sequence[str]]] = {
    "areas": ("code", "valid_from"),
    "shapes": ("area", "valid_from"),
    "units": ("code", "valid_from"),
    "posts": ("code", "valid_from"),
    "pairings": ("unit", "area", "link", "valid_from"),
    "staffing": ("kind", "role"),
    "entries": ("entry_id", "version"),
    "enforcement": ("level", "step", "valid_from"),
    "policies": ("name", "mode"),
    "routes": ("event", "audience", "channel", "template"),
    "templates": ("code", "language"),
}
"""What tells the rows of a section apart; sections that are not here are taken apart below."""


class Change(NamedTuple):
    """One row of a section that is not the same in two editions; None: the edition does not have it."""

    section: str
    key: Key
    before: Fields | None
    after: Fields | None

    @property
    def fields(self) -> Mapping[str, tuple[str, str]]:
        """The fields that differ, before and after."""
        before, after = self.before or {}, self.after or {}
        pairs = {name: (before.get(name, ""), after.get(name, "")) for name in {**before, **after}}
        return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def differences(old: Bundle, new: Bundle) -> Iterator[Change]:
    """Every row that was added, removed or changed, section by section."""
    before, after = sections(old), sections(new)
    for name, rows in after.items():
        there = before[name]
        for key in sorted(there.keys() | rows.keys()):
            if there.get(key) != rows.get(key):
                yield Change(name, key, there.get(key), rows.get(key))


def sections(bundle: Bundle) -> Mapping[str, Section]:
    """All that a bundle says, as rows of texts; what is empty or always is left out.

    An entry says its derived list too: 自治, 协助, 负面, 收回 or 临时.
    """
    parts = bundle.parts
    found: dict[str, dict[Key, Fields]] = {
        "city": {("city",): _fields(parts.city, without=("kinds", "neighbours"))},
        "kinds": {(kind.code,): _fields(kind) for kind in parts.city.kinds},
        "neighbours": {(one.area,): _fields(one) for one in parts.city.neighbours},
        "bounds": {("bounds",): _fields(parts.bounds)},
        "calendars": {(spec.code,): _calendar(spec) for spec in parts.calendars},
        "days": dict(_days(parts.calendars)),
        "matters": {
            (one.code,): _fields(one, without=("keywords", "conditions", "responsibility"))
            for one in parts.matters
        },
        "conditions": {(one.code, row.code): _fields(row) for one in parts.matters for row in one.conditions},
        "responsibility": {key: fields for one in parts.matters for key, fields in _candidates(one)},
        "keywords": {
            (one.code, word): {"weight": str(weight)}
            for one in parts.matters
            for word, weight in one.keywords
        },
    }
    for name, keys in _KEYS.items():
        rows: Sequence[Struct] = getattr(parts, name)
        found[name] = {tuple(_text(getattr(row, key)) for key in keys): _fields(row) for row in rows}
    for entry in parts.entries:
        key = entry.entry_id, str(entry.version)
        found["entries"][key] = {"list": entry.kind, **found["entries"][key]}
    return {name: found[name] for name in SECTIONS}


SECTIONS: Final = tuple(name for name in SHEETS if name != "ladders")
"""The names of all sections, as the sheets of a workbook have them; a ladder belongs to its policy."""


def counted(sections: Mapping[str, Section]) -> Mapping[str, int]:
    """How many rows each section has."""
    return {name: len(rows) for name, rows in sections.items()}


def _candidates(matter: Matter) -> Iterator[tuple[Key, Fields]]:
    for order, row in enumerate(matter.responsibility, start=1):
        yield (matter.code, row.by, row.select), {"role": row.role, "order": str(order)}


def _calendar(spec: CalendarSpec) -> Fields:
    fields = dict(_fields(spec, without=("days", "offsets", "week")))
    fields |= {name: _text(windows) for name, windows in zip(WEEKDAYS, spec.week, strict=True) if windows}
    return fields | ({"days": spec.days.code} if spec.days else {})


def _days(calendars: Collection[CalendarSpec]) -> Iterator[tuple[Key, Fields]]:
    for table in {spec.days.code: spec.days for spec in calendars if spec.days}.values():
        for day in table.days:
            yield (table.code, day.date.isoformat()), _fields(day, without=("date",))


def _fields(row: Struct, without: Collection[str] = ()) -> Fields:
    names = [name for name in row.__struct_fields__ if name not in without]
    texts = {name: _text(getattr(row, name)) for name in names}
    return {name: text for name, text in texts.items() if text}


def _text(value: Any) -> str:  # noqa: PLR0911 - one line for each kind of value
    """A value as its file would have it."""
    if isinstance(value, Limit):
        return value.text
    if isinstance(value, bool):
        return "yes" if value else ""
    if isinstance(value, date):
        return "" if value in (FIRST_DAY, LAST_DAY) else value.isoformat()
    if isinstance(value, frozenset):
        return "|".join(sorted(cast("frozenset[str]", value)))
    if isinstance(value, tuple):
        return _several(cast("tuple[Any, ...]", value))
    if isinstance(value, Struct):
        return " ".join(text for name in value.__struct_fields__ if (text := _text(getattr(value, name))))
    return "" if value is None else str(value)


def _several(values: tuple[Any, ...]) -> str:
    """A list as one text; the points of a polygon only as a mark by which it is told from another."""
    if values and isinstance(values[0], tuple):
        return f"{len(values)} · {sha256(json.encode(values)).hexdigest()[:12]}"
    return "|".join(_text(value) for value in values)
