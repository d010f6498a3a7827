"""`gridcase compare`: whether two cities that lived the same reports came to the same cases."""

from collections.abc import Iterator, Mapping
from datetime import datetime, tzinfo
from typing import Annotated, Any, Final, NamedTuple

import typer

from cli.opening import look
from cli.options import AsJson, Database
from cli.output import Exit, emit, local, table
from cli.reading import View
from services.router.processor import ROUTER_CASE
from services.router.state import Case

_SHOWN: Final = 40


class Difference(NamedTuple):
    """One thing in which the case of a report is not the same in both cities."""

    report: str
    what: str
    here: str
    there: str


def differences(here: Mapping[str, Case], there: Mapping[str, Case], zone: tzinfo) -> Iterator[Difference]:
    """Case by case, found by the report that opened it; numbers of cases do not count.

    Where a report opened a case in one city and came to another's case in the other, both say so.
    """
    ours, theirs = _by_report(here), _by_report(there)
    for report in sorted(ours.keys() | theirs.keys()):
        one, other = ours.get(report), theirs.get(report)
        if one is None or other is None:
            yield Difference(report, "case 案件", _case(one, here, report), _case(other, there, report))
            continue
        facts, others = _facts(one, zone), _facts(other, zone)
        for what, value in facts.items():
            if value != others[what]:
                yield Difference(report, what, value, others[what])


def compare(
    other: Annotated[str, typer.Option("--with", help="The database of the other city.")],
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Compare the cases of two cities that lived the same reports, such as on two hosts (比对)."""
    cases, zone = look(database, _cases)
    others, _ = look(other, _cases)
    found = list(differences(cases, others, zone))
    count = len(cases), len(others)
    value: dict[str, Any] = {
        "cases": {"here": count[0], "there": count[1]},
        "differences": [one._asdict() for one in found],
    }
    rows = [(one.report, one.what, one.here, one.there) for one in found[:_SHOWN]]
    title = f"{count[0]:,} cases here, {count[1]:,} there; {len(found):,} differences"
    emit(value, table(title, ["report", "what", "here", "there"], rows), as_json=as_json)
    raise typer.Exit(Exit.DIFFERENT if found else Exit.DONE)


async def _cases(view: View) -> tuple[Mapping[str, Case], tzinfo]:
    return await view.all_states(ROUTER_CASE), view.zone


def _by_report(cases: Mapping[str, Case]) -> Mapping[str, Case]:
    return {case.reports[0]: case for case in cases.values() if case.reports}


def _case(case: Case | None, cases: Mapping[str, Case], report: str) -> str:
    """What became of a report that opened a case in one of the cities only."""
    if case is not None:
        return f"opened {case.id}"
    at = next((one for one in cases.values() if report in one.reports), None)
    return f"came to the case of {at.reports[0]}" if at else "is in no case"


def _facts(case: Case, zone: tzinfo) -> Mapping[str, str]:
    return {
        "state 状态": str(case.state),
        "matter 事项": case.matter,
        "area 区域": case.area,
        "lead 主办": case.lead,
        "with it 协办": ", ".join(sorted(case.assistants)),
        "reports 报告": ", ".join(sorted(case.reports)),
        "round 轮次": str(case.round),
        "objections 异议": str(case.objections),
        "breaches 超时": _breaches(case, zone),
        "ended 办结": _time(case.ended, zone),
    }


def _breaches(case: Case, zone: tzinfo) -> str:
    late = {name: run.breached for name, run in case.clocks.items() if run.breached}
    words = [f"{name} {_time(at, zone)}" for name, at in sorted(late.items())]
    return ", ".join([str(case.breaches), *words])


def _time(at: datetime | None, zone: tzinfo) -> str:
    return local(at, zone) if at else ""
