"""Why this unit? (派遣说明) Read from the finding that stands in the events; no rule of today is asked."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final

from msgspec import Struct

from schemas.case.assigning import (
    AdmissionDecided,
    CandidateVerdict,
    CaseAssigned,
    FundingDebt,
    FundingDue,
    RoutedToFallback,
    RoutingStopped,
)
from schemas.case.union import CaseEvent
from services.router.admission import TIED


class RouteStep(Struct, frozen=True):
    """One unit that was looked at: `chosen` says that it leads or assists now, `follows` what it led to."""

    number: int
    unit: str
    name: str
    role: str
    origin: str
    passed: bool
    step: int
    verdict: str
    entry: str
    version: int
    observed: str
    chosen: bool
    follows: str


class RouteExplained(Struct, frozen=True):
    """One finding with its steps and its end: `lead` is empty where routing stopped for `reason`."""

    t: datetime
    edition: str
    mode: str
    matter: str
    area: str
    steps: tuple[RouteStep, ...]
    lead: str
    fallback: bool
    reason: str


WORDS: Final = {
    "lead": ("主办", "lead"),
    "assist": ("协办", "assist"),
    "passed": ("通过", "passed"),
    "refused": ("不通过", "refused"),
    "step": ("第{}步", "step {}"),
    "entry": ("准入条目 {} v{}", "entry {} v{}"),
    "no entry needed": ("无需准入条目", "entry not needed"),
    "observed": ("（观察期：本应{}）", " (observed: would be {})"),
    "fallback": ("兜底派遣", "fallback"),
    "stopped": ("派遣受阻：{}", "routing stopped: {}"),
    "due": ("经费待拨：{}", "FundingDue to {}"),
    "debt": ("经费欠拨：{}", "FundingDebt of {}"),
    "not_in_force": ("单位不在册", "not in force"),
    "not_named": ("事项未列该单位", "not named by the matter"),
    "above_level": ("低于法定层级", "above its level"),
    "no_power": ("无此权限", "no power"),
    "prohibited": ("负面清单", "prohibited"),
    "row8_unknown": ("未查明是否属五类禁止事项", "unknown whether prohibited"),
    "no_entry": ("无准入条目", "no entry"),
    "unfunded": ("经费未到位", "unfunded"),
    "expired": ("准入已到期", "expired"),
    "tied": ("并列，首接单位主办", "could lead as well, the first leads"),
    "self_governed": ("自治事项", "self-governed"),
    "territory": ("属地", "by territory"),
    "owner": ("权属", "as owner"),
    "trade": ("行业", "by trade"),
    "operator": ("运营", "as operator"),
    "unit": ("事项指定", "named by the matter"),
    "parent": ("上级单位", "the unit above"),
    "owner_instead": ("收回后承担单位", "owner instead"),
    "applicant": ("申请部门", "the applicant"),
    "nobody_admitted": ("无单位可派", "no unit is admitted"),
    "by_hand": ("须人工派遣", "dispatched by hand"),
    "last_lead_not_admitted": ("原主办单位不再准入", "the last lead is not admitted now"),
}
LANGUAGES: Final = ("zh", "en")


def routes(events: Iterable[CaseEvent], name: Callable[[str], str] = str) -> tuple[RouteExplained, ...]:
    """Every finding of a case in order; `name` gives a unit's name in the edition that the finding cites."""
    found: list[tuple[AdmissionDecided, list[CaseEvent]]] = []
    for event in events:
        if isinstance(event, AdmissionDecided):
            found.append((event, []))
        elif found:
            found[-1][1].append(event)
    return tuple(_explained(decided, after, name) for decided, after in found)


def lines(route: RouteExplained, language: str = "zh") -> tuple[str, ...]:
    """The steps for people: a line for each unit, a last one if nobody could be found."""
    spoken = [_line(step, language) for step in route.steps]
    if route.fallback:
        spoken.append(f"→ {word('fallback', language)} {route.lead}")
    if route.reason:
        spoken.append("→ " + word("stopped", language).format(word(route.reason, language)))
    return tuple(spoken)


def _explained(
    decided: AdmissionDecided, after: list[CaseEvent], name: Callable[[str], str]
) -> RouteExplained:
    assigned = next((event for event in after if isinstance(event, CaseAssigned)), None)
    stopped = next((event for event in after if isinstance(event, RoutingStopped)), None)
    money = {event.unit: event for event in after if isinstance(event, FundingDue | FundingDebt)}
    return RouteExplained(
        t=decided.t,
        edition=decided.edition,
        mode=decided.mode,
        matter=decided.matter,
        area=decided.area,
        steps=tuple(
            _step(number, verdict, decided, money.get(verdict.unit), name)
            for number, verdict in enumerate(decided.verdicts, start=1)
        ),
        lead=assigned.lead if assigned else "",
        fallback=any(isinstance(event, RoutedToFallback) for event in after),
        reason=stopped.reason if stopped and not assigned else "",
    )


def _step(
    number: int,
    verdict: CandidateVerdict,
    decided: AdmissionDecided,
    money: FundingDue | FundingDebt | None,
    name: Callable[[str], str],
) -> RouteStep:
    leads = verdict.role == "lead" and verdict.unit == decided.lead
    owes = money is not None and money.entry == verdict.entry
    follows = ("due" if isinstance(money, FundingDue) else "debt") if owes else ""
    return RouteStep(
        number=number,
        unit=verdict.unit,
        name=name(verdict.unit),
        role=verdict.role,
        origin=verdict.origin,
        passed=verdict.verdict in ("passed", "self_governed"),
        step=verdict.step,
        verdict=verdict.verdict,
        entry=verdict.entry,
        version=verdict.version,
        observed=verdict.observed,
        chosen=leads or (verdict.role == "assist" and verdict.unit in decided.assistants),
        follows=f"{follows} {name(money.applicant)}" if owes and money else "",
    )


def _line(step: RouteStep, language: str) -> str:
    parts = [str(step.number), step.name if step.name == step.unit else f"{step.name} {step.unit}"]
    if step.verdict == TIED:
        parts += [word("step", language).format(step.step), word(step.verdict, language)]
    elif step.passed:
        parts.append(word(step.verdict, language))
        if not step.entry and step.verdict == "passed" and not step.observed:
            parts.append(word("no entry needed", language))
    else:
        parts += [word("refused", language), word("step", language).format(step.step)]
        parts.append(word(step.verdict, language))
    if step.entry:
        parts.append(word("entry", language).format(step.entry, step.version))
    if step.observed:
        parts.append(word("observed", language).format(word(step.observed, language)).strip())
    if step.chosen:
        parts.append(f"→ {word(step.role, language)}")
    if step.follows:
        what, _, whom = step.follows.partition(" ")
        parts.append("→ " + word(what, language).format(whom))
    return "  ".join(parts)


def word(code: str, language: str) -> str:
    """A verdict, role or step in this language; the code itself where it has no word."""
    words = WORDS.get(code)
    return words[LANGUAGES.index(language)] if words else code
