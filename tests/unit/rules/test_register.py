from datetime import date

from msgspec.structs import replace

from rules.admission import Enforcement, Register
from rules.modes import Mode
from tests.builders_city import CLUTTER, MANHOLE, QUARREL, STREET_TRADING, tiny_city, tiny_parts

DAY = date(2026, 11, 23)


def ids(matter: str, area: str, level: str = "community", mode: Mode = Mode.NORMAL) -> list[str]:
    city = tiny_city()
    chain = city.areas.chain(area)
    found = city.register.entries_for(city.matters[matter], chain, ("治理",), level, mode)
    return [entry.entry_id for entry in found]


def test_a_matter_finds_its_own_entries_before_its_tag() -> None:
    assert ids(STREET_TRADING, "G11") == ["AST-01", "NEG-04"]


def test_a_prefix_speaks_for_all_below_it() -> None:
    assert ids(QUARREL, "C2") == ["OWN-01"]


def test_an_entry_holds_in_its_area_and_below_only() -> None:
    assert ids(CLUTTER, "G12") == ["OWN-02"]
    assert ids(CLUTTER, "C2") == []


def test_an_entry_without_level_means_every_guarded_level_and_no_other() -> None:
    assert ids(STREET_TRADING, "G11", "grid") == ["NEG-04"]
    assert ids(STREET_TRADING, "G11", "street") == []


def test_precedence_is_matter_then_area_then_layer_then_mode_then_version() -> None:
    city = tiny_city()
    base = replace(city.register.get("OWN-02", 1), area="D", entry_id="base")  # pyright: ignore[reportArgumentType]
    rows = (
        base,
        replace(base, entry_id="prefix", matter="E"),
        replace(base, entry_id="near", area="C1"),
        replace(base, entry_id="layer", layer="治理"),
        replace(base, entry_id="mode", mode="normal"),
        replace(base, entry_id="newer", version=2),
        replace(base, entry_id="other layer", layer="城管"),
        replace(base, entry_id="other mode", mode="emergency"),
    )
    register = Register(rows, guarded=frozenset({"community"}))
    chain = city.areas.chain("C1")
    found = register.entries_for(city.matters[CLUTTER], chain, ("治理",), "community", Mode.NORMAL)
    assert [entry.entry_id for entry in found] == ["near", "layer", "mode", "newer", "base", "prefix"]


def test_funding_is_judged_by_the_days_of_its_proof() -> None:
    register = tiny_city().register
    paid, unpaid, own = (register.get(name, 1) for name in ("AST-01", "AST-02", "OWN-01"))
    assert paid
    assert unpaid
    assert own
    assert paid.funded(DAY)
    assert not paid.funded(date(2027, 1, 1))
    assert not unpaid.funded(DAY)
    assert own.funded(DAY)
    assert paid.in_force(date(2027, 1, 1))
    assert not paid.in_force(date(2025, 12, 31))


def test_the_list_of_an_entry_is_derived() -> None:
    register = tiny_city().register
    kinds = {entry.entry_id: entry.kind for entry in tiny_parts().entries}
    assert (kinds["NEG-01"], kinds["OWN-01"], kinds["AST-01"]) == ("负面", "自治", "协助")
    assert register.guards("community")
    assert not register.guards("street")


def test_without_a_word_statutory_steps_are_enforced_and_the_rest_observed() -> None:
    register = tiny_city().register
    assert [register.enforcement(step, "community", DAY) for step in (2, 3, 5, 6, 7)] == [
        "enforce", "enforce", "enforce", "observe", "observe",
    ]  # fmt: skip


def test_enforcement_follows_its_dates_but_never_lifts_row_eight() -> None:
    rows = (
        Enforcement("community", 5, date(2026, 1, 1), "observe"),
        Enforcement("community", 5, date(2026, 7, 1), "off"),
    )
    register = Register((), rows)
    assert register.enforcement(5, "community", date(2025, 12, 31)) == "enforce"
    assert register.enforcement(5, "community", date(2026, 6, 30)) == "observe"
    assert register.enforcement(5, "community", date(2026, 7, 1)) == "off"
    assert register.enforcement(5, "community", date(2026, 7, 1), row8="城市管理") == "enforce"


def test_the_unpaid_manhole_is_on_the_list() -> None:
    assert ids(MANHOLE, "C1") == ["AST-02"]
