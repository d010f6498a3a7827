"""After each case event exactly the clocks of the state's row run (状态行即规则)."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple

from kernel.processor import Context
from rules.clocks import LAWS, row
from schemas.case.handling import SignatureDeemed
from schemas.case.objecting import DeemedSignatureTakenBack
from schemas.sla import CaseFacts, ClockHalt, ClockRun, ClocksSet
from services.sla import clock as counting
from services.sla.facts import FOLD, terms_after
from services.sla.state import Clocks, Deemed


class Turn(NamedTuple):
    """One case event about to be followed: the clocks before, and the case after it."""

    clocks: Clocks
    basis: counting.Basis
    version: int

    @property
    def at(self) -> datetime:
        """The moment from which the event counts: its command's receipt at the edge."""
        return self.basis.event.at


def follow(clocks: Clocks, event: Any, context: Context) -> list[ClocksSet]:
    """The one event that says which clocks this case event stopped, paused, resumed and started."""
    facts, terms = _facts(clocks, event), terms_after(clocks.terms, event)
    turn = Turn(clocks, counting.Basis(facts, terms, event, context.rules), version_of(context.message_id))
    wanted = row(facts)
    anew = {name for name in wanted if _starts_anew(turn, name)}
    taken_back = _taken_back(turn)
    return [
        ClocksSet(
            case_version=turn.version,
            event=type(event).__name__,
            at=turn.at,
            edition=context.rules.bundle.hash,
            facts=facts if facts is not clocks.facts else None,
            terms=terms if terms is not clocks.terms else None,
            stopped=tuple(_stops(turn, wanted, anew)),
            paused=tuple(_pauses(turn, wanted, anew)),
            started=tuple(_starts(turn, wanted, anew, taken_back)),
            resumed=(*taken_back, *_resumes(turn, wanted, anew)),
        )
    ]


def version_of(message_id: str) -> int:
    """The version of the case event that a message id names: `<case>/<version>`."""
    return int(message_id.rpartition("/")[2])


def _starts_anew(turn: Turn, name: str) -> bool:
    """Whether a clock that may be running has to begin again with this event."""
    law, before, after = LAWS[name], turn.clocks.facts, turn.basis.facts
    if law.own and after.state is not before.state:
        return True
    if law.of_lead and after.lead != before.lead:
        return True
    return isinstance(turn.basis.event, law.restarts)


def _stops(turn: Turn, wanted: dict[str, bool], anew: set[str]) -> Iterator[ClockHalt]:
    for name, clock in turn.clocks.clocks.items():
        if name not in wanted or name in anew:
            yield counting.halted(clock, turn.basis.rules, turn.at)


def _pauses(turn: Turn, wanted: dict[str, bool], anew: set[str]) -> Iterator[ClockHalt]:
    for name, clock in turn.clocks.clocks.items():
        if not wanted.get(name, True) and not clock.paused and name not in anew:
            yield counting.halted(clock, turn.basis.rules, turn.at)


def _starts(
    turn: Turn, wanted: dict[str, bool], anew: set[str], taken_back: tuple[ClockRun, ...]
) -> Iterator[ClockRun]:
    running = turn.clocks.clocks
    given_back = {run.clock for run in taken_back}
    number = turn.clocks.runs
    for name, runs in wanted.items():
        if runs and name not in given_back and (name not in running or name in anew):
            number += 1
            yield counting.started(name, turn.basis, run=number, since=turn.version)


def _resumes(turn: Turn, wanted: dict[str, bool], anew: set[str]) -> Iterator[ClockRun]:
    for name, clock in turn.clocks.clocks.items():
        if clock.paused and wanted.get(name) and name not in anew:
            yield counting.resumed(clock, turn.basis.terms, turn.basis.rules, turn.at)


def _taken_back(turn: Turn) -> tuple[ClockRun, ...]:
    """The sign clock that a deemed signature stopped runs on as before, when that is taken back."""
    deemed = turn.clocks.deemed
    if deemed is None or not isinstance(turn.basis.event, DeemedSignatureTakenBack):
        return ()
    return (deemed.sign.run,)


def _facts(clocks: Clocks, event: Any) -> CaseFacts:
    deemed = clocks.deemed
    if deemed is not None and isinstance(event, DeemedSignatureTakenBack):
        return replace(deemed.facts, contact=deemed.facts.contact and clocks.facts.contact)
    return FOLD[type(event)](clocks.facts, event)


def deemed_by(clocks: Clocks, event: ClocksSet) -> Deemed | None:
    """The deemed signature that may still be taken back once this event is folded."""
    if event.event == SignatureDeemed.__name__:
        sign = clocks.clocks.get("sign")
        return Deemed(sign, clocks.facts) if sign else None
    stays = event.facts is None or event.facts.state is clocks.facts.state
    return clocks.deemed if stays else None
