from datetime import timedelta

import msgspec

from kernel.processor import Sender
from rules.matters import Stage
from schemas.case.assigning import AssignCase
from schemas.case.handling import (
    CaseSigned,
    ProgressRecorded,
    RecordProgress,
    ReporterContacted,
    SignatureDeemed,
    SignCase,
    StageFinished,
)
from schemas.case.opening import AcceptCase
from schemas.case.states import State
from schemas.case.supervising import SupervisionOpened
from schemas.case.timing import ClockBreached
from tests.builders_city import CLUTTER, STREET_TRADING, limit, tiny_parts
from tests.stories import START
from tests.unit.router.telling import CLOCK, centre, city, firing, handler, life, resolution

DUE = START + timedelta(days=1)


def test_the_lead_signs() -> None:
    case = life().routed()
    case.when(SignCase(), sender=handler("JW1"))
    case.then(CaseSigned(unit="JW1", reachable=True, by="JW1-handler", at=START))
    case.when(SignCase(), sender=handler("JW1")).refused("wrong_state")


def test_nobody_else_signs() -> None:
    case = life().routed()
    case.when(SignCase(), sender=handler("CG")).refused("not_lead")
    case.when(SignCase(), sender=centre("dispatcher")).refused("not_permitted")
    case.when(SignCase(), sender=CLOCK).refused("not_permitted")


def test_silence_is_a_signature_at_the_due_time() -> None:
    case = life().routed()
    fired = firing(case.state, "sign", DUE)
    case.when(SignCase(firing=fired), sender=CLOCK, at=DUE + timedelta(seconds=5))
    case.then(
        ClockBreached(clock="sign", since=fired.since, due=DUE, unit="JW1", at=case.now),
        SignatureDeemed(unit="JW1", reachable=True, at=DUE),
        SupervisionOpened(
            number=1, kind="urge", level=0, to="lead", unit="JW1", replaces=0, reason="sign", reply_due=None,
            clock="sign", since=fired.since, by="sla.clock", at=case.now,
        ),
    )  # fmt: skip
    assert case.state.clocks["handle"].at == DUE


def test_a_signature_received_in_time_undoes_the_silence() -> None:
    case = life().routed()
    case.sent(SignCase(firing=firing(case.state, "sign", DUE)), CLOCK, at=DUE + timedelta(seconds=5))
    case.when(SignCase(), sender=handler("JW1"), received=DUE)
    case.wrote("BreachTakenBack", "DeemedSignatureTakenBack", "CaseSigned")
    assert (case.state.state, case.state.breaches) == (State.HANDLING, 0)


def test_only_the_clock_fires() -> None:
    case = life().routed()
    case.when(SignCase(firing=firing(case.state, "sign", DUE)), sender=handler("JW1")).refused(
        "not_the_clock"
    )


def test_a_contact_stops_its_clock_and_assistants_only_report() -> None:
    case = life().handled(STREET_TRADING)
    case.when(RecordProgress(text="已劝导"), sender=handler("JW1"))
    case.then(ProgressRecorded(unit="JW1", text="已劝导", by="JW1-handler", at=START))
    case.when(RecordProgress(text="已电话", contact="reached"), sender=handler("JW1")).refused("not_lead")
    case.when(
        RecordProgress(text="已电话", contact="reached"), sender=handler("CG"), after=timedelta(minutes=9)
    )
    case.then(
        ProgressRecorded(unit="CG", text="已电话", by="CG-handler", at=case.now),
        ReporterContacted(unit="CG", result="reached", by="CG-handler", at=case.now),
    )
    assert case.state.clocks["contact"].stopped == case.now
    case.when(RecordProgress(text="?", contact="maybe"), sender=handler("CG")).refused("unknown_contact")


def test_limits_in_series_are_finished_one_by_one() -> None:
    stages = tuple(Stage(name, limit("1工作日")) for name in ("停工", "处罚", "拆除"))
    matters = tuple(
        msgspec.structs.replace(
            one,
            conditions=tuple(msgspec.structs.replace(each, stages=stages) for each in one.conditions),
        )
        for one in tiny_parts().matters
    )
    case = life(city(matters=matters)).handled(CLUTTER)
    case.when(resolution(case.state), sender=handler("JW1")).refused("stages_open")
    finish = RecordProgress(text="完成", stage_finished=True)
    first = case.state.clocks["handle"].since
    case.sent(finish, handler("JW1"))
    assert case.last(StageFinished).stage == 1
    assert case.state.clocks["handle"].since > first
    case.sent(finish, handler("JW1"))
    case.when(finish, sender=handler("JW1")).refused("no_such_stage")
    case.resolve()


def test_a_unit_on_its_own_topic_may_what_its_handlers_may_and_nothing_else() -> None:
    case = life().routed()
    case.when(SignCase(), sender=Sender("unit", "CG")).refused("not_lead")
    case.when(SignCase(), sender=Sender("unit", "NOBODY")).refused("post_not_held")
    case.when(AcceptCase(), sender=Sender("unit", "JW1")).refused("wrong_state")
    case.when(AssignCase(lead="CG", reason="x"), sender=Sender("unit", "JW1")).refused("not_permitted")
    case.when(SignCase(), sender=Sender("unit", "JW1"))
    case.then(CaseSigned(unit="JW1", reachable=True, by="JW1", at=START))
