from msgspec import Struct

from schemas.kernel import AreaMode
from schemas.register import RowChange


class Wanted(Struct, frozen=True):
    """An edition that somebody published, into which the entries of the workflow are still to be put."""

    edition: str
    modes: tuple[AreaMode, ...]
    partitions: int


class Composing(Struct, frozen=True):
    """The one composition under way: its number, what it builds on, and the edition asked for if any."""

    number: int
    base: str
    changes: int
    wanted: Wanted | None = None


class InForce(Struct, frozen=True):
    """What the city decides by: the last number, its edition and the areas in a mode of their own.

    `ordered` are the areas that registry.mode has ever switched, `switched` those of them that are in 急;
    `kept` are the entries whose rows come from the workflow, `waiting` the changes that no edition holds yet.
    `asked` is the edition that somebody published, if `edition` was composed from it.
    """

    number: int = 0
    edition: str = ""
    modes: tuple[AreaMode, ...] = ()
    partitions: int = 0
    asked: str = ""
    ordered: frozenset[str] = frozenset()
    switched: frozenset[str] = frozenset()
    kept: frozenset[str] = frozenset()
    waiting: tuple[RowChange, ...] = ()
    wanted: Wanted | None = None
    composing: Composing | None = None
    compositions: int = 0
