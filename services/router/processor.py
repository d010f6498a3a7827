"""router.case: case commands in, case events out; one stream for each case."""

from typing import Final, get_args

from kernel.processor import Processor
from schemas.case.union import CaseCommand, CaseEvent
from schemas.topics import CASE_COMMANDS, CASE_EVENTS
from services.router.evolve import evolve
from services.router.lifecycle import decide
from services.router.react import react
from services.router.state import NO_CASE, Case

ROUTER_CASE: Final[Processor[Case, CaseCommand, CaseEvent]] = Processor(
    name="router.case",
    inbox=(CASE_COMMANDS,),
    handles=get_args(CaseCommand),
    initial=NO_CASE,
    decide=decide,
    evolve=evolve,
    react=react,
    events=CASE_EVENTS,
    snapshot=Case,
)
