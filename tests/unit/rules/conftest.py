from pathlib import Path
from shutil import copytree

import pytest

from rules.folder import read_folder
from rules.writing import write_workbook
from tests.keeping import TINY, Clerk, Keeper


@pytest.fixture
def keeper(tmp_path: Path) -> Keeper:
    copytree(TINY, tmp_path / "city")
    return Keeper(tmp_path / "city")


@pytest.fixture
def clerk(tmp_path: Path) -> Clerk:
    path = tmp_path / "city.xlsx"
    write_workbook(read_folder(TINY), path)
    return Clerk(path)
