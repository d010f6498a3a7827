"""A bundle is tried on what has happened, then put in force; what was decided before stays as it was."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli import trying
from cli.main import app
from cli.output import Exit
from tests.keeping import TINY, Keeper

DEMO = Path(__file__).parents[2] / "cities" / "demo"
RUBBISH = "E-01-10"

Run = Callable[..., Result]


def run(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def value(*words: object) -> Any:
    result = run(*words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demonstration city in which the environmental trade no longer leads rubbish."""
    path = tmp_path_factory.mktemp("other") / "demo"
    copytree(DEMO, path)
    sheet = path / "responsibility.csv"
    with sheet.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    with sheet.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(row for row in rows if (row[0], row[2]) != (RUBBISH, "trade"))
    return path


@pytest.fixture
def database(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path / 'city.db'}"
    assert run("init", "--city", DEMO, "--partitions", 3, "--database", url).exit_code == 0
    return url


def case_of(database: str, street: str) -> str:
    words = ("--text", "楼下暴露生活垃圾", "--matter", RUBBISH, "--area", street, "--id", street)
    return value("send", *words, "--wait", 20, "--database", database)["case"]


def led(database: str, case: str) -> str:
    return value("explain", "route", case, "--database", database)[0]["lead"]


def test_what_is_published_decides_from_then_on_and_nothing_before(database: str, other: Path) -> None:
    first = case_of(database, "JD01")
    tried = value("rules", "try", other, "--database", database)
    assert (tried["tried"], tried["elsewhere"]) == (1, 1)
    assert tried["moves"][0]["examples"] == [first]
    then = led(database, first)

    published = value("rules", "publish", other, "--reason", "调整责任主体", "--database", database)
    assert (published["rules"], published["in_force"]) == (2, True)
    assert led(database, first) == then == tried["moves"][0]["before"]
    assert tried["moves"][0]["after"] == "JD01"
    assert led(database, case_of(database, "JD02")) == "JD02"
    assert run("replay", "--database", database).exit_code == 0

    again = run("rules", "publish", other, "--database", database)
    assert again.exit_code == 0
    assert "in force already" in again.stdout
    back = value("rules", "publish", DEMO, "--database", database)
    assert back["rules"] == 3


def test_the_page_says_what_changes(database: str, other: Path) -> None:
    page = run("rules", "publish", other, "--database", database).stdout
    assert "rules 2" in page
    assert "no longer candidate 2" in page


def test_the_bundle_of_another_city_is_refused(database: str) -> None:
    found = run("rules", "publish", TINY, "--database", database)
    assert found.exit_code == Exit.BUNDLE
    assert "is of city tiny, the database of city yunxi" in found.stderr
    assert value("case", "list", "--database", database) == []


def rows(path: Path, count: int) -> Path:
    """Reports of a year, one of them of a matter that nobody knows, one without a place."""
    with path.open("w", encoding="utf-8", newline="") as file:
        sheet = csv.writer(file)
        sheet.writerow(["id", "matter", "condition", "time", "place"])
        condition = f"{RUBBISH}-1"
        for number in range(count):
            day = f"2026-03-{1 + number % 28:02}T09:00+08:00"
            sheet.writerow([f"r{number}", RUBBISH, condition, day, f"JD0{1 + number % 3}"])
        sheet.writerow(["u1", "X-00-00", "", "2026-03-01T09:00+08:00", "JD01"])
        sheet.writerow(["u2", RUBBISH, condition, "2026-03-01T09:00+08:00", ""])
    return path


def test_a_file_of_reports_is_tried_by_one_process_or_many(
    tmp_path: Path, other: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("rules", "try", other, "--events", rows(tmp_path / "r.csv", 90), "--against", DEMO)
    alone = value(*words)
    assert (alone["tried"], alone["elsewhere"]) == (90, 90)
    assert alone["unanswered"] == {"unknown_matter": 1, "no_place": 1}
    assert sum(move["reports"] for move in alone["moves"]) == 90
    monkeypatch.setattr(trying, "_LARGE", 0)
    monkeypatch.setattr(trying, "sched_getaffinity", lambda _: {0, 1, 2})
    together = value(*words)
    for answer in (alone, together):
        for move in answer["moves"]:
            move["examples"] = len(move["examples"])
    assert together == alone


def test_a_matter_that_the_new_edition_lacks_is_told(tmp_path: Path) -> None:
    events = rows(tmp_path / "r.csv", 1)
    found = value("rules", "try", TINY, "--events", events, "--against", DEMO)
    assert found["moves"][0]["reason"]["kind"] == "unanswered"


def test_a_file_needs_what_its_reports_went_by(tmp_path: Path, other: Path) -> None:
    found = run("rules", "try", other, "--events", rows(tmp_path / "r.csv", 1))
    assert found.exit_code == Exit.NOT_FOUND
    assert "--against" in found.stderr


def test_a_folder_is_in_force_with_what_went_through_the_workflow(database: str, other: Path) -> None:
    paid = '{"proof_id": "P-9", "covers_from": "2026-01-01", "covers_to": "2027-12-31"}'
    words = ("--command", "RecordFunding", "--entry", "AST-01", "--as", "P-YX-GOV-1", "--data", paid)
    sent = run("send", *words, "--wait", 20, "--database", database)
    assert sent.exit_code == 0, sent.output
    page = run("rules", "publish", other, "--database", database)
    assert "rules 3" in page.stdout
    assert "AST-01" not in page.stdout
    again = value("rules", "publish", other, "--database", database)
    assert (again["rules"], again["in_force"]) == (3, True)


CLUTTER, CORNER = "E-01-36", "102.105,36.505"


def redrawn(keeper: Keeper) -> None:
    """The two communities change their grounds: the corner lies in the other one now."""
    sheet = keeper.path / "areas.geojson"
    text = sheet.read_text("utf-8")
    for one, other in (("C1", "C2"), ("G11", "G21"), ("G12", "G22")):
        for before, after in ((one, "?"), (other, one), ("?", other)):
            text = text.replace(f'"code": "{before}"', f'"code": "{after}"')
    sheet.write_text(text, "utf-8")


def dissolved(keeper: Keeper) -> None:
    """The committee of the corner is gone; another one is there under another code."""
    for sheet in keeper.path.glob("*.csv"):
        text = sheet.read_text("utf-8")
        sheet.write_text(text.replace("JW1-", "JW9-").replace("JW1,", "JW9,"), "utf-8")


def forbidden(keeper: Keeper) -> None:
    """The entry that let the committee lead is taken back: the street does it instead."""
    keeper.edit("entries.csv", "OWN-02,1,E-01-36,C1,own,", "OWN-02,2,E-01-36,C1,prohibited,")


@pytest.mark.parametrize(
    ("change", "lead", "why"),
    [
        (redrawn, "JW2", {"kind": "ahead", "unit": "JW2"}),
        (dissolved, "JW9", {"kind": "ahead", "unit": "JW9"}),
        (forbidden, "JD", {"kind": "refused", "unit": "JW1", "step": 5, "verdict": "prohibited"}),
    ],
)
def test_an_old_case_stays_as_it_was_and_the_same_case_today_goes_elsewhere(
    tmp_path: Path, keeper: Keeper, change: Callable[[Keeper], None], lead: str, why: dict[str, Any]
) -> None:
    database = f"sqlite:///{tmp_path / 'city.db'}"
    assert run("init", "--city", TINY, "--partitions", 2, "--database", database).exit_code == 0
    clutter = ("send", "--text", "楼道堆物", "--matter", CLUTTER, "--at", CORNER, "--wait", 20)
    old = value(*clutter, "--id", "a1", "--database", database)["case"]
    told = value("explain", "route", old, "--database", database)
    assert told[0]["lead"] == "JW1"

    change(keeper)
    events = tmp_path / "events.csv"
    events.write_text(f"id,matter,time,lon,lat\n{old},{CLUTTER},2026-11-23T10:00+08:00,{CORNER}\n", "utf-8")
    (move,) = value("rules", "try", keeper.path, "--events", events, "--against", TINY)["moves"]
    assert (move["before"], move["after"], move["examples"]) == ("JW1", lead, [old])
    assert why.items() <= move["reason"].items()

    assert value("rules", "publish", keeper.path, "--database", database)["rules"] == 2
    assert value("explain", "route", old, "--database", database) == told
    far = ("send", "--text", "楼道堆物", "--matter", CLUTTER, "--at", "102.101,36.501", "--wait", 20)
    new = value(*far, "--id", "a2", "--database", database)["case"]
    assert led(database, new) == lead
    assert run("replay", "--database", database).exit_code == 0
