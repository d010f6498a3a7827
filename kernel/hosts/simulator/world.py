"""One random number decides who goes next, what fails, who freezes and how time passes."""

from collections.abc import Callable, Coroutine, Generator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any


@dataclass(frozen=True, slots=True)
class Profile:
    """How rough a seed is. Shares are per mille of port calls (faults) or of steps (the others)."""

    name: str
    port: int
    crash: int
    freeze: int
    move: int
    jump: int = 12


CALM = Profile("calm", port=15, crash=2, freeze=2, move=3)
CHAOS = Profile("chaos", port=100, crash=4, freeze=20, move=50)
QUIET = Profile("quiet", port=0, crash=0, freeze=0, move=0, jump=0)
PROFILES = {profile.name: profile for profile in (CALM, CHAOS, QUIET)}


class PortFailed(Exception):  # noqa: N818 - named by what happened
    """A port call that the simulator let fail."""


class Broken(AssertionError):
    """A rule of the design does not hold in this seed."""


class Pause:
    """Awaited at every port call: gives the scheduler its turn, until `until` at the earliest."""

    __slots__ = ("until",)

    def __init__(self, until: datetime | None = None) -> None:
        self.until = until

    def __await__(self) -> Generator["Pause", None, None]:
        yield self


@dataclass(slots=True)
class Actor:
    """Something that takes steps: a worker, an edge, or what lands late."""

    name: str
    start: Callable[[], Coroutine[Any, Any, None]]
    coroutine: Coroutine[Any, Any, None] | None = None
    frozen_until: int = 0
    asleep_until: datetime | None = None
    restarts: bool = True
    skew: timedelta = timedelta()
    dead: bool = False


START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


@dataclass(slots=True)
class World:
    """The scheduler. `trace` collects lines that a person can follow."""

    seed: int
    profile: Profile
    random: Random = field(init=False)
    now: datetime = START
    steps: int = 0
    actors: list[Actor] = field(default_factory=list[Actor])
    late: list[tuple[int, str, Callable[[], object]]] = field(default_factory=list[tuple[int, str, Callable[[], object]]])
    lines: list[str] = field(default_factory=list[str])
    traced: bool = False
    current: Actor | None = None
    counts: dict[str, int] = field(default_factory=dict[str, int])

    def __post_init__(self) -> None:
        self.random = Random(self.seed)

    def trace(self, line: str) -> None:
        """One line of the story of this seed."""
        if self.traced:
            who = self.current.name if self.current else "world"
            self.lines.append(f"{self.steps:>6} {self.now:%d %H:%M:%S.%f} {who:<22} {line}")

    def count(self, what: str) -> None:
        """Count a fault or another thing worth a figure."""
        self.counts[what] = self.counts.get(what, 0) + 1

    def chance(self, share: int) -> bool:
        """Whether something that happens in `share` per mille of cases happens now."""
        return share > 0 and self.random.randrange(1000) < share

    async def point(self, what: str) -> None:
        """A port call begins or ends: others may go first, and it may fail."""
        await Pause()
        if self.chance(self.profile.port // 2):
            self.count(f"{what} failed")
            self.trace(f"{what} fails")
            raise PortFailed(what)

    def later(self, what: str, act: Callable[[], object]) -> None:
        """Let something land late, whatever happens to whoever asked for it."""
        self.late.append((self.steps + self.random.randrange(20, 400), what, act))

    def step(self) -> None:
        """One step of one actor, and all that chance adds to it."""
        self.steps += 1
        self._pass_time()
        for item in [item for item in self.late if item[0] <= self.steps]:
            self.late.remove(item)
            self.trace(f"lands late: {item[1]}")
            item[2]()
        actor = self._next()
        if actor is None:
            return
        if self.chance(self.profile.freeze) and actor.coroutine is not None:
            actor.frozen_until = self.steps + self.random.randrange(50, 900)
            self.count("freeze")
            self.trace(f"{actor.name} freezes until step {actor.frozen_until}")
            return
        if self.chance(self.profile.crash) and actor.coroutine is not None:
            self.crash(actor)
            return
        self.advance(actor)

    def crash(self, actor: Actor) -> None:
        """Lose all that an actor holds in memory."""
        self.count("crash")
        self.trace(f"{actor.name} is killed")
        if actor.coroutine is not None:
            actor.coroutine.close()
        actor.coroutine = None

    def advance(self, actor: Actor) -> None:
        """Resume an actor until its next port call; one that ended is started again or is done."""
        self.current = actor
        if actor.coroutine is None:
            actor.coroutine = actor.start()
        try:
            pause = actor.coroutine.send(None)
            actor.asleep_until = pause.until if isinstance(pause, Pause) else None
        except StopIteration:
            actor.coroutine = None
            if not actor.restarts:
                actor.dead = True
                self.actors.remove(actor)
        finally:
            self.current = None

    def _next(self) -> Actor | None:
        able = [
            actor
            for actor in self.actors
            if actor.frozen_until <= self.steps and (actor.asleep_until is None or actor.asleep_until <= self.now)
        ]
        return self.random.choice(able) if able else None

    def _pass_time(self) -> None:
        self.now += timedelta(milliseconds=self.random.randrange(60))
        if self.chance(self.profile.jump):
            self.now += timedelta(minutes=self.random.choice((1, 5, 20, 90, 600)))
