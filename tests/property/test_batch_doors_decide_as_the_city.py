"""The batch doors never break off, and what they answer is what the city itself would decide."""

from datetime import UTC, date, datetime, timedelta

import msgspec
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cli.assign import Assigner
from cli.locate import Locator
from rules.bundle import Bundle
from rules.inforce import Rules
from rules.modes import Mode
from schemas.case.assigning import AdmissionDecided, AssignCase, CaseAssigned
from schemas.case.opening import AcceptCase
from schemas.intake import Located
from tests.builders_city import CLUTTER, MANHOLE, MIDDLE, QUARREL, STREET_TRADING, tiny_city
from tests.stories import START
from tests.unit.router.telling import centre, city, life, strict_city

DAY = date(2026, 3, 2)
LOCATOR = Locator(tiny_city(), DAY)
BUNDLES = (tiny_city(), strict_city(), city(entries=()))
CONDITIONS = {CLUTTER: "1", MANHOLE: "2", QUARREL: "1", STREET_TRADING: "1"}
numbers = st.one_of(
    st.floats().map(str), st.integers().map(str), st.decimals().map(str), st.text(max_size=12)
)
words = st.text(max_size=20)


@given(
    numbers,
    numbers,
    st.sampled_from(["", "GCJ-02", "BD-09", "WGS84", "?"]),
    st.sampled_from(["", "治理", "无"]),
)
@example("0", "0", "", "")
@example("1e999999", "-0", "BD-09", "")
def test_locate_answers_whatever_the_numbers(lon: str, lat: str, crs: str, layer: str) -> None:
    told(LOCATOR.answer({"lon": lon, "lat": lat, "crs": crs, "layer": layer}))


@given(st.floats(-180, 180), st.floats(-90, 90), st.sampled_from(["", "GCJ-02", "BD-09"]))
def test_locate_answers_for_any_point_of_the_earth(lon: float, lat: float, crs: str) -> None:
    told(LOCATOR.answer({"lon": str(lon), "lat": str(lat), "crs": crs}))


@given(words, words, words)
def test_locate_answers_whatever_the_words(code: str, scheme: str, text: str) -> None:
    told(LOCATOR.answer({"code": code, "scheme": scheme, "text": text}))


@given(st.fixed_dictionaries({
    "matter": st.sampled_from([CLUTTER, MANHOLE, ""]), "condition": st.sampled_from(["1", "", "x"]),
    "place": words, "time": st.one_of(words, st.datetimes().map(str)), "mode": words,
}))  # fmt: skip
def test_assign_answers_whatever_the_row(cells: dict[str, str]) -> None:
    told(Assigner(Rules(0, tiny_city())).answer(cells))


def told(answer: object) -> None:
    """An answer, or refusals with all that is asked of them."""
    if isinstance(answer, tuple):
        assert answer
        assert all(one.code and one.expected for one in answer)
    else:
        assert isinstance(answer, dict)
    assert msgspec.json.encode(answer)


@settings(deadline=None)
@given(
    st.sampled_from(BUNDLES),
    st.sampled_from(sorted(CONDITIONS)),
    st.sampled_from(sorted(MIDDLE)),
    st.sampled_from(list(Mode)),
    st.integers(0, 500),
)
def test_assign_says_what_the_router_writes(
    bundle: Bundle, matter: str, grid: str, mode: Mode, days: int
) -> None:
    at = START + timedelta(days=days)
    finding, assigned = routed(bundle, matter, grid, mode, at)
    lon, lat = MIDDLE[grid]
    answer = Assigner(Rules(7, bundle)).answer({
        "matter": matter, "condition": CONDITIONS[matter], "time": at.astimezone(UTC).isoformat(),
        "mode": mode.value, "lon": f"{lon / 10_000_000:.7f}", "lat": f"{lat / 10_000_000:.7f}",
    })  # fmt: skip
    assert isinstance(answer, dict), answer
    assert answer["finding"] == msgspec.to_builtins(finding.verdicts)
    assert (answer["lead"], answer["lead_name"]) == (assigned.lead, assigned.lead_name)
    assert answer["assistants"] == [*assigned.assistants] == [*finding.assistants]
    assert (answer["supervising"], answer["origin"]) == ([*assigned.supervising], assigned.origin)
    assert (answer["mode"], answer["edition"]) == (finding.mode, finding.edition)
    assert (answer["place"]["area"], answer["limit"]) == (finding.area, assigned.limit.text)
    assert answer["t"] == finding.t


def routed(
    bundle: Bundle, matter: str, grid: str, mode: Mode, at: datetime
) -> tuple[AdmissionDecided, CaseAssigned]:
    """A living case of the same report: opened, accepted and dispatched by the router."""
    case = life(bundle, {grid: mode})
    case.now = at
    case.open(matter, areas=(Located(layer="治理", area=grid),))
    case.sent(AcceptCase(condition=CONDITIONS[matter]), centre("clerk"))
    if CaseAssigned not in map(type, case.history):
        case.sent(AssignCase(), centre("dispatcher"))
    return case.last(AdmissionDecided), case.last(CaseAssigned)
