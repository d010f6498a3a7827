from schemas.case.assigning import AssignCase, CaseAssigned
from schemas.case.opening import AcceptCase
from schemas.case.states import State
from tests.builders_city import CLUTTER, MANHOLE, QUARREL, STREET_TRADING
from tests.unit.router.telling import DESK, centre, handler, life


def test_the_responsible_unit_leads_and_the_matter_says_who_supervises() -> None:
    case = life().routed(MANHOLE)
    assigned = case.last(CaseAssigned)
    assert (assigned.lead, assigned.supervising, assigned.handle_at_once) == ("SZ", ("GOV",), True)
    assert (assigned.number, assigned.same_lead, assigned.by) == (1, False, "intake.desk")
    assert case.state.accountable("OPS") == "SZ"


def test_the_dispatcher_sends_a_stopped_case_to_a_named_unit() -> None:
    case = life().routed(QUARREL)
    case.when(AssignCase(lead="JW1"), sender=centre("dispatcher"))
    case.wrote("AdmissionDecided", "CaseAssigned")
    assert case.last(CaseAssigned).origin == "named"


def test_the_dispatcher_may_let_the_router_walk() -> None:
    case = life().routed(QUARREL)
    case.sent(AssignCase(), centre("dispatcher"))
    assert case.state.lead == "JW1"


def test_a_new_lead_relieves_the_old_one_in_the_same_breath() -> None:
    case = life().handled()
    case.when(AssignCase(lead="JD"), sender=centre("dispatcher")).refused("no_reason")
    case.when(AssignCase(lead="JD", reason="跨社区"), sender=centre("dispatcher"))
    case.wrote("AdmissionDecided", "CaseAssigned", "LeadRelieved")
    assert (case.state.lead, case.state.state, case.state.relieved) == ("JD", State.TO_SIGN, 1)


def test_the_same_lead_again_keeps_its_leg() -> None:
    case = life().handled()
    leg = case.state.clocks["leg"]
    case.when(AssignCase(lead="JW1", reason="补充协办"), sender=centre("dispatcher"))
    case.wrote("AdmissionDecided", "CaseAssigned")
    assert case.last(CaseAssigned).same_lead
    assert case.state.clocks["leg"] == leg


def test_who_takes_a_case_away_names_the_next_unit() -> None:
    case = life().handled()
    case.when(AssignCase(reason="换"), sender=centre("dispatcher")).refused("no_lead_named")
    case.when(AssignCase(lead="XX", reason="换"), sender=centre("dispatcher")).refused("unknown_unit")


def test_beyond_the_bound_only_a_supervisor_dispatches_again() -> None:
    case = life().routed()
    for lead in ("JD", "JW1", "JD"):
        case.sent(AssignCase(lead=lead, reason="改派"), centre("dispatcher"))
    again = AssignCase(lead="JW1", reason="改派")
    case.when(again, sender=centre("dispatcher")).refused("too_many_relieved")
    case.sent(again, centre("supervisor"))


def test_a_unit_does_not_dispatch() -> None:
    case = life().routed(QUARREL)
    case.when(AssignCase(lead="JW1"), sender=handler("JW1")).refused("not_permitted")


def test_a_row_8_matter_is_led_by_no_community_whoever_asks() -> None:
    case = life().routed(STREET_TRADING)
    assert (case.state.lead, case.state.assistants) == ("CG", ("JW1",))
    refusal = case.when(AssignCase(lead="JW1", reason="属地"), sender=centre("supervisor")).refused(
        "not_admitted"
    )
    assert refusal.found == "JW1: step 2 above_level"


def test_a_report_in_the_other_community_goes_to_its_committee() -> None:
    assert life().open(CLUTTER, area="G21").sent(AcceptCase(), DESK).state.lead == "JW2"
