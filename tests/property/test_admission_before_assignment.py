"""No event makes a unit lead or assistant without the finding of that moment (design §4.2)."""

import pytest

from rules.matters import Matter
from schemas.case.assigning import AdmissionDecided, CaseAssigned
from services.router.admission import PASSED, SELF_GOVERNED
from tests.walking import SEEDS, Step, walked


def admitted_first(step: Step) -> None:
    finding: AdmissionDecided | None = None
    for event in step.events:
        if isinstance(event, AdmissionDecided):
            finding = event
        if isinstance(event, CaseAssigned):
            assert finding is not None
            cited(step, finding, event)


def cited(step: Step, finding: AdmissionDecided, event: CaseAssigned) -> None:
    rules = step.context.rules
    assert (finding.t, finding.edition, finding.rules) == (step.context.now, rules.bundle.hash, rules.number)
    assert finding.lead == event.lead
    assert finding.assistants == event.assistants
    passed = {(one.unit, one.role) for one in finding.verdicts if one.verdict in (PASSED, SELF_GOVERNED)}
    assert (event.lead, "lead") in passed
    assert all((unit, "assist") in passed for unit in event.assistants)
    register = rules.bundle.register
    for one in finding.verdicts:
        entry = register.get(one.entry, one.version) if one.entry else None
        assert not one.entry or entry is not None
        if (one.unit, one.role) == (event.lead, "lead") and entry is not None:
            assert entry.role in ("own", "entrusted")
            assert entry.in_force(rules.bundle.day(finding.t))
    matter = rules.bundle.matters[finding.matter]
    never_burdened(matter, rules.bundle.units[event.lead].level)


def never_burdened(matter: Matter, level: str) -> None:
    if matter.row8 or not matter.row8_known:
        assert level not in ("community", "grid")


@pytest.mark.parametrize("first", SEEDS)
def test_every_assignment_cites_the_finding_of_its_moment(first: int) -> None:
    for seed in range(first, first + 8):
        for step in walked(seed):
            admitted_first(step)
