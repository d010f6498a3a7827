from datetime import timedelta

from schemas.case.assigning import AdmissionDecided, AssignCase
from schemas.case.handling import SignCase
from schemas.case.objecting import (
    DecideObjection,
    ObjectionRaised,
    ObjectionReferred,
    ObjectionRefused,
    ObjectToCase,
)
from schemas.case.states import State
from tests.builders_city import STREET_TRADING
from tests.stories import START
from tests.unit.router.telling import CLOCK, Life, centre, firing, handler, life

DUE = START + timedelta(days=1)
NOT_OURS = ObjectToCase(reason="not_ours", basis="职责清单第3条", proposed="JD")


def silent_until_due(case: Life) -> Life:
    return case.sent(SignCase(firing=firing(case.state, "sign", DUE)), CLOCK, at=DUE + timedelta(seconds=5))


def test_a_unit_says_that_the_case_is_not_its_own() -> None:
    case = life().routed()
    case.when(NOT_OURS, sender=handler("JW1"), after=timedelta(hours=1))
    case.then(
        ObjectionRaised(
            unit="JW1", reason="not_ours", basis="职责清单第3条", proposed="JD", number=1,
            by="JW1-handler", at=case.now,
        )
    )  # fmt: skip
    assert case.state.state is State.DISPUTED
    assert case.state.accountable("OPS") == "JW1"


def test_only_the_lead_objects_and_says_why() -> None:
    case = life().routed()
    assert case.when(NOT_OURS, sender=handler("JW2")).refused("not_lead").expected == "JW1"
    case.when(ObjectToCase(reason="busy", basis=""), sender=handler("JW1")).refused("no_basis")


def test_an_accepted_objection_goes_to_the_proposed_unit_with_a_new_finding() -> None:
    case = life().routed().sent(NOT_OURS, handler("JW1"))
    case.when(DecideObjection(verdict="accept", reason="确非本社区"), sender=centre("dispatcher"))
    case.wrote("ObjectionAccepted", "LeadRelieved", "AdmissionDecided", "CaseAssigned")
    assert case.last(AdmissionDecided).verdicts[0].origin == "proposed"
    assert (case.state.lead, case.state.state, case.state.relieved) == ("JD", State.TO_SIGN, 1)


def test_the_decider_may_name_the_new_lead_if_it_is_admitted() -> None:
    case = life().routed(STREET_TRADING).object()
    decide = DecideObjection(verdict="accept", lead="JW1", reason="下沉")
    case.when(decide, sender=centre("dispatcher")).refused("not_admitted")
    case.sent(DecideObjection(verdict="accept", lead="GOV", reason="重大"), centre("dispatcher"))
    assert case.state.lead == "GOV"


def test_an_accepted_objection_that_nobody_takes_over_stops() -> None:
    case = life().routed().object()
    case.sent(DecideObjection(verdict="accept", reason="是"), centre("dispatcher"))
    case.object().sent(DecideObjection(verdict="accept", reason="是"), centre("dispatcher"))
    assert case.state.lead == "GOV"
    case.object().sent(DecideObjection(verdict="accept", reason="是"), centre("meeting1"))
    case.wrote("ObjectionAccepted", "LeadRelieved", "AdmissionDecided", "RoutingStopped")
    assert (case.state.state, case.state.lead) == (State.TO_ROUTE, "")
    assert case.state.accountable("OPS") == "OPS"


def test_a_refused_objection_ends_in_handling_without_a_second_return() -> None:
    case = life().routed().object()
    case.when(DecideObjection(verdict="refuse", reason="属地负责"), sender=centre("dispatcher"))
    case.wrote("ObjectionRefused")
    assert case.state.state is State.HANDLING
    case.sent(AssignCase(lead="JW1", reason="重派"), centre("dispatcher"))
    case.when(NOT_OURS, sender=handler("JW1")).refused("objected_before")


def test_a_third_objection_goes_to_the_meeting_at_once() -> None:
    case = life().routed().object()
    case.sent(DecideObjection(verdict="accept", reason="是"), centre("dispatcher"))
    case.object().sent(DecideObjection(verdict="accept", reason="是"), centre("dispatcher"))
    case.object()
    case.wrote("ObjectionRaised", "ObjectionReferred")
    referred = case.last(ObjectionReferred)
    assert (referred.level, referred.why) == (1, "bound")
    case.when(DecideObjection(verdict="refuse", reason="x"), sender=centre("dispatcher")).refused(
        "not_permitted"
    )
    case.sent(DecideObjection(verdict="refuse", reason="x"), centre("meeting1"))


def test_silence_refers_upwards_and_the_third_levels_silence_refuses() -> None:
    case = life().routed().object()
    for level in (1, 2, 3):
        case.sent(
            DecideObjection(verdict="refer", firing=firing(case.state, "decide", case.now)), CLOCK
        ).wrote("ClockBreached", "ObjectionReferred")
        assert case.state.level == level
    case.sent(DecideObjection(verdict="refer", firing=firing(case.state, "decide", case.now)), CLOCK)
    case.wrote("ClockBreached", "ObjectionRefused")
    assert case.last(ObjectionRefused).silent
    assert case.state.state is State.HANDLING


def test_the_third_level_cannot_refer() -> None:
    case = life().routed().object()
    for sender in ("dispatcher", "meeting1", "meeting2"):
        case.sent(DecideObjection(verdict="refer"), centre(sender))
    case.when(DecideObjection(verdict="refer"), sender=centre("meeting3")).refused("last_level")
    case.when(DecideObjection(verdict="think"), sender=centre("meeting3")).refused("unknown_verdict")


def test_an_objection_received_in_time_undoes_the_deemed_signature() -> None:
    case = silent_until_due(life().routed())
    sign = case.state.deemed
    assert sign is not None
    case.when(NOT_OURS, sender=handler("JW1"), received=DUE - timedelta(seconds=1))
    case.wrote("BreachTakenBack", "DeemedSignatureTakenBack", "ObjectionRaised")
    assert case.state.state is State.DISPUTED
    running = {name for name, run in case.state.clocks.items() if run.stopped is None}
    assert running == {"case", "leg", "decide"}


def test_after_the_deemed_signature_nothing_is_returned() -> None:
    case = silent_until_due(life().routed())
    case.when(NOT_OURS, sender=handler("JW1")).refused("deemed_signed")
    case = life().handled()
    case.when(NOT_OURS, sender=handler("JW1")).refused("wrong_state")
