"""An edition from a base and changes: checked as a whole, refused change by change, the rest untouched."""

from dataclasses import replace
from datetime import date
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace as with_fields

from rules.admission import Entry
from rules.bundle import Bundle
from rules.composing import Outcome, compose, contradictions, put
from rules.edition import Edition
from rules.pairings import Pairing
from rules.registering import entry_of, row_faults, row_of
from schemas.register import Ended, RegisterRow, RowChange
from tests.builders_city import MANHOLE, tiny_city, tiny_parts
from tests.unit.registry.telling import OWN, URGENT
from tests.unit.router.telling import city


def change(entry: str, number: int = 1, version: int = 1, **fields: Any) -> RowChange:
    text = replace(OWN, **{name: value for name, value in fields.items() if name in _TEXT})  # type: ignore[arg-type]
    rest = {name: value for name, value in fields.items() if name not in _TEXT}
    row = RegisterRow(entry=entry, version=version, state="active", text=text)
    return RowChange(change=number, row=replace(row, **rest))  # type: ignore[arg-type]


_TEXT = set(OWN.__dataclass_fields__)


def done(base: Bundle, *changes: RowChange) -> Outcome:
    found = compose(base, base, (), changes)
    assert isinstance(found, Outcome), found
    return found


def names(entries: tuple[Entry, ...]) -> set[tuple[str, int, str]]:
    return {(one.entry_id, one.version, one.state) for one in entries}


def codes(outcome: Outcome) -> list[list[str]]:
    return [[fault.code for fault in one.faults] for one in outcome.refused]


@pytest.mark.parametrize("entry", tiny_city().register.rows, ids=lambda entry: entry.entry_id)
def test_a_line_travels_unchanged_and_without_fault(entry: Entry) -> None:
    assert entry_of(row_of(entry)) == entry
    assert row_faults(tiny_city(), entry) == []


def test_only_the_section_of_entries_differs() -> None:
    base = Edition.of(tiny_parts())
    found = done(tiny_city(), change("OWN-03"))
    edition = base.with_entries(found.entries)
    assert edition == Edition.of(msgspec.structs.replace(tiny_parts(), entries=found.entries))
    assert {name for name, digest in edition.manifest.items() if digest != base.manifest[name]} == {"entries"}


def test_a_bundle_lends_its_maps_to_one_with_another_register() -> None:
    base = tiny_city()
    assert base.areas.chain("G11")
    edition = Edition.of(tiny_parts()).with_entries(done(base, change("OWN-03")).entries)
    lent = edition.load([(Edition.of(tiny_parts()).manifest, base)])
    assert lent.areas is base.areas
    assert (lent.hash, lent.parts) == (edition.hash, edition.load().parts)
    assert lent.register.versions("OWN-03")
    other = with_fields(tiny_parts(), bounds=with_fields(tiny_parts().bounds, objections=9))
    assert Edition.of(other).load([(Edition.of(tiny_parts()).manifest, base)]).bounds.objections == 9


def test_no_bundle_lends_a_section_that_an_edition_lacks_or_takes_one_that_it_lacks_itself() -> None:
    plain, paired = tiny_parts(), with_fields(tiny_parts(), pairings=(Pairing(unit="SZ", area="G11"),))
    for lender, taker in ((paired, plain), (plain, paired)):
        known = Edition.of(lender)
        assert Edition.of(taker).load([(known.manifest, known.load())]).parts.pairings == taker.pairings


def test_changes_of_two_entries_are_both_in() -> None:
    found = done(tiny_city(), change("OWN-03"), change("OWN-04", area="C1", matter="P", role="own"))
    assert {("OWN-03", 1, "active"), ("OWN-04", 1, "active")} <= names(found.entries)
    assert [one.entry for one in found.taken] == ["OWN-03", "OWN-04"]


def test_of_two_that_contradict_each_other_the_later_is_refused() -> None:
    found = done(tiny_city(), change("OWN-03"), change("OWN-04"), change("OWN-05", area="S1"))
    assert [one.entry for one in found.taken] == ["OWN-03", "OWN-05"]
    assert [one.entry for one in found.refused] == ["OWN-04"]
    assert codes(found) == [["tie"]]


def test_a_new_version_ends_the_old_one_and_so_does_who_supersedes_it() -> None:
    first = done(tiny_city(), change("OWN-03"))
    base = tiny_city().with_entries(first.entries)
    second = done(base, change("OWN-03", 2, version=2))
    assert {("OWN-03", 1, "exited"), ("OWN-03", 2, "active")} <= names(second.entries)
    assert second.taken[0].ended == (Ended(entry="OWN-03", version=1),)
    other = done(base, change("OWN-09", supersedes="OWN-03@1"))
    assert {("OWN-03", 1, "exited"), ("OWN-09", 1, "active")} <= names(other.entries)
    assert other.taken[0].ended == (Ended(entry="OWN-03", version=1),)


DENY: dict[str, Any] = {"matter": "row8:城市管理", "area": "D", "role": "prohibited", "unit_level": ""}
TOUCHING = [
    ("NEG-04", {**DENY, "state": "exited"}),
    ("NEG-04", {**DENY, "version": 2, "area": "C1"}),
    ("OWN-09", {"supersedes": "NEG-04@1"}),
]


@pytest.mark.parametrize(("entry", "fields"), TOUCHING)
def test_a_prohibition_of_the_five_is_not_touched(entry: str, fields: dict[str, Any]) -> None:
    found = done(tiny_city(), change(entry, **fields))  # type: ignore[arg-type]
    assert codes(found)[0][0] == "row8_deny"
    assert found.entries == tiny_city().parts.entries


def test_a_third_temporary_admission_is_refused_whatever_its_entry() -> None:
    one = change("TMP-01", term="temporary", order_number="1", **_urgent(2))
    two = change("TMP-02", term="temporary", order_number="2", **_urgent(3))
    three = change("TMP-03", term="temporary", order_number="3", **_urgent(4))
    found = done(tiny_city(), one, two, three)
    assert [one.entry for one in found.taken] == ["TMP-01", "TMP-02"]
    assert codes(found) == [["renewals"]]


def _urgent(day: int) -> dict[str, Any]:
    on = date(2026, 3, day)
    where = {"matter": MANHOLE, "area": "C1", "role": "assist"}
    return {**where, "funding": URGENT.funding, "valid_from": on, "valid_to": on}


def test_the_same_changes_once_more_give_the_same_edition() -> None:
    """At least once: a composition that was carried out and not recorded is carried out again."""
    changes = (change("OWN-03"), change("OWN-04", area="C1", matter="P"))
    assert done(tiny_city(), *changes) == done(tiny_city(), *changes)
    after = tiny_city().with_entries(done(tiny_city(), *changes).entries)
    assert names(done(after, *changes).entries) == names(after.parts.entries)


def test_a_published_folder_gets_the_entries_of_the_workflow_and_keeps_its_own() -> None:
    under = tiny_city().with_entries(done(tiny_city(), change("OWN-03")).entries, "under")
    folder = city(entries=tuple(one for one in tiny_city().parts.entries if one.entry_id != "AST-02"))
    found = compose(folder, under, ["OWN-03"], [change("OWN-04", area="C1", matter="P")])
    assert isinstance(found, Outcome)
    have = {one.entry_id for one in found.entries}
    assert {"OWN-03", "OWN-04", "OWN-02"} <= have
    assert "AST-02" not in have


def test_a_folder_that_contradicts_them_or_lacks_what_they_name_is_a_fault() -> None:
    under = tiny_city().with_entries(done(tiny_city(), change("OWN-03")).entries, "under")
    clash = entry_of(change("OWN-77").row)
    found = compose(city(entries=(*tiny_city().parts.entries, clash)), under, ["OWN-03"], [])
    assert isinstance(found, list)
    assert [fault.code for fault in found] == ["tie"]
    areas = tuple(one for one in tiny_city().parts.areas if one.code not in ("C2", "G21", "G22"))
    without = compose(city(areas=areas, shapes=()), under, ["OWN-03"], [])
    assert isinstance(without, list)
    assert ("unknown_reference", "area") in [(fault.code, fault.column) for fault in without]


def test_what_was_wrong_before_is_not_held_against_a_change() -> None:
    """A later release may check more than the one that published the base."""
    entries = tiny_city().parts.entries
    twice = entry_of(change("OWN-02", version=9, area="C1").row)
    base = tiny_city().with_entries((*entries, twice))
    assert contradictions(tiny_city(), twice) == []
    assert done(base, change("OWN-03")).refused == ()


def test_a_line_replaces_its_own_version() -> None:
    entries, ended = put(tiny_city().parts.entries, entry_of(change("OWN-02", area="C1").row))
    assert len(entries) == len(tiny_city().parts.entries)
    assert ended == ()
