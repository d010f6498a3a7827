"""The people of a demonstration city: they hear every case event and decide what they do, and when.

They have no way in but the edge: an `Act` is a command that a post sends. All draws depend on the seed,
the case and how many of its events were heard, so that the order between cases changes nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final, TypeAlias

from cities import centre_people as centre
from cities import unit_people as units
from cities.habits import Habits, minutes
from cities.office import Act, Office
from cities.seen import Seen
from rules.bundle import Bundle
from schemas.case import assigning, closing, handling, objecting, opening, supervising, timing
from schemas.case.handling import RecordProgress
from schemas.case.states import OPEN, State
from schemas.case.supervising import LiftSupervision

__all__ = ["Act", "People"]

Hears: TypeAlias = Callable[[Office, Seen, Any, datetime, Random], list[Act]]
MOST_RETRIES: Final = 3


class People:
    """Everybody of one city. `hears` wants every event of a case once and in order."""

    def __init__(self, bundle: Bundle, seed: int, habits: Habits | None = None) -> None:
        self.office = Office(bundle, habits or Habits())
        self.seed = seed
        self.cases: dict[str, Seen] = {}

    def hears(self, stream: str, event: object, at: datetime) -> Sequence[Act]:
        """What is done about an event of the case `stream` that was decided at `at`, and when."""
        seen = self.cases.setdefault(stream, Seen(stream))
        seen.note(event, at)
        reaction = REACTIONS.get(type(event))
        if reaction is None:
            return ()
        dice = Random(f"{self.seed}|{stream}|{seen.heard}")  # noqa: S311 - drawn again from its seed
        return reaction(self.office, seen, event, at, dice)

    def stands(self, act: Act) -> bool:
        """Whether the act still makes sense when its time has come: else the screen shows that it is moot."""
        seen = self.cases[act.case]
        command = act.command
        if isinstance(command, LiftSupervision):
            return command.number in seen.supervisions
        if isinstance(command, RecordProgress) and command.answers:
            return command.answers in seen.supervisions and seen.state in {State.HANDLING, State.SUSPENDED}
        return act.turn == seen.turn

    def unfinished(self) -> list[str]:
        """The cases that are neither written off nor void."""
        over = {State.WRITTEN_OFF, State.VOID, State.MERGED}
        return [case for case, seen in self.cases.items() if seen.state not in over]


# ── one small reaction for each event that moves somebody ────────────────────────────────────────────
def _opened(office: Office, seen: Seen, _: Any, at: datetime, dice: Random) -> list[Act]:
    return centre.opens(office, seen, at, dice)


def _check(office: Office, seen: Seen, _: Any, at: datetime, dice: Random) -> list[Act]:
    return centre.checks(office, seen, at, dice)


def _checked(
    office: Office, seen: Seen, event: closing.CheckRecorded, at: datetime, dice: Random
) -> list[Act]:
    return centre.after_check(office, seen, at, dice, passed=event.passed)


def _stopped(office: Office, seen: Seen, _: Any, at: datetime, dice: Random) -> list[Act]:
    return centre.dispatches(office, seen, at, dice)


def _assigned(
    office: Office, seen: Seen, event: assigning.CaseAssigned, at: datetime, dice: Random
) -> list[Act]:
    if event.state is State.HANDLING:
        return units.works(office, seen, at, dice, reachable=event.reachable)
    return units.takes(office, seen, at, dice)


def _signed(office: Office, seen: Seen, event: handling.CaseSigned, at: datetime, dice: Random) -> list[Act]:
    return units.works(office, seen, at, dice, reachable=event.reachable)


def _deemed(
    office: Office, seen: Seen, event: handling.SignatureDeemed, at: datetime, dice: Random
) -> list[Act]:
    """The unit that slept wakes up some hours later."""
    woken = office.in_office(at, minutes(dice, 120, 600), seen.lead)
    return units.works(office, seen, woken, dice, reachable=event.reachable)


def _staged(office: Office, seen: Seen, _: Any, at: datetime, dice: Random) -> list[Act]:
    return units.goes_on(office, seen, at, dice)


def _objected(
    office: Office, seen: Seen, event: objecting.ObjectionRaised, at: datetime, dice: Random
) -> list[Act]:
    return centre.decides_objection(office, seen, at, dice, event.proposed)


def _referred(office: Office, seen: Seen, _: Any, at: datetime, dice: Random) -> list[Act]:
    return centre.decides_objection(office, seen, at, dice, "")


def _resolved(office: Office, seen: Seen, _: Any, at: datetime, dice: Random) -> list[Act]:
    return centre.inspects(office, seen, at, dice)


def _passed(
    office: Office, seen: Seen, event: closing.InspectionPassed, at: datetime, dice: Random
) -> list[Act]:
    return centre.calls(office, seen, at, dice) if event.state is State.TO_CALL_BACK else []


def _called(office: Office, seen: Seen, _: Any, at: datetime, dice: Random) -> list[Act]:
    """Perhaps another reporter waits, or the same has to be tried again; closing makes it moot."""
    return centre.calls(office, seen, at, dice) if seen.state is State.TO_CALL_BACK else []


def _reworked(
    office: Office, seen: Seen, event: closing.ReworkOrdered, at: datetime, dice: Random
) -> list[Act]:
    return units.works(office, seen, at, dice, reachable=event.reachable)


def _pressed(
    office: Office, seen: Seen, event: supervising.SupervisionOpened, at: datetime, dice: Random
) -> list[Act]:
    if event.kind == "escalate" and seen.state in {State.TO_VERIFY, State.TO_CALL_BACK}:
        return centre.settles_at_bound(office, seen, at, dice)
    if event.unit == seen.lead and seen.state is State.HANDLING:
        return units.answers(office, seen, at, dice, event.number)
    return []


def _answered(
    office: Office, seen: Seen, event: handling.SupervisionAnswered, at: datetime, _: Random
) -> list[Act]:
    return centre.lifts(office, seen, at, "", (event.number,))


def _breached(
    office: Office, seen: Seen, event: timing.ClockBreached, at: datetime, dice: Random
) -> list[Act]:
    return centre.stands_in(office, seen, at, dice, event.clock)


def _closed(office: Office, seen: Seen, _: Any, at: datetime, dice: Random) -> list[Act]:
    return [*centre.lifts(office, seen, at, "案件已结案"), *centre.spot_checks(office, seen, at, dice)]


def _held(office: Office, seen: Seen, _: Any, at: datetime, __: Random) -> list[Act]:
    return centre.lifts(office, seen, at, "案件已结案")


def _reopened(
    office: Office, seen: Seen, event: closing.CaseReopened, at: datetime, dice: Random
) -> list[Act]:
    return centre.decides_filing(office, seen, at, dice) if event.state is State.RECEIVED else []


def _refused(
    office: Office, seen: Seen, event: opening.CommandRefused, at: datetime, dice: Random
) -> list[Act]:
    """A person reads why, thinks again and tries another way, a few times."""
    again = SECOND_THOUGHTS.get(event.command)
    if again is None or office.bundle.posts.get(event.by) is None or event.refusal.code == "wrong_state":
        return []
    seen.refusals += 1
    if seen.refusals > MOST_RETRIES or seen.state not in OPEN:
        return []
    return again(office, seen, event, at + timedelta(minutes=61), dice)


def _void_instead(office: Office, seen: Seen, event: Any, at: datetime, dice: Random) -> list[Act]:
    if event.refusal.code == "check_not_passed" or seen.refusals > 1:
        return centre.after_check(office, seen, at, dice, passed=False)
    return centre.decides_filing(office, seen, at, dice)


REACTIONS: Final[Mapping[type, Hears]] = {
    opening.CaseOpened: _opened,
    opening.CheckOrdered: _check,
    opening.CommandRefused: _refused,
    closing.CheckRecorded: _checked,
    assigning.RoutingStopped: _stopped,
    assigning.CaseAssigned: _assigned,
    handling.CaseSigned: _signed,
    handling.SignatureDeemed: _deemed,
    handling.StageFinished: _staged,
    handling.SupervisionAnswered: _answered,
    objecting.ObjectionRaised: _objected,
    objecting.ObjectionReferred: _referred,
    objecting.ObjectionRefused: _signed,
    supervising.SupervisionOpened: _pressed,
    closing.ResolutionReported: _resolved,
    closing.InspectionPassed: _passed,
    closing.CallbackRecorded: _called,
    closing.ReworkOrdered: _reworked,
    closing.CaseClosed: _closed,
    closing.CaseReopened: _reopened,
    closing.WriteOffHeld: _held,
    timing.ClockBreached: _breached,
}
"""Who stirs at which event. What is not here moves nobody."""

SECOND_THOUGHTS: Final[Mapping[str, Hears]] = {
    "AcceptCase": _void_instead,
    "AssignCase": _stopped,
    "SignCase": _staged,
    "ObjectToCase": lambda office, seen, _, at, dice: centre.act(
        seen, at, office.handler(seen.lead, dice), handling.SignCase()
    ),
    "DecideObjection": _referred,
    "ReportResolved": _staged,
    "RecordInspection": _resolved,
    "RecordCallback": _called,
}
"""What follows a refused command."""
