"""Who may send a command (谁可办): each role sees the sender's post as of today, and the case."""

# ruff: noqa: ARG001 - every role has the shape of a role

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from kernel.processor import Context
from rules.posts import Post
from schemas.case.states import State
from schemas.case.supervising import LiftSupervision
from services.router.state import Case
from services.router.table import CLOCK, Role

Holds: TypeAlias = Callable[[Case, Any, Context, Post | None], bool]

MEETINGS: Final = ("meeting1", "meeting2", "meeting3")


def _covering(*roles: str) -> Holds:
    """Whether the sender's post has one of the roles, in an area that covers the case."""
    wanted = frozenset(roles)

    def holds(case: Case, command: object, context: Context, post: Post | None) -> bool:
        if post is None or post.role not in wanted:
            return False
        bundle = context.rules.bundle
        return post.area == bundle.city.root or bundle.areas.within(case.area, post.area)

    return holds


def _is_desk(case: Case, command: object, context: Context, post: Post | None) -> bool:
    sender = context.sender
    if sender.kind == "processor":
        return sender.id == "intake.desk"
    return _clerk(case, command, context, post)


def _is_lead(case: Case, command: object, context: Context, post: Post | None) -> bool:
    return post is not None and post.role == "handler" and post.unit == case.lead != ""


def _assists(case: Case, command: object, context: Context, post: Post | None) -> bool:
    return post is not None and post.role == "handler" and post.unit in case.assistants


def _is_above(case: Case, command: object, context: Context, post: Post | None) -> bool:
    """A unit above the lead, or its guiding department (对接指导部门)."""
    if post is None or post.role != "handler" or not case.lead:
        return False
    units = context.rules.bundle.units
    lead = units.get(case.lead)
    guiding = lead.guiding if lead else ""
    return post.unit == guiding or any(unit.code == post.unit for unit in units.line(case.lead))


def _is_reporter(case: Case, command: object, context: Context, post: Post | None) -> bool:
    return context.sender.kind == "reporter" and context.sender.id in case.reporters


def _is_router(case: Case, command: object, context: Context, post: Post | None) -> bool:
    return context.sender.kind == "processor" and context.sender.id == "router.case"


def _is_clock(case: Case, command: object, context: Context, post: Post | None) -> bool:
    """The clock sends a firing, which is judged before anyone asks here; without one it may do nothing."""
    return False


def _is_lifter(case: Case, command: object, context: Context, post: Post | None) -> bool:
    """The clock lifts what it opened."""
    return context.sender.kind == "processor" and context.sender.id == CLOCK


def _decides_objection(case: Case, command: object, context: Context, post: Post | None) -> bool:
    """The dispatcher at level 0, that level's meeting above; until civic.meeting exists, its post."""
    return _deciders[case.level](case, command, context, post)


def _opened_it(case: Case, command: LiftSupervision, context: Context, post: Post | None) -> bool:
    one = case.supervision(command.number)
    return post is not None and one is not None and one.by == context.sender.id


def _in_time(case: Case, context: Context) -> bool:
    """Whether what came was received before the clock wrote the case off."""
    if case.state is State.CLOSED:
        return True
    return (
        case.state is State.WRITTEN_OFF
        and case.window_due is not None
        and context.received <= case.window_due
    )


_clerk = _covering("clerk")
_dispatcher = _covering("dispatcher")
_supervisor = _covering("supervisor", "lead_officer")
_meeting = _covering(*MEETINGS)
_deciders = (_dispatcher, *(_covering(level) for level in MEETINGS))

desk = Role("desk", _is_desk)
disp = Role("dispatcher", _dispatcher)
lead = Role("lead", _is_lead)
asst = Role("assistant", _assists)
up = Role("above", _is_above)
sup = Role("supervisor", _supervisor)
insp = Role("inspector", _covering("inspector"))
caller = Role("caller", _covering("caller"))
rep = Role("reporter", _is_reporter)
meet = Role("meeting", _meeting)
keep = Role("keeper", _covering("keeper"))
router = Role("router", _is_router)
clock = Role("clock", _is_clock)
lifter = Role("clock for its own", _is_lifter)
decider = Role("decider", _decides_objection)
opener = Role("opener", _opened_it)


def when_late(name: str, role: Role) -> Role:
    """The role only after that clock was breached: somebody stands in for who should have done it."""

    def holds(case: Case, command: object, context: Context, post: Post | None) -> bool:
        run = case.clocks.get(name)
        return run is not None and run.breached is not None and role.holds(case, command, context, post)

    return Role(f"{role.name} after breach of {name}", holds)


def in_state(role: Role, *states: State) -> Role:
    """The role only while the case stands in one of these states."""
    allowed = frozenset(states)

    def holds(case: Case, command: object, context: Context, post: Post | None) -> bool:
        return case.state in allowed and role.holds(case, command, context, post)

    return Role(f"{role.name} in {' or '.join(sorted(states))}", holds)


def before_write_off(role: Role) -> Role:
    """The role before the case is written off, or as far as it was received before that."""

    def holds(case: Case, command: object, context: Context, post: Post | None) -> bool:
        return _in_time(case, context) and role.holds(case, command, context, post)

    return Role(f"{role.name} before write-off", holds)


def at_bound(role: Role) -> Role:
    """The role once the bound of rounds is reached, or the call-back clock was breached."""

    def holds(case: Case, command: object, context: Context, post: Post | None) -> bool:
        run = case.clocks.get("callback")
        late = run is not None and run.breached is not None and run.stopped is None
        return (case.escalated or late) and role.holds(case, command, context, post)

    return Role(f"{role.name} at the bound", holds)
