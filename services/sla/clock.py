"""One clock counted: its limit, its calendar, its due, and the moments at which it speaks (闹点)."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from rules.clocks import DEFAULTS, LAWS
from rules.inforce import Rules
from rules.limits import Limit
from rules.modes import Mode
from rules.policies import Policy
from rules.workdays import Calendar, instant_of, second_of
from schemas.case.closing import ReworkOrdered
from schemas.case.timing import Firing, Term
from schemas.sla import Alarm, CaseFacts, CaseTerms, ClockHalt, ClockRun, Segment
from services.sla.state import Clock


class Count(NamedTuple):
    """How a clock counts: `calendar` is none where every minute counts, `hours` are known all the same."""

    policy: Policy
    mode: str
    calendar: Calendar | None
    hours: Calendar


class Basis(NamedTuple):
    """What a start is decided by: the case after its event, the event, and the rules in force."""

    facts: CaseFacts
    terms: CaseTerms
    event: Any
    rules: Rules


def policy_of(clock: str, terms: CaseTerms, rules: Rules) -> Policy:
    """The city's policy for this clock in the mode of the case's area, or the proposed one."""
    policy = rules.bundle.policies.clock(clock, rules.mode(terms.area))
    silent = policy.limit is None and not policy.ladder and not policy.warn
    return DEFAULTS.get(clock, policy) if silent else policy


def count_of(clock: str, unit: str, term: Term | None, terms: CaseTerms, rules: Rules) -> Count:
    """The office hours that count: the policy's, those of the unit that has to move, the city's.

    What the centre owes counts by the city's: its staff is there at night, 5 工作日 are no 40 hours.
    """
    bundle = rules.bundle
    policy = policy_of(clock, terms, rules)
    owing = bundle.units.get(unit) if unit else None
    hours = bundle.calendars.get(policy.calendar or (owing.calendar if owing else ""))
    if term is None or not term.working:
        return Count(policy, "continuous", None, hours)
    matter = bundle.matters.get(terms.matter)
    if matter and matter.emergency_continuous and rules.mode(terms.area) is Mode.EMERGENCY:
        return Count(policy, "emergency", None, hours)
    return Count(policy, "working", hours, hours)


def started(clock: str, basis: Basis, *, run: int, since: int) -> ClockRun:
    """The clock starts anew with the event: from its `at`, with the limit that it finds there."""
    law = LAWS[clock]
    unit = basis.facts.lead if law.owes == "lead" else ""
    term, why = _term(clock, basis)
    count = count_of(clock, unit, term, basis.terms, basis.rules)
    due, alarm = _planned(term, count, basis.event.at, ())
    return ClockRun(
        clock=clock,
        run=run,
        since=since,
        unit=unit,
        term=term,
        basis=why,
        mode=count.mode,
        calendar=count.calendar.version if count.calendar else "",
        start=basis.event.at,
        due=due,
        provisional=_provisional(count, basis.event.at, due),
        alarm=None if basis.terms.historic else alarm,
    )


def resumed(clock: Clock, terms: CaseTerms, rules: Rules, at: datetime) -> ClockRun:
    """The clock goes on with what is left of its limit."""
    return recounted(clock, terms, rules, at, clock.segments)


def recounted(
    clock: Clock, terms: CaseTerms, rules: Rules, start: datetime, earlier: tuple[Segment, ...]
) -> ClockRun:
    """The run from `start` on, by the calendar in force; what has been asked for is not asked again."""
    run = clock.run
    count = count_of(run.clock, run.unit, run.term, terms, rules)
    due, alarm = _planned(run.term, count, start, earlier, fixed=run.due if clock.asked else None)
    return ClockRun(
        clock=run.clock,
        run=run.run,
        since=run.since,
        unit=run.unit,
        term=run.term,
        basis=run.basis,
        mode=count.mode,
        calendar=count.calendar.version if count.calendar else "",
        start=start,
        due=due,
        provisional=_provisional(count, start, due),
        alarm=None if terms.historic else alarm,
        earlier=earlier,
    )


def halted(clock: Clock, rules: Rules, at: datetime) -> ClockHalt:
    """The clock pauses or stops at `at`: what it counted since it last ran, and what is left."""
    run = clock.run
    end = run.start if clock.paused else max(at, run.start)
    calendar = rules.bundle.calendars.get(run.calendar.partition("@")[0]) if run.calendar else None
    low, high = second_of(run.start), second_of(end)
    ran = calendar.open_seconds(low, high) if calendar else high - low
    before = clock.segments if clock.paused else run.earlier
    spent = ran + sum(segment.counted for segment in before)
    return ClockHalt(
        clock=run.clock,
        run=run.run,
        since=run.since,
        segment=Segment(start=run.start, end=end, counted=ran, calendar=calendar.version if calendar else ""),
        rest=run.term.minutes * 60 - spent if run.term else None,
        supervised=bool(clock.presses),
    )


def next_alarm(run: ClockRun, terms: CaseTerms, rules: Rules, after: str) -> Alarm | None:
    """The first moment behind the step `after`, by the policy in force now."""
    if run.term is None or run.due is None:
        return None
    count = count_of(run.clock, run.unit, run.term, terms, rules)
    alarms = _alarms(run.term, count, run.start, run.due, run.earlier)
    for alarm in alarms:
        if alarm.step == after:
            break
    return next(alarms, None)


def firing(clock: Clock, seen: int) -> Firing:
    """What the clock names when it speaks to the case."""
    run = clock.run
    return Firing(clock=run.clock, due=run.due or run.start, since=run.since, seen=seen)


def _planned(
    term: Term | None,
    count: Count,
    start: datetime,
    earlier: tuple[Segment, ...],
    *,
    fixed: datetime | None = None,
) -> tuple[datetime | None, Alarm | None]:
    """Due and first alarm of a run. A due that has fired is `fixed`: only rungs behind it are left."""
    if term is None:
        return None, None
    rest = term.minutes * 60 - sum(segment.counted for segment in earlier)
    due = fixed if fixed and rest <= 0 else _after(count.calendar, start, rest)
    alarms = _alarms(term, count, start, due, earlier)
    if fixed:
        behind = (alarm for alarm in alarms if alarm.step.startswith("rung") and alarm.due > start)
        return due, next(behind, None)
    return due, next(alarms, None)


def _alarms(
    term: Term, count: Count, start: datetime, due: datetime, earlier: tuple[Segment, ...]
) -> Iterator[Alarm]:
    """Warnings by share of the limit, the due, then the rungs behind it, in this order."""
    spent = sum(segment.counted for segment in earlier)
    for percent in count.policy.warn:
        need = term.minutes * 60 * percent // 100 - spent
        if need > 0:
            yield Alarm(step=f"warn{percent}", due=_after(count.calendar, start, need))
    yield Alarm(step="due", due=due)
    for number, rung in enumerate(count.policy.ladder):
        if rung.after is not None:
            hours = count.hours if rung.after.working else None
            yield Alarm(step=f"rung{number}", due=_after(hours, due, rung.after.minutes * 60))


def _after(calendar: Calendar | None, start: datetime, seconds: int) -> datetime:
    second = second_of(start)
    return instant_of(calendar.after(second, seconds) if calendar else second + max(seconds, 0))


def _provisional(count: Count, start: datetime, due: datetime | None) -> bool:
    return due is not None and count.calendar is not None and count.calendar.provisional(due, start)


def _term(clock: str, basis: Basis) -> tuple[Term | None, str]:
    """The limit of a clock and where it comes from."""
    facts, terms = basis.facts, basis.terms
    work = terms.leg_limit or terms.limit
    if clock == "case":
        return terms.limit, "condition"
    if clock in ("handle", "leg"):
        if isinstance(basis.event, ReworkOrdered):
            return basis.event.limit, "rework"
        if clock == "handle" and facts.stage < len(terms.stages):
            return terms.stages[facts.stage], "stage"
        return work, "condition"
    if clock == "sign" and work and work.minutes <= basis.rules.bundle.bounds.short_limit_minutes:
        return work, "window"
    limit = policy_of(clock, terms, basis.rules).limit
    return (_as_term(limit) if limit else None), "policy"


def _as_term(limit: Limit) -> Term:
    return Term(text=limit.text, minutes=limit.minutes, working=limit.working, urgent=limit.urgent)
