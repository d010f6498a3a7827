from dataclasses import replace as changed
from datetime import date

import msgspec
import pytest

from rules.admission import ENFORCE, OBSERVE, OFF, Enforcement, Entry, Funding
from rules.matters import Responsibility
from rules.modes import Mode
from rules.validity import FIRST_DAY
from schemas.case.assigning import (
    AdmissionDecided,
    AdmissionGap,
    AssignCase,
    CandidateVerdict,
    CaseAssigned,
    FundingDebt,
    FundingDue,
    RoutingStopped,
    Understaffed,
)
from schemas.case.opening import AcceptCase
from schemas.case.states import State
from tests.builders_city import CLUTTER, MANHOLE, STREET_TRADING, tiny_city, tiny_parts
from tests.unit.router.telling import DESK, Life, centre, city, life, strict_city


def verdicts(case: Life) -> list[tuple[str, str, int, str, str]]:
    return [
        (one.unit, one.role, one.step, one.verdict, one.entry) for one in case.last(AdmissionDecided).verdicts
    ]


def big(case: Life, matter: str = CLUTTER, area: str = "G11") -> Life:
    """Accepted as 大事, so that the community needs an entry."""
    return case.open(matter, area).accept(condition="1", triage="big")


def matters(code: str, **fields: object) -> tuple[object, ...]:
    return tuple(
        msgspec.structs.replace(one, **fields) if one.code == code else one for one in tiny_parts().matters
    )


def entries(*more: Entry, without: str = "") -> tuple[Entry, ...]:
    return (*(one for one in tiny_parts().entries if one.entry_id != without), *more)


def test_the_finding_stands_before_the_assignment_and_cites_edition_and_entry() -> None:
    case = big(life(strict_city()))
    decided, assigned = case.events[1], case.events[2]
    assert isinstance(decided, AdmissionDecided)
    assert isinstance(assigned, CaseAssigned)
    assert decided.edition == case.rules.bundle.hash
    assert (decided.t, decided.rules, decided.mode, decided.lead) == (case.now, 7, "normal", "JW1")
    assert decided.verdicts == (
        CandidateVerdict(
            unit="JW1", role="lead", origin="territory", step=4, verdict="passed", entry="OWN-02", version=1
        ),
    )


def test_no_entry_goes_up_to_the_parent_and_asks_for_an_application() -> None:
    case = big(life(strict_city()), area="G21")
    case.wrote("CaseAccepted", "AdmissionDecided", "AdmissionGap", "CaseAssigned")
    assert verdicts(case) == [("JW2", "lead", 6, "no_entry", ""), ("JD", "lead", 3, "passed", "")]
    assert case.last(AdmissionGap) == AdmissionGap(unit="JW2", matter=CLUTTER, area="G21", guiding="JD")
    assert case.state.lead == "JD"


def test_what_triage_made_self_governed_needs_no_entry() -> None:
    case = life(strict_city()).open(CLUTTER, area="G21").accept()
    assert verdicts(case) == [("JW2", "lead", 6, "self_governed", "")]


def test_while_a_step_is_observed_it_lets_pass_and_records_the_refusal() -> None:
    case = big(life(), area="G21")
    [one] = case.last(AdmissionDecided).verdicts
    assert (one.unit, one.verdict, one.observed) == ("JW2", "passed", "no_entry")


def test_a_step_that_is_off_leaves_no_trace() -> None:
    off = city(enforcement=(Enforcement("community", 6, FIRST_DAY, OFF),))
    [one] = big(life(off), area="G21").last(AdmissionDecided).verdicts
    assert (one.verdict, one.observed) == ("passed", "")


def test_enforcement_begins_on_its_day() -> None:
    rows = (Enforcement("community", 6, date(2026, 3, 3), ENFORCE),)
    case = big(life(city(enforcement=rows)), area="G21")
    assert case.state.lead == "JW2"


@pytest.mark.parametrize("strength", [OFF, OBSERVE])
@pytest.mark.parametrize("mode", [Mode.NORMAL, Mode.EMERGENCY])
def test_a_row_8_matter_never_goes_to_a_community_however_weak_the_enforcement(
    strength: str, mode: Mode
) -> None:
    rows = tuple(Enforcement("community", step, FIRST_DAY, strength) for step in range(1, 9))
    only = matters(
        STREET_TRADING,
        responsibility=(Responsibility("territory", "community"),),
        statutory_level="",
        power="",
        triage="small",
    )
    case = life(city(enforcement=rows, matters=only), {"C1": mode}).routed(STREET_TRADING)
    assert verdicts(case)[0] == ("JW1", "lead", 5, "prohibited", "NEG-04")
    assert case.state.lead == "JD"


def test_a_matter_whose_row_nobody_knows_is_led_by_no_guarded_unit() -> None:
    case = big(life(city(matters=matters(CLUTTER, row8_known=False))))
    assert verdicts(case)[0] == ("JW1", "lead", 5, "row8_unknown", "")
    assert case.state.lead == "JD"


def test_the_owner_instead_is_asked_next_behind_a_prohibition() -> None:
    deny = Entry(
        entry_id="NEG-90", version=2, matter=CLUTTER, area="S1", role="prohibited", owner_instead="SZ"
    )
    case = big(life(city(entries=entries(deny))))
    assert [row[:2] for row in verdicts(case)] == [("JW1", "lead"), ("SZ", "lead")]
    assert case.state.lead == "SZ"
    assert case.last(AdmissionDecided).verdicts[1].origin == "owner_instead"


def test_a_deny_at_any_depth_binds_over_any_allow() -> None:
    deny = Entry(entry_id="NEG-91", version=1, matter="E", area="D", role="prohibited")
    case = big(life(strict_city(entries=entries(deny))))
    assert verdicts(case)[0] == ("JW1", "lead", 5, "prohibited", "NEG-91")


def test_an_unfunded_assistant_stays_away_and_its_money_is_asked_for() -> None:
    responsibility = (Responsibility("trade", "市政"), Responsibility("territory", "community", "assist"))
    changed_matters = matters(MANHOLE, responsibility=responsibility)
    case = life(strict_city(matters=changed_matters)).routed(MANHOLE)
    case.wrote("CaseAccepted", "AdmissionDecided", "FundingDue", "CaseAssigned")
    assert case.last(FundingDue) == FundingDue(unit="JW1", entry="AST-02", version=1, applicant="SZ")
    assert case.state.assistants == ()


def test_in_emergency_the_unfunded_unit_goes_and_the_debt_is_shown() -> None:
    responsibility = (Responsibility("trade", "市政"), Responsibility("territory", "community", "assist"))
    bundle = strict_city(matters=matters(MANHOLE, responsibility=responsibility))
    case = life(bundle, {"S1": Mode.EMERGENCY}).routed(MANHOLE)
    case.wrote("CaseAccepted", "AdmissionDecided", "FundingDebt", "CaseAssigned")
    assert case.last(FundingDebt).applicant == "SZ"
    assert case.state.assistants == ("JW1",)


def test_an_unfunded_lead_is_replaced_by_the_applicant() -> None:
    lent = Entry(
        entry_id="ENT-01", version=1, matter=CLUTTER, area="S1", role="entrusted", applicant="SZ",
        unit_level="community", legal_basis=("虚构条例",), funding=Funding(),
    )  # fmt: skip
    case = big(life(strict_city(entries=entries(lent))), area="G21")
    assert verdicts(case)[0] == ("JW2", "lead", 7, "unfunded", "ENT-01")
    assert case.state.lead == "SZ"


def test_an_expired_temporary_entry_counts_as_none() -> None:
    past = Entry(
        entry_id="TMP-01", version=1, matter=CLUTTER, area="C2", role="own", term="temporary",
        unit_level="community", valid_to=date(2026, 3, 1),
    )  # fmt: skip
    case = big(life(strict_city(entries=entries(past))), area="G21")
    assert verdicts(case)[0] == ("JW2", "lead", 7, "expired", "TMP-01")
    assert case.state.lead == "JD"


def test_a_company_takes_part_only_if_the_matter_names_it_or_its_trade() -> None:
    units = tuple(
        msgspec.structs.replace(unit, level="", kind="company") if unit.code == "SZ" else unit
        for unit in tiny_parts().units
    )
    bundle = city(units=units)
    assert life(bundle).routed(MANHOLE).state.lead == "SZ"
    case = life(bundle).routed(CLUTTER)
    case.when(AssignCase(lead="SZ", reason="试"), sender=centre("dispatcher"))
    assert case.refused("not_admitted").found == "SZ: step 1 not_named"


def test_a_unit_without_the_power_is_passed_over_for_the_fallback() -> None:
    case = life(city(matters=matters(MANHOLE, power="无人有此权"))).routed(MANHOLE)
    case.wrote("CaseAccepted", "AdmissionDecided", "RoutingStopped")
    assert [row[0] for row in verdicts(case)] == ["SZ", "JD", "GOV"]
    assert case.last(RoutingStopped).reason == "nobody_admitted"
    assert case.state.state is State.TO_ROUTE


def test_where_no_candidate_passes_the_fallback_leads() -> None:
    case = life(city(matters=matters(CLUTTER, responsibility=()))).routed()
    case.wrote("CaseAccepted", "AdmissionDecided", "RoutedToFallback", "CaseAssigned")
    assert (case.state.lead, case.last(CaseAssigned).origin) == ("JD", "fallback")


def test_a_lead_whose_posts_nobody_holds_leads_all_the_same() -> None:
    posts = tuple(post for post in tiny_parts().posts if post.code != "JW1-handler")
    case = life(city(posts=posts)).routed()
    case.wrote("CaseAccepted", "AdmissionDecided", "Understaffed", "CaseAssigned")
    assert case.last(Understaffed).unit == "JW1"


def test_the_date_of_the_decision_counts_not_that_of_the_report() -> None:
    case = life(strict_city()).open(CLUTTER)
    ended = changed(case.rules, bundle=strict_city(entries=entries(without="OWN-02")))
    case.rules = ended
    case.sent(AcceptCase(triage="big"), DESK)
    assert case.last(AdmissionDecided).edition == ended.bundle.hash != tiny_city().hash
    assert case.state.lead == "JD"
