"""Whether a worker stands still before unread messages for no reason: pure, from one look to the next."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

Place: TypeAlias = tuple[str, str, int]
"""A processor, one of its inbox topics, and the partition."""


class Sight(NamedTuple):
    """One topic partition of a worker, as just seen.

    `cursor` is the offset below which all is on record as taken, nothing while the partition is being
    claimed; `position` is what the worker reads next, `end` the offset after the last message.
    """

    processor: str
    topic: str
    partition: int
    cursor: int | None
    position: int | None
    end: int

    @property
    def place(self) -> Place:
        """Where it is."""
        return (self.processor, self.topic, self.partition)

    @property
    def lag(self) -> int:
        """Messages that lie before the cursor."""
        return max(0, self.end - (self.cursor or 0))


class Stand(NamedTuple):
    """A place with unread messages: its cursor, since when it stands there, since when without an excuse."""

    cursor: int | None
    since: float
    free: float


class Still(NamedTuple):
    """A place that stands still for too long, how long, and its excuse: without one it is a stall."""

    sight: Sight
    seconds: float
    excuse: str = ""


@dataclass(frozen=True, slots=True)
class Patience:
    """After how many seconds without progress a worker says so, and after how many it ends."""

    warn_seconds: float = 60.0
    end_seconds: float = 120.0


def follow(
    before: Mapping[Place, Stand], sights: Iterable[Sight], excuses: Mapping[str, str], now: float
) -> dict[Place, Stand]:
    """Who stands still after this look. One that moved, has read all or is owned no more begins anew.

    `excuses` names for a processor why it cannot go on: a port that is away holds it, and that is no stall.
    """
    stands: dict[Place, Stand] = {}
    for sight in sights:
        if not sight.lag:
            continue
        last = before.get(sight.place)
        if last is None or last.cursor != sight.cursor:
            stands[sight.place] = Stand(sight.cursor, now, now)
        else:
            stands[sight.place] = last._replace(free=now) if excuses.get(sight.processor) else last
    return stands


def still(
    stands: Mapping[Place, Stand],
    sights: Iterable[Sight],
    excuses: Mapping[str, str],
    now: float,
    patience: Patience,
) -> Sequence[Still]:
    """Who has stood still for longer than is worth a word, the excused with why."""
    found: list[Still] = []
    for sight in sights:
        stand = stands.get(sight.place)
        if stand is None:
            continue
        excuse = excuses.get(sight.processor, "")
        seconds = now - (stand.since if excuse else stand.free)
        if seconds >= patience.warn_seconds:
            found.append(Still(sight, seconds, excuse))
    return found


def hopeless(found: Iterable[Still], patience: Patience) -> Still | None:
    """The stall for which the worker has to end, if there is one: only a new start may help."""
    return next((one for one in found if not one.excuse and one.seconds >= patience.end_seconds), None)
