"""Bad input at the terminal: one clear line, its exit code, nothing damaged, no traceback."""

import os
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "cities" / "demo"
GRIDCASE = (sys.executable, "-c", "from cli.main import app; app(prog_name='gridcase')")


def gridcase(*words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """The command as a person starts it, in a process of its own."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("GRIDCASE_")}
    return subprocess.run(
        [*GRIDCASE, *words],
        cwd=ROOT, env={**plain, **environ}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def one_line(result: subprocess.CompletedProcess[str], code: int, *words: str) -> None:
    assert result.returncode == code, result.stderr
    assert result.stderr.count("\n") == 1, result.stderr
    assert result.stderr.startswith("gridcase: ")
    assert "expected" in result.stderr
    for word in words:
        assert word in result.stderr, result.stderr


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole city in a file; tests work on copies."""
    path = tmp_path_factory.mktemp("whole") / "city.db"
    result = gridcase("init", "--city", str(DEMO), "--partitions", "2", "--database", f"sqlite:///{path}")
    assert result.returncode == 0, result.stderr
    change(path, "select 1")
    return path


def change(path: Path, sql: str) -> None:
    """Change a city's file, and leave it in one piece."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(sql)
    connection.execute("pragma wal_checkpoint(truncate)")
    connection.close()


@pytest.fixture
def copy(founded: Path, tmp_path: Path) -> Path:
    path = tmp_path / "city.db"
    path.write_bytes(founded.read_bytes())
    return path


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"GRIDCASE_TICK_SECONDS": "soon"}, ("GRIDCASE_TICK_SECONDS", "'soon'")),
        ({"GRIDCASE_HEALTH_PORT": "99999"}, ("GRIDCASE_HEALTH_PORT", "65535")),
        ({"GRIDCASE_DATABASE_URL": "oracle://x"}, ("GRIDCASE_DATABASE_URL", "postgresql://")),
        ({"GRIDCASE_BATCH_MESSAGE": "5"}, ("GRIDCASE_BATCH_MESSAGE", "(GRIDCASE_BATCH_MESSAGES?)")),
    ],
)
def test_a_wrong_setting_is_named_with_its_variable(
    environ: Mapping[str, str], words: tuple[str, ...]
) -> None:
    one_line(gridcase("case", "list", **environ), 3, *words)


def test_a_taken_port_says_which_and_what_to_set(copy: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        result = gridcase("run", "--database", f"sqlite:///{copy}", GRIDCASE_HEALTH_PORT=port)
    one_line(result, 3, port, "GRIDCASE_HEALTH_PORT")


def test_a_database_that_does_not_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    result = gridcase("case", "list", "--database", f"postgresql://me:hunter2@127.0.0.1:{port}/city")
    one_line(result, 6, str(port))
    assert "hunter2" not in result.stderr


def test_a_city_that_does_not_exist(tmp_path: Path) -> None:
    one_line(gridcase("run", "--database", f"sqlite:///{tmp_path / 'no.db'}"), 4, "no.db", "gridcase init")
    assert not list(tmp_path.iterdir())


def test_a_bundle_with_faults_is_a_table_and_one_line(tmp_path: Path) -> None:
    city = tmp_path / "city"
    city.mkdir()
    for path in DEMO.rglob("*"):
        if path.is_file():
            to = city / path.relative_to(DEMO)
            to.parent.mkdir(exist_ok=True)
            to.write_bytes(path.read_bytes())
    matters = (city / "matters.csv").read_text("utf-8").splitlines()
    (city / "matters.csv").write_text("\n".join([*matters, matters[1]]) + "\n", "utf-8")
    result = gridcase("init", "--city", str(city), "--database", f"sqlite:///{tmp_path / 'c.db'}")
    assert result.returncode == 5
    assert "matters.csv" in result.stderr.splitlines()[3]
    assert result.stderr.splitlines()[-1].startswith("gridcase: ")
    assert "Nothing was published" in result.stderr.splitlines()[-1]
    assert not (tmp_path / "c.db").exists()


def test_a_database_of_a_newer_release(copy: Path) -> None:
    change(copy, "update alembic_version set version_num = '9999'")
    before = copy.read_bytes()
    one_line(gridcase("case", "list", "--database", f"sqlite:///{copy}"), 6, "newer release", "9999")
    assert copy.read_bytes() == before


@pytest.mark.parametrize("kept", [0.5, 0.0])
def test_a_file_that_was_cut_or_is_empty(copy: Path, kept: float) -> None:
    whole = copy.read_bytes()
    copy.write_bytes(whole[: int(len(whole) * kept)])
    before = copy.read_bytes()
    result = gridcase("case", "list", "--database", f"sqlite:///{copy}")
    assert result.returncode in {4, 6}
    one_line(result, result.returncode, "city.db")
    assert copy.read_bytes() == before


def test_a_file_that_is_something_else(tmp_path: Path) -> None:
    path = tmp_path / "city.db"
    path.write_text("Dear diary, " * 1000)
    one_line(gridcase("run", "--database", f"sqlite:///{path}"), 6, "city.db")
    assert path.read_text() == "Dear diary, " * 1000


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    one_line(
        gridcase("init", "--city", str(DEMO), "--database", f"sqlite:///{tmp_path / 'c.db'}"), 6, "written"
    )
    tmp_path.chmod(0o700)


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    place = tmp_path / "file" / "city.db"
    one_line(gridcase("init", "--city", str(DEMO), "--database", f"sqlite:///{place}"), 6, "written")


def test_two_processes_on_one_city(copy: Path) -> None:
    url = f"sqlite:///{copy}"
    first = subprocess.Popen(
        [*GRIDCASE, "run", "--database", url],
        cwd=ROOT, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert first.stdout is not None
        assert "at work" in first.stdout.readline()
        one_line(gridcase("run", "--database", url), 4, str(first.pid))
        assert gridcase("case", "list", "--database", url).returncode == 0
        assert gridcase("send", "--text", "路灯不亮", "--database", url).returncode == 0
    finally:
        first.terminate()
        assert first.wait(20) == 0


def test_a_city_is_not_founded_over_another(copy: Path) -> None:
    before = copy.read_bytes()
    boston = ROOT / "cities" / "boston"
    if not boston.exists():
        pytest.skip("cities/boston is not there")
    one_line(gridcase("init", "--city", str(boston), "--database", f"sqlite:///{copy}"), 4, "boston", "yunxi")
    assert copy.read_bytes() == before
