"""One random number decides who goes next, what fails, who freezes and how time passes."""

from collections.abc import Callable, Coroutine, Generator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Profile:
    """How rough a seed is. Shares are per mille of port calls (`port`) or of steps (the others).

    `happen` is for what befalls a city rarely: see `happenings`.
    """

    name: str
    port: int
    crash: int
    freeze: int
    move: int
    jump: int = 12
    happen: int = 12


CALM: Final = Profile("calm", port=15, crash=2, freeze=2, move=3)
CHAOS: Final = Profile("chaos", port=100, crash=4, freeze=20, move=50)
QUIET: Final = Profile("quiet", port=0, crash=0, freeze=0, move=0, jump=0, happen=0)
PROFILES: Final = {profile.name: profile for profile in (CALM, CHAOS, QUIET)}

_MOMENTS: Final = tuple(timedelta(milliseconds=ms) for ms in range(60))
_JUMPS: Final = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 20, 90, 600))


class PortFailed(Exception):  # noqa: N818 - named by what happened
    """A port call that the simulator let fail."""


class Broken(AssertionError):  # noqa: N818 - named by what happened
    """A rule of the design does not hold in this seed; `check` names the rule that was looked at."""

    def __init__(self, check: str, found: str) -> None:
        super().__init__(f"{check}: {found}")
        self.check = check


class Pause:
    """Awaited at every port call: gives the scheduler its turn, until `until` at the earliest."""

    __slots__ = ("until",)

    def __init__(self, until: datetime | None = None) -> None:
        self.until = until

    def __await__(self) -> Generator["Pause", None, None]:
        yield self


@dataclass(slots=True)
class Actor:
    """Something that takes steps, a worker or an edge; it starts again when it ends."""

    name: str
    start: Callable[[], Coroutine[Any, Any, None]]
    coroutine: Coroutine[Any, Any, None] | None = None
    frozen_until: int = 0
    asleep_until: datetime | None = None


START: Final = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


@dataclass(slots=True)
class World:
    """The scheduler. `trace` collects lines that a person can follow.

    `pipelined` producers may lose a message in the middle of a batch while those behind it arrive.
    """

    seed: int
    profile: Profile
    random: Random = field(init=False)
    pipelined: bool = field(init=False)
    now: datetime = START
    steps: int = 0
    actors: list[Actor] = field(default_factory=list[Actor])
    late: list[tuple[int, str, Callable[[], object]]] = field(
        default_factory=list[tuple[int, str, Callable[[], object]]]
    )
    lines: list[str] = field(default_factory=list[str])
    traced: bool = False
    current: Actor | None = None
    counts: dict[str, int] = field(default_factory=dict[str, int])

    def __post_init__(self) -> None:
        self.random = Random(self.seed)  # noqa: S311 - the seed is the point
        self.pipelined = self.random.randrange(3) == 0

    def trace(self, line: str) -> None:
        """One line of the story of this seed."""
        if self.traced:
            who = self.current.name if self.current else "world"
            self.lines.append(f"{self.steps:>6} {self.now:%d %H:%M:%S.%f} {who:<22} {line}")

    def happened(self, what: str, detail: str = "") -> None:
        """Count what went wrong on purpose, and tell it."""
        self.counts[what] = self.counts.get(what, 0) + 1
        if self.traced:
            self.trace(f"{what} {detail}" if detail else what)

    def chance(self, share: float) -> bool:
        """Whether something that happens in `share` per mille of cases happens now."""
        return share > 0 and self.random.random() * 1000 < share

    async def point(self, what: str) -> None:
        """A port call begins or ends: others may go first, and it may fail."""
        await Pause()
        if self.chance(self.profile.port / 2):
            self.happened(f"{what} failed")
            raise PortFailed(what)

    def later(self, what: str, act: Callable[[], object], most: int = 400) -> None:
        """Let something land late, whatever happens to whoever asked for it."""
        self.late.append((self.steps + self.random.randrange(20, most), what, act))

    def step(self) -> None:
        """One step of one actor, and all that chance adds to it."""
        self.steps += 1
        self._pass_time()
        if self.late:
            self._land()
        actor = self._next()
        if actor is None:
            return
        if actor.coroutine is not None:
            if self.chance(self.profile.freeze):
                actor.frozen_until = self.steps + self.random.randrange(50, 900)
                self.happened("freeze", f"of {actor.name} until step {actor.frozen_until}")
                return
            if self.chance(self.profile.crash):
                self.crash(actor)
                return
        self.advance(actor)

    def _land(self) -> None:
        for item in [item for item in self.late if item[0] <= self.steps]:
            self.late.remove(item)
            self.trace(f"lands late: {item[1]}")
            item[2]()

    def crash(self, actor: Actor) -> None:
        """Lose all that an actor holds in memory."""
        self.happened("crash", f"of {actor.name}")
        if actor.coroutine is not None:
            actor.coroutine.close()
        actor.coroutine = None

    def advance(self, actor: Actor) -> None:
        """Resume an actor until its next port call; one that ended is started again."""
        self.current = actor
        if actor.coroutine is None:
            actor.coroutine = actor.start()
        try:
            actor.asleep_until = actor.coroutine.send(None).until
        except StopIteration:
            actor.coroutine = None
        finally:
            self.current = None

    def _next(self) -> Actor | None:
        actors, count, random = self.actors, len(self.actors), self.random.random
        for _ in range(4):
            actor = actors[int(random() * count)]
            if self._able(actor):
                return actor
        able = [actor for actor in actors if self._able(actor)]
        return able[int(random() * len(able))] if able else None

    def _able(self, actor: Actor) -> bool:
        return actor.frozen_until <= self.steps and (
            actor.asleep_until is None or actor.asleep_until <= self.now
        )

    def _pass_time(self) -> None:
        random = self.random.random
        self.now += _MOMENTS[int(random() * 60)]
        if self.profile.jump and random() * 1000 < self.profile.jump:
            self.now += _JUMPS[int(random() * len(_JUMPS))]
