import json
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError
from typer.testing import CliRunner

from cli import main
from cli.main import app
from cli.output import EXIT_CODES, Exit
from kernel.errors import Fault

runner = CliRunner()


class Broken(Fault):
    """The {thing} is broken: expected a whole one.

    Do: mend it.
    """

    exit_code = 4


@pytest.fixture
def faulty(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that fails in the way its argument names."""

    def fail(kind: str) -> None:
        raise {
            "fault": Broken(thing="bell"),
            "extra": ModuleNotFoundError("No module named 'faust'", name="faust.app"),
            "stop": KeyboardInterrupt(),
            "database": DBAPIError("select 1", {}, OSError("disk I/O error\nmore")),
            "group": ExceptionGroup(
                "tasks", [ValueError("x"), ExceptionGroup("inner", [Broken(thing="door")])]
            ),
            "bug": ZeroDivisionError("planted"),
        }[kind]

    monkeypatch.setattr(app, "registered_commands", list(app.registered_commands))
    app.command("fail")(fail)


@pytest.mark.usefixtures("faulty")
def test_a_fault_is_one_line_on_stderr_and_its_exit_code() -> None:
    result = runner.invoke(main.app, ["fail", "fault"])
    assert result.exit_code == 4
    assert result.stdout == ""
    assert result.stderr == "gridcase: The bell is broken: expected a whole one. Do: mend it.\n"


@pytest.mark.usefixtures("faulty")
def test_a_missing_package_names_the_extra() -> None:
    result = runner.invoke(main.app, ["fail", "extra"])
    assert result.exit_code == Exit.EXTRA
    assert "pip install 'gridcase[kafka]'" in result.stderr


@pytest.mark.usefixtures("faulty")
def test_an_interruption_is_no_traceback() -> None:
    result = runner.invoke(main.app, ["fail", "stop"])
    assert (result.exit_code, result.stderr) == (130, "gridcase: stopped\n")


@pytest.mark.usefixtures("faulty")
def test_a_database_that_fails_at_work_is_one_line() -> None:
    result = runner.invoke(main.app, ["fail", "database"])
    assert result.exit_code == Exit.DATABASE
    assert "found disk I/O error. Do:" in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.usefixtures("faulty")
def test_a_fault_among_tasks_side_by_side_is_told_alone() -> None:
    result = runner.invoke(main.app, ["fail", "group"])
    assert (result.exit_code, result.stderr.count("\n")) == (4, 1)
    assert "The door is broken" in result.stderr


@pytest.mark.usefixtures("faulty")
def test_a_bug_keeps_its_traceback() -> None:
    assert isinstance(runner.invoke(main.app, ["fail", "bug"]).exception, ZeroDivisionError)


def test_version_speaks_to_people_and_to_programs() -> None:
    assert "gridcase" in runner.invoke(app, ["version"]).stdout
    assert json.loads(runner.invoke(app, ["version", "--json"]).stdout)["python"]


def test_every_exit_code_is_documented() -> None:
    assert set(EXIT_CODES) == set(Exit)
    shown = runner.invoke(app, ["--help"]).stdout
    assert all(str(code.value) in shown for code in Exit)


def test_the_howto_lists_the_same_exit_codes() -> None:
    page = (Path(__file__).parents[3] / "docs/howto/use-the-command-line.md").read_text("utf-8")
    plain = page.replace("`", "")
    assert all(f"| {code.value} | {words} |" in plain for code, words in EXIT_CODES.items())


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("gridcase ex", "explain"),
        ("gridcase tail --processor router", "router.case"),
        ("gridcase send --command Sign", "SignCase"),
        ("gridcase case list --state hand", "handling"),
        ("gridcase explain deadline --clock ver", "verify"),
        ("gridcase explain route --language z", "zh"),
        ("gridcase simulate --profile ca", "calm"),
    ],
)
def test_the_shell_completes_commands_and_their_words(typed: str, offered: str) -> None:
    environ = {
        "_GRIDCASE_COMPLETE": "complete_bash", "COMP_WORDS": typed, "COMP_CWORD": str(len(typed.split()) - 1),
        "_TYPER_COMPLETE_TESTING": "True",
    }  # fmt: skip
    result = runner.invoke(app, [], env=environ, prog_name="gridcase")
    assert offered in result.stdout.split()


def test_every_command_of_the_issue_is_there_and_helps() -> None:
    wanted = (
        "init run send case tail explain replay simulate db held republish recover bench version personal"
    )
    for command in wanted.split():
        result = runner.invoke(app, [command, "--help"])
        assert result.exit_code == 0, command
        assert "Usage:" in result.stdout
