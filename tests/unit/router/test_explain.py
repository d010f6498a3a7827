from datetime import date
from typing import Any

import pytest
from msgspec.structs import replace

from rules.admission import Entry, Funding
from rules.bundle import Bundle
from rules.modes import Mode
from services.router.explain import lines, routes
from tests.builders_city import CLUTTER, MANHOLE, STREET_TRADING, tiny_city, tiny_parts
from tests.unit.router.telling import life, strict_city


def name(code: str) -> str:
    return tiny_city().units[code].name


def test_each_unit_has_its_line_with_step_and_entry() -> None:
    case = life(strict_city()).open(CLUTTER, area="G21").accept(triage="big")
    [route] = routes(case.history)
    assert lines(route, "en") == (
        "1  JW2  refused  step 6  no entry",
        "2  JD  passed  entry not needed  → lead",
    )
    [named] = routes(case.history, name)
    assert lines(named, "zh")[0] == "1  杏花社区居委会 JW2  不通过  第6步  无准入条目"


def test_assistants_and_observed_refusals_are_shown() -> None:
    [route] = routes(life().routed(STREET_TRADING).history)
    assert lines(route, "en") == (
        "1  CG  passed  entry not needed  → lead",
        "2  JW1  passed  entry AST-01 v1  → assist",
    )
    [route] = routes(life().open(CLUTTER, area="G21").accept(triage="big").history)
    assert lines(route, "en") == ("1  JW2  passed  (observed: would be no entry)  → lead",)


def entry(number: str, **fields: Any) -> Entry:
    common = {"version": 1, "matter": CLUTTER, "area": "C2", "role": "own", "unit_level": "community"}
    return Entry(entry_id=number, **{**common, **fields})


def with_entry(one: Entry) -> Bundle:
    return strict_city(entries=(*tiny_parts().entries, one))


def with_matter(code: str, **fields: Any) -> Bundle:
    changed = [replace(one, **fields) if one.code == code else one for one in tiny_parts().matters]
    return strict_city(matters=tuple(changed))


def two_enforcement_teams() -> Bundle:
    parts = tiny_parts()
    (first,) = (unit for unit in parts.units if unit.code == "CG")
    return strict_city(units=(*parts.units, replace(first, code="CG2", name="城管二中队")))


UNFUNDED = entry(
    "ENT-01", role="entrusted", area="S1", applicant="SZ", legal_basis=("虚构条例",), funding=Funding()
)
EXPIRED = entry("TMP-01", term="temporary", valid_to=date(2026, 3, 1))
DENIED = entry("NEG-90", role="prohibited", owner_instead="SZ")
EVERY_END = {
    "prohibited": (
        with_entry(DENIED), CLUTTER, Mode.NORMAL,
        ("1  JW2  不通过  第5步  负面清单  准入条目 NEG-90 v1", "2  SZ  通过  无需准入条目  → 主办"),
        ("1  JW2  refused  step 5  prohibited  entry NEG-90 v1", "2  SZ  passed  entry not needed  → lead"),
    ),
    "temporary expired": (
        with_entry(EXPIRED), CLUTTER, Mode.NORMAL,
        ("1  JW2  不通过  第7步  准入已到期  准入条目 TMP-01 v1", "2  JD  通过  无需准入条目  → 主办"),
        ("1  JW2  refused  step 7  expired  entry TMP-01 v1", "2  JD  passed  entry not needed  → lead"),
    ),
    "unfunded in 平": (
        with_entry(UNFUNDED), CLUTTER, Mode.NORMAL,
        (
            "1  JW2  不通过  第7步  经费未到位  准入条目 ENT-01 v1  → 经费待拨：SZ",
            "2  SZ  通过  无需准入条目  → 主办",
        ),
        (
            "1  JW2  refused  step 7  unfunded  entry ENT-01 v1  → FundingDue to SZ",
            "2  SZ  passed  entry not needed  → lead",
        ),
    ),
    "unfunded in 急": (
        with_entry(UNFUNDED), CLUTTER, Mode.EMERGENCY,
        ("1  JW2  通过  准入条目 ENT-01 v1  → 主办  → 经费欠拨：SZ",),
        ("1  JW2  passed  entry ENT-01 v1  → lead  → FundingDebt of SZ",),
    ),
    "no entry": (
        strict_city(), CLUTTER, Mode.NORMAL,
        ("1  JW2  不通过  第6步  无准入条目", "2  JD  通过  无需准入条目  → 主办"),
        ("1  JW2  refused  step 6  no entry", "2  JD  passed  entry not needed  → lead"),
    ),
    "no power": (
        with_matter(MANHOLE, power="无人有此权"), MANHOLE, Mode.NORMAL,
        (
            "1  SZ  不通过  第3步  无此权限", "2  JD  不通过  第3步  无此权限",
            "3  GOV  不通过  第3步  无此权限", "→ 派遣受阻：无单位可派",
        ),
        (
            "1  SZ  refused  step 3  no power", "2  JD  refused  step 3  no power",
            "3  GOV  refused  step 3  no power", "→ routing stopped: no unit is admitted",
        ),
    ),
    "tie": (
        two_enforcement_teams(), STREET_TRADING, Mode.NORMAL,
        (
            "1  CG  通过  无需准入条目  → 主办", "2  CG2  第9步  并列，首接单位主办",
            "3  JW2  通过  准入条目 AST-01 v1  → 协办",
        ),
        (
            "1  CG  passed  entry not needed  → lead", "2  CG2  step 9  could lead as well, the first leads",
            "3  JW2  passed  entry AST-01 v1  → assist",
        ),
    ),
    "fallback": (
        with_matter(CLUTTER, responsibility=()), CLUTTER, Mode.NORMAL,
        ("1  JD  通过  无需准入条目  → 主办", "→ 兜底派遣 JD"),
        ("1  JD  passed  entry not needed  → lead", "→ fallback JD"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("end", EVERY_END)
def test_every_end_of_the_walk_is_explained_in_both_languages(end: str) -> None:
    bundle, matter, mode, zh, en = EVERY_END[end]
    case = life(bundle, {"S1": mode}).open(matter, area="G21").accept(condition="1", triage="big")
    [route] = routes(case.history)
    assert lines(route, "zh") == zh
    assert lines(route, "en") == en
