"""Whatever stands in the register: who leads was admitted, a deny binds, no community bears the five matters
or is the fallback (design §4.2).
"""

from datetime import date, datetime, timedelta
from typing import NamedTuple, cast

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from rules.admission import ENFORCE, OBSERVE, OFF, Enforcement
from rules.bundle import Bundle, Parts
from rules.edition import Edition
from rules.inforce import Rules
from rules.matters import Matter
from rules.modes import Mode
from schemas.case.assigning import AdmissionDecided
from services.router.admission import ADMITTED, ASSIST, LEAD, Question, question
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


DAYS = st.sampled_from(
    [timedelta(days=days) for days in (-400, -327, -326, -147, -146, -145, -1, 0, 1, 38, 39, 400)]
)
"""From the day asked about to those on which drawn rows and their money begin and end, and beside them."""


class Asked(NamedTuple):
    bundle: Bundle
    found: Assignment


@st.composite
def bundles(draw: st.DrawFn) -> Bundle:
    """A random city: units, matters, entries, enforcement."""
    parts = cast("Parts", draw(cities))
    own = tuple(entry for entry in parts.entries if not entry.entry_id.startswith("NEG-"))
    return Edition.of(replace(parts, entries=(*DENIES, *own), enforcement=draw(strengths))).load()


@st.composite
def asked(draw: st.DrawFn) -> Asked:
    """A walk in a random city, from a random place, in a random mode, with units proposed and released."""
    bundle = draw(bundles())
    matter = draw(st.sampled_from(bundle.parts.matters))
    ask = _question(bundle, matter, draw(st.sampled_from(GRIDS)), draw(st.sampled_from(list(Mode))), NOON)
    codes = st.sampled_from([unit.code for unit in bundle.parts.units])
    first, without = draw(st.lists(codes, max_size=2)), draw(st.lists(codes, max_size=2))
    return Asked(bundle, walk(ask, first=first, without=without))


def _question(bundle: Bundle, matter: Matter, area: str, mode: Mode, t: datetime) -> Question:
    place = place_of(bundle, area, (), bundle.day(t))
    return question(Rules(1, bundle, {area: mode}), matter, "", place, t)


@settings(max_examples=300)
@given(asked())
def test_whatever_stands_in_the_register(one: Asked) -> None:
    passed_before_it_takes_part(one)
    denies_bind(one)
    communities_are_spared(one)


def passed_before_it_takes_part(one: Asked) -> None:
    decided = on_record(one.found)[0]
    assert isinstance(decided, AdmissionDecided)
    passed = {(row.unit, row.role) for row in decided.verdicts if row.verdict in ADMITTED}
    lead = one.found.lead
    assert lead is None or (lead.unit, LEAD) in passed
    assert {(unit, ASSIST) for unit in one.found.assistants} <= passed


def denies_bind(one: Asked) -> None:
    """A deny that is enforced binds over every allow."""
    ask, lead = one.found.ask, one.found.lead
    if lead is None:
        return
    unit = one.bundle.units[lead.unit]
    register = one.bundle.register
    entries = register.entries_for(ask.matter, ask.place.chain, ask.place.layers, unit.level, ask.mode)
    denied = any(entry.prohibits and entry.in_force(ask.day) for entry in entries)
    firm = register.enforcement(5, unit.level, ask.day, ask.matter.row8) == ENFORCE
    assert not (denied and firm)


def communities_are_spared(one: Asked) -> None:
    """The five matters and the fallback are never a community's."""
    lead = one.found.lead
    if lead is None:
        return
    guarded = one.bundle.register.guards(one.bundle.units[lead.unit].level)
    matter = one.found.ask.matter
    if matter.row8 or not matter.row8_known or one.found.by_fallback:
        assert not guarded


@settings(max_examples=400)
@given(bundles(), st.sampled_from(GRIDS), st.lists(DAYS, min_size=6, max_size=12))
def test_on_all_days_of_a_stretch_the_finding_is_the_same(
    bundle: Bundle, area: str, days: list[timedelta]
) -> None:
    for matter in bundle.parts.matters:
        found: dict[int, object] = {}
        for ahead in days:
            ask = _question(bundle, matter, area, Mode.NORMAL, NOON + ahead)
            seen = [one.on_record() for one in walk(ask).findings]
            assert found.setdefault(bundle.stretch(ask.day), seen) == seen
