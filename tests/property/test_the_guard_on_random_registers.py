"""Whatever stands in the register: who leads was admitted, a deny binds, no community bears the five matters
or is the fallback (design §4.2).
"""

from datetime import date
from typing import NamedTuple, cast

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from rules.admission import ENFORCE, OBSERVE, OFF, Enforcement
from rules.bundle import Bundle, Parts
from rules.edition import Edition
from rules.inforce import Rules
from rules.modes import Mode
from services.router.admission import ADMITTED, ASSIST, LEAD, question
from services.router.assignment import Assignment, on_record, walk
from services.router.candidates import place_of
from tests.builders_city import tiny_parts
from tests.property.test_coverage_agrees_with_the_guard import GRIDS, NOON, cities

DENIES = tuple(entry for entry in tiny_parts().entries if entry.entry_id.startswith("NEG-"))
"""Without those of the five matters no bundle is published."""
strengths = st.lists(
    st.builds(
        Enforcement,
        st.sampled_from(("community", "grid")),
        st.sampled_from((2, 3, 5, 5, 6, 7)),
        st.sampled_from((date(2026, 1, 1), date(2026, 12, 1))),
        st.sampled_from((OFF, OBSERVE, ENFORCE)),
    ),
    max_size=12,
    unique_by=lambda row: (row.level, row.step, row.valid_from),
).map(tuple)


class Asked(NamedTuple):
    bundle: Bundle
    found: Assignment


@st.composite
def asked(draw: st.DrawFn) -> Asked:
    """A walk in a random city, from a random place, in a random mode, with units proposed and released."""
    parts = cast("Parts", draw(cities))
    own = tuple(entry for entry in parts.entries if not entry.entry_id.startswith("NEG-"))
    parts = replace(parts, entries=(*DENIES, *own), enforcement=draw(strengths))
    bundle = Edition.of(parts).load()
    area = draw(st.sampled_from(GRIDS))
    mode = draw(st.sampled_from(list(Mode)))
    matter = draw(st.sampled_from(parts.matters))
    day = bundle.day(NOON)
    rules = Rules(1, bundle, {area: mode})
    ask = question(rules, matter, "", place_of(bundle, area, (), day), NOON)
    codes = st.sampled_from([unit.code for unit in parts.units])
    first, without = draw(st.lists(codes, max_size=2)), draw(st.lists(codes, max_size=2))
    return Asked(bundle, walk(ask, first=first, without=without))


@settings(max_examples=300)
@given(asked())
def test_who_leads_or_assists_has_a_finding_that_passed(one: Asked) -> None:
    decided = on_record(one.found)[0]
    passed = {(row.unit, row.role) for row in decided.verdicts if row.verdict in ADMITTED}  # type: ignore[union-attr]
    lead = one.found.lead
    assert lead is None or (lead.unit, LEAD) in passed
    assert {(unit, ASSIST) for unit in one.found.assistants} <= passed


@settings(max_examples=300)
@given(asked())
def test_a_deny_that_is_enforced_binds_over_every_allow(one: Asked) -> None:
    ask, lead = one.found.ask, one.found.lead
    if lead is None:
        return
    unit = one.bundle.units[lead.unit]
    register = one.bundle.register
    entries = register.entries_for(ask.matter, ask.place.chain, ask.place.layers, unit.level, ask.mode)
    denied = any(entry.prohibits and entry.in_force(ask.day) for entry in entries)
    firm = register.enforcement(5, unit.level, ask.day, ask.matter.row8) == ENFORCE
    assert not (denied and firm)


@settings(max_examples=300)
@given(asked())
def test_the_five_matters_and_the_fallback_are_never_a_communitys(one: Asked) -> None:
    lead = one.found.lead
    if lead is None:
        return
    guarded = one.bundle.register.guards(one.bundle.units[lead.unit].level)
    matter = one.found.ask.matter
    if matter.row8 or not matter.row8_known or one.found.by_fallback:
        assert not guarded
