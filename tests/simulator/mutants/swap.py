"""A rule of design.md §3 switched off: one function of the kernel replaced for as long as a seed runs."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

Swap: TypeAlias = AbstractContextManager[Any]


@dataclass(frozen=True, slots=True)
class Mutant:
    """`rule` says what is switched off, `profile` where it is looked for, `disaster` what must be refused."""

    name: str
    rule: str
    off: Callable[[], Swap]
    profile: str = "chaos"
    disaster: str = ""


@contextmanager
def swapped(owner: Any, name: str, make: Callable[[Any], Any]) -> Iterator[None]:
    """Put `make(original)` in the place of `owner.name`."""
    original = owner.__dict__[name]
    setattr(owner, name, make(original))
    try:
        yield
    finally:
        setattr(owner, name, original)


@contextmanager
def together(*swaps: Swap) -> Iterator[None]:
    """Several swaps at once."""
    with ExitStack() as stack:
        for swap in swaps:
            stack.enter_context(swap)
        yield
