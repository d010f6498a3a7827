"""Stories of the fan and of recipients' desks in the tiny city."""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from kernel.processor import Sender
from rules.edition import Edition
from rules.inforce import Rules
from services.notifier.fan import FAN
from services.notifier.processor import DESK
from tests.builders_case import CASE
from tests.builders_city import tiny_city, tiny_parts
from tests.stories import Story

ROUTER = Sender("processor", "router.case")
FANNED = Sender("processor", "notifier.fan")


def city(**parts: Any) -> Rules:
    """The tiny city with some of its parts replaced."""
    if not parts:
        return Rules(1, tiny_city())
    return Rules(1, Edition.of(replace(tiny_parts(), **parts)).load())


@pytest.fixture
def fan() -> Story:
    return Story(FAN, city(), CASE, ROUTER)


@pytest.fixture
def desk() -> Callable[..., Story]:
    def of(recipient: str, rules: Rules | None = None) -> Story:
        return Story(DESK, rules or city(), recipient, FANNED)

    return of
