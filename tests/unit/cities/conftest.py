from functools import cache
from pathlib import Path

import pytest

from rules.bundle import Bundle
from rules.faults import Faults
from rules.folder import compile_folder

CITIES = Path(__file__).parents[3] / "cities"


@cache
def city(name: str) -> Bundle:
    bundle = compile_folder(CITIES / name)
    assert not isinstance(bundle, Faults), "\n".join(map(str, bundle))
    return bundle


@pytest.fixture(scope="session")
def demo() -> Bundle:
    return city("demo")
