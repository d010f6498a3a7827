"""Why a finding of another edition differs: the first cause, and its words."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from schemas.case.assigning import AdmissionDecided, CandidateVerdict
from services.router.trial import Reason, reason, sentence


def saw(unit: str, verdict: str = "passed", *, role: str = "lead", entry: str = "") -> CandidateVerdict:
    step = 4 if verdict == "passed" else 6
    return CandidateVerdict(
        unit=unit, role=role, origin="territory", step=step, verdict=verdict, entry=entry, version=bool(entry)
    )


def finding(lead: str, *verdicts: CandidateVerdict, assistants: Sequence[str] = ()) -> AdmissionDecided:
    return AdmissionDecided(
        t=datetime(2026, 3, 2, 1, 0, tzinfo=UTC),
        edition="0" * 64,
        rules=1,
        mode="normal",
        matter="E-01-10",
        area="G1",
        verdicts=verdicts,
        lead=lead,
        assistants=tuple(assistants),
    )


COMMUNITY = finding("SQ", saw("SQ", entry="OWN-01"))
STREET = finding("JD", saw("SQ", "no_entry"), saw("JD"))


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        (COMMUNITY, COMMUNITY, None),
        (COMMUNITY, STREET, Reason("refused", "SQ", 6, "no_entry", "", 0, "territory")),
        (STREET, COMMUNITY, Reason("granted", "SQ", 6, "no_entry", "OWN-01", 1, "territory")),
        (COMMUNITY, finding("JD", saw("JD")), Reason("ahead", "JD", 4, "passed", "", 0, "territory")),
        (COMMUNITY, finding(""), Reason("gone", "SQ")),
        (finding(""), COMMUNITY, Reason("ahead", "SQ", 4, "passed", "OWN-01", 1, "territory")),
        (
            COMMUNITY,
            finding("SQ", saw("SQ"), saw("JD", role="assist"), assistants=["JD"]),
            Reason("assists", "JD", 4, "passed", "", 0, "territory"),
        ),
        (
            finding("SQ", saw("SQ"), saw("JD", role="assist"), assistants=["JD"]),
            finding("SQ", saw("SQ")),
            Reason("assists", "JD"),
        ),
    ],
)
def test_the_first_cause_is_named(
    before: AdmissionDecided, after: AdmissionDecided, found: Reason | None
) -> None:
    assert reason(before, after) == found


def test_a_verdict_in_another_role_is_no_cause() -> None:
    after = finding("JD", saw("JD"), saw("SQ", "no_entry", role="assist"))
    found = reason(COMMUNITY, after)
    assert found is not None
    assert (found.kind, found.unit) == ("ahead", "JD")


@pytest.mark.parametrize(
    ("found", "zh", "en"),
    [
        (
            Reason("refused", "SQ", 6, "no_entry"),
            "杏花社区不再可派 (第6步, 无准入条目)",
            "杏花社区 is refused now (step 6, no entry)",
        ),
        (
            Reason("granted", "SQ", 6, "no_entry", "OWN-01", 2),
            "杏花社区原先不可派 (第6步, 无准入条目, 准入条目 OWN-01 v2)，现可派",
            "杏花社区 was refused before (step 6, no entry, entry OWN-01 v2), and is not now",
        ),
        (
            Reason("ahead", "SQ", 4, "passed", "OWN-01", 1, "territory"),
            "杏花社区现列为在前的候选单位 (属地, 准入条目 OWN-01 v1)",
            "杏花社区 is asked first now (by territory, entry OWN-01 v1)",
        ),
        (
            Reason("unanswered", verdict="unknown_matter"),
            "新版本无法派遣 (unknown_matter)",
            "the new edition has no answer (unknown_matter)",
        ),
    ],
)
def test_it_is_said_in_both_languages(found: Reason, zh: str, en: str) -> None:
    assert sentence(found, "杏花社区", "zh") == zh
    assert sentence(found, "杏花社区", "en") == en
