from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final, get_args

from msgspec import Struct

from rules.posts import ROLES
from schemas.case.union import CaseEvent

AUDIENCES = (
    "lead",
    "relieved",
    "assist",
    "up",
    "guiding",
    "parent",
    "supervising",
    "centre",
    "reporter",
    *ROLES,
)
"""Who can hear of an event: by their part in the case, or by their post."""
CHANNELS = ("own", "terminal", "webhook", "topic")
"""`own` means the channels of the recipient."""
EVENTS: Final = frozenset(event.__name__ for event in get_args(CaseEvent))
"""Of what people can be told: the events of the case."""


class Route(Struct, frozen=True):
    """Who hears of an event, by which channel, in which words, at once or in the digest."""

    event: str
    audience: str
    channel: str
    template: str
    digest: bool = False


@dataclass(frozen=True)
class Routes:
    """All routes by the name of the event, in the order of the bundle."""

    rows: tuple[Route, ...]

    def of(self, event: str) -> tuple[Route, ...]:
        return self._by_event.get(event, ())

    @cached_property
    def _by_event(self) -> Mapping[str, tuple[Route, ...]]:
        groups: dict[str, list[Route]] = defaultdict(list)
        for route in self.rows:
            groups[route.event].append(route)
        return {event: tuple(routes) for event, routes in groups.items()}
