"""May this unit take this part in this case, now? (事务准入裁定) One pure function for every caller.

The steps are those of lifecycle.md §2: 1 frame, 2 statutory level, 3 power, 4 entries, 5 prohibition,
6 no entry, 7 expired or unfunded, 8 capacity. What a step finds is enforced, observed (the refusal is
recorded and let pass) or off, by level and date; for the matters of row 8 steps 2, 3 and 5 always hold.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final, NamedTuple

from msgspec import Struct

from rules.admission import ENFORCE, OFF, Entry
from rules.inforce import Rules
from rules.matters import Matter
from rules.modes import Mode
from rules.units import Unit
from schemas.case.assigning import CandidateVerdict
from services.router.candidates import Candidate, Place

LEAD: Final = "lead"
ASSIST: Final = "assist"
PASSED: Final = "passed"
UNFUNDED: Final = "unfunded"
TIED: Final = "tied"
"""并列: it could lead as well as the lead, which comes first (首接负责); no refusal."""
SMALL: Final = "small"
"""小事: made self-governed (自治) by triage; the community leads without an entry, never against a deny."""
SELF_GOVERNED: Final = "self_governed"
ADMITTED: Final = frozenset({PASSED, SELF_GOVERNED, TIED})
"""Verdicts that refuse nobody."""
ADMITS: Final = {LEAD: frozenset({"own", "entrusted"}), ASSIST: frozenset({"own", "entrusted", "assist"})}
"""Which roles of an entry let a unit lead, which let it assist."""


class Question(NamedTuple):
    """All that the guard looks at beside the candidate; `t` is the moment of this decision."""

    rules: Rules
    matter: Matter
    triage: str
    place: Place
    mode: Mode
    t: datetime
    day: date


class Admission(Struct, frozen=True):
    """The finding (裁定结果) on one candidate: the step that decided, and the entry that it cites.

    `observed` is the refusal that enforcement would have made; `debt` says that it is dispatched in 急
    without funding.
    """

    unit: str
    role: str
    origin: str
    step: int
    verdict: str
    passed: bool
    entry: Entry | None = None
    observed: str = ""
    debt: bool = False

    def on_record(self) -> CandidateVerdict:
        entry = self.entry
        return CandidateVerdict(
            unit=self.unit,
            role=self.role,
            origin=self.origin,
            step=self.step,
            verdict=self.verdict,
            entry=entry.entry_id if entry else "",
            version=entry.version if entry else 0,
            observed=self.observed,
        )


class _Found(NamedTuple):
    """What one step found against the candidate."""

    step: int
    verdict: str
    entry: Entry | None = None


def question(rules: Rules, matter: Matter, triage: str, place: Place, t: datetime) -> Question:
    day = rules.bundle.day(t)
    return Question(rules, matter, triage or matter.triage, place, rules.mode(place.area), t, day)


def admit(ask: Question, candidate: Candidate) -> Admission:
    """Steps 1 to 7 for one candidate; capacity (8) never lifts or lowers the level and is asked apart."""
    bundle = ask.rules.bundle
    unit = bundle.units.get(candidate.unit, ask.day)
    if unit is None:
        return _refusal(candidate, _Found(1, "not_in_force"))
    entries = _entries(ask, unit)
    observed, debt = "", False
    for found in _against(ask, unit, candidate.role, entries):
        if found.verdict == UNFUNDED and ask.mode is Mode.EMERGENCY:
            debt = True
            continue
        strength = _strength(ask, unit, found)
        if strength == ENFORCE:
            return _refusal(candidate, found)
        if strength != OFF:
            observed = observed or found.verdict
    return _pass(ask, unit, candidate, entries, observed, debt=debt)


def _against(ask: Question, unit: Unit, role: str, entries: Sequence[Entry]) -> list[_Found]:
    """Everything that speaks against the unit, in the order of the steps."""
    bundle, found = ask.rules.bundle, list[_Found]()
    matter = ask.matter
    if not unit.level and not _named(matter, unit):
        found.append(_Found(1, "not_named"))
    guarded = bundle.register.guards(unit.level)
    if role == LEAD:
        if unit.level and matter.statutory_level and bundle.city.below(unit.level, matter.statutory_level):
            found.append(_Found(2, "above_level"))
        if matter.power and matter.power not in unit.powers and not _lent(ask, entries):
            found.append(_Found(3, "no_power"))
        found.extend(_prohibition(ask, entries, guarded=guarded))
    if guarded:
        found.extend(_missing(ask, entries, role))
    return found


def _prohibition(ask: Question, entries: Sequence[Entry], *, guarded: bool) -> list[_Found]:
    """Step 5: a deny at any depth binds over any allow; so does a matter of which nobody knows the row."""
    deny = next((entry for entry in entries if entry.prohibits and entry.in_force(ask.day)), None)
    if deny is not None:
        return [_Found(5, "prohibited", deny)]
    if guarded and not ask.matter.row8_known:
        return [_Found(5, "row8_unknown")]
    return []


def _missing(ask: Question, entries: Sequence[Entry], role: str) -> list[_Found]:
    """Steps 6 and 7 for a guarded unit: in force > unfunded > expired > none."""
    if role == LEAD and ask.triage == SMALL:
        return []
    allows = [entry for entry in entries if entry.role in ADMITS[role]]
    current = [entry for entry in allows if entry.in_force(ask.day)]
    if any(entry.funded(ask.day) for entry in current):
        return []
    if current:
        return [_Found(7, UNFUNDED, current[0])]
    expired = next((entry for entry in allows if entry.expired(ask.day)), None)
    return [_Found(7, "expired", expired)] if expired else [_Found(6, "no_entry")]


def _pass(
    ask: Question, unit: Unit, candidate: Candidate, entries: Sequence[Entry], observed: str, *, debt: bool
) -> Admission:
    code, role, origin = candidate
    if not ask.rules.bundle.register.guards(unit.level):
        return Admission(code, role, origin, 3, PASSED, passed=True, observed=observed)
    allows = [entry for entry in entries if entry.role in ADMITS[role] and entry.in_force(ask.day)]
    entry = next((one for one in allows if one.funded(ask.day)), allows[0] if allows else None)
    self_governed = entry is None and role == LEAD and ask.triage == SMALL
    verdict = SELF_GOVERNED if self_governed else PASSED
    step = 4 if entry else 6
    return Admission(
        code, role, origin, step, verdict, passed=True, entry=entry, observed=observed, debt=debt
    )


def _refusal(candidate: Candidate, found: _Found) -> Admission:
    unit, role, origin = candidate
    return Admission(unit, role, origin, found.step, found.verdict, passed=False, entry=found.entry)


def _strength(ask: Question, unit: Unit, found: _Found) -> str:
    if found.step == 1 or found.verdict == "row8_unknown":
        return ENFORCE
    return ask.rules.bundle.register.enforcement(found.step, unit.level, ask.day, ask.matter.row8)


def _entries(ask: Question, unit: Unit) -> Sequence[Entry]:
    register = ask.rules.bundle.register
    return register.entries_for(ask.matter, ask.place.chain, ask.place.layers, unit.level, ask.mode)


def _named(matter: Matter, unit: Unit) -> bool:
    """A unit without a level takes part only if the matter names it or its trade."""
    return any(
        rule.select in (unit.code, unit.trade) for rule in matter.responsibility if rule.by != "territory"
    )


def _lent(ask: Question, entries: Sequence[Entry]) -> bool:
    """A power lent by a written entrustment with a legal basis; never for the matters of row 8."""
    return not ask.matter.row8 and any(
        entry.role == "entrusted" and entry.legal_basis and entry.in_force(ask.day) for entry in entries
    )
