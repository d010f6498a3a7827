from collections import Counter
from datetime import date

from cities import lists
from cities.day import Day
from cities.voices import voices
from rules.bundle import Bundle
from rules.matters import ROW8


def test_the_demo_has_the_size_that_was_asked_for(demo: Bundle) -> None:
    assert len(demo.areas.of_kind("community")) == 8
    assert len(demo.areas.of_kind("grid")) == 59
    assert len([unit for unit in demo.parts.units if unit.kind != "committee"]) == 21
    assert len([matter for matter in demo.parts.matters if matter.scheme != "local"]) == 40
    assert len(demo.parts.entries) == 134


def test_the_register_shows_every_kind_of_list(demo: Bundle) -> None:
    kinds = Counter(entry.kind for entry in demo.parts.entries)
    assert set(kinds) == {"负面", "收回", "自治", "协助", "临时"}
    assert {matter.row8 for matter in demo.parts.matters} >= set(ROW8)


def test_every_matter_has_a_voice_and_keywords_unless_nobody_here_reports_it(demo: Bundle) -> None:
    assert set(voices()) == {matter.code for matter in demo.parts.matters}
    for matter in demo.parts.matters:
        heard = voices()[matter.code].heard_in(demo.city.code)
        assert len(matter.keywords) >= 5 if heard else not matter.keywords


def test_the_lists_are_on_the_register_and_leave_the_day_as_it_was(demo: Bundle) -> None:
    listed = {one.code for one in lists.listed()}
    assert listed <= {entry.matter for entry in demo.parts.entries}
    assert len([code for code in listed if code.startswith("S-01")]) == 20
    reported = {matter.code for matter, _ in Day(demo, 1, date(2026, 11, 23), "").matters}
    assert reported == {matter.code for matter in demo.parts.matters} - listed


def test_someone_holds_every_post_that_the_lifecycle_needs(demo: Bundle) -> None:
    for role in ("clerk", "dispatcher", "lead_officer", "inspector", "caller", "keeper", "supervisor"):
        assert demo.posts.holding(role, "SQ05")
    for level in (1, 2, 3):
        assert demo.posts.holding(f"meeting{level}", "SQ05")
    assert all(
        demo.posts.of_unit(unit.code, "handler") for unit in demo.parts.units if unit.code != "YX-CENTRE"
    )
