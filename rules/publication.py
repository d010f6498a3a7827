from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations

from rules.admission import Entry
from rules.areas import Area
from rules.bundle import Bundle
from rules.faults import DO, Fault
from rules.geometry import NEIGHBOUR
from rules.matters import ROW8, Matter, prefixes
from rules.modes import BOTH, Mode
from rules.reading.entries import STEPS
from rules.responsible import able
from rules.rows import Folder, Row, rows_of
from rules.validity import FIRST_DAY, LAST_DAY


def publication_faults(bundle: Bundle, folder: Folder) -> Iterator[Fault]:
    """What no edition may be published with: lifecycle.md §2."""
    yield from register_faults(bundle, folder)
    yield from _row8_gaps(bundle)
    yield from _without_fallback(bundle, folder)
    yield from _enforcement_gaps(bundle)


def register_faults(bundle: Bundle, folder: Folder | None = None) -> Iterator[Fault]:
    """What contradicts itself within the register: found here, never at routing."""
    folder = folder or Folder()
    yield from _ties(bundle, folder)
    yield from _allowed_row8(bundle, folder)
    yield from _above_level(bundle, folder)


def _ties(bundle: Bundle, folder: Folder) -> Iterator[Fault]:
    """Two entries in force at once, of which neither is nearer, longer or newer."""
    groups: dict[tuple[str, ...], list[tuple[Row, Entry]]] = defaultdict(list)
    entries = bundle.parts.entries
    for row, entry in zip(rows_of(folder, "entries.csv", entries), entries, strict=True):
        if entry.state != "exited":
            groups[entry.matter, entry.area, entry.layer, entry.mode].append((row, entry))
    for group in groups.values():
        for (first_row, first), (row, second) in combinations(group, 2):
            if _tied(first, second):
                place = f"no contradiction with {first.entry_id} in row {first_row.number}"
                yield row.fault("tie", "entry_id", place, second.entry_id)


def _tied(first: Entry, second: Entry) -> bool:
    if {first.role, second.role} == {"prohibited", "assist"}:
        return False
    if first.supersedes == _name(second) or second.supersedes == _name(first):
        return False
    same_level = first.unit_level == second.unit_level or not (first.unit_level and second.unit_level)
    return same_level and first.valid_from <= second.valid_to and second.valid_from <= first.valid_to


def _name(entry: Entry) -> str:
    return f"{entry.entry_id}@{entry.version}"


def _allowed_row8(bundle: Bundle, folder: Folder) -> Iterator[Fault]:
    """An entry that makes a community responsible for one of the five contradicts every deny of row 8."""
    entries = bundle.parts.entries
    for row, entry in zip(rows_of(folder, "entries.csv", entries), entries, strict=True):
        matter = bundle.matters.get(entry.matter)
        if matter and matter.row8 and entry.role in ("own", "entrusted") and entry.state != "exited":
            yield row.fault("tie", "role", f"prohibited or assist: the matter is {matter.row8}")


def _above_level(bundle: Bundle, folder: Folder) -> Iterator[Fault]:
    """No entry hands a statutory duty (法定职责) down to a level below the one that the law names."""
    levels, entries = {kind.code: kind.level for kind in bundle.city.kinds}, bundle.parts.entries
    guarded = min((kind.level for kind in bundle.city.kinds if kind.guarded), default=99)
    for row, entry in zip(rows_of(folder, "entries.csv", entries), entries, strict=True):
        matter = bundle.matters.get(entry.matter)
        duty = matter.statutory_level if matter and entry.role in ("own", "entrusted") else ""
        if duty and entry.state != "exited" and levels.get(entry.unit_level, guarded) > levels.get(duty, 99):
            wanted = f"prohibited or assist: the law leaves the matter to the {duty}"
            yield row.fault("bad_level", "role", wanted, entry.role, "take the entry back")


def _row8_gaps(bundle: Bundle) -> Iterator[Fault]:
    """Each of the five is denied to every area of every guarded kind, in both modes, for ever."""
    denials: dict[tuple[str, str], list[Entry]] = defaultdict(list)
    for entry in bundle.parts.entries:
        lasting = entry.valid_to == LAST_DAY and entry.valid_from <= bundle.city.starts
        if entry.prohibits and entry.state == "active" and not entry.layer and lasting:
            denials[entry.matter, entry.area].append(entry)
    root, guards = bundle.city.root, bundle.register.guards
    guarded = [
        area for area in bundle.parts.areas if guards(area.kind) and bundle.areas.within(area.code, root)
    ]
    for tag in ROW8 if guarded else ():
        tagged = [matter for matter in bundle.parts.matters if matter.row8 == tag]
        open_ = [area.code for area in guarded if not _denied(bundle, denials, tag, tagged, area)]
        if open_:
            places = ", ".join(open_[:3]) + (f" and {len(open_) - 3} more" if len(open_) > 3 else "")
            wanted = f"a prohibited entry for {tag} for every area of a guarded kind in both modes"
            since = str(bundle.city.starts) if bundle.city.starts > FIRST_DAY else "every day"
            do = DO["row8_gap"].replace("DAY", since)
            yield Row("entries.csv", 0).fault("row8_gap", "matter", wanted, f"none for {places}", do)


def _denied(
    bundle: Bundle,
    denials: dict[tuple[str, str], list[Entry]],
    tag: str,
    tagged: Sequence[Matter],
    area: Area,
) -> bool:
    """By the tag itself, or by a code or prefix of each matter that carries it."""
    chain = bundle.areas.chain(area.code)
    ways = [[f"row8:{tag}"]] if not tagged else [[f"row8:{tag}", *prefixes(m.code)] for m in tagged]
    return all(
        any(
            entry.unit_level in ("", area.kind) and entry.mode in (BOTH, mode.value)
            for selector in selectors
            for place in chain
            for entry in denials.get((selector, place.code), ())
        )
        for selectors in ways
        for mode in Mode
    )


def _without_fallback(bundle: Bundle, folder: Folder) -> Iterator[Fault]:
    """For every matter and area the fallback or the body of the city passes steps 2 and 3 of the guard."""
    matters, body = bundle.parts.matters, bundle.units.get(bundle.city.body)
    fallbacks: dict[str, str] = {}
    for area in bundle.parts.areas:
        if area.layer != NEIGHBOUR:
            unit = bundle.units.fallback(area.code)
            fallbacks.setdefault(unit.code if unit else "", area.code)
    for row, matter in zip(rows_of(folder, "matters.csv", matters), matters, strict=True):
        for fallback, area in sorted(fallbacks.items()):
            fit = [unit for unit in (bundle.units.get(fallback), body) if unit and able(bundle, unit, matter)]
            if not fit:
                wanted = f"level {matter.statutory_level or 'any'} and power {matter.power or 'none'} held by"
                units = f"{fallback or 'a fallback unit'} or {bundle.city.body} (for {area})"
                yield row.fault("no_fallback", "power", f"{wanted} {units}", matter.power)


def _enforcement_gaps(bundle: Bundle) -> Iterator[Fault]:
    """Whoever writes enforcement.csv says it for each guarded level and step."""
    given = {(row.level, row.step) for row in bundle.parts.enforcement}
    for kind in bundle.city.kinds if given else ():
        for step in STEPS if kind.guarded else ():
            if (kind.code, step) not in given:
                yield Row("enforcement.csv", 0).fault("missing_row", "step", f"step {step} for {kind.code}")
