"""`gridcase registry` and the commands that `gridcase send` gives to the register, over a city in memory."""

import json
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner, Result

from cli import registry as registry_command
from cli import send as send_command
from cli.main import app
from cli.output import Exit
from kernel.processor import Sender
from schemas.entry.commands import ApplyEntry, GiveOpinion
from tests.unit.cli.memory_city import MemoryCity
from tests.unit.registry.telling import OWN

TEXT = replace(OWN, valid_from=OWN.valid_from.replace(year=2027) if OWN.valid_from else None)


@pytest.fixture
def city(monkeypatch: pytest.MonkeyPatch) -> MemoryCity:
    city = MemoryCity()
    monkeypatch.setattr(registry_command, "look", city.look)
    monkeypatch.setattr(send_command, "act", city.act)
    return city


def run(*words: str) -> Result:
    return CliRunner().invoke(app, [*words])


def value(*words: str) -> Any:
    result = run(*words, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


@pytest.fixture
def applied(city: MemoryCity) -> MemoryCity:
    """OWN-03 is under review: one party has spoken, and a committee tried to apply."""
    city.send(Sender("post", "JW1-handler"), "OWN-03", ApplyEntry(text=TEXT))
    city.send(Sender("post", "CG-handler"), "OWN-03", ApplyEntry(text=TEXT))
    city.send(
        Sender("post", "JD-handler"), "OWN-03", GiveOpinion(party="street", agrees=False, text="人手不足")
    )
    return city


def test_an_entry_says_where_it_stands_and_what_happened(applied: MemoryCity) -> None:
    assert applied
    page = " ".join(run("registry", "show", "OWN-03").stdout.split())
    for words in (
        "entry 准入条目 OWN-03",
        "reviewing 审核",
        "楼道堆物 (E-01-36)",
        "applicant 申请单位 河东街道城管执法队 (CG)",
        "opinions 意见 street disagrees",
        "not in the register in force 未登记",
        "EntryApplied 已申请",
        "OpinionGiven 已提意见",
        "street · 河东街道办事处 (JD) · disagrees · “人手不足”",
        "EntryCommandRefused 命令不予执行",
        "not permitted: expected the applicant's handler",
    ):
        assert words in page, page


def test_a_program_gets_the_same_as_data(applied: MemoryCity) -> None:
    assert applied
    shown = value("registry", "show", "OWN-03")
    assert (shown["state"], shown["workflow"]["last"], shown["register"]) == ("reviewing", 1, [])
    assert [one["event"].split()[0] for one in shown["events"]] == [
        "EntryCommandRefused",
        "EntryApplied",
        "OpinionGiven",
    ]


def test_an_entry_of_the_bundle_is_shown_from_the_register(city: MemoryCity) -> None:
    assert city
    page = run("registry", "show", "AST-01").stdout
    assert "协助 (assist)" in page
    assert "PROOF-1, 2026-01-01 – 2026-12-31" in page
    assert "in force 有效" in page
    assert "unfunded 经费未到位" in run("registry", "show", "AST-02").stdout
    assert value("registry", "show", "AST-01")["state"] == "active"


def test_the_list_shows_what_went_through_the_workflow(applied: MemoryCity) -> None:
    assert applied
    assert [one["entry"] for one in value("registry", "list")] == ["OWN-03"]
    assert value("registry", "list", "--state", "active") == []
    assert "1 entries" in run("registry", "list", "--state", "reviewing").stdout


def test_an_entry_that_is_nowhere_is_one_line(city: MemoryCity) -> None:
    assert city
    result = run("registry", "show", "OWN-99")
    assert result.exit_code == Exit.NOT_FOUND
    assert result.stderr.count("\n") == 1


def test_send_gives_a_command_of_an_entry(city: MemoryCity) -> None:
    assert city
    data = msgspec.json.encode({"text": TEXT}).decode()
    words = ("send", "--command", "ApplyEntry", "--entry", "OWN-03", "--as", "CG-handler", "--data", data)
    said = run(*words).stdout
    assert "EntryApplied 已申请" in said
    assert "gridcase registry show OWN-03" in said
    again = run(*words)
    assert again.exit_code == Exit.DIFFERENT
    assert "wrong state" in again.stderr


def test_send_switches_the_mode_of_an_area(city: MemoryCity) -> None:
    assert city
    order = '{"mode": "emergency", "order_number": "1号", "reason": "暴雨"}'
    words = ("send", "--command", "SwitchMode", "--as", "OPS-lead_officer", "--data", order)
    assert "ModeSwitched 已转换" in run(*words, "--area", "S1").stdout
    missing = run(*words)
    assert missing.exit_code == Exit.USAGE
    assert "--area" in missing.stderr


def test_send_says_which_option_is_missing(city: MemoryCity) -> None:
    assert city
    result = run("send", "--command", "ApplyEntry", "--case", "C-1", "--as", "CG-handler")
    assert result.exit_code == Exit.USAGE
    assert "--entry" in result.stderr
    unknown = run("send", "--command", "ApplyEntries", "--entry", "X", "--as", "CG-handler")
    assert "ApplyEntry?" in unknown.stderr
