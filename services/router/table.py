"""The columns of the lifecycle table (流转表): on whom, from where, by whom, needing what.

`table` makes one `decide` of the rows. It judges in this order: does the case exist, is the sender's post
held today, is the revision the expected one, does the state allow it, may this sender, do the guards hold.
A firing of the clock is judged by `services.router.firings` instead of the state.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import reduce
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar

from kernel.acting import described, held_post
from kernel.processor import Context
from kernel.table import complete
from rules.posts import Post
from schemas.case.opening import CommandRefused
from schemas.case.states import State
from schemas.case.timing import BreachTakenBack
from schemas.case.union import CaseEvent
from schemas.refusal import Refusal
from services.router import firings
from services.router.evolve import evolve
from services.router.state import Case

C = TypeVar("C")
Events: TypeAlias = Sequence[CaseEvent]
Decision: TypeAlias = Callable[[Case, C, Context], Events]
Guard: TypeAlias = Callable[[Case, Any, Context], Refusal | None]
Otherwise: TypeAlias = Callable[[Case, Any, Context], Events]

CLOCK: Final = "sla.clock"


class Role(NamedTuple):
    """One who may send a command. `holds` sees the sender's post, or `None` for a processor or reporter."""

    name: str
    holds: Callable[[Case, Any, Context, Post | None], bool]


@dataclass(frozen=True, slots=True)
class Row:
    """One command of the lifecycle: what docs and console draw, and what `decide` judges by."""

    command: type
    decision: Callable[[Case, Any, Context], Events]
    sources: frozenset[State]
    targets: frozenset[State]
    senders: tuple[Role, ...]
    guards: tuple[Guard, ...]
    otherwise: Otherwise | None
    fires: bool
    revised: bool


def on(  # noqa: PLR0917 - the columns of a table
    command: type[C],
    decision: Decision[C],
    sources: frozenset[State],
    targets: frozenset[State],
    senders: tuple[Role, ...],
    guards: tuple[Guard, ...] = (),
    otherwise: Otherwise | None = None,
) -> Row:
    """One row. `otherwise` adds to a refusal what must not be lost, such as the report that came with it."""
    names = {field.name for field in fields(command)}  # pyright: ignore[reportArgumentType] - a contract
    return Row(
        command=command,
        decision=decision,
        sources=sources,
        targets=targets,
        senders=senders,
        guards=guards,
        otherwise=otherwise,
        fires="firing" in names,
        revised="expected_revision" in names,
    )


def table(union: Any, *rows: Row) -> Callable[[Case, Any, Context], Events]:
    """A `decide` from the rows, one for each command of the union."""
    by_command: dict[type, Row] = complete(union, [(row.command, row) for row in rows])

    def decide(case: Case, command: Any, context: Context) -> Events:
        row = by_command[type(command)]
        fired = row.fires and command.firing is not None
        events = (_fired if fired else _judged)(row, case, command, context)
        if isinstance(events, Refusal):
            return _refused(row, case, command, context, events)
        return _corrected(case, events) if case.breaches else events

    return decide


def _judged(row: Row, case: Case, command: Any, context: Context) -> Events | Refusal:
    post = held_post(context)
    if isinstance(post, Refusal):
        return post
    if row.revised and command.expected_revision and command.expected_revision != case.revision:
        wanted = command.expected_revision
        return Refusal(code="stale_revision", expected=str(case.revision), found=str(wanted))
    if case.state not in row.sources:
        return _wrong_state(row, case)
    if not any(role.holds(case, command, context, post) for role in row.senders):
        return _not_permitted(row, case, context, post)
    for guard in row.guards:
        refusal = guard(case, command, context)
        if refusal is not None:
            return refusal
    return row.decision(case, command, context)


def _fired(row: Row, case: Case, command: Any, context: Context) -> Events | Refusal:
    """A clock came due: only the clock may say so, and the case's own times decide."""
    sender = context.sender
    if sender.id != CLOCK or sender.kind != "processor":
        return Refusal(code="not_the_clock", expected=CLOCK, found=f"{sender.kind} {sender.id}")
    return firings.judged(case, command, context) or row.decision(case, command, context)


def _wrong_state(row: Row, case: Case) -> Refusal:
    if case.state is State.NONE:
        return Refusal(code="no_such_case", expected="a case that was opened", found="none")
    wanted = " or ".join(sorted(row.sources))
    return Refusal(code="wrong_state", expected=wanted, found=case.state)


def _not_permitted(row: Row, case: Case, context: Context, post: Post | None) -> Refusal:
    names = [role.name for role in row.senders]
    if post is not None and post.role == "handler" and "lead" in names and case.lead:
        return Refusal(code="not_lead", expected=case.lead, found=post.unit)
    return Refusal(code="not_permitted", expected=" or ".join(names), found=described(post, context))


def _refused(row: Row, case: Case, command: Any, context: Context, refusal: Refusal) -> Events:
    refused = CommandRefused(command=row.command.__name__, refusal=refusal, by=context.sender.id)
    return (refused, *row.otherwise(case, command, context)) if row.otherwise else (refused,)


def _corrected(case: Case, events: Events) -> Events:
    """What stops a breached clock was perhaps received at or before its due, and is only late to us."""
    after = reduce(evolve, events, case)
    back = [
        BreachTakenBack(clock=name, since=run.since, due=run.breached, at=later.stopped)
        for name, run in case.clocks.items()
        if run.breached is not None
        and run.stopped is None
        and (later := after.clocks[name]).since == run.since
        and later.stopped is not None
        and later.stopped <= run.breached
        and later.breached is not None
    ]
    return (*events, *back) if back else events
