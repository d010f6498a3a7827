"""Every template that a route of our cities names asks only for words that there are."""

from pathlib import Path

import pytest

from rules.bundle import Bundle
from rules.folder import compile_folder
from rules.posts import ROLES
from rules.routes import AUDIENCES
from rules.templates import CASE_FIELDS, FIELDS
from services.notifier.audience import PARTS
from services.notifier.known import Known
from services.notifier.words import OF_CASE, Words
from tests.builders_case import CASE, assigned
from tests.builders_city import tiny_city
from tests.stories import START

CITIES = Path(__file__).resolve().parents[3] / "cities"


@pytest.fixture(params=["tiny", "demo", "county", "boston", "newyork"])
def bundle(request: pytest.FixtureRequest) -> Bundle:
    if request.param == "tiny":
        return tiny_city()
    compiled = compile_folder(CITIES / request.param)
    if not isinstance(compiled, Bundle):
        pytest.skip(f"cities/{request.param} does not compile yet")
    return compiled


def test_every_routed_template_can_be_said_in_every_language(bundle: Bundle) -> None:
    routed = {route.template for route in bundle.parts.routes}
    found = {row.code: row.fields - FIELDS for row in bundle.parts.templates if row.code in routed}
    assert found.keys() == routed
    assert not {code: strange for code, strange in found.items() if strange}
    words = Words(CASE, Known(), assigned(START), bundle, "zh")
    for code in routed:
        for language in bundle.city.languages:
            assert "{" not in bundle.templates.render(code, language, words)


def test_every_audience_is_found_somewhere() -> None:
    assert set(AUDIENCES) == PARTS.keys() | ROLES.keys()


def test_a_word_that_nobody_has_is_a_bug() -> None:
    words = Words(CASE, Known(), assigned(START), tiny_city(), "zh")
    with pytest.raises(KeyError):
        words["reporter"]
    assert set(words) == FIELDS
    assert len(words) == len(FIELDS)
    assert OF_CASE.keys() == CASE_FIELDS


def test_an_event_says_its_limits_and_times_as_people_do() -> None:
    words = Words(CASE, Known(lead="CG", assistants=("JW1", "X")), assigned(START), tiny_city(), "zh")
    assert (words["limit"], words["at"], words["reason"]) == ("3工作日", "2026-03-02 09:00", "")
    assert (words["lead"], words["assistants"]) == ("河东街道城管执法队", "柳树社区居委会、X")
