from pathlib import Path
from shutil import copy, copytree

import pytest

from rules.folder import read_folder
from rules.writing import write_workbook
from tests.keeping import TINY, Clerk, Keeper


@pytest.fixture
def keeper(tmp_path: Path) -> Keeper:
    copytree(TINY, tmp_path / "city")
    return Keeper(tmp_path / "city")


@pytest.fixture(scope="session")
def tiny_workbook(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tiny") / "city.xlsx"
    write_workbook(read_folder(TINY), path)
    return path


@pytest.fixture
def clerk(tmp_path: Path, tiny_workbook: Path) -> Clerk:
    return Clerk(Path(copy(tiny_workbook, tmp_path)))
