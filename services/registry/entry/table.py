"""The columns of the entry's table (准入流程表): on which version, from where, by whom, needing what.

`table` makes one `decide` of the rows. It judges in this order: is the sender's post held today, does the
state of the picked version allow it, may this sender, do the guards hold.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, NamedTuple, TypeAlias, TypeVar

from kernel.acting import described, held_post
from kernel.processor import Context
from kernel.table import complete
from rules.posts import Post
from schemas.entry.events import EntryCommandRefused, EntryEvent
from schemas.entry.states import EntryState
from schemas.refusal import Refusal
from schemas.register import FaultTold
from services.registry.entry.decisions.taking_up import taken_up
from services.registry.entry.evolve import evolve
from services.registry.entry.state import Dossier, Version

C = TypeVar("C")
Events: TypeAlias = Sequence[EntryEvent]
Decision: TypeAlias = Callable[[Dossier, C, Context], Events]
Pick: TypeAlias = Callable[[Dossier, Any], Version | None]


class Against(NamedTuple):
    """Why a command is refused; `faults` where a line of the register is what is wrong."""

    refusal: Refusal
    faults: tuple[FaultTold, ...] = ()


Guard: TypeAlias = Callable[[Dossier, Any, Context], Against | None]


class Role(NamedTuple):
    """One who may send a command. `holds` sees the sender's post, or `None` for a reporter."""

    name: str
    holds: Callable[[Dossier, Any, Context, Post | None], bool]


@dataclass(frozen=True, slots=True)
class Row:
    """One command of the workflow: what docs draw, and what `decide` judges by."""

    command: type
    decision: Callable[[Dossier, Any, Context], Events]
    pick: Pick
    sources: frozenset[EntryState]
    targets: frozenset[EntryState]
    senders: tuple[Role, ...]
    guards: tuple[Guard, ...]


def on(  # noqa: PLR0917 - the columns of a table
    command: type[C],
    decision: Decision[C],
    pick: Pick,
    sources: frozenset[EntryState],
    targets: frozenset[EntryState],
    senders: tuple[Role, ...],
    guards: tuple[Guard, ...] = (),
) -> Row:
    """One row."""
    return Row(command, decision, pick, sources, targets, senders, guards)


def table(union: Any, *rows: Row) -> Callable[[Dossier, Any, Context], Events]:
    """A `decide` from the rows, one for each command of the union."""
    by_command: dict[type, Row] = complete(union, [(row.command, row) for row in rows])

    def decide(dossier: Dossier, command: Any, context: Context) -> Events:
        row = by_command[type(command)]
        known = taken_up(dossier, context)
        standing: Dossier = reduce(evolve, known, dossier)
        found = _judged(row, standing, command, context)
        if isinstance(found, Against):
            refused = EntryCommandRefused(
                command=row.command.__name__,
                refusal=found.refusal,
                by=context.sender.id,
                faults=found.faults,
            )
            return (refused,)
        return (*known, *found)

    return decide


def _judged(row: Row, dossier: Dossier, command: Any, context: Context) -> Events | Against:
    post = held_post(context)
    if isinstance(post, Refusal):
        return Against(post)
    picked = row.pick(dossier, command)
    state = picked.state if picked else dossier.ended
    if state not in row.sources:
        return _against("wrong_state", " or ".join(sorted(row.sources)), state)
    if not any(role.holds(dossier, command, context, post) for role in row.senders):
        names = " or ".join(role.name for role in row.senders)
        return _against("not_permitted", names, described(post, context))
    for guard in row.guards:
        against = guard(dossier, command, context)
        if against is not None:
            return against
    return row.decision(dossier, command, context)


def _against(code: str, expected: str, found: str) -> Against:
    return Against(Refusal(code=code, expected=expected[:400], found=found[:400] or "nothing"))
