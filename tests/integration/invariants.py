"""What design.md §4 promises of any history, checked on the rows that a city left."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from kernel.journal import RULES_STREAM, Record
from rules.inforce import Rules
from schemas.case.assigning import AdmissionDecided, CaseAssigned
from schemas.case.closing import CallbackRecorded, CaseClosed, CaseReopened, InspectionPassed, ReworkOrdered
from schemas.case.opening import CaseVoided
from schemas.case.states import OPEN
from schemas.case.supervising import SupervisionOpened
from schemas.wire import trusted
from services.router.admission import PASSED, SELF_GOVERNED
from services.router.evolve import AT_BOUND
from services.router.processor import ROUTER_CASE
from services.router.state import CENTRE_STATES
from services.sla.explain import Explanation, Told, clocks_of, explain
from services.sla.processor import CLOCK
from tests.integration.lived import Lived

MINUTE = 60


def hold(lived: Lived) -> dict[str, int]:
    """Check every case; how much there was to check."""
    counts: dict[str, int] = {}
    for stream, rows in streams(lived.rows(ROUTER_CASE.name)).items():
        events = [(row, trusted(row.body).message) for row in rows]
        for name, number in (
            ("accountable", one_accountable(stream, events, lived.rules)),
            ("admitted", admitted_first(events, lived.rules)),
            ("closed", closed_with_proof([event for _, event in events])),
        ):
            counts[name] = counts.get(name, 0) + number
    counts["deadlines"] = deadlines_explained(lived)
    return counts


def streams(rows: Iterable[Record]) -> Mapping[str, list[Record]]:
    found: dict[str, list[Record]] = {}
    for row in rows:
        if not row.stream.startswith(RULES_STREAM):
            found.setdefault(row.stream, []).append(row)
    return found


def one_accountable(stream: str, events: list[tuple[Record, Any]], rules: Mapping[int, Rules]) -> int:
    """§4.1: after every event of an open case one existing unit answers for it."""
    case, checked = ROUTER_CASE.initial, 0
    for row, event in events:
        case = ROUTER_CASE.evolve(case, event)
        if case.state not in OPEN:
            continue
        bundle = rules[row.rules].bundle
        unit = case.accountable(bundle.city.centre)
        assert unit in bundle.units, f"{stream}/{row.version}: {unit!r} answers for {case.state}"
        assert (unit == bundle.city.centre and not case.lead) == (case.state in CENTRE_STATES)
        assert case.lead not in case.assistants
        checked += 1
    return checked


def admitted_first(events: list[tuple[Record, Any]], rules: Mapping[int, Rules]) -> int:
    """§4.2: every lead and assistant has the finding of this very decision, and passed it."""
    finding: tuple[Record, AdmissionDecided] | None = None
    checked = 0
    for row, event in events:
        if isinstance(event, AdmissionDecided):
            finding = (row, event)
        if not isinstance(event, CaseAssigned):
            continue
        assert finding is not None
        found, decided = finding
        assert (found.cause, found.now, decided.t) == (row.cause, row.now, row.now)
        assert (decided.rules, decided.edition) == (row.rules, rules[row.rules].bundle.hash)
        assert (decided.lead, decided.assistants) == (event.lead, event.assistants)
        passed = {(one.unit, one.role) for one in decided.verdicts if one.verdict in (PASSED, SELF_GOVERNED)}
        assert {(event.lead, "lead"), *((unit, "assist") for unit in event.assistants)} <= passed
        checked += 1
    return checked


def closed_with_proof(events: Iterable[Any]) -> int:
    """§4.3: closed after an inspection of this round and the call that `how` names; void with its remedy.

    At the bound of rounds the word of a supervisor or of a meeting on the call stands in their place.
    """
    inspected = at_bound = called = False
    outcomes: set[str] = set()
    checked = 0
    for event in events:
        if isinstance(event, InspectionPassed):
            inspected = True
        elif isinstance(event, CallbackRecorded):
            called = True
            outcomes |= {event.outcome} if event.over else set()
        elif isinstance(event, SupervisionOpened):
            at_bound = at_bound or event.reason == AT_BOUND
        elif isinstance(event, ReworkOrdered | CaseReopened):
            inspected = at_bound = called = False
            outcomes = set()
        elif isinstance(event, CaseClosed):
            checked += 1
            if at_bound:
                assert called, "closed at the bound without anybody's word"
            elif event.how == "no_reporter":
                assert inspected
                assert not called
            else:
                assert inspected
                assert event.how in outcomes
        elif isinstance(event, CaseVoided):
            assert event.reason
            assert event.remedy
            checked += 1
    return checked


def deadlines_explained(lived: Lived) -> int:
    """§4.7: the intervals of every run lie end to end, and what they count is what the clock says it used."""
    checked = 0
    for stream, rows in streams(lived.rows(CLOCK.name)).items():
        bundle = lived.rules[rows[-1].rules].bundle
        history = [Told(row.now, trusted(row.body).message) for row in rows]
        for clock in clocks_of(history):
            for one in explain(history, clock, bundle.calendars.of_version, lived.end):
                explained(f"{stream} {clock}", one)
                checked += 1
    return checked


def explained(what: str, one: Explanation) -> None:
    """One run of one clock: what its intervals count is what it used, and the rest is left."""
    for stretch in one.stretches:
        counted = sum(_end_to_end(what, stretch.intervals, stretch.start, stretch.end))
        assert abs(stretch.seconds - counted) <= 1, what
    spent = sum(stretch.seconds for stretch in one.stretches)
    if one.term is not None and one.rest is not None:
        assert one.rest == one.term.minutes * MINUTE - spent, what


def _end_to_end(stream: str, intervals: Iterable[Any], start: datetime, end: datetime) -> Iterator[int]:
    """Clocks count whole seconds; where they start between two of them, one second is open to rounding."""
    reached = start.replace(microsecond=0)
    for part in intervals:
        told = f"{stream}: {reached} to {part.start} is neither counted nor skipped"
        assert part.start.replace(microsecond=0) == reached, told
        assert part.why
        reached = part.end.replace(microsecond=0)
        yield int((part.end - part.start).total_seconds()) if part.counted else 0
    assert reached == end.replace(microsecond=0), f"{stream}: explained up to {reached}, not to {end}"
