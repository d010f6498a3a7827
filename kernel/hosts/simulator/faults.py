"""The memory ports with everything that goes wrong at a port: failed, unknown, late, twice, dropped, stale."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta

from kernel.hosts.simulator.world import Pause, PortFailed, World
from kernel.journal import Claim, Held, History, Move, StoredTimer
from kernel.log import Message, Outgoing, Span, Target
from kernel.memory.journal import MemoryJournal
from kernel.memory.log import MemoryBroker, MemoryLog


class SimClock:
    """One actor's clock: the world's time and a skew of its own. City time is wall time."""

    def __init__(self, world: World, skew: timedelta) -> None:
        self._world = world
        self._skew = skew

    def wall(self) -> datetime:
        """See the port."""
        return self._world.now + self._skew

    def city(self, wall: datetime) -> datetime:
        """The identity."""
        return wall

    async def pause(self, seconds: float) -> None:
        """Sleep in the world's time."""
        await Pause(self._world.now + timedelta(seconds=seconds))


class FaultyLog(MemoryLog):
    """A worker's view of the broker. `view` is what it believes to own, which may be stale."""

    def __init__(self, world: World, broker: MemoryBroker, topics: Sequence[str], view: Callable[[], frozenset[int]]) -> None:
        super().__init__(broker, topics)
        self._world = world
        self._view = view

    def assigned(self) -> frozenset[int]:
        """See the port."""
        self.own = self._view()
        return self.own

    async def fetch(self, limit: int) -> Sequence[Message]:
        """See the port; the client may drop the last records that it fetched."""
        world = self._world
        await world.point("fetch")
        found = await super().fetch(world.random.choice((1, 3, 10, limit)))
        if found and world.chance(world.profile.port // 3):
            kept = world.random.randrange(len(found))
            world.count("fetched records dropped")
            world.trace(f"the client drops {len(found) - kept} fetched records")
            found = found[:kept]
        await world.point("fetch")
        if not found:
            await Pause(world.now + timedelta(milliseconds=100))
        return found

    async def seek(self, partition: int, offsets: Mapping[str, int]) -> None:
        """See the port."""
        await self._world.point("seek")
        await super().seek(partition, offsets)

    async def look(self, topic: str, partition: int, offset: int) -> Message | None:
        """See the port."""
        await self._world.point("look")
        return await super().look(topic, partition, offset)

    async def spans(self, targets: Collection[Target]) -> Mapping[Target, Span]:
        """See the port."""
        await self._world.point("spans")
        found = await super().spans(targets)
        await self._world.point("spans")
        return found

    async def publish(self, batches: Mapping[Target, Sequence[Outgoing]]) -> Mapping[Target, int]:
        """See the port; each target fares on its own."""
        await self._world.point("publish")
        counts: dict[Target, int] = {}
        for target, batch in batches.items():
            counts[target] = self._send(target, batch)
            await Pause()
        return counts

    def _send(self, target: Target, batch: Sequence[Outgoing]) -> int:
        world = self._world
        sent = len(batch)
        if world.chance(world.profile.port):
            fate = world.random.choice(("fails", "unknown", "late", "twice", "half"))
            world.count(f"produce {fate}")
            world.trace(f"{len(batch)} to {target[0]}/{target[1]}: {fate}")
            if fate == "fails":
                return 0
            if fate == "late":
                world.later(f"{len(batch)} to {target[0]}/{target[1]}", lambda: self._append(batch))
                return 0
            if fate == "unknown":
                self._append(batch)
                return 0
            if fate == "half":
                sent = world.random.randrange(len(batch))
            else:
                self._append(batch)
        self._append(batch[:sent])
        return sent

    def _append(self, batch: Sequence[Outgoing]) -> None:
        for message in batch:
            self.broker.append(message)


class FaultyJournal:
    """A worker's connection to its journal. `committed` hears of every transaction that took place."""

    delivers = False

    def __init__(self, world: World, inner: MemoryJournal, committed: Callable[[Sequence[Move], frozenset[int]], None]) -> None:
        self._world = world
        self.inner = inner
        self._committed = committed
        self.records = inner.records
        self.held = inner.held
        self.order = inner.order
        self.next_due = inner.next_due

    async def claim(self, partitions: Collection[int]) -> Sequence[Claim]:
        """See the port."""
        await self._world.point("claim")
        return await self.inner.claim(partitions)

    async def commit(self, moves: Sequence[Move]) -> frozenset[int]:
        """See the port; without a clear answer it may have taken place, or not, or will."""
        world = self._world
        await world.point("commit")
        if world.chance(world.profile.port):
            fate = world.random.choice(("lost", "unknown", "late"))
            world.count(f"commit {fate}")
            world.trace(f"commit {_told(moves)}: {fate}")
            if fate == "unknown":
                self._apply(moves)
            elif fate == "late":
                world.later(f"commit {_told(moves)}", lambda: self._apply(moves))
            await Pause()
            raise PortFailed(f"commit {fate}")
        fenced = self._apply(moves)
        await Pause()
        return fenced

    def _apply(self, moves: Sequence[Move]) -> frozenset[int]:
        fenced = self.inner.apply(moves)
        self._world.trace(f"commit {_told(moves)}" + (f", fenced {sorted(fenced)}" if fenced else ""))
        self._committed(moves, fenced)
        return fenced

    async def histories(self, streams: Mapping[int, Collection[str]], fold: str) -> Mapping[tuple[int, str], History]:
        """See the port."""
        await self._world.point("histories")
        return await self.inner.histories(streams, fold)

    async def due(self, until: Mapping[int, datetime], limit: int) -> Sequence[StoredTimer]:
        """See the port."""
        await self._world.point("due")
        return await self.inner.due(until, limit)

    async def ordered(self, partitions: Collection[int], limit: int) -> Sequence[Held]:
        """See the port."""
        await self._world.point("ordered")
        return await self.inner.ordered(partitions, limit)


def _told(moves: Sequence[Move]) -> str:
    return " ".join(
        f"p{move.cursor.partition}[" + ",".join(f"{row.stream}/{row.version}" for row in move.records) + "]" for move in moves
    )
