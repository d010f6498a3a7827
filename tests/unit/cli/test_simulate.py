import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli import simulate
from cli.main import app
from cli.output import Exit
from kernel.hosts.simulator.run import Outcome

TINY = ["--city", str(Path(__file__).parents[3] / "cities/demo"), "--steps", "200"]


def test_a_seed_says_what_was_broken_on_purpose_and_what_held() -> None:
    result = CliRunner().invoke(app, ["simulate", "--seed", "5", *TINY, "--json"])
    assert result.exit_code == 0, result.stderr
    [outcome] = json.loads(result.stdout)
    assert (outcome["seed"], outcome["broken"]) == (5, "")
    assert outcome["handled"] > 0


def test_a_broken_seed_ends_the_run_and_says_how_to_see_it_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        simulate,
        "run_seed",
        lambda _plan, seed, profile, _steps, **_: Outcome(seed, profile.name, broken="lost one"),
    )
    result = CliRunner().invoke(app, ["simulate", "--seed", "7", "--seeds", "9", *TINY])
    assert result.exit_code == Exit.DIFFERENT
    assert "gridcase simulate --seed 7 --steps 200 --profile chaos --trace" in result.stderr


def test_a_folder_that_is_no_city_shows_its_faults() -> None:
    result = CliRunner().invoke(app, ["simulate", "--city", "cities/nowhere"])
    assert result.exit_code == Exit.BUNDLE
    assert "missing_file" in result.stderr or "a folder" in result.stderr
    assert "Nothing was published" in result.stderr.splitlines()[-1]
