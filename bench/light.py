"""router.case with a decision that costs next to nothing: what is left is what carries it."""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from kernel.processor import Context, Processor
from kernel.table import nothing
from schemas.case.opening import AcceptCase, CheckOrdered, CommandRefused, OpenCase
from schemas.case.states import State
from schemas.refusal import Refusal
from schemas.topics import CASE_COMMANDS, CASE_EVENTS

Event = CheckOrdered | CommandRefused


class Light(Struct, frozen=True, gc=False):
    """As much of a case as this decision asks for."""

    version: int = 0
    revision: int = 0
    state: State = State.NONE
    lead: str = ""


def decide(case: Light, command: OpenCase | AcceptCase, context: Context) -> Sequence[Event]:
    """Opened once and then accepted, three events each; anything else is refused."""
    opens = isinstance(command, OpenCase)
    if opens is not (case.state is State.NONE):
        refusal = Refusal(code="state", expected="another state", found=case.state.value)
        return [CommandRefused(command=type(command).__name__, refusal=refusal, by=context.sender.id)]
    area = command.desk if isinstance(command, OpenCase) else case.lead
    return [CheckOrdered(area=area, at=context.received)] * 3


def evolve(case: Light, event: Event) -> Light:
    if isinstance(event, CommandRefused):
        return replace(case, version=case.version + 1)
    return replace(
        case, version=case.version + 1, revision=case.revision + 1, state=State.RECEIVED, lead=event.area
    )


LIGHT: Final[Processor[Light, OpenCase | AcceptCase, Event]] = Processor(
    name="router.case",
    inbox=(CASE_COMMANDS,),
    handles=(OpenCase, AcceptCase),
    initial=Light(),
    decide=decide,
    evolve=evolve,
    react=nothing,
    events=CASE_EVENTS,
    snapshot=Light,
)
