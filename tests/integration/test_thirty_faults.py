"""A city with thirty faults: all of them in one run, as a folder and as a workbook."""

from collections.abc import Callable
from pathlib import Path

import pytest

from rules.faults import Faults
from rules.folder import read_folder
from rules.source import compile_bundle
from rules.writing import write_workbook
from tests.keeping import Keeper

# file, what stands there, what is put there, then sheet, column and code of the fault
PLANTED = (
    (
        "areas.csv",
        "G22,杏花社区第二网格,grid,治理,C2",
        "G22,杏花社区第二网格,grid,治理,C9",
        "areas",
        "parent",
        "unknown_reference",
    ),
    (
        "areas.csv",
        "G21,杏花社区第一网格,grid",
        "G21,杏花社区第一网格,gird",
        "areas",
        "kind",
        "unknown_reference",
    ),
    (
        "areas.csv",
        "G12,柳树社区第二网格,grid,治理",
        "G12,柳树社区第二网格,grid,管治",
        "areas",
        "layer",
        "unknown_reference",
    ),
    ("units.csv", "JW2,杏花社区居委会,块", "JW2,杏花社区居委会,圈", "units", "axis", "bad_choice"),
    (
        "units.csv",
        "OPS,小城区城运中心,块,centre",
        "OPS,小城区城运中心,块,center",
        "units",
        "kind",
        "bad_choice",
    ),
    (
        "units.csv",
        "round_the_clock,,terminal",
        "round_the_week,,terminal",
        "units",
        "calendar",
        "unknown_reference",
    ),
    (
        "units.csv",
        "webhook=http://127.0.0.1:9/hook|terminal",
        "webhook=127.0.0.1|terminal",
        "units",
        "channels",
        "bad_choice",
    ),
    ("posts.csv", "SZ-handler,handler,SZ,D", "SZ-handler,handler,SX,D", "posts", "unit", "unknown_reference"),
    ("posts.csv", "OPS-reviewer,reviewer", "OPS-reviewer,revewer", "posts", "role", "bad_choice"),
    ("matters.csv", "E-04-05,店外经营,event", "E-04-05,店外经营,evnt", "matters", "kind", "bad_choice"),
    (
        "matters.csv",
        "市政养护,none,unit:GOV",
        "市政养护,none,unit:GVO",
        "matters",
        "supervising",
        "unknown_reference",
    ),
    ("matters.csv", "small,,,30,48", "small,,,30,soon", "matters", "merge_hours", "bad_number"),
    ("conditions.csv", "4工作时", "1紧急工作时制止", "conditions", "limit", "bad_limit"),
    ("conditions.csv", "3工作日", "种植季节15工作日", "conditions", "limit", "bad_limit"),
    ("keywords.csv", "吵架,20", "吵架,0", "keywords", "weight", "bad_number"),
    ("keywords.csv", "P-01-01,井盖,20", "P-01-01,,20", "keywords", "word", "empty"),
    (
        "responsibility.csv",
        "P-01-01,1,trade,市政",
        "P-01-01,1,trade,市正",
        "responsibility",
        "select",
        "unknown_reference",
    ),
    (
        "entries.csv",
        "OWN-01,1,Q,D,own,虚构条例第五条,JD",
        "OWN-01,1,Q,D,own,,JD",
        "entries",
        "legal_basis",
        "no_basis",
    ),
    (
        "entries.csv",
        "OWN-02,1,E-01-36,C1,own,虚构条例第五条,JD",
        "OWN-02,1,E-01-36,C1,own,虚构条例第五条,",
        "entries",
        "guiding_dept",
        "no_guiding_dept",
    ),
    ("entries.csv", "每件10元", "", "entries", "funding_standard", "no_funding"),
    ("entries.csv", "AST-01,1,E-04-05,S1", "AST-01,x,E-04-05,S1", "entries", "version", "bad_number"),
    ("entries.csv", "NEG-04,1,row8:城市管理,D", "NEG-04,1,row8:城市管理,C1", "entries", "matter", "row8_gap"),
    ("days.csv", "2026-10-10", "2026-10-32", "days", "date", "bad_day"),
    ("routes.csv", "CaseOpened,clerk,own", "CaseOpened,clerk,pigeon", "routes", "channel", "bad_choice"),
    ("policies.yaml", "sign: {limit: 1工作日", "sign: {limit: 一天", "policies", "limit", "bad_limit"),
    ("policies.yaml", "  callback:", "  call_back:", "policies", "clock", "bad_choice"),
    ("city.yaml", "desk_kind: community", "desk_kind: comunity", "city", "desk_kind", "unknown_reference"),
    ("calendar.yaml", '14:00-18:00"}', '11:00-18:00"}', "calendars", "code", "bad_calendar"),
    ("templates/zh.yaml", "案件{case}督办", "案件{case督办", "templates", "zh", "bad_text"),
    ("areas.geojson", '"code": "G22"', '"code": "G23"', "shapes", "code", "unknown_reference"),
)


@pytest.fixture
def folder(keeper: Keeper) -> Path:
    for file, old, new, *_ in PLANTED:
        keeper.edit(file, old, new)
    return keeper.path


def workbook_of(folder: Path) -> Path:
    path = folder.with_suffix(".xlsx")
    write_workbook(read_folder(folder), path)
    return path


@pytest.mark.parametrize("form", [lambda folder: folder, workbook_of], ids=["folder", "workbook"])
def test_thirty_planted_faults_are_told_in_one_run(folder: Path, form: Callable[[Path], Path]) -> None:
    assert len(PLANTED) == 30
    compiled = compile_bundle(form(folder))
    assert isinstance(compiled, Faults)
    told = [(fault.column, fault.code) for fault in compiled]
    for *_, column, code in PLANTED:
        language = {"zh": "supervision"}.get(column, column)
        place = (column, code) if (column, code) in told else (language, code)
        assert place in told
        told.remove(place)


def test_folder_and_workbook_tell_the_same_faults_each_at_its_own_place(folder: Path) -> None:
    here, there = compile_bundle(folder), compile_bundle(workbook_of(folder))
    assert isinstance(here, Faults)
    assert isinstance(there, Faults)
    assert sorted(fault.code for fault in here) == sorted(fault.code for fault in there)
    sheets = {fault.file for fault in there}
    assert sheets == {sheet for *_, sheet, _, _ in PLANTED}
    assert all(fault.expected and fault.do for fault in there)
