from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.main import app
from cli.output import Exit
from tests.unit.cli.conftest import NUMBER

Told = Callable[..., str]
Value = Callable[..., Any]


def test_a_case_says_where_it_stands_and_whose_move_it_is(told: Told) -> None:
    page = told("case", "show", NUMBER)
    assert "handling 办理中" in page
    assert "accountable 责任单位  河东街道城管执法队 (CG)" in page
    assert "lead 主办单位: 河东街道城管执法队 (CG)" in page
    assert "柳树社区第一网格 (G11) · 柳树社区 · 河东街道 · 小城区" in page


def test_its_clocks_stand_with_limit_due_and_lateness(told: Told) -> None:
    page = told("case", "show", NUMBER)
    [line] = [line for line in page.splitlines() if line.startswith(" case 总时限")]
    assert "2紧急工作时" in line
    assert "2026-11-23 12:00" in line
    assert "late 超时" in line


def test_the_timeline_tells_changes_and_refusals_in_words(told: Told) -> None:
    page = " ".join(told("case", "show", NUMBER).split())
    assert "CaseAccepted 已立案 by post OPS-clerk → to_route 待派遣" in page
    assert "CommandRefused 不予执行" in page
    assert "not permitted: expected lead or clock" in page
    assert "SignatureDeemed 视为签收 by sla.clock → handling 办理中" in page


def test_a_program_gets_the_same_as_json(value: Value) -> None:
    shown = value("case", "show", NUMBER)
    assert shown["state"] == "handling"
    assert shown["holder"] == "lead"
    assert {clock["clock"] for clock in shown["clocks"]} == {"case", "leg", "handle"}
    assert [event["version"] for event in shown["events"]] == list(range(1, len(shown["events"]) + 1))


def test_the_history_is_the_journal_itself(told: Told, value: Value) -> None:
    rows = value("case", "history", NUMBER)
    assert rows[0]["type"] == "gridcase.case.CaseOpened.v1"
    assert rows[0]["data"]["report"]["text"] == "路边有流动摊贩"
    assert NUMBER in told("case", "history", NUMBER)


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ([], 2),
        (["--state", "open"], 2),
        (["--state", "closed"], 0),
        (["--unit", "CG"], 1),
        (["--unit", "OPS"], 0),
        (["--late"], 2),
        (["--report", "test/m2"], 1),
        (["--report", "test/m9"], 0),
    ],
)
def test_cases_are_listed_as_wanted(told: Told, value: Value, options: list[str], found: int) -> None:
    assert len(value("case", "list", *options)) == found
    assert f"{found} of {found} cases" in told("case", "list", *options)


def test_a_case_that_is_not_there_is_one_line(told: Told) -> None:
    result = CliRunner().invoke(app, ["case", "show", "20261123-C1-9999"])
    assert result.exit_code == Exit.NOT_FOUND
    assert result.stderr.count("\n") == 1
    assert "case 20261123-C1-9999: expected one that exists" in result.stderr
