import json
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.fault_words import CHINESE
from cli.main import app
from cli.output import Exit
from rules.edition import Edition
from rules.faults import DO
from rules.folder import compile_folder
from rules.source import compile_bundle
from tests.builders_city import tiny_city
from tests.keeping import TINY, Clerk, Keeper

runner = CliRunner()


def run(*words: object, code: int = 0) -> str:
    """What a command prints on standard output: nothing wider than 100 columns."""
    result = runner.invoke(app, [str(word) for word in words])
    assert result.exit_code == code, result.output
    assert "--json" in words or all(len(line) <= 100 for line in result.stdout.splitlines()[2:])
    return result.stdout


@pytest.mark.parametrize("name", ["mine", "mine.xlsx", "deep/mine.xlsx"])
def test_a_template_is_a_bundle_without_faults(tmp_path: Path, name: str) -> None:
    assert "written" in run("rules", "template", tmp_path / name)
    assert "no faults" in run("rules", "check", tmp_path / name)


def test_a_template_overwrites_nothing(tmp_path: Path) -> None:
    run("rules", "template", tmp_path / "mine.xlsx")
    before = (tmp_path / "mine.xlsx").read_bytes()
    result = runner.invoke(app, ["rules", "template", str(tmp_path / "mine.xlsx")])
    assert result.exit_code == Exit.USAGE
    assert "Do: name another" in result.stderr
    assert (tmp_path / "mine.xlsx").read_bytes() == before


def test_a_bundle_is_written_in_the_other_form_and_back(tmp_path: Path) -> None:
    run("rules", "template", tmp_path / "tiny.xlsx", "--from", TINY)
    run("rules", "template", tmp_path / "again", "--from", tmp_path / "tiny.xlsx")
    assert compile_folder(tmp_path / "again") == tiny_city()


def test_what_no_cell_can_hold_is_told_and_nothing_is_written(keeper: Keeper, tmp_path: Path) -> None:
    keeper.edit("conditions.csv", "店铺超出门窗经营", "长" * 40_000)
    result = runner.invoke(app, ["rules", "template", str(tmp_path / "x.xlsx"), "--from", str(keeper.path)])
    assert result.exit_code == Exit.BUNDLE
    assert "sheet conditions row 2 column text" in result.stderr


def test_what_cannot_be_read_is_not_written_in_another_form(tmp_path: Path) -> None:
    (tmp_path / "city.xlsx").write_text("no workbook", "utf-8")
    words = ["rules", "template", str(tmp_path / "x"), "--from", str(tmp_path / "city.xlsx")]
    assert runner.invoke(app, words).exit_code == Exit.BUNDLE
    assert not (tmp_path / "x").exists()


def test_a_check_tells_every_fault_with_its_place(clerk: Clerk) -> None:
    clerk.put("areas", "A6", 990601001001001)
    clerk.put("policies", "C2", "一天")
    page = run("rules", "check", clerk.path, code=Exit.BUNDLE)
    assert "policies" in page
    value = json.loads(run("rules", "check", clerk.path, "--json", code=Exit.BUNDLE))
    assert value["edition"] == ""
    places = [(one["file"], one["row"], one["column"], one["code"]) for one in value["faults"]]
    assert ("areas", 6, "code", "spoilt_cell") in places
    assert ("policies", 2, "limit", "bad_limit") in places
    assert all(one["do"] and one["expected"] for one in value["faults"])


def test_an_official_reads_the_faults_in_chinese(clerk: Clerk) -> None:
    clerk.put("areas", "A6", 990601001001001)
    page = run("rules", "check", clerk.path, "--language", "zh", code=Exit.BUNDLE)
    assert "问题" in page
    assert "文本" in page
    assert CHINESE.keys() == DO.keys()


def test_a_sound_bundle_is_told_by_its_hash(clerk: Clerk) -> None:
    value = json.loads(run("rules", "check", clerk.path, "--json"))
    assert value == {"bundle": str(clerk.path), "faults": [], "edition": tiny_city().hash}


def test_an_edition_is_compiled_from_a_workbook_and_written_as_it_is_stored(
    clerk: Clerk, tmp_path: Path
) -> None:
    value = json.loads(run("rules", "compile", clerk.path, "--out", tmp_path / "edition.json", "--json"))
    assert value["edition"] == tiny_city().hash
    assert value["rows"]["areas"] == 8
    assert Edition.unpack((tmp_path / "edition.json").read_bytes()).load() == tiny_city()
    assert tiny_city().hash in run("rules", "compile", TINY)


def test_a_bundle_with_faults_is_not_compiled(keeper: Keeper, tmp_path: Path) -> None:
    keeper.edit("keywords.csv", "吵架,20", "吵架,0")
    assert run("rules", "compile", keeper.path, "--out", tmp_path / "edition", code=Exit.BUNDLE) == ""
    assert not (tmp_path / "edition").exists()


def test_one_section_is_shown_row_by_row(clerk: Clerk) -> None:
    assert "areas" in run("rules", "show", clerk.path)
    assert "河东街道城管执法队" in run("rules", "show", clerk.path, "units")
    rows = json.loads(run("rules", "show", clerk.path, "responsibility", "--json"))
    assert {"key": ["E-04-05", "trade", "城管"], "role": "lead", "order": "1"} in rows
    assert runner.invoke(app, ["rules", "show", str(clerk.path), "unit"]).exit_code == Exit.NOT_FOUND


def changes(before: Path, after: Path, *words: str) -> list[str]:
    value: Any = json.loads(run("rules", "diff", before, after, *words, "--json"))
    return [sentence for change in value["changes"] for sentence in change["words"]]


@pytest.mark.parametrize(
    ("edit", "english", "chinese"),
    [
        (
            ("responsibility.csv", "E-04-05,1,trade,城管,lead\n", "E-04-05,1,unit,JD,lead\n"),
            "the trade 城管: 河东街道城管执法队 (CG) no longer leads 店外经营 (E-04-05) from 1 Jan 2027",
            "自2027年1月1日起，城管行业（河东街道城管执法队 (CG)）不再主办店外经营 (E-04-05)",
        ),
        (
            ("responsibility.csv", "E-04-05,2,territory,community,assist\n", ""),
            "the community of the place no longer assists with 店外经营 (E-04-05) from 1 Jan 2027",
            "自2027年1月1日起，属地社区不再协办店外经营 (E-04-05)",
        ),
        (
            ("responsibility.csv", "E-01-36,2,territory,street,lead\n", ""),
            (
                "the street of the place is no longer candidate 2 for the lead of"
                " 楼道堆物 (E-01-36) from 1 Jan 2027"
            ),
            "自2027年1月1日起，属地街道不再是楼道堆物 (E-01-36)的第2位候选主办",
        ),
        (
            ("entries.csv", "AST-02,1,P-01-01,S1", "AST-03,1,P-01-01,S1"),
            (
                "entry AST-02@1 no longer holds from 1 Jan 2027: community in 河东街道 (S1) · 小城区 may be"
                " asked to assist with 上水井盖 (P-01-01)"
            ),
            (
                "自2027年1月1日起，准入条目AST-02@1不再有效："
                "河东街道 (S1) · 小城区的社区可以协助上水井盖 (P-01-01)"
            ),
        ),
        (
            ("units.csv", "市政养护,,市政,", "市政养护|环卫,,市政,"),
            "units 小城区市政养护所 (SZ): powers becomes “市政养护|环卫”, was “市政养护” from 1 Jan 2027",
            "自2027年1月1日起，单位 小城区市政养护所 (SZ)：powers由“市政养护”改为“市政养护|环卫”",
        ),
        (
            ("conditions.csv", "4工作时", "5工作时"),
            "conditions 上水井盖 (P-01-01) 2: limit becomes “5工作时”, was “4工作时” from 1 Jan 2027",
            "自2027年1月1日起，立案条件 上水井盖 (P-01-01) 2：limit由“4工作时”改为“5工作时”",
        ),
        (
            ("keywords.csv", "P-01-01,井盖,20\n", ""),
            "keywords 上水井盖 (P-01-01) 井盖 is gone from 1 Jan 2027",
            "自2027年1月1日起，删除识别词 上水井盖 (P-01-01) 井盖",
        ),
    ],
)
def test_a_change_is_said_in_words(
    keeper: Keeper, edit: tuple[str, str, str], english: str, chinese: str
) -> None:
    keeper.edit(*edit)
    assert english in changes(TINY, keeper.path, "--day", "2027-01-01")
    assert chinese in changes(TINY, keeper.path, "--day", "2027-01-01", "--language", "zh")


def test_a_change_holds_from_the_first_day_of_the_newer_edition(keeper: Keeper) -> None:
    keeper.edit("city.yaml", "zone:", "starts: 2026-05-01\nzone:")
    assert changes(TINY, keeper.path) == [
        "city city: starts becomes “2026-05-01”, was nothing from 1 May 2026"
    ]


def test_equal_bundles_differ_in_nothing_whatever_their_form(clerk: Clerk) -> None:
    assert changes(TINY, clerk.path) == []


def test_a_city_is_founded_from_a_workbook(clerk: Clerk, tmp_path: Path) -> None:
    page = run(
        "init", "--city", clerk.path, "--partitions", "1", "--database", f"sqlite:///{tmp_path}/city.db"
    )
    assert tiny_city().hash[:12] in page


def test_without_openpyxl_the_extra_is_named_in_one_line(
    clerk: Clerk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    result = runner.invoke(app, ["rules", "check", str(clerk.path)])
    assert result.exit_code == Exit.EXTRA
    assert result.stderr.count("\n") == 1
    assert "pip install 'gridcase[excel]'" in result.stderr
    assert compile_bundle(TINY) == tiny_city()
