import json
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.coverage_words import SAID
from cli.main import app
from cli.options import Tongue
from cli.output import Exit
from rules.coverage import CODES
from tests.keeping import Clerk, Keeper

runner = CliRunner()


def run(*words: object, code: int = 0) -> str:
    result = runner.invoke(app, ["rules", "coverage", *(str(word) for word in words)])
    assert result.exit_code == code, result.output
    assert "--json" in words or all(len(line) <= 100 for line in result.stdout.splitlines()[1:])
    return result.stdout


@pytest.fixture
def gappy(keeper: Keeper) -> Path:
    """A city with a gap of each kind."""
    (keeper.path / "pairings.csv").write_text("unit,area\nSZ,C1\nSZ,G21\n", "utf-8")
    (keeper.path / "staffing.csv").write_text("kind,role,least\ngrid,grid_worker,1\n", "utf-8")
    keeper.add("posts.csv", "G11-worker,grid_worker,JW1,G11,孙网格")
    keeper.add("posts.csv", "G12-worker,grid_worker,JW1,G12,")
    keeper.edit("matters.csv", "市政养护", "供水管理")
    keeper.edit(
        "units.csv",
        "GOV,小城区政府,块,government,D,district,,,",
        "GOV,小城区政府,块,government,D,district,,,供水管理|",
    )
    keeper.add("units.csv", "CG2,河东第二执法队,条,department,S1,street,JD,GOV,城管执法,,城管,terminal,,")
    keeper.add("responsibility.csv", "P-01-01,9,territory,community,assist")
    keeper.edit("entries.csv", "AST-02,1,P-01-01,S1", "AST-02,1,P-01-01,C1")
    return keeper.path


def test_every_kind_of_gap_is_told_for_programs(gappy: Path) -> None:
    value: Any = json.loads(run(gappy, "--day", "2026-11-23", "--json"))
    assert value["counts"] == {
        "no_pairing": 1, "no_post": 1, "vacant": 1, "understaffed": 2, "no_owner": 1, "two_owners": 1,
        "no_entry": 1,
    }  # fmt: skip
    by_code = {gap["code"]: gap for gap in value["gaps"]}
    assert (by_code["no_pairing"]["area"], by_code["no_pairing"]["areas"]) == ("G22", ["G22"])
    assert (by_code["no_post"]["area"], by_code["no_post"]["areas"]) == ("C2", ["G21", "G22"])
    assert by_code["two_owners"]["found"] == ["CG", "CG2"]
    assert by_code["no_entry"]["words"] == (
        "杏花社区 (C2) · 河东街道 · 小城区: community is to assist with 上水井盖 (P-01-01)"
        " and no entry says so (平, 急)"
    )


def test_an_official_reads_them_in_chinese(gappy: Path) -> None:
    page = "".join(run(gappy, "--language", "zh").split())
    for code in CODES:
        assert SAID[Tongue.ZH][code].name in page
    assert "上水井盖(P-01-01)没有能主办的单位，清单写的是市政行业" in page
    assert "网格员应有1人，现有0人" in page
    assert "G12-worker无人在岗" in page
    assert "店外经营(E-04-05)由河东街道城管执法队(CG)、河东第二执法队(CG2)同时主办" in page


def test_english_readers_are_told_what_to_do(gappy: Path) -> None:
    page = " ".join(run(gappy).split())
    for code in CODES:
        assert SAID[Tongue.EN][code].name in page
    assert "add a row of pairings.csv" in page
    assert SAID[Tongue.EN].keys() == SAID[Tongue.ZH].keys() == set(CODES)


def test_the_day_decides_what_holds(gappy: Path) -> None:
    (gappy / "pairings.csv").write_text("unit,area,valid_from\nSZ,D,2026-07-01\n", "utf-8")
    before = json.loads(run(gappy, "--day", "2026-06-30", "--json"))
    after = json.loads(run(gappy, "--day", "2026-07-01", "--json"))
    assert (before["counts"]["no_pairing"], after["counts"]["no_pairing"]) == (1, 0)


def test_a_workbook_is_asked_as_a_folder_is(clerk: Clerk) -> None:
    value = json.loads(run(clerk.path, "--json"))
    assert value["counts"]["no_pairing"] == 1
    assert value["counts"]["no_owner"] == 0


def test_a_bundle_with_faults_is_not_asked(keeper: Keeper) -> None:
    keeper.edit("keywords.csv", "吵架,20", "吵架,0")
    assert run(keeper.path, code=Exit.BUNDLE) == ""


# ── what else a bundle says of its register and its pairings ─────────────────────────────────────────


def test_each_entry_is_shown_with_its_derived_list(keeper: Keeper) -> None:
    result = runner.invoke(app, ["rules", "show", str(keeper.path), "entries", "--json"])
    lists = {row["key"][0]: row["list"] for row in json.loads(result.stdout)}
    assert (lists["NEG-01"], lists["OWN-01"], lists["AST-01"]) == ("负面", "自治", "协助")


def test_a_new_pairing_is_told_in_words(keeper: Keeper, tmp_path: Path) -> None:
    before = tmp_path / "before"
    copytree(keeper.path, before)
    (keeper.path / "pairings.csv").write_text("unit,area\nSZ,C1\n", "utf-8")
    result = runner.invoke(app, ["rules", "diff", str(before), str(keeper.path), "--json"])
    (change,) = json.loads(result.stdout)["changes"]
    assert change["words"] == ["pairings 小城区市政养护所 (SZ) C1 unit is new"]
