"""The memory ports with everything that goes wrong at a port: failed, unknown, late, twice, dropped."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta

from kernel.hosts.simulator.world import Pause, PortFailed, World
from kernel.journal import Claim, Held, History, Move, StoredTimer
from kernel.log import Message, Outgoing, Span, Target
from kernel.memory.journal import MemoryJournal
from kernel.memory.log import MemoryBroker, MemoryLog

NO_SKEW = timedelta()


class SimClock:
    """One machine's clock: the world's time and a skew of its own. City time is wall time."""

    def __init__(self, world: World, skew: timedelta) -> None:
        self.skew = self.right = skew
        self._world = world

    def wall(self) -> datetime:
        """See the port."""
        return self._world.now + self.skew

    def city(self, wall: datetime) -> datetime:
        """The identity."""
        return wall

    async def pause(self, seconds: float) -> None:
        """Sleep in the world's time."""
        await Pause(self._world.now + timedelta(seconds=seconds))


class SimBroker(MemoryBroker):
    """The broker, and beside it all that was ever appended: retention takes nothing from that."""

    def __init__(self, clock: SimClock) -> None:
        super().__init__(clock)
        self.machine = clock
        self.ever: dict[Target, list[Message]] = {}

    def append(self, message: Outgoing) -> Message:
        """See `MemoryBroker`."""
        record = super().append(message)
        self.ever.setdefault((record.topic, record.partition), []).append(record)
        return record


class FaultyLog(MemoryLog):
    """A worker's view of the broker. `view` is what it believes to own, which may be stale."""

    def __init__(
        self,
        world: World,
        broker: SimBroker,
        clock: SimClock,
        topics: Sequence[str],
        view: Callable[[], frozenset[int]],
    ) -> None:
        super().__init__(broker, topics)
        self.wrote = False
        self._world = world
        self._machine = broker.machine
        self._clock = clock
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
        if found and world.chance(world.profile.port / 3):
            kept = world.random.randrange(len(found))
            world.happened("fetched records dropped", f"by the client: {len(found) - kept}")
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
        if not world.chance(world.profile.port):
            self._append(batch)
            return len(batch)
        fates = ("fails", "unknown", "late", "twice", "half")
        fate = world.random.choice((*fates, *("hole",) * 5) if world.pipelined else fates)
        world.happened(f"produce {fate}", f"{len(batch)} to {target[0]}/{target[1]}")
        return self._suffer(fate, target, batch)

    def _suffer(self, fate: str, target: Target, batch: Sequence[Outgoing]) -> int:
        """Let a send go wrong; gives how many leading messages were acknowledged."""
        split = self._world.random.randrange(len(batch))
        if fate == "late":
            self._world.later(f"{len(batch)} to {target[0]}/{target[1]}", lambda: self._append(batch))
        elif fate == "unknown":
            self._append(batch)
        elif fate == "twice":
            self._append(batch)
            self._append(batch)
            return len(batch)
        elif fate == "half":
            self._append(batch[:split])
            return split
        elif fate == "hole":
            self._append(batch[:split])
            self._append(batch[split + 1 :])
            return split
        return 0

    def _append(self, batch: Sequence[Outgoing]) -> None:
        self.wrote = True
        for message in batch:
            self.broker.append(message)

    def drift(self) -> float:
        """See the port: measured at the last own write, carried on by a monotonic clock."""
        return (self._clock.skew - self._machine.skew).total_seconds() if self.wrote else 0.0


class FaultyJournal:
    """A worker's connection to its journal. `committed` hears of every transaction that took place."""

    delivers = False

    def __init__(
        self, world: World, inner: MemoryJournal, committed: Callable[[Sequence[Move], frozenset[int]], None]
    ) -> None:
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
        claims = await self.inner.claim(partitions)
        self._world.trace(f"claims {sorted(partitions)}")
        return claims

    async def commit(self, moves: Sequence[Move]) -> frozenset[int]:
        """See the port; without a clear answer it may have taken place, or not, or will."""
        world = self._world
        await world.point("commit")
        if world.chance(world.profile.port):
            fate = world.random.choice(("lost", "unknown", "late"))
            told = _told(moves) if world.traced else ""
            world.happened(f"commit {fate}", told)
            if fate == "unknown":
                self._apply(moves)
            elif fate == "late":
                world.later(f"commit {told}", lambda: self._apply(moves))
            await Pause()
            raise PortFailed(f"commit {fate}")
        fenced = self._apply(moves)
        await Pause()
        return fenced

    def _apply(self, moves: Sequence[Move]) -> frozenset[int]:
        fenced = self.inner.apply(moves)
        if self._world.traced:
            self._world.trace(f"commit {_told(moves)}" + (f", fenced {sorted(fenced)}" if fenced else ""))
        self._committed(moves, fenced)
        return fenced

    async def histories(
        self, streams: Mapping[int, Collection[str]], fold: str
    ) -> Mapping[tuple[int, str], History]:
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
    return " ".join(_one(move) for move in moves)


def _one(move: Move) -> str:
    """What one move leaves behind: versions, timers that fired, what was set aside or taken up."""
    parts = [
        f"{row.stream}/{row.version}" + (f" ({row.cause.id} rang)" if row.cause.via == "timer" else "")
        for row in move.records
    ]
    parts += [f"holds {held.kind} {held.stream} ({held.reason[:40]})" for held in move.held]
    parts += [f"takes up #{number}" for number in move.released]
    parts += [f"fails again {stream}" for stream in move.voided]
    if not parts and move.cursor.published:
        parts = [f"published to {move.cursor.published}"]
    return f"p{move.cursor.partition}[" + ", ".join(parts) + "]"
