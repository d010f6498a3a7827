import json
from collections import Counter
from datetime import date, timedelta

import pytest
import shapely

from cities import county_map, make_county
from cities.county_people import BARE
from cities.day import reports
from cities.people import People
from rules.bundle import Bundle
from rules.coverage import CODES, coverage
from rules.matters import ROW8
from rules.modes import Mode
from schemas.case import assigning, closing
from tests.unit.cities.conftest import city
from tests.unit.cities.living import Life

MONDAY = date(2026, 11, 23)
JULY = date(2026, 7, 1)
DRAWN = make_county.drawn()
README = (make_county.FOLDER / "README.md").read_text("utf-8")


@pytest.fixture(scope="module")
def county() -> Bundle:
    return city("county")


@pytest.mark.parametrize("name", list(DRAWN))
def test_what_is_committed_is_what_the_script_draws(name: str) -> None:
    assert (make_county.FOLDER / name).read_text(encoding="utf-8") == DRAWN[name]


def test_the_county_has_the_size_that_was_asked_for(county: Bundle) -> None:
    kinds = Counter(area.kind for area in county.parts.areas)
    assert (kinds["township"], kinds["community"], kinds["grid"], kinds["subgrid"]) == (37, 69, 144, 288)
    assert sum(area.name.endswith("街道") for area in county.areas.of_kind("township")) == 5
    assert {area.layer for area in county.parts.areas} == {"治理", "综治"}


def test_both_nets_cover_the_same_ground_with_other_borders() -> None:
    shapes = {
        one["properties"]["code"]: shapely.geometry.shape(one["geometry"])
        for one in json.loads(make_county.shapes())["features"]
    }
    whole = shapes[county_map.ROOT]
    assert all(shape.is_valid for shape in shapes.values())
    for kind in ("township", "community", "grid", "subgrid", "precinct", "watch"):
        net = [shapes[part.code] for part in county_map.of_kind(kind)]
        assert sum(one.area for one in net) == pytest.approx(whole.area)
        assert shapely.union_all(net).equals(whole)
    communities = [shapes[part.code] for part in county_map.of_kind("community")]
    crossed = [
        sum(watch.intersection(one).area > 0.01 * watch.area for one in communities)
        for watch in (shapes[part.code] for part in county_map.of_kind("watch"))
    ]
    assert sum(count > 1 for count in crossed) > 0.8 * len(crossed)


def test_a_point_lies_in_a_grid_of_each_net(county: Bundle) -> None:
    lon, lat = county_map.NET.middle((2, 10))
    place = county.areas.at(lon, lat, MONDAY)
    assert county.areas[place.within("治理")].kind == "subgrid"
    assert county.areas[place.within("综治")].kind == "watch"


def test_the_register_shows_every_list_and_names_a_law_for_each_entry(county: Bundle) -> None:
    entries = county.parts.entries
    kinds = Counter(entry.kind for entry in entries)
    assert set(kinds) == {"负面", "收回", "自治", "协助", "临时"}
    assert len(entries) >= 120
    assert all(entry.legal_basis and entry.guiding_dept for entry in entries)


def test_the_readme_counts_right(county: Bundle) -> None:
    parts = county.parts
    assert f"{len(parts.units)} units, {len(parts.posts):,} posts, {len(parts.matters)} matters" in README
    assert f"{len(parts.entries)} admission entries" in README


def test_no_community_issues_one_of_the_twenty_certificates(county: Bundle) -> None:
    certificates = county.matters.by_prefix("S-01")
    assert len(certificates) == 20
    for community in county.areas.of_kind("community"):
        chain = county.areas.chain(community.code)
        for matter in certificates:
            for mode in Mode:
                found = county.register.entries_for(matter, chain, ("治理",), "community", mode)
                assert [(entry.prohibits, bool(entry.owner_instead)) for entry in found] == [(True, True)]


def test_the_five_are_denied_to_every_guarded_level_in_both_modes(county: Bundle) -> None:
    tagged = [next(one for one in county.parts.matters if one.row8 == tag) for tag in ROW8]
    for level in ("community", "watch", "grid", "subgrid"):
        chain = county.areas.chain(county.areas.of_kind(level)[0].code)
        for matter in tagged:
            for mode in Mode:
                found = county.register.entries_for(matter, chain, (), level, mode)
                assert any(entry.prohibits and entry.matter == f"row8:{matter.row8}" for entry in found)


def test_residents_are_told_in_chinese_and_tibetan(county: Bundle) -> None:
    said = county.templates.render("case_closed", "zh", {"case": "2026-1"})
    assert "您反映的问题" in said
    assert county.templates.render("case_closed", "bo", {"case": "2026-1"}) in said
    assert county.areas.named("དམར་ཐང་ལ་གད་སྙིགས་མང་།", MONDAY)[0].name == "玛塘镇"


def test_every_notice_and_every_word_in_it_is_said_in_tibetan(county: Bundle) -> None:
    codes = {template.code for template in county.parts.templates}
    for code in codes:
        text = next(one.text for one in county.parts.templates if (one.code, one.language) == (code, "bo"))
        assert any("\u0f00" <= letter <= "\u0fff" for letter in text), code


def test_the_gaps_of_the_readme_are_the_gaps_of_the_county(county: Bundle) -> None:
    gaps = coverage(county, JULY)
    counts = Counter(gap.code for gap in gaps)
    assert f"tells {len(gaps)} gaps" in README
    for code in CODES:
        assert f"| {code.replace('_', ' ')} " in README
        assert f"({counts[code]})" in next(
            line for line in README.splitlines() if code.replace("_", " ") in line
        )
    assert f"there are {len(coverage(county, JULY - timedelta(days=1)))}" in README
    bare = {gap.area for gap in gaps if gap.code == "no_pairing"}
    town = county.areas["SQ07"].parent
    assert bare == {town, "SQ44", "99060200300600201", "PCS8", *BARE["over"]}


# ── a small day ──────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def life(county: Bundle) -> Life:
    arrivals = reports(county, 3, 300, day=MONDAY)
    life = Life(county, People(county, 3))
    for arrival in arrivals:
        life.arrives(arrival)
    life.live(arrivals[0].at + timedelta(days=45))
    return life


def seen(life: Life, event: type) -> list[object]:
    return [one for history in life.cases.values() for _, one in history if isinstance(one, event)]


def test_a_small_day_of_the_county_comes_to_its_end(life: Life) -> None:
    assert len(life.cases) > 150
    assert not life.people.unfinished()
    assert len(seen(life, closing.CaseWrittenOff)) > 0.9 * len(life.cases)


def test_who_asks_a_community_for_a_certificate_is_sent_to_the_department(life: Life, county: Bundle) -> None:
    decided = [
        one for one in seen(life, assigning.AdmissionDecided) if isinstance(one, assigning.AdmissionDecided)
    ]
    asked = [one for one in decided if one.matter.startswith("S-01")]
    assert len(asked) > 5
    for one in asked:
        refused, led = one.verdicts[:2]
        assert (refused.verdict, refused.entry.partition("-")[0]) == ("prohibited", "ZM")
        assert led.unit == county.register.get(refused.entry, 1).owner_instead  # pyright: ignore[reportOptionalMemberAccess]


def test_the_station_of_a_grid_leads_what_is_its_own(life: Life, county: Bundle) -> None:
    leads = {
        one.lead for one in seen(life, assigning.CaseAssigned) if isinstance(one, assigning.CaseAssigned)
    }
    assert any(county.units[lead].level == "grid" for lead in leads)
