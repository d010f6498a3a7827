"""Two cities that lived the same reports, case by case."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from cli.compare import Difference, differences
from schemas.case.states import State
from services.router.state import Case, Run

ZONE = ZoneInfo("Asia/Shanghai")
AT = datetime(2026, 3, 10, 1, 0, tzinfo=UTC)


def one(number: str, *reports: str, **facts: object) -> Case:
    return msgspec.structs.replace(Case(id=number, state=State.CLOSED, reports=reports), **facts)


def city(*cases: Case) -> Mapping[str, Case]:
    return {case.id: case for case in cases}


def test_the_numbers_of_cases_do_not_count() -> None:
    here = city(one("N-1", "a", "b"), one("N-2", "c"))
    there = city(one("N-2", "a", "b"), one("N-1", "c"))
    assert not list(differences(here, there, ZONE))


def test_what_differs_is_named_with_both_values() -> None:
    late = {"sign": Run(since=2, at=AT, breached=AT + timedelta(hours=2))}
    here = city(one("N-1", "a", lead="CG", clocks=late, breaches=1))
    there = city(one("N-1", "a", lead="SJ", state=State.VOID))
    assert list(differences(here, there, ZONE)) == [
        Difference("a", "state 状态", "closed", "void"),
        Difference("a", "lead 主办", "CG", "SJ"),
        Difference("a", "breaches 超时", "1, sign 2026-03-10 11:00", "0"),
    ]


def test_a_merge_that_went_the_other_way_round_is_told_from_both_sides() -> None:
    here = city(one("N-1", "a", "b"))
    there = city(one("N-1", "b", "a"))
    assert list(differences(here, there, ZONE)) == [
        Difference("a", "case 案件", "opened N-1", "came to the case of b"),
        Difference("b", "case 案件", "came to the case of a", "opened N-1"),
    ]


def test_a_report_that_is_lost_is_in_no_case() -> None:
    (found,) = differences(city(one("N-1", "a")), city(), ZONE)
    assert found == Difference("a", "case 案件", "opened N-1", "is in no case")
