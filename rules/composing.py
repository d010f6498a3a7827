"""How changes of the register become an edition (合成): a base whose `entries` alone differ, checked whole.

A change that would give a bundle that may not be published is refused alone; the others are taken.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from rules.admission import Entry
from rules.bundle import Bundle
from rules.check import check_bundle
from rules.faults import Fault
from rules.publication import register_faults
from rules.reading.entries import FILE
from rules.registering import denies_row8, entry_of, name_of, renewals, row_faults, told, touches_row8
from rules.rows import Row
from schemas.register import Ended, NotTaken, RowChange, Taken

Rows = tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The entries of the composed bundle, and what became of each change."""

    entries: Rows
    taken: tuple[Taken, ...] = ()
    refused: tuple[NotTaken, ...] = ()


def compose(
    base: Bundle, under: Bundle, kept: Iterable[str], changes: Sequence[RowChange]
) -> Outcome | list[Fault]:
    """The base with the rows of `kept` entries as they stand in `under`, and with the changes.

    Faults come back only where base and kept rows contradict each other: then nothing can be composed.
    """
    entries = carried(base, under, frozenset(kept))
    if entries != base.parts.entries:
        faults = _unknown(base, entries) or _new(base, base.parts.entries, entries, whole=True)
        if faults:
            return faults
    found = _each(base, entries, changes, whole=False)
    if found.taken and _new(base, entries, found.entries, whole=True):
        return _each(base, entries, changes, whole=True)
    return found


def carried(base: Bundle, under: Bundle, kept: frozenset[str]) -> Rows:
    """The entries of the base, but those of `kept` ids as they stand in force."""
    if base.hash == under.hash or not kept:
        return base.parts.entries
    own = tuple(entry for entry in base.parts.entries if entry.entry_id not in kept)
    return own + tuple(entry for entry in under.parts.entries if entry.entry_id in kept)


def _unknown(base: Bundle, entries: Rows) -> list[Fault]:
    """What rows that are not of this base name and it does not have: an area or a unit that is gone."""
    own = frozenset(base.parts.entries)
    strange = [entry for entry in entries if entry not in own and entry.state != "exited"]
    return [fault for entry in strange for fault in row_faults(base, entry)]


def contradictions(bundle: Bundle, entry: Entry) -> list[Fault]:
    """What stands against this line in the register (矛盾): its own faults, else those with other lines."""
    faults = _own(bundle, bundle.parts.entries, entry)
    return faults or _new(bundle, bundle.parts.entries, put(bundle.parts.entries, entry)[0], whole=False)


def put(entries: Rows, entry: Entry) -> tuple[Rows, tuple[Ended, ...]]:
    """The register with this line; one that comes into force ends the versions whose place it takes."""
    ended: list[Ended] = []
    rows: list[Entry] = []
    for one in entries:
        if name_of(one) == name_of(entry):
            continue
        same = one.entry_id == entry.entry_id or name_of(one) == entry.supersedes
        if same and entry.state == "active" and one.state != "exited":
            ended.append(Ended(entry=one.entry_id, version=one.version))
            rows.append(replace(one, state="exited", exit_reason=f"superseded by {name_of(entry)}"))
        else:
            rows.append(one)
    return (*rows, entry), tuple(ended)


def _each(base: Bundle, entries: Rows, changes: Sequence[RowChange], *, whole: bool) -> Outcome:
    taken: list[Taken] = []
    refused: list[NotTaken] = []
    for one in changes:
        row, entry = one.row, entry_of(one.row)
        after, ended = put(entries, entry)
        faults = _own(base, entries, entry) or _new(base, entries, after, whole=whole)
        if faults:
            refused.append(NotTaken(entry=row.entry, change=one.change, faults=told(faults[:10])))
        else:
            entries = after
            taken.append(Taken(entry=row.entry, change=one.change, version=row.version, ended=ended))
    return Outcome(entries, tuple(taken), tuple(refused))


def _own(base: Bundle, entries: Rows, entry: Entry) -> list[Fault]:
    """What is wrong with a line whatever else stands in the register, and what it must not touch."""
    faults = row_faults(base, entry)
    row = Row(FILE, 0)
    others = [one for one in entries if one.entry_id == entry.entry_id or name_of(one) == entry.supersedes]
    for one in others:
        if denies_row8(base.matters, one) and one != entry:
            wanted = "a prohibition of the five matters stays as it is"
            faults.append(row.fault("row8_deny", "matter", wanted, name_of(one), "leave it"))
    if entry.supersedes and entry.supersedes not in {name_of(one) for one in entries}:
        wanted = "an entry and version of the register"
        faults.append(row.fault("unknown_reference", "supersedes", wanted, entry.supersedes))
    if entry.state == "active" and entry.term == "temporary":
        faults += _temporary(base, entries, entry)
    return faults


def _temporary(base: Bundle, entries: Rows, entry: Entry) -> list[Fault]:
    if entry.role != "assist" and touches_row8(base.matters, entry.matter):
        wanted = "assist: nothing lifts a prohibition of the five matters"
        return [Row(FILE, 0).fault("row8_deny", "role", wanted, entry.role, "leave it")]
    before, most = renewals(base.areas, entries, entry), base.bounds.temporary_renewals
    if before <= most:
        return []
    wanted = f"at most {most} renewals for this matter, area and level, whatever the entry"
    do = "apply for it in the normal way"
    return [Row(FILE, 0).fault("renewals", "term", wanted, f"{before} before it", do)]


def _new(base: Bundle, before: Rows, after: Rows, *, whole: bool) -> list[Fault]:
    """The faults that the rows `after` have and the rows `before` have not."""
    faults = _faults(base, after, whole=whole)
    if not faults:
        return []
    known = Counter(map(_kind, _faults(base, before, whole=whole)))
    found: list[Fault] = []
    for fault in faults:
        if known[_kind(fault)]:
            known[_kind(fault)] -= 1
        else:
            found.append(fault)
    return found


def _faults(base: Bundle, entries: Rows, *, whole: bool) -> list[Fault]:
    bundle = base.with_entries(entries)
    return check_bundle(bundle) if whole else list(register_faults(bundle))


def _kind(fault: Fault) -> tuple[str, str, str]:
    """A fault without its row: rows move when a line is put before them."""
    return fault.column, fault.code, fault.value
