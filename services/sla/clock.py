"""One clock counted: its limit, its calendar, its due, and the moments at which it speaks (闹点)."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from rules.clocks import DEFAULTS, LAWS
from rules.inforce import Rules
from rules.limits import Limit
from rules.modes import Mode
from rules.policies import Policy
from rules.workdays import Calendar, instant_of, second_of
from schemas.case.closing import ReworkOrdered
from schemas.case.timing import Firing, Term
from schemas.sla import Alarm, CaseFacts, ClockHalt, ClockRun, Segment
from services.sla.state import Clock


def policy_of(clock: str, facts: CaseFacts, rules: Rules) -> Policy:
    """The city's policy for this clock in the mode of the case's area, or the proposed one."""
    policy = rules.bundle.policies.clock(clock, rules.mode(facts.area))
    silent = policy.limit is None and not policy.ladder and not policy.warn
    return DEFAULTS.get(clock, policy) if silent else policy


def started(clock: str, facts: CaseFacts, rules: Rules, event: Any, *, run: int, since: int) -> ClockRun:
    """The clock starts anew with the event: from its `at`, with the limit that it finds there."""
    term, basis = _term(clock, facts, rules, event)
    unit = facts.lead if LAWS[clock].owes == "lead" else ""
    fresh = ClockRun(
        clock=clock,
        run=run,
        since=since,
        unit=unit,
        term=term,
        basis=basis,
        mode="",
        calendar="",
        edition=rules.bundle.hash,
        start=event.at,
        due=None,
    )
    return counted(fresh, facts, rules)


def resumed(clock: Clock, facts: CaseFacts, rules: Rules, at: datetime) -> ClockRun:
    """The clock goes on with what is left of its limit."""
    run = replace(clock.run, start=at, earlier=clock.segments, edition=rules.bundle.hash)
    return counted(run, facts, rules, asked=clock.asked)


def counted(run: ClockRun, facts: CaseFacts, rules: Rules, *, asked: bool = False) -> ClockRun:
    """The run with due, provisional mark and next alarm by the calendar in force."""
    if run.term is None:
        return run
    mode, calendar = _counting(run, facts, rules)
    rest = run.term.minutes * 60 - sum(segment.counted for segment in run.earlier)
    due = run.due if asked and rest <= 0 else _after(calendar, run.start, rest)
    version = calendar.version if calendar else ""
    provisional = calendar is not None and due is not None and calendar.provisional(due, run.start)
    run = replace(run, mode=mode, calendar=version, due=due, provisional=provisional)
    return replace(run, alarm=None if facts.historic else next_alarm(run, facts, rules, asked=asked))


def halted(clock: Clock, facts: CaseFacts, rules: Rules, at: datetime) -> ClockHalt:
    """The clock pauses or stops at `at`: what it counted since it last ran, and what is left."""
    run = clock.run
    calendar = _counting(run, facts, rules)[1]
    low, high = second_of(run.start), max(second_of(at), second_of(run.start))
    ran = 0 if clock.paused else calendar.open_seconds(low, high) if calendar else high - low
    end = run.start if clock.paused else max(at, run.start)
    segment = Segment(start=run.start, end=end, counted=ran, calendar=calendar.version if calendar else "")
    before = clock.segments if clock.paused else run.earlier
    spent = ran + sum(earlier.counted for earlier in before)
    return ClockHalt(
        clock=run.clock,
        run=run.run,
        since=run.since,
        segment=segment,
        rest=run.term.minutes * 60 - spent if run.term else None,
        supervised=clock.supervised,
    )


def next_alarm(
    run: ClockRun, facts: CaseFacts, rules: Rules, after: str = "", *, asked: bool = False
) -> Alarm | None:
    """The first moment behind step `after`, or, where none is named, the first from the start on."""
    policy = policy_of(run.clock, facts, rules)
    calendar = _counting(run, facts, rules)[1]
    alarms = _alarms(run, policy, calendar, office(run, facts, rules))
    if after:
        for alarm in alarms:
            if alarm.step == after:
                break
        return next(alarms, None)
    if asked:
        return next(
            (alarm for alarm in alarms if alarm.step.startswith("rung") and alarm.due > run.start), None
        )
    return next((alarm for alarm in alarms if alarm.step == "due" or alarm.due > run.start), None)


def firing(clock: Clock, seen: int) -> Firing:
    """What the clock names when it speaks to the case."""
    run = clock.run
    return Firing(clock=run.clock, due=run.due or run.start, since=run.since, seen=seen)


def _alarms(run: ClockRun, policy: Policy, calendar: Calendar | None, hours: Calendar) -> Iterator[Alarm]:
    """Warnings by share of the limit, the due, then the rungs behind it, in this order."""
    if run.term is None or run.due is None:
        return
    spent = sum(segment.counted for segment in run.earlier)
    for percent in policy.warn:
        need = run.term.minutes * 60 * percent // 100 - spent
        if need > 0:
            yield Alarm(step=f"warn{percent}", due=_after(calendar, run.start, need))
    yield Alarm(step="due", due=run.due)
    for number, rung in enumerate(policy.ladder):
        if rung.after is not None:
            working = hours if rung.after.working else None
            yield Alarm(step=f"rung{number}", due=_after(working, run.due, rung.after.minutes * 60))


def _after(calendar: Calendar | None, start: datetime, seconds: int) -> datetime:
    second = second_of(start)
    return instant_of(calendar.after(second, seconds) if calendar else second + max(seconds, 0))


def office(run: ClockRun, facts: CaseFacts, rules: Rules) -> Calendar:
    """The office hours that count: the policy's, those of the unit that has to move, the city's.

    What the centre owes counts by the city's: its staff is there at night, 5 工作日 are no 40 hours.
    """
    bundle = rules.bundle
    unit = bundle.units.get(run.unit) if run.unit else None
    code = policy_of(run.clock, facts, rules).calendar or (unit.calendar if unit else "")
    return bundle.calendars.get(code)


def _counting(run: ClockRun, facts: CaseFacts, rules: Rules) -> tuple[str, Calendar | None]:
    """Whether office hours count, and by which calendar; none where every minute counts."""
    if run.term is None or not run.term.working:
        return "continuous", None
    matter = rules.bundle.matters.get(facts.matter)
    if matter and matter.emergency_continuous and rules.mode(facts.area) is Mode.EMERGENCY:
        return "emergency", None
    return "working", office(run, facts, rules)


def _term(clock: str, facts: CaseFacts, rules: Rules, event: Any) -> tuple[Term | None, str]:
    """The limit of a clock and where it comes from."""
    if isinstance(event, ReworkOrdered) and clock in ("handle", "leg"):
        return event.limit, "rework"
    if clock == "case":
        return facts.limit, "condition"
    if clock == "handle" and facts.stage < len(facts.stages):
        return facts.stages[facts.stage], "stage"
    if clock in ("handle", "leg"):
        return facts.leg_limit or facts.limit, "condition"
    window = facts.leg_limit or facts.limit
    if clock == "sign" and window and window.minutes <= rules.bundle.bounds.short_limit_minutes:
        return window, "window"
    limit = policy_of(clock, facts, rules).limit
    return (_as_term(limit) if limit else None), "policy"


def _as_term(limit: Limit) -> Term:
    return Term(text=limit.text, minutes=limit.minutes, working=limit.working, urgent=limit.urgent)
