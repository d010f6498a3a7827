from schemas.case.handling import RecordProgress
from schemas.case.supervising import LiftSupervision, Supervise
from tests.unit.router.telling import centre, handler, life


def test_a_supervision_presses_without_changing_the_lead() -> None:
    case = life().handled()
    case.sent(Supervise(kind="oversee", reason="群众反复反映"), centre("supervisor"))
    [one] = case.state.supervisions
    assert (one.unit, one.kind, case.state.lead) == ("JW1", "oversee", "JW1")


def test_one_of_the_same_kind_and_level_replaces_the_open_one() -> None:
    case = life().handled()
    for _ in range(3):
        case.sent(Supervise(kind="urge"), centre("supervisor"))
    case.sent(Supervise(kind="urge", level=1), centre("supervisor"))
    assert [(one.number, one.level) for one in case.state.supervisions] == [(3, 0), (4, 1)]


def test_the_unit_above_guides_and_a_strange_one_does_not() -> None:
    case = life().handled()
    case.sent(Supervise(kind="guide"), handler("JD")).sent(Supervise(kind="oversee"), handler("GOV"))
    case.when(Supervise(kind="guide"), sender=handler("CG")).refused("not_permitted")
    case.when(Supervise(kind="shout"), sender=centre("supervisor")).refused("unknown_kind")


def test_it_is_lifted_once_answered_or_with_a_reason() -> None:
    case = life().handled().sent(Supervise(kind="urge"), centre("lead_officer"))
    case.when(LiftSupervision(number=1), sender=centre("lead_officer")).refused("not_answered")
    case.when(RecordProgress(text="在办", answers=1), sender=handler("JW2")).refused("not_lead")
    case.sent(RecordProgress(text="在办", answers=1), handler("JW1"))
    case.wrote("ProgressRecorded", "SupervisionAnswered")
    case.sent(LiftSupervision(number=1), centre("lead_officer")).wrote("SupervisionLifted")
    case.when(LiftSupervision(number=1, reason="x"), sender=centre("supervisor")).refused("no_supervision")
    case.when(RecordProgress(text="在办", answers=1), sender=handler("JW1")).refused("no_supervision")


def test_only_the_pressed_unit_answers() -> None:
    case = life().handled().sent(Supervise(kind="guide", to="parent"), centre("supervisor"))
    case.when(RecordProgress(text="在办", answers=1), sender=handler("JW1")).refused("not_supervised")


def test_only_the_opener_or_a_supervisor_lifts() -> None:
    case = life().handled().sent(Supervise(kind="guide"), handler("JD"))
    lift = LiftSupervision(number=1, reason="已落实")
    case.when(lift, sender=handler("JW1")).refused("not_permitted")
    case.sent(lift, handler("JD"))
