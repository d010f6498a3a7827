from pathlib import Path
from shutil import copytree

import pytest

from tests.keeping import TINY, Keeper


@pytest.fixture
def keeper(tmp_path: Path) -> Keeper:
    copytree(TINY, tmp_path / "city")
    return Keeper(tmp_path / "city")
