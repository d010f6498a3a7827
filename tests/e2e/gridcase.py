"""The command `gridcase` in a process of its own, as a person starts it."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.realdata import ROOT

PROGRAM = "from cli.main import app; app()"


def said(folder: Path, *words: str, code: int = 0, seconds: float = 600) -> str:
    """What the command prints, run in `folder`; its exit code is checked."""
    outcome = subprocess.run(
        [sys.executable, "-c", PROGRAM, *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "160", "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds,
    )
    assert outcome.returncode == code, (
        f"{outcome.returncode}: {outcome.stdout[-2000:]}{outcome.stderr[-2000:]}"
    )
    return outcome.stdout if code == 0 else outcome.stderr


def figures(folder: Path, *words: str, seconds: float = 600) -> Any:
    """The same as data."""
    return json.loads(said(folder, *words, "--json", seconds=seconds))


def adds_up(lived: Mapping[str, Any], count: int) -> None:
    """Each report ends in exactly one case or as one dead letter, and the run has ended every case."""
    reports = lived["reports"]
    known = sum(lived["edge"].values())
    assert reports["accepted"] == reports["opened_cases"] + reports["merged"] + reports["repeats"]
    assert sum(lived["states"].values()) == reports["opened_cases"]
    assert reports["dead_at_the_edge"] == known - lived["edge"]["accepted"]
    again = count - reports["accepted"] - reports["dead"]
    assert 0 <= again <= count // 20, "what is neither valid nor dead came twice under one id"
    assert lived["parked"] == 0
    assert set(lived["states"]) <= {"written_off", "void"}


def told(title: str, count: int, lived: Mapping[str, Any]) -> str:
    """One line of numbers for the end of the run."""
    reports, states = lived["reports"], lived["states"]
    return (
        f"{title:<22}{count:>6} reports: {reports['accepted']} valid = {reports['opened_cases']} cases + "
        f"{reports['merged']} merged + {reports['repeats']} repeats; {reports['dead']} dead letters; "
        f"{states.get('written_off', 0)} written off, {states.get('void', 0)} void; "
        f"{lived['events']:,} events in {lived['seconds']} s"
    )
