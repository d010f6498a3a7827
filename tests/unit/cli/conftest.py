"""One small city for all tests of commands, and the commands made to look at it."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import CliRunner

from cli import case, explain, held, replay, tail
from cli.main import app
from kernel.processor import Sender
from schemas.case.handling import SignCase
from schemas.case.opening import AcceptCase
from schemas.report import GridReport, Position
from tests.builders_city import MIDDLE, STREET_TRADING
from tests.unit.cli.memory_city import MemoryCity, dead_letter

NUMBER, IN_HOURS = "20261123-C1-0001", "20261123-C1-0002"


@pytest.fixture(scope="session")
def lived() -> MemoryCity:
    """One case: reported, accepted by the clerk, signed by who may not, then left alone for a week."""
    city = MemoryCity()
    lon, lat = MIDDLE["G11"]
    report = GridReport(channel="app", text="路边有流动摊贩", position=Position(lon_e7=lon, lat_e7=lat))
    city.send(Sender("source", "app"), "", report)
    city.send(Sender("post", "OPS-clerk"), NUMBER, AcceptCase(matter=STREET_TRADING))
    city.send(Sender("post", "OPS-caller"), NUMBER, SignCase())
    in_hours = GridReport(channel="app", text="楼道堆物", position=Position(lon_e7=lon, lat_e7=lat))
    city.send(Sender("source", "app"), "", in_hours)
    city.later(days=7)
    dead_letter(city)
    return city


@pytest.fixture
def told(lived: MemoryCity, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """What a command prints: nothing wider than 100 columns."""
    for module in (case, explain, held, replay, tail):
        monkeypatch.setattr(module, "look", lived.look)

    def run(*words: str) -> str:
        result = CliRunner().invoke(app, list(words))
        assert result.exit_code == 0, result.stderr
        assert "--json" in words or all(len(line) <= 100 for line in result.stdout.splitlines())
        return result.stdout

    return run


@pytest.fixture
def value(told: Callable[..., str]) -> Callable[..., Any]:
    """The same for programs."""
    return lambda *words: json.loads(told(*words, "--json"))
