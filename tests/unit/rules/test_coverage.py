from collections.abc import Collection
from datetime import date
from typing import Any

from msgspec.structs import replace

from rules.admission import Entry
from rules.areas import Area
from rules.bundle import Bundle, Parts
from rules.coverage import Gap, coverage
from rules.edition import Edition
from rules.matters import Responsibility
from rules.pairings import Pairing, Staffing
from rules.posts import Post
from rules.units import Unit
from tests.builders_city import CLUTTER, MANHOLE, QUARREL, STREET_TRADING, tiny_city, tiny_parts

DAY = date(2026, 11, 23)
GRIDS = ("G11", "G12", "G21", "G22")
KEPT = tiny_parts()


def gaps(code: str, parts: Parts = KEPT, day: date = DAY) -> list[Gap]:
    """The gaps of one kind in a variant of the tiny city."""
    return [gap for gap in coverage(Edition.of(parts).load(), day) if gap.code == code]


def places(code: str, parts: Parts = KEPT, day: date = DAY) -> dict[str, Collection[str]]:
    return {gap.area: gap.areas for gap in gaps(code, parts, day)}


def with_posts(*posts: Post, **more: Any) -> Parts:
    return replace(KEPT, posts=(*KEPT.posts, *posts), **more)


def worker(area: str, person: str = "孙网格", **more: Any) -> Post:
    return Post(code=f"{area}-worker", role="grid_worker", unit="JW1", area=area, person=person, **more)


def with_matter(code: str, **changes: Any) -> Parts:
    return replace(
        KEPT, matters=tuple(replace(one, **changes) if one.code == code else one for one in KEPT.matters)
    )


def with_unit(code: str, **changes: Any) -> Parts:
    return replace(
        KEPT, units=tuple(replace(one, **changes) if one.code == code else one for one in KEPT.units)
    )


def entry(matter: str, role: str, **more: Any) -> Entry:
    return Entry(
        entry_id=f"X-{matter}-{role}", version=1, matter=matter, area="D", role=role,
        unit_level="community", legal_basis=("虚构条例",), guiding_dept="JD", **more,
    )  # fmt: skip


# ── 包联 ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_city_without_pairings_is_one_gap_over_all_its_grids() -> None:
    assert places("no_pairing") == {"D": GRIDS}


def test_a_pairing_covers_its_area_and_all_below() -> None:
    paired = replace(KEPT, pairings=(Pairing(unit="SZ", area="C1"), Pairing(unit="CG", area="G21")))
    assert places("no_pairing", paired) == {"G22": ("G22",)}
    assert places("no_pairing", replace(KEPT, pairings=(Pairing(unit="SZ", area="D"),))) == {}


def test_a_pairing_that_is_over_covers_nothing() -> None:
    over = replace(KEPT, pairings=(Pairing(unit="SZ", area="C1", valid_to=date(2026, 6, 30)),))
    assert places("no_pairing", over, date(2026, 6, 30)) == {"C2": ("G21", "G22")}
    assert places("no_pairing", over, date(2026, 7, 1)) == {"D": GRIDS}


def test_a_unit_that_is_dissolved_answers_for_nothing() -> None:
    gone = replace(with_unit("SZ", valid_to=date(2026, 6, 30)), pairings=(Pairing(unit="SZ", area="D"),))
    assert places("no_pairing", gone, date(2026, 6, 30)) == {}
    assert places("no_pairing", gone) == {"D": GRIDS}


def test_a_grid_that_is_divided_is_asked_about_by_its_parts() -> None:
    halves = tuple(
        Area(code=code, name=code, kind="grid", level=4, layer="治理", parent="G11")
        for code in ("G11A", "G11B")
    )
    divided = replace(KEPT, areas=(*KEPT.areas, *halves), pairings=(Pairing(unit="SZ", area="G11A"),))
    assert places("no_pairing", divided) == {"G11B": ("G11B",), "G12": ("G12",), "C2": ("G21", "G22")}


def test_a_grid_that_is_no_more_is_not_asked_about() -> None:
    gone = tuple(
        replace(area, valid_to=date(2026, 6, 30)) if area.code == "G22" else area for area in KEPT.areas
    )
    assert places("no_pairing", replace(KEPT, areas=gone)) == {"D": GRIDS[:3]}


# ── 岗位 ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_grid_has_a_post_of_its_own_that_somebody_holds() -> None:
    parts = with_posts(worker("G11"), worker("G12", person=""), worker("G21"))
    assert places("no_post", parts) == {"G22": ("G22",)}
    (vacant,) = gaps("vacant", parts)
    assert (vacant.area, vacant.found) == ("G12", ("G12-worker",))


def test_a_substitute_holds_a_post_and_a_post_that_is_over_is_none() -> None:
    parts = with_posts(
        worker("G11", person="", substitute="G12-worker"),
        worker("G12"),
        worker("G21", valid_to=date(2026, 6, 30)),
    )
    assert places("vacant", parts) == {}
    assert places("no_post", parts) == {"C2": ("G21", "G22")}


def test_a_staffing_template_counts_posts_in_the_area_and_below() -> None:
    template = (
        Staffing(kind="grid", role="grid_worker", least=1),
        Staffing(kind="community", role="grid_worker", least=2),
    )
    parts = with_posts(*map(worker, ("G11", "G12", "G21")), staffing=template)
    found = {(gap.area, gap.level, gap.expected, gap.found) for gap in gaps("understaffed", parts)}
    assert found == {("G22", "grid", "1", ("0",)), ("C2", "community", "2", ("1",))}


def test_a_shared_post_of_an_area_above_counts_for_each_grid() -> None:
    officer = Post(code="police", role="police", unit="GOV", area="C1", person="片警")
    shared, alone = (Staffing(kind="grid", role="police", least=1, shared=flag) for flag in (True, False))
    assert places("understaffed", with_posts(officer, staffing=(shared,))) == {"C2": ("G21", "G22")}
    assert places("understaffed", with_posts(officer, staffing=(alone,))) == {"D": GRIDS}


def test_another_city_is_no_part_of_this_one() -> None:
    next_door = Area(code="N", name="邻区", kind="district", level=0, layer="neighbour")
    template = (Staffing(kind="district", role="clerk", least=1),)
    assert places("understaffed", replace(KEPT, areas=(*KEPT.areas, next_door), staffing=template)) == {}


def test_a_post_that_is_vacant_or_over_does_not_count() -> None:
    template = (Staffing(kind="grid", role="grid_worker", least=1),)
    over = worker("G11", valid_to=date(2026, 6, 30))
    assert places("understaffed", with_posts(over, staffing=template)) == {"D": GRIDS}
    assert places("understaffed", with_posts(worker("G11", person=""), staffing=template)) == {"D": GRIDS}


# ── 责任 ─────────────────────────────────────────────────────────────────────────────────────────────


def test_the_tiny_city_owns_all_its_matters() -> None:
    assert gaps("no_owner") == []
    assert gaps("two_owners") == []


def test_a_matter_whose_unit_has_lost_the_power_has_no_owner() -> None:
    (gap,) = gaps("no_owner", with_unit("CG", powers=frozenset[str]()))
    assert (gap.subject, gap.area, gap.areas, gap.found) == (STREET_TRADING, "D", GRIDS, ("trade:城管",))


def test_a_unit_below_the_statutory_level_owns_nothing() -> None:
    (gap,) = gaps("no_owner", with_matter(STREET_TRADING, statutory_level="district"))
    assert gap.subject == STREET_TRADING


def test_a_community_owns_what_an_entry_or_triage_gives_it_unless_it_is_forbidden() -> None:
    alone = (Responsibility("territory", "community"),)
    assert places("no_owner", with_matter(CLUTTER, responsibility=alone)) == {}
    big = with_matter(CLUTTER, responsibility=alone, triage="big")
    assert places("no_owner", big) == {"C2": ("G21", "G22")}
    forbidden = replace(big, entries=(*big.entries, entry(CLUTTER, "prohibited")))
    assert places("no_owner", forbidden) == {"D": GRIDS}


def test_a_community_owns_nothing_of_which_nobody_knows_whether_it_is_one_of_the_five() -> None:
    alone = (Responsibility("territory", "community"),)
    assert places("no_owner", with_matter(CLUTTER, responsibility=alone, row8_known=False)) == {"D": GRIDS}


def test_an_entry_for_one_grid_tells_it_from_its_neighbours() -> None:
    alone = with_matter(CLUTTER, responsibility=(Responsibility("territory", "community"),))
    denied = replace(entry(CLUTTER, "prohibited"), area="G11")
    assert places("no_owner", replace(alone, entries=(*alone.entries, denied))) == {"G11": ("G11",)}


def test_a_power_may_be_lent_by_a_written_entrustment_that_is_paid() -> None:
    alone = with_matter(MANHOLE, responsibility=(Responsibility("territory", "community"),))
    lent = replace(alone, entries=(*alone.entries, entry(MANHOLE, "entrusted")))
    assert places("no_owner", lent) == {"D": GRIDS}
    paid = replace(entry(MANHOLE, "entrusted"), funding=replace(KEPT.entries[7].funding))
    assert places("no_owner", replace(alone, entries=(*alone.entries, paid))) == {}


def test_two_units_of_a_trade_in_the_same_territory_are_two_owners() -> None:
    twin = replace(tiny_city().units["CG"], code="CG2")
    (gap,) = gaps("two_owners", replace(KEPT, units=(*KEPT.units, twin)))
    assert (gap.subject, gap.area, gap.found) == (STREET_TRADING, "D", ("CG", "CG2"))


def test_a_nearer_unit_of_the_trade_is_the_only_owner() -> None:
    near = replace(tiny_city().units["CG"], code="CG2", area="C1")
    assert gaps("two_owners", replace(KEPT, units=(*KEPT.units, near))) == []


def test_a_unit_of_another_net_may_be_here() -> None:
    beat = Area(code="B1", name="一片", kind="street", level=1, layer="综治", parent="D")
    parts = replace(
        with_unit("CG", area="B1"),
        areas=(*KEPT.areas, beat),
        city=replace(KEPT.city, layers=("治理", "综治")),
    )
    assert gaps("no_owner", parts) == []
    powerless = replace(parts, units=tuple(replace(unit, powers=frozenset()) for unit in parts.units))
    assert STREET_TRADING in [gap.subject for gap in gaps("no_owner", powerless)]


def test_a_community_without_a_committee_is_told_from_its_neighbour() -> None:
    alone = with_matter(QUARREL, responsibility=(Responsibility("territory", "community"),))
    units = tuple(unit for unit in alone.units if unit.code != "JW2")
    entries = tuple(one for one in alone.entries if one.entry_id != "OWN-02")
    found = places("no_owner", replace(alone, units=units, entries=entries))
    assert found == {"C2": ("G21", "G22")}


def test_a_dissolved_unit_owns_nothing_from_the_next_day() -> None:
    parts = with_unit("SZ", valid_to=date(2026, 11, 23))
    assert gaps("no_owner", parts) == []
    assert [gap.subject for gap in gaps("no_owner", parts, date(2026, 11, 24))] == [MANHOLE]


# ── 准入 ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_community_that_is_to_lead_or_assist_needs_an_entry() -> None:
    rules = (Responsibility("trade", "市政"), Responsibility("territory", "community", "assist"))
    assert gaps("no_entry", with_matter(MANHOLE, responsibility=rules)) == []
    parts = with_matter(CLUTTER, triage="big")
    (gap,) = gaps("no_entry", parts)
    assert (gap.area, gap.areas, gap.subject) == ("C2", ("C2",), CLUTTER)
    assert (gap.level, gap.expected, gap.found) == ("community", "lead", ("normal", "emergency"))


def test_a_prohibition_answers_for_leads_and_not_for_assistants() -> None:
    rules = (Responsibility("trade", "市政"), Responsibility("territory", "community", "assist"))
    bare = replace(with_matter(QUARREL, triage="big", responsibility=rules), entries=KEPT.entries[:5])
    denied = replace(bare, entries=(*bare.entries, entry(QUARREL, "prohibited")))
    assert [gap.subject for gap in gaps("no_entry", denied)] == [STREET_TRADING, QUARREL]
    lead = replace(bare, matters=with_matter(QUARREL, triage="big").matters)
    assert QUARREL in [gap.subject for gap in gaps("no_entry", lead)]
    answered = replace(lead, entries=(*lead.entries, entry(QUARREL, "prohibited")))
    assert QUARREL not in [gap.subject for gap in gaps("no_entry", answered)]


def test_an_entry_for_one_mode_leaves_the_other_open() -> None:
    big = with_matter(CLUTTER, triage="big")
    parts = replace(big, entries=(*big.entries, entry(CLUTTER, "own", mode="emergency")))
    (gap,) = gaps("no_entry", parts)
    assert (gap.area, gap.found) == ("C2", ("normal",))


def test_a_grid_of_another_net_is_let_by_an_entry_of_its_layer() -> None:
    watch = Area(code="W1", name="综治一格", kind="grid", level=3, layer="综治", parent="D")
    rules = (Responsibility("trade", "市政"), Responsibility("territory", "grid", "assist"))
    parts = replace(
        with_matter(MANHOLE, responsibility=rules),
        areas=(*KEPT.areas, watch),
        city=replace(KEPT.city, layers=("治理", "综治")),
    )
    assert places("no_entry", parts) == {"D": (*GRIDS, "W1")}
    let = replace(entry(MANHOLE, "assist"), unit_level="grid", layer="综治")
    assert places("no_entry", replace(parts, entries=(*parts.entries, let))) == {"S1": GRIDS}


def test_an_expired_entry_says_nothing() -> None:
    rules = (Responsibility("trade", "市政"), Responsibility("territory", "community", "assist"))
    until = replace(KEPT.entries[-1], valid_to=date(2026, 6, 30))
    parts = replace(with_matter(MANHOLE, responsibility=rules), entries=(*KEPT.entries[:-1], until))
    assert gaps("no_entry", parts, date(2026, 6, 30)) == []
    assert [gap.subject for gap in gaps("no_entry", parts)] == [MANHOLE]


def test_gaps_come_in_a_fixed_order() -> None:
    bundle: Bundle = Edition.of(with_unit("CG", powers=frozenset[str]())).load()
    found = coverage(bundle, DAY)
    assert [gap.code for gap in found] == ["no_pairing", "no_post", "no_owner"]
    assert isinstance(bundle.units["CG"], Unit)
