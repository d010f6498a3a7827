"""Units, posts, pairings and the staffing template of `cities/county`. All persons are invented.

A few places are left bare on purpose (`BARE`): the README shows what `gridcase rules coverage` says of them.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Final

from cities.county_map import ROOT, Part, above, by_code, of_kind, parts
from cities.lists import Seat
from cities.make_demo import person

Row = Mapping[str, str]

DEPARTMENTS: Final = (
    # code, name, trade, powers, calendar
    ("CL-ZFJ", "措隆县综合行政执法局", "综合执法", "综合执法", "shifts"),
    ("CL-CGJ", "措隆县城市管理局", "环卫", "综合执法|环卫", "office"),
    ("CL-HW", "措隆县环境卫生服务站", "环卫", "环卫", "shifts"),
    ("CL-SZ", "措隆县市政养护站", "市政", "市政养护", "shifts"),
    ("CL-LC", "措隆县林业和草原站", "园林", "", "office"),
    ("CL-SW", "措隆县水务局", "水务", "水务管理", "shifts"),
    ("CL-ZJ", "措隆县住房和城乡建设局", "住建", "建设管理", "office"),
    ("CL-XF", "措隆县消防救援大队", "消防", "消防监督", "round_the_clock"),
    ("CL-GA", "措隆县公安局", "", "治安管理", "round_the_clock"),
    ("CL-ST", "生态环境局措隆分局", "生态环境", "环境监察", "office"),
    ("CL-SC", "措隆县市场监督管理局", "市场监管", "市场监管", "office"),
    ("CL-MZ", "措隆县民政局", "民政", "", "office"),
    ("CL-WJ", "措隆县卫生健康局", "卫健", "", "office"),
    ("CL-RS", "措隆县人力资源和社会保障局", "人社", "", "office"),
    ("CL-CLH", "措隆县残疾人联合会", "残联", "", "office"),
    ("CL-ZR", "措隆县自然资源局", "自然资源", "", "office"),
    ("CL-SF", "措隆县司法局", "司法", "", "office"),
    ("CL-JY", "措隆县教育局", "教育", "", "office"),
    ("CL-WL", "措隆县文化旅游局", "文旅", "", "office"),
    ("CL-YJ", "措隆县应急管理局", "应急", "", "round_the_clock"),
    ("CL-MZW", "措隆县民族宗教事务局", "民宗", "", "office"),
)
COMPANIES: Final = (
    ("GS-WATER", "措隆清流供水有限公司", "供水", "CL-SW"),
    ("GS-GAS", "措隆高原燃气有限公司", "燃气", "CL-ZJ"),
    ("GS-HEAT", "措隆暖川热力有限公司", "供热", "CL-ZJ"),
    ("GS-ESTATE", "措隆和顺物业服务有限公司", "物业", "CL-ZJ"),
)
CENTRAL: Final = (
    ("clerk", 4), ("dispatcher", 2), ("lead_officer", 1), ("inspector", 2), ("caller", 4), ("keeper", 1),
    ("supervisor", 2), ("reviewer", 2), ("meeting2", 1), ("meeting3", 1),
)  # fmt: skip
GIVEN: Final = (
    "扎西", "卓玛", "才让", "旦增", "拉毛", "格桑", "德吉", "索南", "尼玛", "达娃", "仁青", "央金", "多杰",
    "措毛", "桑吉", "白玛", "加央", "华旦", "项秀", "周措",
)  # fmt: skip
SEAT: Final = Seat(
    root=ROOT, body="CL-GOV", centre="CL-CENTRE",
    trades={trade: code for code, _, trade, *_ in DEPARTMENTS if trade} | {"公安": "CL-GA"},
    grids=("grid", "subgrid"), approvals="措社准", funds="县财政", year=2026,
)  # fmt: skip
STAFFING: Final = (
    ("grid", "grid_leader", "1", "no"), ("grid", "grid_guide", "1", "yes"),
    ("subgrid", "grid_worker", "1", "no"), ("watch", "police", "1", "yes"),
    ("community", "volunteer", "2", "no"),
)  # fmt: skip
"""1+1+1+N: 网格长, 网格指导员 (of the township) and 网格员 for each grid, volunteers for each community."""
BARE: Final = {
    "pairing": ("SQ07", "SQ44", "99060200300600201", "PCS8"),
    "over": ("SQ21",),
    "post": ("99060202705200101", "99060202705200102", "ZZ63"),
    "person": ("99060200300600102", "99060203105800201", "P-PCS4-police"),
    "guide": ("XZ09",),
    "volunteer": ("SQ30", "SQ31"),
}
"""What has no pairing, one that is over, no post, a post without a person, no guide, one volunteer only."""


def name(number: int) -> str:
    """An invented name: of every three persons one has a Tibetan name, two Chinese ones."""
    at = number // 3
    first, second = at % len(GIVEN), (at % len(GIVEN) + 1 + at // len(GIVEN)) % len(GIVEN)
    return GIVEN[first] + GIVEN[second] if number % 3 == 0 else person(number)


def units() -> list[Row]:
    powers = "综合执法|环卫|市政养护|园林养护|水务管理|建设管理|消防监督|治安管理|环境监察|市场监管|投资促进"
    rows = [
        _unit("CL-GOV", "措隆县人民政府", "government", powers=powers, trade="招商"),
        _unit("CL-CENTRE", "措隆县城运中心", "centre", parent="CL-GOV", calendar="round_the_clock"),
    ]
    line = {"axis": "条", "subscribes": "yes"}
    for code, said, trade, powers, calendar in DEPARTMENTS:
        more = {"parent": "CL-GOV", "powers": powers, "trade": trade, "calendar": calendar}
        rows.append(_unit(code, said, "department", **line, **more))
    for code, said, trade, guiding in COMPANIES:
        more = {"level": "", "guiding": guiding, "trade": trade, "calendar": "round_the_clock"}
        rows.append(_unit(code, said, "company", **line, **more))
    return [*rows, *_of_townships(), *_of_communities(), *_of_precincts()]


def _of_townships() -> Iterator[Row]:
    """Each township is the fallback of its ground; the five streets have an enforcement team of their own."""
    for part in of_kind("township"):
        place, street = {"area": part.code, "level": "township"}, part.name.endswith("街道")
        body = f"{part.name}办事处" if street else f"{part.name}人民政府"
        more = {"powers": "综合执法|环卫" if street else "环卫", "subscribes": "yes", "fallback": "yes"}
        yield _unit(part.code, body, "government", parent="CL-GOV", **place, **more)
        if street:
            team = f"{part.name}综合行政执法队"
            more = {"axis": "条", "powers": "综合执法", "trade": "综合执法", "calendar": "shifts"}
            more |= {"parent": part.code, "guiding": "CL-ZFJ"}
            yield _unit(f"ZF{part.code[2:]}", team, "department", **place, **more)


def _of_communities() -> Iterator[Row]:
    """Committees; the grids of the streets have a station (网格站) that can lead what is a grid's own."""
    for part in of_kind("community"):
        place = {"area": part.code, "level": "community", "parent": part.parent}
        yield _unit(
            _committee(part.code), f"{part.name}居民委员会", "committee", calendar="community", **place
        )
    for part in of_kind("grid"):
        if part.parent in _urban():
            place = {"area": part.code, "level": "grid", "parent": _committee(part.code)}
            more = {"guiding": above(part.code, "township"), "calendar": "community"}
            yield _unit(f"WG{part.code}", f"{part.name}站", "committee", **place, **more)


def _of_precincts() -> Iterator[Row]:
    for part in of_kind("precinct"):
        place = {"area": part.code, "level": "precinct", "parent": "CL-GA", "axis": "条"}
        more = {"powers": "治安管理", "trade": "公安", "calendar": "round_the_clock"}
        yield _unit(f"GA-{part.code}", f"措隆县公安局{part.name[:-2]}", "department", **place, **more)


def _unit(code: str, name: str, kind: str, **more: str) -> Row:
    """A unit of the county, guided by the one above it, unless `more` says otherwise."""
    return {
        "code": code, "name": name, "axis": "块", "kind": kind, "area": ROOT, "level": "county",
        "parent": "", "guiding": more.get("parent", ""), "powers": "", "calendar": "office", "trade": "",
        "channels": "terminal", "subscribes": "no", "fallback": "no",
    } | more  # fmt: skip


@cache
def _urban() -> frozenset[str]:
    """The communities of the streets."""
    communities = of_kind("community")
    return frozenset(one.code for one in communities if by_code()[one.parent].name.endswith("街道"))


def _committee(area: str) -> str:
    """The committee that an area in a community belongs to."""
    return f"JW{above(area, 'community')[2:]}"


def posts() -> list[Row]:
    """Everybody, with an invented name but where nobody holds the post."""
    rows = [*_centre(), *_handlers(), *_staff()]
    bare = BARE["person"]
    return [
        {**row, "person": "" if row["area"] in bare or row["code"] in bare else name(number)}
        for number, row in enumerate(rows)
        if row["area"] not in BARE["post"]
    ]


def _centre() -> Iterator[Row]:
    for role, times in CENTRAL:
        for number in range(1, times + 1):
            yield _post(f"P-{role}-{number}", role, "CL-GOV" if role == "meeting3" else "CL-CENTRE", ROOT)
    for part in of_kind("township"):
        yield _post(f"P-inspector-{part.code}", "inspector", "CL-CENTRE", part.code)
        yield _post(f"P-meeting1-{part.code}", "meeting1", part.code, part.code)


def _handlers() -> Iterator[Row]:
    for unit in units():
        if unit["kind"] != "centre":
            for number in (1, 2):
                yield _post(f"P-{unit['code']}-{number}", "handler", unit["code"], unit["area"])


def _staff() -> Iterator[Row]:
    for part in parts():
        yield from _staff_of(part)


def _staff_of(part: Part) -> Iterator[Row]:
    code = part.code
    if part.kind == "township" and code not in BARE["guide"]:
        yield _post(f"P-{code}-guide", "grid_guide", code, code)
    if part.kind == "community":
        for number in range(1, 2 if code in BARE["volunteer"] else 3):
            yield _post(f"P-{code}-volunteer-{number}", "volunteer", _committee(code), code)
    if part.kind == "grid":
        yield _post(f"P-{code}-leader", "grid_leader", _committee(code), code)
    if part.kind == "subgrid":
        yield _post(f"P-{code}", "grid_worker", _committee(code), code)
    if part.kind == "precinct":
        yield _post(f"P-{code}-police", "police", f"GA-{code}", code)
    if part.kind == "watch":
        yield _post(f"P-{code}", "patrol", f"GA-{part.parent}", code)


def _post(code: str, role: str, unit: str, area: str) -> Row:
    return {"code": code, "role": role, "unit": unit, "area": area, "person": ""}


def pairings() -> list[Row]:
    """包联: one department for several communities, several for one of a street, the police for theirs."""
    bare, codes = BARE["pairing"], [code for code, *_ in DEPARTMENTS]
    rows = [_pairing("CL-GA", part.code) for part in of_kind("precinct") if part.code not in bare]
    for number, part in enumerate(of_kind("community")):
        unit, until = codes[number % len(codes)], "2026-06-30" if part.code in BARE["over"] else ""
        inside = [one.code for one in of_kind("subgrid") if above(one.code, "community") == part.code]
        if set(inside) & set(bare):
            rows += [_pairing(unit, code) for code in inside if code not in bare]
        elif part.code not in bare:
            rows.append(_pairing(unit, part.code, until=until))
            if part.code in _urban():
                rows.append(_pairing(codes[(number + 7) % len(codes)], part.code, "leader"))
                rows.append(_pairing(part.parent, part.code, "cadre"))
    return rows


def _pairing(unit: str, area: str, link: str = "unit", until: str = "") -> Row:
    days = {"valid_from": "2026-01-01", "valid_to": until}
    return {"unit": unit, "area": area, "link": link, "contact": "", **days}


def staffing() -> list[Row]:
    return [dict(zip(("kind", "role", "least", "shared"), row, strict=True)) for row in STAFFING]
