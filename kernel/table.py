"""Tables that must be complete: dispatch by class, checked against a union when they are imported."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar, get_args

from kernel.processor import Context, Effect
from schemas.envelope import Envelope

S = TypeVar("S")
M = TypeVar("M")
E = TypeVar("E")


class IncompleteTable(TypeError):  # noqa: N818 - named by what is wrong, as the faults are
    """A table lacks a member of its union, has one twice or has a stranger."""


def when(kind: type[E], apply: Callable[[S, E], S]) -> tuple[type[E], Callable[[S, E], S]]:
    """One row of `folding`: how an event of this class changes the state."""
    return kind, apply


def sends(
    kind: type[E], react: Callable[[E, Envelope], Sequence[Effect]]
) -> tuple[type[E], Callable[[E, Envelope], Sequence[Effect]]]:
    """One row of `reacting`: what leaves when an event of this class was decided."""
    return kind, react


def decides(
    kind: type[M], decide: Callable[[S, M, Context], Sequence[E]]
) -> tuple[type[M], Callable[[S, M, Context], Sequence[E]]]:
    """One row of `deciding`: the decision for a message of this class."""
    return kind, decide


def unchanged(state: S, event: object) -> S:  # noqa: ARG001 - the shape of every applier
    """For events that are on record and change nothing."""
    return state


def nothing(event: object, envelope: Envelope) -> Sequence[Effect]:  # noqa: ARG001 - the shape of every reaction
    """For events after which nothing leaves."""
    return ()


def folding(union: Any, *rows: tuple[type, Callable[[Any, Any], Any]]) -> Callable[[Any, Any], Any]:
    """An `evolve` from its rows, one for each member of `union`."""
    appliers = complete(union, rows)

    def evolve(state: Any, event: Any) -> Any:
        return appliers[type(event)](state, event)

    return evolve


def reacting(
    union: Any, *rows: tuple[type, Callable[[Any, Envelope], Sequence[Effect]]]
) -> Callable[[Any, Envelope], Sequence[Effect]]:
    """A `react` from its rows, one for each member of `union`."""
    reactions = complete(union, rows)

    def react(event: Any, envelope: Envelope) -> Sequence[Effect]:
        return reactions[type(event)](event, envelope)

    return react


def deciding(
    union: Any, *rows: tuple[type, Callable[[Any, Any, Context], Sequence[Any]]]
) -> Callable[[Any, Any, Context], Sequence[Any]]:
    """A `decide` from its rows, one for each member of `union`."""
    decisions = complete(union, rows)

    def decide(state: Any, message: Any, context: Context) -> Sequence[Any]:
        return decisions[type(message)](state, message, context)

    return decide


def from_(*states: S) -> frozenset[S]:
    """A column of a table of commands: the states in which it may come."""
    return frozenset(states)


def to(*states: S) -> frozenset[S]:
    """The states in which its subject may be afterwards: for docs, tests and simulator. None: it stays."""
    return frozenset(states)


def by(*roles: S) -> tuple[S, ...]:
    """Who may send it: the first role that the sender holds is enough."""
    return roles


def needs(*guards: S) -> tuple[S, ...]:
    """What must hold besides, in this order."""
    return guards


def complete(union: Any, rows: Sequence[tuple[type, Any]]) -> dict[type, Any]:
    """The rows as a dict; raises `IncompleteTable` unless they are exactly the members of `union`."""
    wanted: set[type] = set(get_args(union) or (union,))
    found = [kind for kind, _ in rows]
    missing = sorted(kind.__name__ for kind in wanted - set(found))
    strange = sorted(kind.__name__ for kind in set(found) - wanted)
    twice = sorted({kind.__name__ for kind in found if found.count(kind) > 1})
    if missing or strange or twice:
        message = f"expected one row for each of {union}; missing {missing}, strange {strange}, twice {twice}"
        raise IncompleteTable(message)
    return dict(rows)
