"""A stepped city on Kafka: its workers are in other processes."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import ClassVar, Final

from cli.assemble import PARTITIONS, MemberCity
from cli.init import founded
from cli.output import Exit
from cli.plan import Plan
from cli.topology import PROCESSORS
from kernel.clock import StairClock, Step
from kernel.errors import Fault
from kernel.journal import Cursor
from kernel.log import Target
from kernel.settings import Settings
from kernel.sql import reading, steps
from kernel.sql.city import City
from services.router.processor import ROUTER_CASE

_AHEAD: Final = timedelta(seconds=0.1)
"""How far ahead of its force a step is made known: more than every process takes to hear of it."""

_ROUNDING_SECONDS: Final = 0.002
_LOOK_SECONDS: Final = 0.04
_PATIENCE_SECONDS: Final = 120.0


class Restless(Fault):
    """The city does not come to rest: expected nothing to do within {seconds:.0f} s, found {left}. Do:
    read what its workers said.
    """

    exit_code: ClassVar[int] = Exit.FAULT


async def founded_stepped(plan: Plan, given: Settings) -> None:
    """A new demonstration city on Kafka, with its first edition in force."""
    city = plan.bundle.city
    made = City(
        code=city.code,
        name=city.name,
        partitions=PARTITIONS,
        clock="stepped",
        start_city=plan.start,
        host="kafka",
    )
    async with founded(given.database_url, plan.bundle, made):
        pass


class DistantStage:
    """What the workers have done is read from the database and the brokers. The protocol is `Stage`."""

    def __init__(self, city: MemberCity) -> None:
        assert isinstance(city.clock, StairClock)
        self._city = city
        self._clock = city.clock
        self._cursors: Mapping[tuple[str, int], Cursor] = {}
        self.edge = city.edge
        self.cases = city.journals[ROUTER_CASE.name]

    def now(self) -> datetime:
        """See the protocol."""
        return self._clock.city(self._clock.wall())

    async def step(self, to: datetime) -> None:
        """See the protocol."""
        if to <= self.now():
            return
        wall = datetime.now(UTC) + _AHEAD
        await steps.put_step(self._city.store, Step(wall, to))
        await steps.learn(self._city.store, self._clock)
        await asyncio.sleep((wall - datetime.now(UTC)).total_seconds() + _ROUNDING_SECONDS)

    async def settle(self) -> None:
        """See the protocol: at rest is who was at rest twice, and no topic grew in between."""
        before: Mapping[Target, int] | None = None
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                while True:
                    await self._pause()
                    ends = await self._ends()
                    left = await self._left(ends)
                    if not left and ends == before:
                        return
                    before = None if left else ends
        except TimeoutError:
            left = await self._left(await self._ends()) or "topics that grow"
            raise Restless(seconds=_PATIENCE_SECONDS, left=left) from None

    async def _pause(self) -> None:
        """Return when nobody has written for a moment and all has left."""
        before: reading.Pulse | None = None
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            now = await self._city.store.read(reading.pulse)
            if now == before and now.rows == now.left and not (now.due and now.due <= self.now()):
                return
            before = now

    async def next_due(self) -> datetime | None:
        """See the protocol."""
        return (await self._city.store.read(reading.pulse)).due

    async def heads(self) -> Mapping[int, int]:
        """See the protocol."""
        return {
            partition: cursor.seq
            for (name, partition), cursor in self._cursors.items()
            if name == ROUTER_CASE.name
        }

    async def _ends(self) -> Mapping[Target, int]:
        numbers = range(self._city.city.partitions)
        inboxes = {(topic, number) for one in PROCESSORS for topic in one.topics for number in numbers}
        return await self._city.ends(inboxes)

    async def _left(self, ends: Mapping[Target, int]) -> str:
        """What is not done yet, in words; empty if nothing."""
        if self.edge.outbox:
            await self.edge.publish()
            return "messages at the edge that have not left"
        self._cursors = await self._city.store.read(reading.cursors)
        for one in PROCESSORS:
            for number in range(self._city.city.partitions):
                cursor = self._cursors.get((one.name, number), Cursor(number))
                for topic in one.topics:
                    reached = cursor.reach[topic].offset if topic in cursor.reach else 0
                    if reached < ends[topic, number]:
                        waiting = ends[topic, number] - reached
                        return f"{waiting} messages of {topic} partition {number} not handled by {one.name}"
        pulse = await self._city.store.read(reading.pulse)
        if pulse.left < pulse.rows:
            return f"{pulse.rows - pulse.left} rows that have not left"
        return f"timers due at {pulse.due}" if pulse.due is not None and pulse.due <= self.now() else ""
