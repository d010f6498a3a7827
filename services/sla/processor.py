from typing import Any, Final

from kernel.processor import Processor
from schemas.sla import ClockEvent
from schemas.topics import CASE_EVENTS, SLA_COMMANDS, SLA_EVENTS
from services.sla.decide import DECISIONS, decide
from services.sla.evolve import evolve
from services.sla.react import react
from services.sla.state import Clocks

CLOCK: Final[Processor[Clocks, Any, ClockEvent]] = Processor(
    name="sla.clock",
    inbox=(CASE_EVENTS, SLA_COMMANDS),
    handles=tuple(DECISIONS),
    initial=Clocks(),
    decide=decide,
    evolve=evolve,
    react=react,
    events=SLA_EVENTS,
)
"""sla.clock: one stream for each case, fed by the case's own events."""
