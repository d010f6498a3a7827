"""A matter has an owner by `rules.coverage` where the guard would let a candidate lead, and only there."""

from datetime import UTC, date, datetime

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from rules.admission import ENFORCE, Enforcement, Entry, Funding
from rules.bundle import Bundle, Parts
from rules.coverage import coverage
from rules.edition import Edition
from rules.inforce import Rules
from rules.matters import Matter, Responsibility
from rules.pairings import Pairing
from rules.reading.entries import STEPS
from services.router.admission import LEAD, admit, question
from services.router.candidates import candidates, place_of
from tests.builders_city import tiny_parts

KEPT = tiny_parts()
NOON = datetime(2026, 11, 23, 4, tzinfo=UTC)
DAY = date(2026, 11, 23)
GRIDS = ("G11", "G12", "G21", "G22")
PAID = Funding("区财政", "20元", "件", "P-1", date(2026, 1, 1), date(2026, 12, 31))
firm = tuple(
    Enforcement(level, step, date(2026, 1, 1), ENFORCE) for level in ("community", "grid") for step in STEPS
)
rules = st.sampled_from((
    Responsibility("trade", "城管"), Responsibility("trade", "市政"), Responsibility("unit", "JD"),
    Responsibility("territory", "community"), Responsibility("territory", "street"),
    Responsibility("territory", "community", "assist"),
))  # fmt: skip
entries = st.builds(
    Entry,
    entry_id=st.sampled_from("ABCDEFGH"),
    version=st.integers(1, 3),
    matter=st.sampled_from(("E-01-36", "E", "E-04-05", "Q", "P-01-01", "row8:城市管理")),
    area=st.sampled_from(("D", "S1", "C1", "C2", "G11")),
    role=st.sampled_from(("own", "assist", "entrusted", "prohibited")),
    legal_basis=st.just(("虚构条例",)),
    unit_level=st.sampled_from(("", "community", "grid")),
    mode=st.sampled_from(("both", "normal", "emergency")),
    state=st.sampled_from(("active", "approved", "suspended", "exited")),
    funding=st.sampled_from((Funding(), PAID, replace(PAID, covers_to=date(2026, 6, 30)))),
    valid_from=st.sampled_from((date(2026, 1, 1), DAY, date(2026, 11, 24))),
    valid_to=st.sampled_from((date(2026, 11, 22), DAY, date.max)),
)
matters = st.builds(
    replace,
    st.sampled_from(KEPT.matters),
    triage=st.sampled_from(("big", "small", "private")),
    statutory_level=st.sampled_from(("", "street", "district", "community")),
    power=st.sampled_from(("", "城管执法", "市政养护")),
    row8=st.sampled_from(("", "城市管理")),
    row8_known=st.booleans(),
    responsibility=st.lists(rules, max_size=4).map(tuple),
)


def _code(matter: object) -> str:
    assert isinstance(matter, Matter)
    return matter.code


cities = st.builds(
    replace,
    st.just(replace(KEPT, enforcement=firm)),
    matters=st.lists(matters, min_size=1, max_size=3, unique_by=_code).map(tuple),
    entries=st.lists(entries, max_size=8, unique_by=lambda one: (one.entry_id, one.version)).map(tuple),
    units=st.sets(st.sampled_from(range(len(KEPT.units)))).map(
        lambda kept: tuple(unit for at, unit in enumerate(KEPT.units) if at not in kept or at < 2)
    ),
)


def led(bundle: Bundle, matter: Matter, area: str) -> bool:
    """Whether any candidate for the lead is admitted there."""
    ask = question(Rules(1, bundle), matter, "", place_of(bundle, area, (), DAY), NOON)
    found = candidates(bundle, matter, ask.place, DAY)
    return any(admit(ask, one).passed for one in found if one.role == LEAD)


@given(cities)
def test_no_owner_is_where_the_guard_admits_nobody(parts: Parts) -> None:
    bundle = Edition.of(parts).load()
    gaps = coverage(bundle, DAY)
    bare = {(gap.subject, area) for gap in gaps if gap.code == "no_owner" for area in gap.areas}
    wanted = {
        (matter.code, area) for matter in parts.matters for area in GRIDS if not led(bundle, matter, area)
    }
    assert bare == wanted


@given(st.sets(st.sampled_from(("D", "S1", "C1", "C2", *GRIDS))))
def test_each_bare_grid_is_told_once_and_as_high_as_it_goes(paired: set[str]) -> None:
    bundle = Edition.of(
        replace(KEPT, pairings=tuple(Pairing(unit="SZ", area=area) for area in paired))
    ).load()
    gaps = [gap for gap in coverage(bundle, DAY) if gap.code == "no_pairing"]
    told = [area for gap in gaps for area in gap.areas]
    bare = [grid for grid in GRIDS if not {area.code for area in bundle.areas.chain(grid)} & paired]
    assert sorted(told) == bare
    for gap in gaps:
        below = [grid for grid in GRIDS if bundle.areas.within(grid, gap.area)]
        assert list(gap.areas) == below
        above = bundle.areas[gap.area].parent
        assert not above or any(grid not in bare for grid in GRIDS if bundle.areas.within(grid, above))
