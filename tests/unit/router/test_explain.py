from services.router.explain import lines, routes
from tests.builders_city import CLUTTER, STREET_TRADING, tiny_city
from tests.unit.router.telling import life, strict_city


def name(code: str) -> str:
    return tiny_city().units[code].name


def test_each_unit_has_its_line_with_step_and_entry() -> None:
    case = life(strict_city()).open(CLUTTER, area="G21").accept(triage="big")
    [route] = routes(case.history)
    assert lines(route, "en") == (
        "1  JW2  refused  step 6  no entry",
        "2  JD  passed  entry not needed  → lead",
    )
    [named] = routes(case.history, name)
    assert lines(named, "zh")[0] == "1  杏花社区居委会 JW2  不通过  第6步  无准入条目"


def test_assistants_and_observed_refusals_are_shown() -> None:
    [route] = routes(life().routed(STREET_TRADING).history)
    assert lines(route, "en") == (
        "1  CG  passed  entry not needed  → lead",
        "2  JW1  passed  entry AST-01 v1  → assist",
    )
    [route] = routes(life().open(CLUTTER, area="G21").accept(triage="big").history)
    assert lines(route, "en") == ("1  JW2  passed  (observed: would be no entry)  → lead",)
