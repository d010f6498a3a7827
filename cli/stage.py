"""A stepped city as its conductor has it: what moves its time, and how its rest is seen."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from kernel.clock import SteppedClock
from kernel.edge import Edge
from kernel.hosts.embedded import Embedded
from kernel.journal import Journal
from services.router.processor import ROUTER_CASE


class Stage(Protocol):
    """What a conductor asks of a city."""

    @property
    def edge(self) -> Edge:
        """Where reports and commands come in."""
        ...

    @property
    def cases(self) -> Journal:
        """The journal of router.case."""
        ...

    def now(self) -> datetime:
        """City time."""
        ...

    async def step(self, to: datetime) -> None:
        """Go on to a city time, and return when it is."""
        ...

    async def settle(self) -> None:
        """Return when nothing is left to do at this time."""
        ...

    async def next_due(self) -> datetime | None:
        """When the next timer of any processor is due."""
        ...

    async def heads(self) -> Mapping[int, int]:
        """The last row of each partition of `cases`."""
        ...


class OneProcess:
    """A city whose workers are all here."""

    def __init__(self, host: Embedded, clock: SteppedClock) -> None:
        self._host = host
        self._clock = clock
        self._router = next(one for one in host.workers if one.decider.processor is ROUTER_CASE)
        self.edge = host.edge
        self.cases = self._router.journal

    def now(self) -> datetime:
        """See the protocol."""
        return self._clock.wall()

    async def step(self, to: datetime) -> None:
        """See the protocol."""
        self._clock.step(to)

    async def settle(self) -> None:
        """See the protocol."""
        await self._host.settle()

    async def next_due(self) -> datetime | None:
        """See the protocol."""
        return await self._host.next_due()

    async def heads(self) -> Mapping[int, int]:
        """See the protocol."""
        return {partition: tenure.seq for partition, tenure in self._router.decider.tenures.items()}
