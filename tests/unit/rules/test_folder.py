from pathlib import Path

import pytest

from rules.columns import TABLES
from rules.edition import Edition
from rules.faults import Faults
from rules.folder import compile_folder
from tests.builders_city import tiny_city, tiny_parts
from tests.keeping import TINY, Keeper


def test_the_folder_of_the_tiny_city_is_the_tiny_city() -> None:
    assert compile_folder(TINY) == tiny_city()


def test_the_order_of_rows_does_not_change_the_hash(keeper: Keeper) -> None:
    for file in ("areas.csv", "units.csv", "matters.csv", "entries.csv", "posts.csv"):
        header, *rows = (keeper.path / file).read_text("utf-8").splitlines()
        (keeper.path / file).write_text("\n".join([header, *reversed(rows)]) + "\n", "utf-8")
    compiled = compile_folder(keeper.path)
    assert not isinstance(compiled, Faults)
    assert compiled.hash == Edition.of(tiny_parts()).hash


def test_a_byte_order_mark_and_windows_line_ends_change_nothing(keeper: Keeper) -> None:
    areas = keeper.path / "areas.csv"
    areas.write_bytes(b"\xef\xbb\xbf" + areas.read_bytes().replace(b"\n", b"\r\n"))
    assert compile_folder(keeper.path) == tiny_city()


def test_all_planted_faults_are_reported_at_once_with_their_places(keeper: Keeper) -> None:
    keeper.edit("areas.csv", "G22,杏花社区第二网格,grid,治理,C2", "G22,杏花社区第二网格,grid,治理,C9")
    keeper.edit("areas.csv", "G21,杏花社区第一网格,grid", "G21,杏花社区第一网格,gird")
    keeper.edit("units.csv", "JW2,杏花社区居委会,块", "JW2,杏花社区居委会,圈")
    keeper.edit("conditions.csv", "4工作时", "1紧急工作时制止")
    keeper.edit("conditions.csv", "3工作日", "种植季节15工作日")
    keeper.edit("keywords.csv", "吵架,20", "吵架,0")
    keeper.edit("responsibility.csv", "P-01-01,1,trade,市政", "P-01-01,1,trade,市正")
    keeper.edit("entries.csv", "OWN-01,1,Q,D,own,虚构条例第五条,JD", "OWN-01,1,Q,D,own,,")
    keeper.edit("entries.csv", "每件10元", "")
    keeper.edit("entries.csv", "NEG-04,1,row8:城市管理,D", "NEG-04,1,row8:城市管理,C1")
    keeper.edit("days.csv", "2026-10-10", "2026-10-32")
    keeper.edit("policies.yaml", "sign: {limit: 1工作日", "sign: {limit: 一天")
    keeper.edit("city.yaml", "desk_kind: community", "desk_kind: comunity")
    keeper.edit("templates/en.yaml", "Case {case} waits to be routed", "Case waits to be routed")
    keeper.edit("routes.csv", "CaseOpened,clerk,own,case_opened", "CaseOpened,clerk,pigeon,case_opened")
    assert sorted(keeper.found()) == sorted([
        ("areas.csv", 9, "parent", "unknown_reference"),
        ("areas.csv", 8, "kind", "unknown_reference"),
        ("units.csv", 8, "axis", "bad_choice"),
        ("conditions.csv", 4, "limit", "bad_limit"),
        ("conditions.csv", 6, "limit", "bad_limit"),
        ("keywords.csv", 9, "weight", "bad_number"),
        ("responsibility.csv", 4, "select", "unknown_reference"),
        ("entries.csv", 7, "legal_basis", "no_basis"),
        ("entries.csv", 7, "guiding_dept", "no_guiding_dept"),
        ("entries.csv", 10, "funding_standard", "no_funding"),
        ("entries.csv", 0, "matter", "row8_gap"),
        ("days.csv", 9, "date", "bad_day"),
        ("policies.yaml", 6, "limit", "bad_limit"),
        ("city.yaml", 6, "desk_kind", "unknown_reference"),
        ("templates/en.yaml", 5, "routing_stopped", "mixed_languages"),
        ("routes.csv", 2, "channel", "bad_choice"),
    ])  # fmt: skip


@pytest.mark.parametrize(
    ("file", "old", "new", "fault"),
    [
        (
            "areas.csv",
            "C1,柳树社区,community,治理,S1",
            "C1,柳树社区,community,治理,G11",
            ("areas.csv", 4, "parent", "cycle"),
        ),
        (
            "areas.csv",
            "S1,河东街道,street,治理,D",
            "S1,河东街道,street,治理,",
            ("areas.csv", 3, "parent", "empty"),
        ),
        ("areas.csv", "code,name,kind", "code,nmae,kind", ("areas.csv", 1, "nmae", "unknown_column")),
        ("areas.csv", "code,name,kind", "code,nmae,kind", ("areas.csv", 1, "name", "missing_column")),
        ("areas.csv", "S1,河东街道", "S 1,河东街道", ("areas.csv", 3, "code", "bad_code")),
        ("areas.csv", "治理,D,local", "治理,D", ("areas.csv", 3, "", "ragged_row")),
        (
            "units.csv",
            "JD,河东街道办事处,块,government,S1,street",
            "JD,河东街道办事处,块,government,S1,grid",
            ("units.csv", 6, "fallback", "bad_level"),
        ),
        ("posts.csv", "OPS-keeper,keeper", "OPS-keeper,clerk", ("posts.csv", 0, "role", "missing_row")),
        ("matters.csv", "市政养护,none", "市政养护,唱歌", ("matters.csv", 3, "row8", "bad_choice")),
        (
            "matters.csv",
            "50,24,street,城管执法",
            "50,24,street,飞行执法",
            ("matters.csv", 2, "power", "no_fallback"),
        ),
        (
            "conditions.csv",
            "E-01-36,1,楼道",
            "E-01-37,1,楼道",
            ("conditions.csv", 5, "matter", "unknown_reference"),
        ),
        ("conditions.csv", "E-01-36,1,楼道", "E-01-37,1,楼道", ("matters.csv", 4, "code", "missing_row")),
        ("conditions.csv", "P-01-01,2,破损", "P-01-01,1,破损", ("conditions.csv", 4, "code", "duplicate")),
        (
            "responsibility.csv",
            "P-01-01,1,trade,市政,lead",
            "P-01-01,1,trade,市政,assist",
            ("matters.csv", 3, "code", "missing_row"),
        ),
        ("entries.csv", "OWN-02,1,E-01-36,C1", "OWN-02,1,E-04-05,C1", ("entries.csv", 8, "role", "tie")),
        (
            "entries.csv",
            "OWN-02,1,E-01-36,C1",
            "OWN-02,1,E-04-05,C1",
            ("entries.csv", 8, "role", "bad_level"),
        ),
        (
            "entries.csv",
            "OWN-01,1,Q,D,own,虚构条例第五条,JD",
            "OWN-01,1,Q,D,own,虚构条例第五条,JW1",
            ("entries.csv", 7, "guiding_dept", "bad_level"),
        ),
        ("city.yaml", "zone: Asia/Shanghai", "zone: Asia/Shangri-La", ("city.yaml", 0, "zone", "bad_choice")),
        (
            "city.yaml",
            "name: 小城区\n",
            "name: 小城区\nname: 大城区\n",
            ("city.yaml", 3, "name", "twice_key"),
        ),
        ("city.yaml", "centre: OPS", "centre: JW1", ("city.yaml", 0, "centre", "bad_level")),
        ("city.yaml", "layers: [治理]", "layers: [治理", ("city.yaml", 11, "", "unreadable")),
        ("calendar.yaml", '14:00-18:00"}', '11:00-18:00"}', ("calendar.yaml", 3, "code", "bad_calendar")),
        ("policies.yaml", "  callback:", "  call_back:", ("policies.yaml", 0, "callback", "missing_row")),
        (
            "templates/zh.yaml",
            "案件{case}督办",
            "案件{case督办",
            ("templates/zh.yaml", 7, "supervision", "bad_text"),
        ),
        ("routes.csv", "CaseOpened,clerk", "CaseOpend,clerk", ("routes.csv", 2, "event", "bad_choice")),
        (
            "areas.geojson",
            '"code": "G22"',
            '"code": "G23"',
            ("areas.geojson", 8, "code", "unknown_reference"),
        ),
    ],
)
def test_a_single_fault_is_found_where_it_stands(
    keeper: Keeper, file: str, old: str, new: str, fault: tuple[str, int, str, str]
) -> None:
    keeper.edit(file, old, new)
    assert fault in keeper.found()


def test_a_routed_template_asks_only_for_what_a_notice_can_say(keeper: Keeper) -> None:
    for language in ("zh", "en"):
        path = keeper.path / "templates" / f"{language}.yaml"
        path.write_text(path.read_text("utf-8").replace("{case}", "{case} {reporter}", 1), "utf-8")
    (fault,) = keeper.faults()
    assert (fault.file, fault.column, fault.code) == ("routes.csv", "template", "unknown_field")
    assert fault.value.endswith("asks for reporter")


def test_a_second_version_may_follow_but_not_overlap(keeper: Keeper) -> None:
    keeper.edit("areas.csv", "parent,scheme", "parent,valid_from,valid_to")
    text = (keeper.path / "areas.csv").read_text("utf-8")
    (keeper.path / "areas.csv").write_text(text.replace(",local", ",,"), "utf-8")
    keeper.edit(
        "areas.csv", "G22,杏花社区第二网格,grid,治理,C2,,", "G22,杏花社区第二网格,grid,治理,C2,,2026-06-30"
    )
    keeper.add("areas.csv", "G22,柳树社区第三网格,grid,治理,C1,2026-07-01,")
    assert keeper.found() == []
    keeper.edit("areas.csv", "C1,2026-07-01", "C1,2026-06-30")
    assert keeper.found() == [("areas.csv", 10, "valid_from", "overlap")]


def test_an_allow_and_a_deny_of_the_same_precedence_are_a_contradiction(keeper: Keeper) -> None:
    keeper.add("entries.csv", "NEG-09,1,Q,D,prohibited,虚构条例第五条,GOV,community,,,,,,,,2026-03-01")
    assert keeper.found() == [("entries.csv", 11, "entry_id", "tie")]
    keeper.edit("entries.csv", "NEG-09,1,Q,D", "NEG-09,1,Q,C1")
    assert keeper.found() == []


def test_a_denial_that_ends_leaves_a_gap_in_row_eight(keeper: Keeper) -> None:
    keeper.edit("entries.csv", "NEG-02,1,row8:拆迁拆违,D,prohibited,虚构条例第五条,GOV,,,,,,,,,",
                "NEG-02,1,row8:拆迁拆违,D,prohibited,虚构条例第五条,GOV,,,,,,,,,2026-02-01")  # fmt: skip
    assert keeper.found() == [("entries.csv", 0, "matter", "row8_gap")]
    keeper.edit("city.yaml", "zone: Asia/Shanghai", "zone: Asia/Shanghai\nstarts: 2026-02-01")
    assert keeper.found() == []


def test_an_invalid_polygon_is_a_fault_until_its_repair_is_declared(keeper: Keeper) -> None:
    keeper.edit("areas.geojson", "[[102.11, 36.51], [102.12, 36.51], [102.12, 36.52], [102.11, 36.52], ",
                "[[102.11, 36.51], [102.12, 36.52], [102.12, 36.51], [102.11, 36.52], ")  # fmt: skip
    (fault,) = keeper.faults()
    assert (fault.row, fault.code) == (8, "bad_shape")
    assert fault.value == "Self-intersection at 102.1150000, 36.5150000"
    assert "make_valid" in fault.do
    keeper.edit("areas.geojson", '"code": "G22"', '"code": "G22", "repair": "make_valid"')
    assert keeper.found() == []


def test_missing_unknown_and_unreadable_files_are_faults(keeper: Keeper) -> None:
    (keeper.path / "routes.csv").unlink()
    (keeper.path / "unit.csv").write_text("code\n", "utf-8")
    (keeper.path / "posts.csv").write_bytes("岗位".encode("gb18030"))
    found = keeper.found()
    assert ("routes.csv", 0, "", "missing_file") in found
    assert ("unit.csv", 0, "", "unknown_file") in found
    assert ("posts.csv", 0, "", "unreadable") in found


def test_what_only_follows_from_a_missing_file_or_column_is_not_told(keeper: Keeper) -> None:
    (keeper.path / "city.yaml").unlink()
    assert keeper.found() == [("city.yaml", 0, "", "missing_file")]


def test_a_missing_column_is_one_fault_and_not_one_for_each_row(keeper: Keeper) -> None:
    keeper.edit("units.csv", "code,name,", "code,nom,")
    assert keeper.found() == [
        ("units.csv", 1, "name", "missing_column"),
        ("units.csv", 1, "nom", "unknown_column"),
    ]


@pytest.mark.parametrize(
    "text", ["layers: " + "[" * 1000, "a: &x [1]\nb: *x\n", "just words", "a: [", "\t: \x01"]
)
def test_yaml_that_cannot_be_read_is_one_fault(keeper: Keeper, text: str) -> None:
    (keeper.path / "bounds.yaml").write_text(text, "utf-8")
    assert [(file, code) for file, _, _, code in keeper.found()] == [("bounds.yaml", "unreadable")]


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "{",
        '{"features": 3}',
        "[" * 100_000,
        '{"features": [1]}',
        '{"features": [{"properties": {"code": "D"}}]}',
    ],
)
def test_a_map_that_cannot_be_read_is_refused(keeper: Keeper, text: str) -> None:
    (keeper.path / "areas.geojson").write_text(text, "utf-8")
    assert {file for file, *_ in keeper.found()} == {"areas.geojson"}


def test_a_folder_that_is_not_there_is_a_fault(tmp_path: Path) -> None:
    compiled = compile_folder(tmp_path / "nowhere")
    assert isinstance(compiled, Faults)
    assert any(fault.code == "missing_file" and "nowhere" in fault.file for fault in compiled)


def test_a_fault_says_where_what_and_what_to_do(keeper: Keeper) -> None:
    keeper.edit("conditions.csv", "4工作时", "4工作小时")
    (fault,) = keeper.faults()
    assert str(fault).startswith(
        "conditions.csv row 4 column limit: found '4工作小时', expected a whole number"
    )
    assert "Do: " in str(fault)


def test_the_reference_page_names_every_column() -> None:
    page = (Path(__file__).parents[3] / "docs" / "reference" / "bundle.md").read_text("utf-8")
    for file, columns in TABLES.items():
        needed, optional = ", ".join(columns.needed), ", ".join(columns.optional)
        assert f"`{needed}" in page, file
        assert optional in page, file
