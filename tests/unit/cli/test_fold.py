"""A snapshot is good for the code that folded it: `fold_of` tells that code from any other."""

from collections.abc import Callable
from pathlib import Path

import pytest

import kernel
import rules
import schemas
from cli import assemble
from cli.assemble import fold_of
from cli.topology import PROCESSORS
from services import router
from services.router.processor import ROUTER_CASE
from services.sla.processor import CLOCK

FOLDED = {"schemas": schemas, "rules": rules, "kernel": kernel, "services/router": router}
FILES = ("__init__.py", "evolve.py", "state.py", "decisions/opening.py")


def write(folder: Path) -> None:
    for name in FILES:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"SAYS = {file.parent.name + name!r}\n", "utf-8")


@pytest.fixture
def code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Code that may be changed, in the place of our own."""
    for folder, package in FOLDED.items():
        write(tmp_path / folder)
        monkeypatch.setattr(package, "__path__", [str(tmp_path / folder)])
    return tmp_path


@pytest.fixture(autouse=True)
def _read_anew() -> None:
    assemble._code_of.cache_clear()


def fold() -> str:
    assemble._code_of.cache_clear()
    return fold_of(ROUTER_CASE)


def edited(folder: Path) -> None:
    file = folder / "decisions" / "opening.py"
    file.write_text(file.read_text("utf-8") + "# another word\n", "utf-8")


def added(folder: Path) -> None:
    (folder / "later.py").touch()


def removed(folder: Path) -> None:
    (folder / "state.py").unlink()


def renamed(folder: Path) -> None:
    (folder / "state.py").rename(folder / "states.py")


def moved_on(folder: Path) -> None:
    """A line goes from the end of one file to the begin of the next."""
    first, second = folder / "evolve.py", folder / "state.py"
    second.write_text(first.read_text("utf-8") + second.read_text("utf-8"), "utf-8")
    first.write_text("", "utf-8")


@pytest.mark.parametrize("change", [edited, added, removed, renamed, moved_on])
@pytest.mark.parametrize("folder", FOLDED)
def test_any_change_of_what_a_fold_may_use_is_another_fold(
    code: Path, folder: str, change: Callable[[Path], None]
) -> None:
    before = fold()
    assert before == fold()
    change(code / folder)
    assert fold() != before


@pytest.mark.parametrize("folder", ["tests", "docs", "cli", "bench", "services/notifier"])
def test_what_no_fold_uses_changes_none(code: Path, folder: str) -> None:
    before = fold()
    write(code / folder)
    (code / "schemas" / "published.json").write_text("{}", "utf-8")
    assert fold() == before


def test_where_the_code_lies_makes_no_difference(
    code: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = fold()
    there = tmp_path / "elsewhere"
    for folder, package in FOLDED.items():
        (there / folder).parent.mkdir(parents=True, exist_ok=True)
        (code / folder).rename(there / folder)
        monkeypatch.setattr(package, "__path__", [str(there / folder)])
    assert fold() == before


def test_each_service_has_a_fold_of_its_own() -> None:
    making = [one for one in PROCESSORS if one.snapshot is not None]
    folds = {one.service: fold_of(one) for one in making}
    assert len(set(folds.values())) == len(folds) > 1
    assert all(fold_of(one) == folds[one.service] for one in making)


def test_who_makes_no_snapshot_has_none() -> None:
    assert fold_of(CLOCK) == ""
