"""The commands on a real database file, in the order in which a newcomer meets them."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from cli.opening import account
from cli.output import Exit
from tests.postgres import PostgresServer

DEMO = str(Path(__file__).parents[2] / "cities" / "demo")
PHONE, NAME = "13912345678", "王芳芳"

Run = Callable[..., Result]


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An empty place for a city, of either kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path_factory.mktemp('city') / 'city.db'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    with server.fresh() as fresh:
        yield fresh


@pytest.fixture(scope="module")
def run(url: str) -> Run:
    """A command on the one city of this module; nothing of the environment is read."""

    def one(*words: str) -> Result:
        return CliRunner().invoke(app, [*words, "--database", url])

    founded = one("init", "--city", DEMO, "--partitions", "3")
    assert founded.exit_code == 0, founded.stderr
    assert "in force as rules 1" in founded.stdout
    return one


@pytest.fixture(scope="module")
def case(run: Run) -> str:
    """The number of a case that somebody reported with name and telephone."""
    words = (
        "--text",
        f"店外经营占道，请回电 {PHONE}",
        "--name",
        NAME,
        "--phone",
        PHONE,
        "--id",
        "w1",
        "--wait",
        "20",
    )
    sent = run("send", *words, "--json")
    assert sent.exit_code == 0, sent.stderr
    return json.loads(sent.stdout)["case"]


def value(run: Run, *words: str) -> Any:
    result = run(*words, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def test_a_city_is_not_founded_twice(run: Run) -> None:
    again = run("init", "--city", DEMO)
    assert again.exit_code == Exit.CITY
    assert again.stderr.count("\n") == 1


def test_a_report_becomes_a_case_that_can_be_read(run: Run, case: str) -> None:
    assert case in run("case", "list").stdout
    page = run("case", "show", case).stdout
    assert "received 待受理" in page
    assert value(run, "case", "list", "--report", "terminal/w1")[0]["case"] == case
    assert run("tail", "--no-follow").stdout.count("CaseOpened 已建案") == 1
    assert "accept 受理" in run("explain", "deadline", case).stdout
    assert "has not been routed" in run("explain", "route", case).stdout


def test_no_clear_name_or_phone_stands_in_the_database(run: Run, case: str) -> None:
    assert "‹phone 1›" in value(run, "case", "history", case)[0]["data"]["report"]["text"]
    place = value(run, "db", "path")["database"]
    if not place.startswith("sqlite"):
        pytest.skip("only a file can be looked through byte by byte")
    file = Path(place.removeprefix("sqlite:///"))
    for part in file.parent.iterdir():
        found = part.read_bytes()
        assert PHONE.encode() not in found, part.name
        assert NAME.encode() not in found, part.name


def test_personal_data_is_read_for_a_purpose_and_forgotten_for_good(run: Run, case: str) -> None:
    assert case
    report = "terminal/w1"
    asked = ("personal", "read", report, "--purpose", "回访")
    refused = run(*asked, "--as", "P-clerk-1")
    assert refused.exit_code == Exit.DIFFERENT
    assert "may not read" in refused.stderr
    assert PHONE in run(*asked, "--as", "P-lead_officer-1").stdout
    assert run(*asked, "--as", "nobody").exit_code == Exit.NOT_FOUND
    assert [one["answer"] for one in value(run, "personal", "accesses", report)] == ["may_not_read", "read"]
    assert run("personal", "erase", report, "--yes").exit_code == 0
    assert run("personal", "erase", report, "--yes").exit_code == Exit.NOT_FOUND
    assert "erased" in run(*asked, "--as", "P-lead_officer-1").stderr
    assert "erased" in run("personal", "accesses", report).stdout
    assert all(one["different"] == 0 for one in value(run, "replay"))


def test_a_command_of_a_post_is_decided(run: Run, case: str) -> None:
    assert case
    refused = run("send", "--command", "SignCase", "--case", case, "--as", "nobody", "--wait", "20")
    assert refused.exit_code == Exit.DIFFERENT
    assert "on record, but not done" in refused.stderr


def test_every_decision_is_taken_again_and_equal(run: Run, case: str) -> None:
    assert case
    verdicts = value(run, "replay")
    assert sum(one["events"] for one in verdicts) > 10
    assert all(one["different"] == 0 for one in verdicts)


def test_nothing_is_lost_and_nothing_is_held(run: Run, case: str) -> None:
    assert case
    assert value(run, "held", "list") == []
    assert all(one["holes"] == 0 for one in value(run, "db", "check"))


def test_the_schema_goes_up_and_is_told(run: Run) -> None:
    told = value(run, "db", "path")
    assert told["schema"] == told["newest"]
    assert (told["city"], told["partitions"]) == ("yunxi", 3)
    assert value(run, "db", "upgrade")["schema"] == told["newest"]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("case", "list"), Exit.CITY),
        (("replay",), Exit.CITY),
        (("send", "--text", "a"), Exit.CITY),
        (("db", "path"), Exit.CITY),
    ],
)
def test_a_city_that_does_not_exist_is_one_line(tmp_path: Path, words: tuple[str, ...], code: Exit) -> None:
    result = CliRunner().invoke(app, [*words, "--database", f"sqlite:///{tmp_path / 'none.db'}"])
    assert result.exit_code == code
    assert result.stderr.count("\n") == 1
    assert "gridcase init" in result.stderr
    assert not (tmp_path / "none.db").exists()


def test_a_wrong_setting_is_one_line() -> None:
    result = CliRunner().invoke(app, ["case", "list", "--database", "mysql://x/y"])
    assert result.exit_code == Exit.SETTINGS
    assert result.stderr.startswith("gridcase: GRIDCASE_DATABASE_URL: expected sqlite:///FILE")


def test_a_letter_that_died_at_the_edge_is_tried_again(run: Run, tmp_path: Path) -> None:
    [letter] = died(run, tmp_path, f"{{half a message {PHONE}")
    assert letter["id"].startswith("edge/")
    assert letter["body"] is None, "a list opens nothing"
    page = run("held", "show", letter["id"]).stdout
    assert "not_json" in page
    assert PHONE in page
    told = value(run, "held", "redrive", letter["id"])
    assert (told["ordered"], told["passed_the_edge"]) == (1, 0)
    [after] = value(run, "held", "list")
    assert after["id"] != letter["id"]
    assert after["cause"] == letter["cause"]


def test_an_erased_letter_says_so_and_is_not_redriven(run: Run) -> None:
    [letter] = value(run, "held", "list")
    name = letter["id"]
    assert PHONE in value(run, "held", "show", name)["body"]
    assert run("held", "erase", name, "--yes").stdout == f"{name}: forgotten 已删除\n"
    assert run("held", "erase", name, "--yes").exit_code == Exit.NOT_FOUND
    page = run("held", "show", name).stdout
    assert "nobody can read its bytes" in page.splitlines()[-1]
    assert f"by {account()} on " in page.splitlines()[-1]
    assert PHONE not in page
    shown = value(run, "held", "show", name)
    assert shown["body"] is None
    assert shown["unreadable"].startswith("erased 已删除 by ")
    refused = run("held", "redrive", name)
    assert refused.exit_code == Exit.DIFFERENT
    assert refused.stderr.startswith(f"gridcase: {name}: expected a letter that can be opened, found erased")
    assert refused.stderr.count("\n") == 1
    told = value(run, "held", "redrive", "--all")
    assert (told["ordered"], told["left"]) == (0, [name])
    assert [one["id"] for one in value(run, "held", "list")] == [name]


def test_each_look_into_a_letter_is_on_record(run: Run) -> None:
    [letter] = value(run, "held", "list")
    page = run("held", "show", letter["id"]).stdout
    secret = next(word for word in page.split() if word.startswith("_letter-"))
    answers = [one["answer"] for one in value(run, "personal", "accesses", secret)]
    assert answers[:3] == ["read", "read", "erased"]
    assert set(answers[3:]) == {"erased"}, "who looked afterwards was told that there is nothing to see"


def test_a_persons_report_is_forgotten_with_the_letters_that_say_they_are_it(
    run: Run, tmp_path: Path
) -> None:
    whole = {"specversion": "1.0", "id": "w9", "source": "terminal", "type": "gridcase.report.GridReport.v1"}
    whole |= {"subject": "", "time": "2026-03-10T01:00:00Z", "data": {"phone": int(PHONE)}}
    letter = died(run, tmp_path, json.dumps(whole))[-1]
    assert PHONE in run("held", "show", letter["id"]).stdout
    said = run("personal", "erase", "terminal/w9", "--yes")
    assert said.stdout == f"terminal/w9: forgotten 已删除, with its dead letters {letter['id']}\n"
    assert run("personal", "erase", "terminal/w9", "--yes").exit_code == Exit.NOT_FOUND
    assert PHONE not in run("held", "show", letter["id"]).stdout


def died(run: Run, folder: Path, line: str) -> Any:
    """What is held once this line was sent and refused."""
    file = folder / "reports.jsonl"
    file.write_text(f"{line}\n")
    assert run("send", "--file", str(file)).exit_code == Exit.DIFFERENT
    return value(run, "held", "list")
