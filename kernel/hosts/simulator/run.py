"""One seed from its first step to its verdict."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from kernel.errors import Fault
from kernel.hosts.replay import traffic
from kernel.hosts.simulator.checks import Evidence, check_all
from kernel.hosts.simulator.city import Plan, SimulatedCity
from kernel.hosts.simulator.world import QUIET, Broken, Profile, World
from kernel.memory.journal import UniqueViolation

_PATIENCE: Final = 60_000
"""Steps after which a city that does not come to rest has stalled."""

_HORIZON: Final = timedelta(days=45)
"""How far time goes on after the last input, for timers to ring out."""


@dataclass(slots=True)
class Outcome:
    """What one seed gave: inputs decided, steps, what went wrong on purpose, and what broke, if anything did."""

    seed: int
    profile: str
    handled: int = 0
    steps: int = 0
    counts: dict[str, int] = field(default_factory=dict[str, int])
    broken: str = ""
    trace: list[str] = field(default_factory=list[str])


def run_seed(plan: Plan, seed: int, profile: Profile, steps: int = 4000, *, traced: bool = False) -> Outcome:
    """Simulate one seed: faults and people for `steps` steps at most, then quiet until all is idle, then every check."""
    world = World(seed, profile, traced=traced)
    outcome = Outcome(seed, profile.name)
    city = SimulatedCity(plan, world)
    try:
        _live(city, steps)
        _come_to_rest(city)
        check_all(evidence(city))
        city.people.check(city)
    except (Broken, UniqueViolation, Fault) as error:
        outcome.broken = f"{type(error).__name__}: {error}"
        world.trace(outcome.broken)
    outcome.handled, outcome.steps = city.handled(), world.steps
    outcome.counts, outcome.trace = world.counts, world.lines
    return outcome


def _live(city: SimulatedCity, steps: int) -> None:
    world = city.world
    while world.steps < steps and not city.people.done():
        if world.chance(world.profile.move):
            city.move_something()
        world.step()


def _come_to_rest(city: SimulatedCity) -> None:
    """Faults stop, late writes land, inputs stop first; workers stay idle through several ticks and timers ring out."""
    world = city.world
    world.profile = QUIET
    city.receiving = False
    for actor in world.actors:
        actor.frozen_until = 0
    city.settle_views()
    deadline = world.steps + _PATIENCE
    horizon = world.now + _HORIZON
    _drain(city, deadline, rounds=20)
    while (due := _next_due(city)) is not None and due <= horizon:
        world.now = max(world.now, due) + timedelta(hours=world.random.randrange(1, 40))
        _drain(city, deadline, rounds=4)
    _drain(city, deadline, rounds=20)


def _drain(city: SimulatedCity, deadline: int, rounds: int) -> None:
    """Step until everybody has been idle for about so many rounds in a row."""
    world = city.world
    idle = 0
    while idle < rounds or world.late:
        for _ in world.actors:
            world.step()
        idle = idle + 1 if city.idle() else 0
        if world.steps > deadline:
            raise Broken(f"stalled: {city.unrest()}")


def _next_due(city: SimulatedCity) -> datetime | None:
    timers = [timer for journal in city.journals.values() for shelf in journal.shelves.values() for timer in shelf.timers.values()]
    return min((timer.due for timer in timers), default=None)


def evidence(city: SimulatedCity) -> Evidence:
    """All that the final checks look at."""
    histories = {name: city.rows(name) for name in city.journals}
    doors = {kind: door.topic.name for kind, door in city.plan.doors.items()}
    return Evidence(
        processors=city.plan.processors,
        histories=histories,
        traffic=traffic(city.plan.processors, histories, city.plan.partitions, doors),
        stamps={target: [record.appended for record in records] for target, records in city.broker.records.items()},
        ticked=city.watch.ticked,
        held={name: [held for shelf in journal.shelves.values() for held in shelf.held.values()] for name, journal in city.journals.items()},
        rules=city.rules(),
        performing=frozenset(city.plan.performs),
    )
