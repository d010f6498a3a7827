"""The batch doors as commands: a line for each row in its order, a fault for a file that is none."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli import batch
from cli.batch import Encoding, Row, read_rows
from cli.main import app
from schemas.refusal import Refusal
from tests.keeping import TINY

POINTS = """id,lon,lat,crs,code,scheme,text,layer
a,102.105,36.505,,,,,
b,102.10999,36.505,,,,,
c,110,30,,,,,
d,36.505,102.05,,,,,
e,,,,G12,local,,
f,,,,,,杏花社区第一网格门口,
g,,,,,,没有这个地方,

h,x,,,nope,,,
i,102.105
j,102.105,36.505,EPSG:3857,,,,
k,102.105,36.505,,,,,无此层
l,36.505,102.105,,,,,
"""


def run(door: str, file: Path, *words: str) -> Result:
    return CliRunner().invoke(app, [door, "--city", str(TINY), "--batch", str(file), *words])


@pytest.fixture
def answers(tmp_path: Path) -> Callable[..., list[dict[str, Any]]]:
    def ask(door: str, text: str, encoding: str = "utf-8", *words: str) -> list[dict[str, Any]]:
        file = tmp_path / "rows.csv"
        file.write_bytes(text.encode(encoding))
        result = run(door, file, "--json", *words)
        assert result.exit_code == 0, result.stderr
        return [json.loads(line) for line in result.stdout.splitlines()]

    return ask


def codes(answer: dict[str, Any]) -> list[str]:
    assert all(one["expected"] and one["do"] for one in answer["errors"])
    return [one["code"] for one in answer["errors"]]


def test_each_row_has_its_line_in_its_order(answers: Callable[..., list[dict[str, Any]]]) -> None:
    found = answers("locate", POINTS)
    assert [one["row"] for one in found] == list(range(2, 15))
    by_id = {one["id"]: one for one in found if "id" in one}
    assert [area["code"] for area in by_id["a"]["areas"][0]["chain"]] == ["G11", "C1", "S1", "D"]
    assert (by_id["a"]["confidence"], by_id["a"]["desk"]) == (1000, "C1")
    assert by_id["b"]["nearby"] == [{"code": "G11", "metres": 0}, {"code": "G21", "metres": 0}]
    assert by_id["b"]["doubts"] == ["near_boundary"]
    assert by_id["e"]["areas"][0]["code"] == "G12"
    assert by_id["f"]["areas"][0]["code"] == "G21"
    assert (by_id["g"]["city_desk"], by_id["g"]["confidence"], by_id["g"]["areas"]) == (True, 0, [])
    refused = {one["row"]: codes(one) for one in found if "errors" in one}
    assert refused == {
        4: ["outside_city"], 5: ["out_of_range"], 9: ["empty_row"],
        10: ["no_number", "no_number", "unknown_code"], 11: ["ragged_row"], 12: ["unknown_crs"],
        13: ["unknown_layer"], 14: ["out_of_range"],
    }  # fmt: skip


def test_a_point_of_a_shifted_map_is_brought_back_or_suspected(
    answers: Callable[..., list[dict[str, Any]]],
) -> None:
    """The tiny city's south-west corner as Baidu shows it is 0.01 degrees further east and north."""
    text = "lon,lat,crs\n102.1250,36.5150,BD-09\n102.1250,36.5150,\n102.101,36.501,BD-09\n103,37,\n"
    converted, suspected, wrong, outside = answers("locate", text)
    assert (converted["converted_from"], converted["areas"][0]["layer"]) == ("BD-09", "治理")
    assert codes(suspected) == ["suspected_crs"]
    assert "read as BD-09 it lies in" in suspected["errors"][0]["found"]
    assert codes(wrong) == ["suspected_crs"]
    assert "read as WGS 84 it lies in G11" in wrong["errors"][0]["found"]
    assert codes(outside) == ["outside_city"]


def test_reports_are_assigned_with_their_finding(answers: Callable[..., list[dict[str, Any]]]) -> None:
    text = (
        "matter,condition,place,time,mode\n"
        "E-01-36,,G11,2026-03-02T09:00+08:00,\n"
        "E-01-36,1,杏花社区,2026/3/2 9:00,急\n"
        "E-99,9,G11,yesterday,夜\n"
        "P-01-01,,G11,2026-03-02T09:00,\n"
        "E-01-36,,,2026-02-30T09:00,\n"
        "E-01-36,,,2026-02-28T09:00,\n"
    )
    first, second, *wrong = answers("assign", text)
    assert (first["place"]["area"], first["t"], first["mode"]) == ("G11", "2026-03-02T01:00:00Z", "normal")
    assert (first["lead"], first["posts"]) == ("JW1", ["JW1-handler"])
    assert first["finding"][0]["entry"] == "OWN-02"
    assert (second["place"]["area"], second["mode"]) == ("C2", "emergency")
    assert [codes(one) for one in wrong] == [
        ["unknown_matter", "no_time", "unknown_mode"], ["unknown_condition"], ["no_time"], ["no_place"],
    ]  # fmt: skip


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gbk", "gb18030"])
def test_encodings_that_are_said_are_read(
    answers: Callable[..., list[dict[str, Any]]], encoding: str
) -> None:
    said = () if encoding == "utf-8-sig" else ("--encoding", encoding)
    [found] = answers("locate", "text\n柳树社区\n", encoding, *said)
    assert found["areas"][0]["code"] == "C1"


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        ("text\n柳树社区\n".encode("gbk"), 5, "looks like GBK"),
        ("text\n柳树社区\n".encode("utf-16"), 5, "UTF-16"),
        (b"", 5, "an empty file"),
        (b"place\nx\n", 5, "lon + lat or code or text"),
        (b"text,text\nx,y\n", 5, "each column once"),
        (None, 7, "check the path"),
    ],
)
def test_a_file_that_is_none_is_one_clear_line(
    tmp_path: Path, content: bytes | None, code: int, words: str
) -> None:
    file = tmp_path / "rows.csv"
    if content is not None:
        file.write_bytes(content)
    result = run("locate", file, "--json")
    assert (result.exit_code, result.stdout) == (code, "")
    assert words in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_city_that_is_none_is_said(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["assign", "--city", str(tmp_path / "x"), "--batch", "rows.csv"])
    assert result.exit_code == 7
    assert "the folder of a bundle" in result.stderr


def test_a_workbook_answers_as_its_folder(tmp_path: Path, tiny_workbook: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("id,code\n1,G11\n2,nowhere\n", "utf-8")
    said = [
        CliRunner().invoke(app, ["locate", "--city", str(city), "--batch", str(file), "--json"])
        for city in (TINY, tiny_workbook)
    ]
    assert said[0].exit_code == said[1].exit_code == 0
    assert said[0].stdout == said[1].stdout != ""


def test_people_read_lines_too(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("text,lon,lat\n,102.10999,36.505\n,9,9\n", "utf-8")
    [first, second] = run("locate", file).stdout.splitlines()
    assert first.startswith("row 2: 治理 柳树社区第一网格 G11 < 柳树社区 C1")
    assert "near G21 0 m" in first
    assert second.startswith("row 3: outside_city: expected a point in 小城区")


def test_an_overlong_cell_costs_its_row_and_no_other(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text(f"text\n{'x' * 200_000}\n柳树社区\n", "utf-8")
    rows = [*read_rows(file, Encoding.UTF_8, (("text",),))]
    assert [type(row.cells) for row in rows] == [Refusal, dict]


def test_rows_are_answered_as_they_come_and_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[int] = []
    read = 0

    def rows() -> Iterator[Row]:
        nonlocal read
        for number in range(5_000):
            read += 1
            yield Row(number, {})

    def note(lines: list[str]) -> None:
        written.append(len(lines))
        assert read - sum(written) == 0
        lines.clear()

    monkeypatch.setattr(batch, "_write", note)
    batch.answer_all(rows(), lambda _: {}, str, as_json=True)
    assert sum(written) == 5_000
    assert max(written) <= 500


def test_a_city_s_database_answers_as_its_bundle_and_stays_as_it_is(tmp_path: Path) -> None:
    database, file = tmp_path / "city.db", tmp_path / "rows.csv"
    file.write_text("matter,place,time\nE-01-36,G11,2026-03-02T09:00+08:00\n", "utf-8")
    url = f"sqlite:///{database}"
    made = CliRunner().invoke(app, ["init", "--city", str(TINY), "--database", url])
    assert made.exit_code == 0, made.stderr
    before = database.read_bytes()
    by_folder = run("assign", file, "--json")
    by_database = CliRunner().invoke(app, ["assign", "--city", url, "--batch", str(file), "--json"])
    assert (by_database.exit_code, by_database.stdout) == (0, by_folder.stdout)
    assert database.read_bytes() == before
