"""What a topic may forget (保留期): what is older than its retention and taken by all who read it.

The registry says how long; here is whom a topic waits for beyond that. Why so: docs/decisions/0013.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import NamedTuple

from kernel.processor import AnyProcessor
from schemas.topics import BY_NAME, FAMILIES


class Aging(NamedTuple):
    """How old the records of a topic become, and which processors must have taken them before they go."""

    age: timedelta
    readers: frozenset[str]


def aging(topic: str, processors: Iterable[AnyProcessor]) -> Aging | None:
    """`None` for what is kept for ever, and for a topic that this release does not know.

    Readers are those that the registry names and all `processors` with this inbox. Those of a family's
    topics are outside the city: time is all that they are given.
    """
    declared = BY_NAME.get(topic)
    family = None if declared else next((one for one in FAMILIES if one.has(topic)), None)
    known = declared or family
    if known is None or known.retention.age is None:
        return None
    readers = {one.name for one in processors if topic in one.topics}
    return Aging(known.retention.age, frozenset(readers.union(declared.consumers if declared else ())))


def dispensable(readers: Iterable[str], reached: Mapping[str, int], end: int) -> int:
    """The offset below which nobody needs a record; `reached` is the offset of each reader's cursor.

    The last record that all have taken stays, for the next claim compares it. Who has no cursor has taken
    nothing, and nothing goes.
    """
    return max(0, min((reached.get(reader, 0) for reader in readers), default=end) - 1)
