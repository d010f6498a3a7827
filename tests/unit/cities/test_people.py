from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from cities.people import REACTIONS, SECOND_THOUGHTS, Act, People
from rules.bundle import Bundle
from schemas.case import assigning, closing, handling, opening, union
from schemas.case.timing import Term
from schemas.intake import Located, ReadReport

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
CASE = "20261123-SQ01-0001"
LIMIT = Term(text="4小时", minutes=240, working=True)
REPORT = ReadReport(
    report="demo.app~1",
    channel="app",
    kind="problem",
    text="一堆垃圾没人收",
    place="",
    position=None,
    areas=(Located(layer="治理", area="SQ01"),),
    located=1000,
    matter="E-01-10",
    confidence=950,
    received=NOW,
    occurred=None,
    reporter="app-1",
    historic=False,
)
OPENED = opening.CaseOpened(
    case=CASE,
    desk="SQ01",
    area="SQ01",
    matter="E-01-10",
    matter_name="暴露生活垃圾",
    report=REPORT,
    historic=False,
    at=NOW,
)
ACCEPTED = opening.CaseAccepted(
    matter="E-01-10",
    matter_name="暴露生活垃圾",
    condition="E-01-10-1",
    triage="big",
    area="SQ01",
    desk="SQ01",
    limit=LIMIT,
    leg_limit=LIMIT,
    stages=(),
    closing=("垃圾已清走",),
    calendar="",
    automatic=True,
    by="desk",
    at=NOW,
)
ASSIGNED = assigning.CaseAssigned(
    lead="YX-CGJ",
    lead_name="",
    assistants=(),
    supervising=(),
    limit=LIMIT,
    leg_limit=LIMIT,
    calendar="",
    handle_at_once=True,
    same_lead=False,
    reachable=True,
    number=1,
    origin="trade",
    reason="",
    by="router.case",
    at=NOW,
)


@pytest.fixture
def people(demo: Bundle) -> People:
    return People(demo, 1)


def kinds(acts: object) -> set[str]:
    return {type(act.command).__name__ for act in acts}  # type: ignore[attr-defined]


def test_a_sure_report_leaves_the_clerk_alone_and_an_unsure_one_does_not(people: People) -> None:
    assert not people.hears(CASE, OPENED, NOW)
    unsure = replace(OPENED, report=replace(REPORT, confidence=100))
    assert kinds(people.hears("other", unsure, NOW)) == {"AcceptCase"}


def test_the_clerk_voids_what_makes_no_sense(people: People) -> None:
    empty = replace(OPENED, matter="", report=replace(REPORT, text="asdfghjkl", matter="", confidence=0))
    acts = people.hears(CASE, empty, NOW)
    assert kinds(acts) == {"VoidCase"}
    assert acts[0].post.startswith("P-clerk")


def test_most_units_sign_some_object_and_some_stay_silent(demo: Bundle) -> None:
    answers: list[str] = []
    for seed in range(400):
        people = People(demo, seed)
        for event in (OPENED, ACCEPTED):
            people.hears(CASE, event, NOW)
        acts = people.hears(CASE, ASSIGNED, NOW)
        answers.append(type(acts[0].command).__name__ if acts else "silent")
    assert answers.count("SignCase") > 320
    assert answers.count("ObjectToCase") > 5
    assert answers.count("silent") > 5


def test_the_same_seed_and_history_give_the_same_acts(demo: Bundle) -> None:
    def told() -> list[Act]:
        people = People(demo, 9)
        return [act for event in (OPENED, ACCEPTED, ASSIGNED) for act in people.hears(CASE, event, NOW)]

    assert told() == told()


def test_a_unit_resolves_with_every_closing_item_and_an_inspector_looks_at_each(people: People) -> None:
    for event in (OPENED, ACCEPTED, ASSIGNED):
        people.hears(CASE, event, NOW)
    acts = people.hears(CASE, handling.CaseSigned(unit="YX-CGJ", reachable=True, by="P", at=NOW), NOW)
    assert kinds(acts) == {"RecordProgress", "ReportResolved"}
    result = next(act.command for act in acts if isinstance(act.command, closing.ReportResolved))
    assert [item.item for item in result.items] == ["垃圾已清走"]
    resolved = closing.ResolutionReported(
        unit="YX-CGJ",
        outcome="solved",
        answer="好",
        items=result.items,
        settled_level="",
        round=1,
        by="P",
        at=NOW,
    )
    (inspection,) = people.hears(CASE, resolved, NOW)
    assert isinstance(inspection.command, closing.RecordInspection)
    assert inspection.post.startswith("P-inspector")


def test_what_was_planned_is_dropped_when_the_case_moves_on(people: People) -> None:
    for event in (OPENED, ACCEPTED, ASSIGNED):
        people.hears(CASE, event, NOW)
    acts = people.hears(CASE, handling.CaseSigned(unit="YX-CGJ", reachable=False, by="P", at=NOW), NOW)
    assert all(people.stands(act) for act in acts)
    people.hears(CASE, replace(ASSIGNED, lead="ZF01", number=2), NOW + timedelta(minutes=1))
    assert not any(people.stands(act) for act in acts)
    assert people.unfinished() == [CASE]


def test_everything_that_people_react_to_is_an_event_of_the_case() -> None:
    assert set(REACTIONS) <= set(union.CaseEvent.__args__)
    assert set(SECOND_THOUGHTS) <= {command.__name__ for command in union.CaseCommand.__args__}
