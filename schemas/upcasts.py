"""Old versions of a contract to new ones: pure, at read time, one step a row. Each has a golden history."""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

Change: TypeAlias = Callable[[dict[str, Any]], dict[str, Any]]

UPCASTS: Final[Mapping[str, tuple[str, Change]]] = {}
"""Retired type to its successor and the change of its data."""


def upcast(name: str) -> tuple[str, Change] | None:
    """The newest successor of a retired type and the whole change to it; `None` if `name` was never ours."""
    step = UPCASTS.get(name)
    if step is None:
        return None
    target, change = step
    further = upcast(target)
    if further is None:
        return target, change
    last, rest = further
    return last, lambda data: rest(change(data))
