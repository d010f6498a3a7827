"""Where the real data of cities lies, which is not part of this repository."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BESIDE = ROOT.parent / "shared" / "data"


def folder() -> Path | None:
    """What GRIDCASE_TEST_DATA names, else ../shared/data beside the repository; `None` if there is none."""
    named = os.environ.get("GRIDCASE_TEST_DATA", "")
    place = Path(named) if named else BESIDE
    return place if place.is_dir() else None


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder, or the test is skipped and the run says so."""
    place = folder()
    if place is None:
        pytest.skip("no real city data: neither GRIDCASE_TEST_DATA nor ../shared/data")
    return place
