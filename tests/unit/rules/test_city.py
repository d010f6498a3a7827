from datetime import UTC, date, datetime

import pytest
from msgspec.structs import replace

from rules.bundle import Bundle
from rules.check import check
from rules.faults import Fault
from rules.inforce import Rules
from rules.modes import Mode
from rules.policies import Policies, Policy
from rules.reading.city import read_bounds
from rules.rows import Folder, Node
from rules.units import Units
from tests.builders_city import MANHOLE, STREET_TRADING, limit, tiny_city, tiny_parts


def test_the_tiny_city_has_no_faults() -> None:
    assert check(tiny_parts()) == []


def test_units_of_an_area_come_nearest_first() -> None:
    units = tiny_city().units
    assert [unit.code for unit in units.in_area("G11")] == ["JW1", "CG", "JD", "GOV", "OPS", "SZ"]
    assert [unit.code for unit in units.in_area("G21", level="community")] == ["JW2"]
    assert [unit.code for unit in units.in_area("G21", kind="government")] == ["JD", "GOV"]


def test_a_trade_is_found_where_it_acts() -> None:
    units = tiny_city().units
    assert [unit.code for unit in units.with_trade("城管", "C2")] == ["CG"]
    assert [unit.code for unit in units.with_trade("城管", "D")] == []
    assert [unit.code for unit in units.with_trade("市政")] == ["SZ"]


def test_the_fallback_is_the_street_and_never_the_community() -> None:
    units = tiny_city().units
    assert units.fallback("G11") == units["JD"]
    assert units.fallback("D") is None


def test_a_line_goes_up_to_the_government() -> None:
    units = tiny_city().units
    assert [unit.code for unit in units.line("JW1")] == ["JD", "GOV"]
    assert units.above("GOV") is None
    assert units.get("nobody") is None
    with pytest.raises(KeyError):
        units["nobody"]


def test_a_dissolved_unit_is_found_only_in_its_days() -> None:
    parts = tiny_parts()
    rows = tuple(replace(u, valid_to=date(2026, 6, 30)) if u.code == "CG" else u for u in parts.units)
    units = Units(rows, tiny_city().areas)
    assert units.with_trade("城管", "C1", date(2026, 6, 30))
    assert not units.with_trade("城管", "C1", date(2026, 7, 1))
    assert units.get("CG", date(2026, 7, 1)) is None


def test_posts_are_found_by_role_and_area_or_by_unit() -> None:
    posts = tiny_city().posts
    assert [post.code for post in posts.holding("clerk", "G11")] == ["OPS-clerk"]
    assert [post.code for post in posts.holding("handler", "C1")][:2] == ["JW1-handler", "CG-handler"]
    assert [post.person for post in posts.of_unit("CG", "handler")] == ["person-CG"]


def test_matters_are_found_by_code_and_prefix() -> None:
    matters = tiny_city().matters
    assert [matter.code for matter in matters.by_prefix("E")] == ["E-01-36", "E-04-05"]
    assert matters.by_prefix("E-0") == ()
    condition = matters[MANHOLE].condition("2")
    assert condition
    assert condition.limit == limit("4工作时")
    assert matters[STREET_TRADING].condition("9") is None


def test_a_mode_switch_holds_below_until_a_nearer_one() -> None:
    rules = Rules(3, tiny_city(), {"S1": Mode.EMERGENCY, "C2": Mode.NORMAL})
    assert rules.mode("G11") is Mode.EMERGENCY
    assert rules.mode("G21") is Mode.NORMAL
    assert rules.mode("D") is Mode.NORMAL


def test_in_an_emergency_a_clock_may_differ() -> None:
    usual = Policy(name="accept", limit=limit("15分钟"))
    urgent = Policy(name="accept", limit=limit("5分钟"), mode="emergency")
    policies = Policies((usual, urgent, Policy(name="sign", limit=limit("1工作日"))))
    assert policies.clock("accept") == usual
    assert policies.clock("accept", Mode.EMERGENCY) == urgent
    assert policies.clock("sign", Mode.EMERGENCY).limit == limit("1工作日")
    assert policies.clock("unheard of").limit is None


def test_words_are_filled_in_the_language_asked_for() -> None:
    templates = tiny_city().templates
    values = {"case": "20261123-C1-0001", "matter": "上水井盖"}
    assert templates.render("case_assigned", "en", values) == "Case 20261123-C1-0001 is yours: 上水井盖"
    assert templates.render("case_assigned", "fr", values).startswith("案件20261123-C1-0001")
    with pytest.raises(KeyError):
        templates.render("case_assigned", "zh", {"case": "1"})


def test_routes_are_found_by_event() -> None:
    routes = tiny_city().routes
    assert [route.audience for route in routes.of("CaseAssigned")] == ["lead", "assist"]
    assert routes.of("NothingHappened") == ()


def test_the_day_of_an_instant_is_the_citys_own() -> None:
    assert tiny_city().day(datetime(2026, 11, 22, 16, 0, tzinfo=UTC)) == date(2026, 11, 23)
    assert tiny_city().day(datetime(2026, 11, 22, 15, 59, 59, tzinfo=UTC)) == date(2026, 11, 22)


def test_a_desk_is_the_community_or_the_citys_desk() -> None:
    city = tiny_city()
    assert (city.desk_of("G11"), city.desk_of("C2"), city.desk_of("S1"), city.desk_of("")) == (
        "C1",
        "C2",
        "D",
        "D",
    )


def test_levels_are_compared_by_number() -> None:
    city = tiny_city().city
    assert city.below("community", "street")
    assert not city.below("street", "street")
    with pytest.raises(KeyError):
        city.level("village")


def test_a_city_without_a_body_that_could_act_is_refused() -> None:
    parts = tiny_parts()
    powerless = tuple(replace(u, powers=frozenset()) if u.code == "GOV" else u for u in parts.units)
    faults = check(replace(parts, units=powerless))
    assert {(fault.code, fault.value) for fault in faults} == {
        ("no_fallback", "城管执法"),
        ("no_fallback", "市政养护"),
    }
    assert Bundle(parts, "").units["GOV"].powers


@pytest.mark.parametrize(
    ("name", "least"), [("decide_days", 1), ("notice_days", 1), ("notice_extra_days", 0)]
)
def test_who_must_decide_or_may_object_has_a_day_at_least(name: str, least: int) -> None:
    for number in (least - 1, least):
        faults: list[Fault] = []
        folder = Folder(documents={"bounds.yaml": Node(1, {name: Node(1, str(number))})})
        bounds = read_bounds(folder, faults)
        assert [fault.code for fault in faults] == (["bad_number"] if number < least else [])
        assert getattr(bounds, name) == least
