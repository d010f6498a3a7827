from datetime import datetime, timedelta

from schemas.case.assigning import AssignCase
from schemas.case.handling import RecordProgress
from schemas.case.supervising import LiftSupervision, Supervise
from schemas.case.timing import BreachNotConfirmed, ClockBreached, RecordBreach
from schemas.refusal import Refusal
from tests.stories import START
from tests.unit.router.telling import CLOCK, Life, centre, firing, handler, life

DUE = START + timedelta(hours=8)
LATE = DUE + timedelta(seconds=5)


def breach(case: Life, clock: str, due: datetime = DUE, since: int = 0) -> RecordBreach:
    return RecordBreach(firing=firing(case.state, clock, due, since))


def test_a_clock_that_nothing_stopped_is_breached() -> None:
    case = life().handled()
    since = case.state.clocks["contact"].since
    case.when(breach(case, "contact"), sender=CLOCK, at=LATE)
    case.then(ClockBreached(clock="contact", since=since, due=DUE, unit="JW1", at=LATE)).sends()


def test_a_breach_is_recorded_once() -> None:
    case = life().handled()
    case.sent(breach(case, "leg"), CLOCK, at=LATE)
    case.when(breach(case, "leg"), sender=CLOCK).wrote("BreachNotConfirmed")


def test_a_stop_received_at_the_due_time_wins_over_a_late_timer() -> None:
    case = life().handled()
    fired = breach(case, "contact")
    case.sent(RecordProgress(text="电话", contact="reached"), handler("JW1"), at=LATE, received=DUE)
    case.when(fired, sender=CLOCK)
    case.then(
        BreachNotConfirmed(
            clock="contact", since=fired.firing.since, due=DUE,
            refusal=Refusal(
                code="stopped", expected=f"a clock still running at {DUE.isoformat()}", found=DUE.isoformat()
            ),
        )
    )  # fmt: skip


def test_a_stop_after_the_due_time_does_not_hide_the_breach() -> None:
    case = life().handled()
    fired = breach(case, "leg")
    case.resolve(at=LATE)
    case.when(fired, sender=CLOCK).wrote("ClockBreached")


def test_a_stop_that_was_in_time_but_came_late_takes_the_breach_back() -> None:
    case = life().handled()
    case.sent(breach(case, "leg"), CLOCK, at=LATE).sent(breach(case, "case"), CLOCK)
    case.resolve(received=DUE)
    case.wrote("ResolutionReported", "BreachTakenBack")
    assert case.state.breaches == 1


def test_a_firing_of_an_older_start_is_stale() -> None:
    case = life().handled()
    fired = breach(case, "leg", since=1)
    case.when(fired, sender=CLOCK, at=LATE)
    [event] = case.events
    assert isinstance(event, BreachNotConfirmed)
    assert event.refusal.code == "stale_start"


def test_the_leg_of_a_relieved_unit_is_still_its_own() -> None:
    case = life().handled()
    fired = breach(case, "leg")
    case.sent(AssignCase(lead="JD", reason="改派"), centre("dispatcher"), at=LATE)
    case.when(fired, sender=CLOCK)
    [event] = case.events
    assert isinstance(event, ClockBreached)
    assert event.unit == "JW1"


def test_a_clock_that_never_ran_is_not_breached() -> None:
    case = life().open()
    fired = breach(case, "accept")
    other = RecordBreach(firing=firing(case.state, "leg", DUE, since=3))
    case.when(other, sender=CLOCK).wrote("BreachNotConfirmed")
    case.sent(fired, CLOCK, at=LATE).wrote("ClockBreached")
    assert case.last(ClockBreached).unit == ""


def test_a_breach_presses_and_the_clock_lifts_what_it_opened() -> None:
    case = life().handled()
    fired = firing(case.state, "handle", DUE)
    case.sent(Supervise(kind="urge", reason="70%", firing=fired), CLOCK, at=START + timedelta(hours=6))
    case.wrote("SupervisionOpened")
    case.sent(Supervise(kind="urge", firing=fired, breach=True), CLOCK, at=LATE)
    case.wrote("ClockBreached", "SupervisionOpened")
    assert [one.number for one in case.state.supervisions] == [2]
    case.sent(Supervise(kind="escalate", level=2, to="parent", firing=fired), CLOCK)
    assert [one.unit for one in case.state.supervisions] == ["JW1", "JD"]
    case.resolve()
    case.sent(LiftSupervision(clock="handle", since=fired.since), CLOCK).wrote(*["SupervisionLifted"] * 2)
    case.when(LiftSupervision(clock="handle", since=fired.since), sender=CLOCK).refused("no_supervision")
    case.when(Supervise(kind="urge", level=3, firing=fired), sender=CLOCK).wrote("BreachNotConfirmed")


def test_a_lift_takes_along_what_other_stopped_clocks_left() -> None:
    case = life().handled()
    for number, clock in enumerate(("handle", "leg", "case")):
        fired = firing(case.state, clock, DUE)
        case.sent(Supervise(kind="urge", level=number, firing=fired), CLOCK, at=LATE)
    case.resolve()
    lift = LiftSupervision(clock="leg", since=firing(case.state, "leg", DUE).since)
    case.sent(lift, CLOCK).wrote(*["SupervisionLifted"] * 2)
    assert [one.clock for one in case.state.supervisions] == ["case"]


def test_a_person_records_no_breach() -> None:
    case = life().handled()
    case.when(breach(case, "leg"), sender=centre("supervisor")).refused("not_the_clock")
