"""What router.case knows of one case, folded from its events."""

from datetime import datetime
from typing import Final

from msgspec import Struct

from schemas.case.states import OPEN, State
from schemas.case.timing import Term

CENTRE_STATES: Final = frozenset({State.RECEIVED, State.TO_ROUTE})
"""Where nobody leads yet, the operations centre (城运中心) is accountable."""


class Run(Struct, frozen=True, gc=False):
    """One run of a clock, as far as the case has to know it to judge a firing.

    `since` is the version of the event that started it at `at`; `stopped` and `breached` are when it was
    stopped and for which due a breach was confirmed. `before` is the run that this one replaced,
    `unit` the one that leads meanwhile.
    """

    since: int
    at: datetime
    unit: str = ""
    stopped: datetime | None = None
    breached: datetime | None = None
    before: "Run | None" = None


class Supervision(Struct, frozen=True, gc=False):
    """An open supervision (督办): who opened it, whom it presses, and the clock that it is due to, if any.

    `at_bound` marks the one that the bound of rounds opened; the decision that it asks for ends it.
    """

    number: int
    kind: str
    level: int
    unit: str
    by: str
    clock: str = ""
    since: int = 0
    answered: bool = False
    at_bound: bool = False


class Calls(Struct, frozen=True, gc=False):
    """What calling one reporter back (回访) has come to in this round; `over` when nobody calls again."""

    attempts: tuple[datetime, ...] = ()
    over: bool = False
    outcome: str = ""


class Deemed(Struct, frozen=True, gc=False):
    """A deemed signature (视为签收) that may be taken back: due time, event, and the sign clock before."""

    due: datetime
    version: int
    sign: Run


class Case(Struct, frozen=True, gc=False):
    """One case. `version` counts its events, `revision` those that changed something.

    `places` are (layer, area); `refused_by` are units that objected, `left` those whose objection was
    accepted in this round; `level` is that of the open objection, `meeting_level` the highest reached.
    `checked` is empty, ordered, passed or failed.
    """

    id: str = ""
    state: State = State.NONE
    version: int = 0
    revision: int = 0
    desk: str = ""
    area: str = ""
    places: tuple[tuple[str, str], ...] = ()
    matter: str = ""
    matter_hint: str = ""
    condition_hint: str = ""
    triage: str = ""
    checked: str = ""
    reports: tuple[str, ...] = ()
    reporters: tuple[str, ...] = ()
    round: int = 1
    limit: Term | None = None
    leg_limit: Term | None = None
    leg_rest: Term | None = None
    stages: int = 0
    stage: int = 0
    closing: tuple[str, ...] = ()
    calendar: str = ""
    lead: str = ""
    assistants: tuple[str, ...] = ()
    supervising: tuple[str, ...] = ()
    assignments: int = 0
    relieved: int = 0
    dispatched_by: str = ""
    objections: int = 0
    refused_by: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    proposed: str = ""
    level: int = 0
    meeting_level: int = 0
    deemed: Deemed | None = None
    supervisions: tuple[Supervision, ...] = ()
    supervised: int = 0
    calls: dict[str, Calls] = {}
    escalated: bool = False
    last_rework: bool = False
    ended: datetime | None = None
    window_due: datetime | None = None
    clocks: dict[str, Run] = {}
    breaches: int = 0

    @property
    def reachable(self) -> bool:
        """Whether there is a reporter who can be contacted at all."""
        return bool(self.reporters)

    @property
    def holds(self) -> list[Supervision]:
        """What keeps a closed case from being written off; what a clock opened ends with it."""
        return [one for one in self.supervisions if not one.clock]

    def left_by_clocks(self, clock: str, since: int) -> list[Supervision]:
        """The supervisions that this run of a clock opened, and those of every run that has stopped."""
        return [
            one
            for one in self.supervisions
            if one.clock and ((one.clock, one.since) == (clock, since) or not self._runs(one))
        ]

    def _runs(self, one: Supervision) -> bool:
        run = self.clocks.get(one.clock)
        return run is not None and run.since == one.since and run.stopped is None

    def supervision(self, number: int) -> Supervision | None:
        return next((one for one in self.supervisions if one.number == number), None)

    def accountable(self, centre: str) -> str:
        """The one unit that answers for the case (责任单位) while it is open, else empty."""
        if self.state not in OPEN:
            return self.lead if self.state is State.CLOSED else ""
        return centre if self.state in CENTRE_STATES else self.lead


NO_CASE: Final = Case()
"""The state of a stream without events."""
