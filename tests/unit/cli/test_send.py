import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli import send
from cli.main import app
from cli.output import Exit
from schemas.envelope import Envelope
from schemas.report import GridReport, Position
from schemas.wire import TYPE_OF, encode
from tests.builders_city import MIDDLE, STREET_TRADING
from tests.unit.cli.memory_city import START, MemoryCity

AT = ",".join(f"{part / 10_000_000:.7f}" for part in MIDDLE["G11"])
CASE = "20261123-C1-0001"


@pytest.fixture
def city(monkeypatch: pytest.MonkeyPatch) -> MemoryCity:
    city = MemoryCity()
    monkeypatch.setattr(send, "act", city.act)
    return city


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["send", "--wait", "0.1", *words])


def value(*words: str) -> Any:
    return json.loads(run(*words, "--json").stdout)


@pytest.fixture
def reported(city: MemoryCity) -> MemoryCity:
    assert value("--text", "路边有流动摊贩", "--at", AT, "--id", "w1")["case"] == CASE
    return city


@pytest.mark.usefixtures("city")
def test_a_report_is_on_record_and_names_its_case() -> None:
    result = run("--text", "店外经营占道", "--at", AT, "--source", "app", "--id", "w1")
    assert result.exit_code == 0, result.stderr
    assert "stream app/w1" in result.stdout
    assert f"case 案件 {CASE}: gridcase case show {CASE}" in result.stdout
    again = run("--text", "店外经营占道", "--at", AT, "--source", "app", "--id", "w1")
    assert "ReportRepeated 重复上报" in again.stdout


@pytest.mark.usefixtures("reported")
def test_the_same_id_with_other_words_is_not_done() -> None:
    result = run("--text", "另一件事", "--at", AT, "--id", "w1")
    assert result.exit_code == Exit.DIFFERENT
    assert "terminal/w1: on record, but not done" in result.stderr


@pytest.mark.usefixtures("reported")
def test_a_command_says_what_was_decided() -> None:
    data = json.dumps({"matter": STREET_TRADING})
    result = run("--command", "AcceptCase", "--case", CASE, "--as", "OPS-clerk", "--data", data)
    assert result.exit_code == 0, result.stderr
    assert "CaseAccepted 已立案" in result.stdout
    refused = run("--command", "SignCase", "--case", CASE, "--as", "OPS-caller")
    assert refused.exit_code == Exit.DIFFERENT
    assert "not permitted: expected lead or clock" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_file_of_events_is_counted_and_what_is_refused_is_said(city: MemoryCity, tmp_path: Path) -> None:
    lon, lat = MIDDLE["G12"]
    lines = [
        encode(
            Envelope(
                id=f"f{number}", source="file", type=TYPE_OF[GridReport], subject="", time=START,
                data=GridReport(channel="app", text="楼道堆物", position=Position(lon_e7=lon, lat_e7=lat)),
            )
        )
        for number in range(3)
    ]  # fmt: skip
    file = tmp_path / "reports.jsonl"
    file.write_bytes(b"\n".join([*lines, b"{half"]))
    result = run("--file", str(file))
    assert result.exit_code == Exit.DIFFERENT
    assert "accepted 已收" in result.stdout
    assert "1 of 4 were refused, the first: not json" in result.stderr
    assert sum(len(shelf.rows) for shelf in city.journals["edge"].shelves.values()) == 1 + 3


@pytest.mark.usefixtures("city")
@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((), Exit.USAGE, "expected one of --text, --file, --command"),
        (("--text", "a", "--command", "SignCase"), Exit.USAGE, "expected one of --text, --file, --command"),
        (("--text", "a", "--at", "here"), Exit.USAGE, "LONGITUDE,LATITUDE in degrees"),
        (("--command", "SinCase", "--case", "1", "--as", "x"), Exit.NOT_FOUND, "(SignCase?)"),
        (("--command", "SignCase", "--as", "x"), Exit.USAGE, "no --case"),
        (
            ("--command", "SignCase", "--case", "1", "--as", "x", "--data", "{"),
            Exit.USAGE,
            "--data of SignCase",
        ),
        (("--file", "nowhere.csv"), Exit.NOT_FOUND, "nowhere.csv"),
    ],
)
def test_what_cannot_be_sent_is_one_line(words: tuple[str, ...], code: Exit, said: str) -> None:
    result = run(*words)
    assert result.exit_code == code
    assert said in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("degrees", "e7"),
    [
        ("123.4312", 1_234_312_000),
        ("41", 410_000_000),
        ("-0.5", -5_000_000),
        ("0.00000019", 1),
        (" 7.1 ", 71_000_000),
    ],
)
def test_degrees_become_whole_numbers_as_written(degrees: str, e7: int) -> None:
    position = send.position(f"{degrees},1")
    assert position is not None
    assert position.lon_e7 == e7
