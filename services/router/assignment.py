"""Who leads (责任主体): the first candidate that is admitted; behind a refused one, who stands in for it."""

from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from kernel.processor import Context
from rules.bundle import Bundle
from rules.matters import Matter
from schemas.case.assigning import AdmissionDecided, AdmissionGap, FundingDebt, FundingDue, Understaffed
from schemas.case.union import CaseEvent
from services.router.admission import ASSIST, LEAD, TIED, UNFUNDED, Admission, Question, admit, question
from services.router.candidates import Candidate, candidates, place_of, tied
from services.router.state import Case

FALLBACK: Final = "fallback"


class Assignment(Struct, frozen=True):
    """The findings on all candidates that were looked at, the unit that leads and those that assist."""

    ask: Question
    findings: tuple[Admission, ...]
    lead: Admission | None
    assistants: tuple[str, ...]

    @property
    def by_fallback(self) -> bool:
        return self.lead is not None and self.lead.origin == FALLBACK


def asked(case: Case, context: Context, matter: Matter, triage: str = "") -> Question:
    """The question that the guard answers for this case at the moment of this decision."""
    day = context.rules.bundle.day(context.now)
    place = place_of(context.rules.bundle, case.area, case.places, day)
    return question(context.rules, matter, triage or case.triage, place, context.now)


def walk(ask: Question, first: Sequence[str] = (), without: Sequence[str] = ()) -> Assignment:
    """Look at the candidates in order until one is admitted; nobody admitted means the fallback owner.

    `first` are units to be asked before the matter's own, such as the one that an objection proposes;
    `without` are those that have been released from this case.
    """
    bundle = ask.rules.bundle
    known = candidates(bundle, ask.matter, ask.place, ask.day)
    leads = [Candidate(unit, LEAD, "proposed") for unit in first]
    leads += [one for one in known if one.role == LEAD]
    findings: list[Admission] = []
    lead = _first_admitted(ask, [one for one in leads if one.unit not in without], findings, set(without))
    if lead is None:
        seen = {*without, *(one.unit for one in findings)}
        lead = _first_admitted(ask, _fallbacks(bundle, ask), findings, seen)
    elif lead.origin != "proposed":
        findings.extend(_tied(ask, lead, without))
    helpers = [one for one in known if one.role == ASSIST and (lead is None or one.unit != lead.unit)]
    assistants = _admitted(ask, helpers, findings)
    return Assignment(ask, tuple(findings), lead, assistants)


def named(ask: Question, lead: str, assistants: Sequence[str]) -> Assignment:
    """A command that names its units takes their verdicts, no others; the first that fails is the answer."""
    finding = admit(ask, Candidate(lead, LEAD, "named"))
    findings = [finding]
    passed = _admitted(
        ask, [Candidate(unit, ASSIST, "named") for unit in assistants if unit != lead], findings
    )
    return Assignment(ask, tuple(findings), finding if finding.passed else None, passed)


def on_record(found: Assignment) -> list[CaseEvent]:
    """The finding as it is written, before anyone leads or assists: the text of "why"."""
    ask = found.ask
    decided = AdmissionDecided(
        t=ask.t,
        edition=ask.rules.bundle.hash,
        rules=ask.rules.number,
        mode=ask.mode,
        matter=ask.matter.code,
        area=ask.place.area,
        verdicts=tuple(finding.on_record() for finding in found.findings),
        lead=found.lead.unit if found.lead else "",
        assistants=found.assistants,
    )
    events: list[CaseEvent] = [decided]
    for finding in found.findings:
        events.extend(_consequences(ask, finding))
    if found.lead is not None and not _manned(ask, found.lead.unit):
        events.append(Understaffed(unit=found.lead.unit))
    return events


def _first_admitted(
    ask: Question, leads: Sequence[Candidate], findings: list[Admission], looked_at: set[str]
) -> Admission | None:
    waiting = list(reversed(leads))
    while waiting:
        candidate = waiting.pop()
        if candidate.unit in looked_at:
            continue
        looked_at.add(candidate.unit)
        finding = admit(ask, candidate)
        findings.append(finding)
        if finding.passed:
            return finding
        waiting.extend(_behind(ask, finding))
    return None


def _tied(ask: Question, lead: Admission, without: Sequence[str]) -> Iterator[Admission]:
    """首接负责: of several that could lead as well the first does; that there were others is on record."""
    first = Candidate(lead.unit, lead.role, lead.origin)
    for other in tied(ask.rules.bundle, ask.matter, ask.place, first, ask.day):
        finding = admit(ask, other)
        if finding.passed and other.unit not in without:
            yield replace(finding, step=9, verdict=TIED, passed=False)


def _behind(ask: Question, finding: Admission) -> Iterator[Candidate]:
    """Who is asked next instead of a refused unit: owner instead (5), its parent (6), the applicant (7)."""
    entry = finding.entry
    if finding.step == 5 and entry is not None and entry.owner_instead:
        yield Candidate(entry.owner_instead, LEAD, "owner_instead")
    elif finding.verdict == UNFUNDED and entry is not None and entry.applicant:
        yield Candidate(entry.applicant, LEAD, "applicant")
    elif finding.step in (6, 7):
        above = ask.rules.bundle.units.above(finding.unit, ask.day)
        if above is not None:
            yield Candidate(above.code, LEAD, "parent")


def _fallbacks(bundle: Bundle, ask: Question) -> list[Candidate]:
    """兜底: the fallback unit of the area, behind it the government of the city; never a guarded unit."""
    unit = bundle.units.fallback(ask.place.area, ask.day)
    codes = [unit.code] if unit and not bundle.register.guards(unit.level) else []
    return [Candidate(code, LEAD, FALLBACK) for code in dict.fromkeys((*codes, bundle.city.body))]


def _admitted(ask: Question, helpers: Sequence[Candidate], findings: list[Admission]) -> tuple[str, ...]:
    new = [admit(ask, helper) for helper in helpers]
    findings.extend(new)
    return tuple(finding.unit for finding in new if finding.passed)


def _consequences(ask: Question, finding: Admission) -> Iterator[CaseEvent]:
    """What a finding asks of others: an application for an entry, or the money for one."""
    entry = finding.entry
    if finding.verdict == "no_entry" and finding.role == LEAD:
        unit = ask.rules.bundle.units.get(finding.unit, ask.day)
        guiding = unit.guiding if unit else ""
        yield AdmissionGap(unit=finding.unit, matter=ask.matter.code, area=ask.place.area, guiding=guiding)
    elif entry is not None and finding.debt:
        yield FundingDebt(
            unit=finding.unit, entry=entry.entry_id, version=entry.version, applicant=entry.applicant
        )
    elif entry is not None and finding.verdict == UNFUNDED:
        yield FundingDue(
            unit=finding.unit, entry=entry.entry_id, version=entry.version, applicant=entry.applicant
        )


def _manned(ask: Question, unit: str) -> bool:
    return bool(ask.rules.bundle.posts.of_unit(unit, "handler", ask.day))
