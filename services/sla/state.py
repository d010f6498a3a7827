from collections.abc import Mapping

from msgspec import Struct

from schemas.case.states import State
from schemas.sla import CaseFacts, CaseTerms, ClockRun, Segment


class Clock(Struct, frozen=True, gc=False):
    """One clock of the case that is not stopped: its run, or the run after which it was paused.

    `segments` are all stretches that it has counted up to its pause; `asked` says that its due has fired,
    `presses` which supervisions it opened, `breached` that the case confirmed. The case keeps one of each
    kind and level: whichever clock presses last holds it.
    """

    run: ClockRun
    paused: bool = False
    segments: tuple[Segment, ...] = ()
    asked: bool = False
    presses: tuple[tuple[str, int], ...] = ()
    breached: bool = False


class Deemed(Struct, frozen=True, gc=False):
    """A deemed signature (视为签收) that may be taken back: the sign clock and the facts before it."""

    sign: Clock
    facts: CaseFacts


class Clocks(Struct, frozen=True, gc=False):
    """All clocks of one case (案件时钟), and what they know of it up to its event `version`.

    `runs` counts the starts.
    """

    version: int = 0
    facts: CaseFacts = CaseFacts(state=State.NONE)
    terms: CaseTerms = CaseTerms()
    runs: int = 0
    clocks: Mapping[str, Clock] = {}
    deemed: Deemed | None = None
