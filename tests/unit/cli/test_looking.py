import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import CliRunner

from cli import held
from cli.main import app
from cli.output import Exit
from kernel.edge import EDGE, Submission
from kernel.journal import HeldKind
from kernel.processor import Sender
from schemas.wire import TYPE_OF
from tests.unit.cli.conftest import IN_HOURS, NUMBER
from tests.unit.cli.memory_city import MemoryCity, dead_letter

Told = Callable[..., str]
Value = Callable[..., Any]


def fails(*words: str, code: Exit = Exit.NOT_FOUND) -> str:
    result = CliRunner().invoke(app, list(words))
    assert result.exit_code == code
    assert result.stderr.count("\n") == 1
    return result.stderr


# gridcase explain


def test_the_route_names_every_unit_with_its_verdict_and_entry(told: Told, value: Value) -> None:
    page = told("explain", "route", NUMBER)
    assert "1  河东街道城管执法队 CG  passed  entry not needed  → lead" in page
    assert "2  柳树社区居委会 JW1  passed  entry AST-01 v1  → assist" in page
    assert "主办" in told("explain", "route", NUMBER, "--language", "zh")
    [finding] = value("explain", "route", NUMBER)
    assert [step["unit"] for step in finding["steps"]] == ["CG", "JW1"]


def test_a_deadline_is_explained_to_the_minute(told: Told, value: Value) -> None:
    page = told("explain", "deadline", NUMBER, "--clock", "sign")
    assert "due 2026-11-23 12:00" in page
    assert "2026-11-23 10:00 to 2026-11-23 12:00 counted 2 h 0 min" in page
    assert "breach confirmed by the case #14" in page
    assert "签收时限" in told("explain", "deadline", NUMBER, "--clock", "sign", "--language", "zh")
    assert "166 h 00 min late" in told("explain", "deadline", NUMBER)
    assert {run["clock"] for run in value("explain", "deadline", NUMBER)} >= {"accept", "case", "leg"}


def test_what_a_calendar_skips_is_named(told: Told) -> None:
    page = told("explain", "deadline", IN_HOURS, "--clock", "case")
    assert "limit 1工作日" in page
    assert "outside office hours" in page
    assert "weekend" in page


def test_a_clock_that_the_case_never_had_is_named_with_those_it_had(told: Told) -> None:
    assert "take one of accept, route, case" in fails("explain", "deadline", NUMBER, "--clock", "meeting")
    assert told("explain", "deadline", NUMBER)


# gridcase tail


def test_the_tail_tells_the_last_events_in_order(told: Told, value: Value) -> None:
    ends = {f"{case}/{value('case', 'show', case)['events'][-1]['version']}" for case in (NUMBER, IN_HOURS)}
    rows = [json.loads(line) for line in told("tail", "--no-follow", "--last", "999", "--json").splitlines()]
    assert rows[-1]["id"] in ends
    assert [row["id"] for row in rows[:1]] == [f"{NUMBER}/1"]
    page = told("tail", "--no-follow", "--last", "2")
    assert 0 < page.index(rows[-2]["id"]) < page.index(rows[-1]["id"])
    assert rows[-3]["id"] + " " not in page


def test_the_tail_of_every_processor_is_one_object_a_line(told: Told) -> None:
    rows = [
        json.loads(line)
        for line in told("tail", "--all", "--no-follow", "--last", "999", "--json").splitlines()
    ]
    assert {"intake.reader", "intake.desk", "router.case", "sla.clock"} <= {row["processor"] for row in rows}
    assert [row["time"] for row in rows] == sorted(row["time"] for row in rows)
    assert all(row["type"] in TYPE_OF.values() for row in rows)


def test_an_unknown_processor_is_named_with_those_that_exist() -> None:
    assert "router.cases: expected one that exists" in fails("tail", "--processor", "router.cases")


# gridcase held


def test_a_dead_letter_says_why_it_lies_there_and_what_to_do(told: Told, value: Value) -> None:
    [letter] = value("held", "list")
    assert letter["kind"] == "dead"
    page = told("held", "show", letter["id"])
    assert "position_zero" in page
    assert f"gridcase held redrive {letter['id']}" in page
    assert "在海上" in page


def test_what_is_not_held_cannot_be_shown(told: Told) -> None:
    assert told("held", "list")
    assert "held message router.case/9/9" in fails("held", "show", "router.case/9/9")
    assert "dead letter x/1/1" in fails("held", "redrive", "x/1/1")
    assert "parked stream nothing" in fails("held", "unpark", "nothing")


def test_a_redriven_letter_is_decided_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    city = MemoryCity()
    dead_letter(city)
    monkeypatch.setattr(held, "look", city.look)
    [before] = json.loads(CliRunner().invoke(app, ["held", "list", "--json"]).stdout)
    said = CliRunner().invoke(app, ["held", "redrive", "--all"])
    assert said.stdout.startswith("1 ordered")
    city.later(minutes=1)
    [after] = json.loads(CliRunner().invoke(app, ["held", "list", "--json"]).stdout)
    assert after["id"] != before["id"], "it was decided anew, and is dead again for the same reason"
    assert after["kind"] == HeldKind.DEAD


def test_a_letter_of_an_inner_processor_has_no_secret_of_its_own(told: Told, value: Value) -> None:
    [letter] = value("held", "list")
    assert told("held", "list")
    assert "gridcase personal erase SOURCE/ID" in fails("held", "erase", letter["id"], "--yes")


def test_a_letter_of_an_earlier_release_is_shown_and_says_how_it_can_be_erased(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    city = MemoryCity()
    asyncio.run(city.edge.accept([Submission(Sender("source", "app"), b"{half 13900001111")]))
    shelf = city.journals[EDGE].shelves[0].held
    shelf[1] = shelf[1]._replace(type="", body=b"{half 13900001111")
    monkeypatch.setattr(held, "look", city.look)
    assert "{half 13900001111" in CliRunner().invoke(app, ["held", "show", "edge/0/1"]).stdout
    assert "gridcase held redrive edge/0/1, then erase" in fails(
        "held", "erase", "edge/0/1", "--yes", code=Exit.DIFFERENT
    )


def test_neither_names_nor_all_is_a_wrong_command_line(told: Told) -> None:
    assert told("held", "list")
    assert CliRunner().invoke(app, ["held", "redrive"]).exit_code == Exit.USAGE
    assert CliRunner().invoke(app, ["held", "redrive", "a/1/1", "--all"]).exit_code == Exit.USAGE
