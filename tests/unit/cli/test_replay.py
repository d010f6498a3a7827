from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import CliRunner

from cli import replay
from cli.main import app
from cli.output import Exit
from tests.unit.cli.memory_city import MemoryCity, dead_letter

Told = Callable[..., str]
Value = Callable[..., Any]


def test_a_lived_city_replays_equal(told: Told, value: Value) -> None:
    verdicts = {one["processor"]: one for one in value("replay")}
    assert verdicts["router.case"]["equal"] == verdicts["router.case"]["events"] > 20
    assert all(one["different"] == 0 for one in verdicts.values())
    assert "equal" in told("replay")
    assert "router.case" not in told("replay", "--processor", "sla.clock")


def test_a_changed_row_is_found_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    city = MemoryCity()
    dead_letter(city)
    monkeypatch.setattr(replay, "look", city.look)
    shelf = next(shelf for shelf in city.journals["intake.reader"].shelves.values() if len(shelf.rows) > 1)
    place = next(number for number, row in enumerate(shelf.rows) if row.stream.startswith("test/"))
    row = shelf.rows[place]
    shelf.rows[place] = row._replace(body=row.body.replace(b"position_zero", b"position_0000"))
    result = CliRunner().invoke(app, ["replay"])
    assert result.exit_code == Exit.DIFFERENT
    assert f"the first intake.reader/{row.partition} seq {row.seq} (bytes)" in result.stderr
    assert "first difference" in result.stdout
    assert "ReportDead 死信" in result.stdout


def test_a_processor_that_is_not_there_is_named() -> None:
    assert CliRunner().invoke(app, ["replay", "--processor", "router"]).exit_code == Exit.NOT_FOUND
