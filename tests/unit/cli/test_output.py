import io
import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from rich.console import Console

from cli.output import bar, emit, facts, local, table

WIDE = "行" * 200


def shown(page: object) -> list[str]:
    screen = Console(file=io.StringIO(), width=100)
    screen.print(page)
    assert isinstance(screen.file, io.StringIO)
    return screen.file.getvalue().splitlines()


def test_a_long_cell_folds_and_nothing_is_cut() -> None:
    lines = shown(table("title", ("case", "words"), [("20261123-SQ01-0147", WIDE)]))
    assert sum(line.count("行") for line in lines) == 200
    assert max(len(line) + line.count("行") for line in lines) <= 100


def test_brackets_in_data_are_no_markup() -> None:
    assert "[red]x[/red]" in "".join(shown(table("", ("a",), [("[red]x[/red]",)])))


def test_facts_leave_out_what_is_empty() -> None:
    text = "\n".join(
        shown(facts("", [("state", "handling 办理中"), ("due", ""), ("none", None), ("count", 0)]))
    )
    assert "handling 办理中" in text
    assert "due" not in text
    assert "none" not in text
    assert "count" in text


def test_times_are_those_of_the_city() -> None:
    moment = datetime(2026, 11, 23, 2, 20, 5, tzinfo=UTC)
    assert local(moment, ZoneInfo("Asia/Shanghai")) == "2026-11-23 10:20"
    assert local(moment, ZoneInfo("Asia/Shanghai"), seconds=True) == "2026-11-23 10:20:05"
    assert local(None, UTC) == ""


def test_json_is_json_alone(capsys: pytest.CaptureFixture[str]) -> None:
    emit({"案件": "1", "at": datetime(2026, 1, 1, tzinfo=UTC)}, "words", as_json=True)
    assert json.loads(capsys.readouterr().out) == {"案件": "1", "at": "2026-01-01T00:00:00Z"}
    emit({}, "words", "more", as_json=False)
    assert capsys.readouterr().out == "words\nmore\n"


def test_a_bar_is_hidden_from_programs() -> None:
    assert bar(hidden=True).disable
