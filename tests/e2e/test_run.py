"""The first minutes of a newcomer: run the demonstration city, then ask it what happened."""

from pathlib import Path

import pytest

from tests.e2e.gridcase import figures, said
from tests.realdata import ROOT

DEMO = str(ROOT / "cities" / "demo")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("newcomer")


@pytest.fixture(scope="module")
def lived(folder: Path) -> str:
    """What the run prints to a person."""
    return said(folder, "run", "--city", DEMO, "--reports", "200", "--no-live")


def test_a_lived_day_ends_with_tables_and_what_to_try_next(lived: str, folder: Path) -> None:
    for title in ("Reports → cases", "Cases by state", "By unit", "Refused assignments", "Dead letters"):
        assert title in lived
    for command in ("case show", "explain route", "replay"):
        assert f"gridcase {command}" in lived
    assert (folder / ".gridcase" / "yunxi.db").exists()


@pytest.fixture(scope="module")
def case(lived: str) -> str:
    """The case that the run itself proposes to look at."""
    return next(line.split("case show ")[1].split()[0] for line in lived.splitlines() if "case show " in line)


def test_a_case_is_shown_from_report_to_result(folder: Path, case: str) -> None:
    shown = said(folder, "case", "show", case)
    assert case in shown
    assert "办" in shown


def test_a_route_is_explained(folder: Path, case: str) -> None:
    explained = said(folder, "explain", "route", case)
    assert "准入裁定" in explained
    assert "→ lead" in explained


def test_every_decision_is_taken_again_and_equal(folder: Path, lived: str) -> None:
    verdicts = figures(folder, "replay")
    assert lived
    assert {one["processor"] for one in verdicts} >= {"router.case", "sla.clock", "notifier.performer"}
    assert sum(one["events"] for one in verdicts) > 3_000
    for one in verdicts:
        assert one["equal"] == one["events"], one
        assert one["different"] == 0
    performed = next(one for one in verdicts if one["processor"] == "notifier.performer")
    assert performed["outside"] == performed["inputs"] > 0
