"""One seed from its first step to its verdict."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from kernel.edge import EDGE
from kernel.errors import Fault
from kernel.hosts.replay import traffic
from kernel.hosts.simulator.checks import Evidence, check_all
from kernel.hosts.simulator.city import Plan, SimulatedCity, broken_unless_idle
from kernel.hosts.simulator.disasters import DISASTERS, refused
from kernel.hosts.simulator.happenings import (
    age,
    forget,
    happen,
    near_due,
    operate,
    redrive,
    worker_ahead,
)
from kernel.hosts.simulator.recovering import Backup, back_up, kept, recover
from kernel.hosts.simulator.world import QUIET, Broken, Profile, World
from kernel.memory.journal import UniqueViolation
from schemas.wire import frame

_PATIENCE: Final = 40_000
"""Steps after which a city that does not come to rest has stalled."""

_HORIZON: Final = timedelta(days=45)
"""How far time goes on after the last input, for timers to ring out."""

_AFTERWARDS: Final = 2000
"""For how many steps at most people go on after a recovery."""


@dataclass(slots=True)
class Outcome:
    """What one seed gave: inputs decided, steps, what went wrong on purpose, and what broke, if anything did.

    `check` is the name of the check that saw it.
    """

    seed: int
    profile: str
    handled: int = 0
    steps: int = 0
    counts: dict[str, int] = field(default_factory=dict[str, int])
    broken: str = ""
    check: str = ""
    trace: list[str] = field(default_factory=list[str])


def run_seed(
    plan: Plan, seed: int, profile: Profile, steps: int = 4000, *, traced: bool = False, disaster: str = ""
) -> Outcome:
    """Faults and people for `steps` steps at most, then quiet until all is idle, then every check.

    A `disaster` befalls the idle city; then it is right only if somebody refuses to go on. A city with an
    older journal is recovered, and lives on.
    """
    world = World(seed, profile, traced=traced)
    outcome = Outcome(seed, profile.name)
    city = SimulatedCity(plan, world)
    try:
        backup = _live(city, steps, disaster)
        _quieten(city)
        if not disaster or _lives_on(city, disaster, backup, profile):
            _ring_out(city)
            check_all(evidence(city))
            city.people.check(city)
    except (Broken, UniqueViolation, Fault) as error:
        outcome.check = _check_of(error)
        outcome.broken = f"{type(error).__name__}: {error}"
        world.trace(outcome.broken)
    outcome.handled, outcome.steps = city.handled(), world.steps
    outcome.counts, outcome.trace = world.counts, world.lines
    return outcome


def _check_of(error: Exception) -> str:
    if isinstance(error, Broken):
        return error.check
    return "rows unique" if isinstance(error, UniqueViolation) else "no false refusal"


def _live(city: SimulatedCity, steps: int, disaster: str) -> Backup | None:
    world = city.world
    backup: Backup | None = None
    backup_at = world.random.randrange(200, 1500) if disaster else 0
    while world.steps < steps and not city.people.done():
        if world.chance(world.profile.move):
            city.move_something()
        if world.chance(world.profile.happen):
            happen(city)
        world.step()
        if world.steps == backup_at:
            backup = back_up(city)
    return backup or (back_up(city) if disaster else None)


def _quieten(city: SimulatedCity) -> None:
    """Inputs and faults stop, late writes land, clocks are right; workers stay idle through several ticks."""
    world = city.world
    world.profile = QUIET
    city.receiving = False
    for actor in world.actors:
        actor.frozen_until = 0
    for clock in (*city.clocks.values(), city.broker.machine):
        clock.skew = clock.right
    city.bugs.clear()
    city.settle_views()
    stamps = [records[-1].appended for records in city.broker.ever.values() if records]
    world.now = max([world.now, *stamps])
    for _ in range(200):
        world.step()
    world.now += timedelta(minutes=1)
    redrive(city)
    _drain(city, world.steps + _PATIENCE, rounds=15)


def _ring_out(city: SimulatedCity) -> None:
    """Time goes on from one due timer to the next, until none is left within the horizon."""
    world = city.world
    deadline = world.steps + _PATIENCE
    horizon = world.now + _HORIZON
    while (due := _open_due(city)) is not None and due <= horizon:
        if world.random.randrange(4) == 0:
            near_due(city)
            _drain(city, deadline, rounds=2)
        elif world.random.randrange(4) == 0:
            _jump(city, deadline)
        world.now = max(world.now, due) + timedelta(hours=world.random.randrange(2, 90))
        _drain(city, deadline, rounds=4)
        forget(city)
    age(city)
    _drain(city, deadline, rounds=15)


def _jump(city: SimulatedCity, deadline: int) -> None:
    """A worker's clock is wrong for a few idle rounds, at the very moment when a timer waits for it."""
    set_right = worker_ahead(city)
    if set_right is not None:
        _drain(city, deadline, rounds=2)
        set_right()


def _lives_on(city: SimulatedCity, disaster: str, backup: Backup | None, profile: Profile) -> bool:
    """Suffer a disaster, and see it refused. Whether the city was recovered, and is idle again."""
    if backup is None:
        return False
    world = city.world
    city.stricken = True
    struck = DISASTERS[disaster](city, backup)
    if struck is None:
        return False
    world.happened(disaster, struck.what)
    refused(struck, lambda: _drain(city, world.steps + _PATIENCE, rounds=40))
    if not struck.name:
        return False
    recover(city, backup, struck.name)
    world.profile = profile
    _live(city, world.steps + _AFTERWARDS, "")
    _quieten(city)
    kept(city, backup)
    return True


def _drain(city: SimulatedCity, deadline: int, rounds: int) -> None:
    """Step until everybody has been idle for about so many rounds in a row."""
    world = city.world
    idle = 0
    while idle < rounds or world.late:
        for _ in world.actors:
            world.step()
        operate(city)
        idle = 0 if city.unrest() else idle + 1
        if world.steps > deadline:
            broken_unless_idle(city)


def _open_due(city: SimulatedCity) -> datetime | None:
    shelves = (shelf for journal in city.journals.values() for shelf in journal.shelves.values())
    return min((timer.due for shelf in shelves for timer in shelf.timers.values()), default=None)


def evidence(city: SimulatedCity) -> Evidence:
    """All that the final checks look at."""
    histories = {name: city.rows(name) for name in city.journals}
    doors = {kind: door.topic.name for kind, door in city.plan.doors.items()}
    present = [one for one in city.plan.processors if one.name in city.present]
    _on_record(city)
    return Evidence(
        processors=present,
        histories=histories,
        traffic=traffic(present, histories, city.plan.partitions, doors),
        log=city.broker.ever,
        ticked=city.watch.ticked,
        held={
            name: [held for shelf in journal.shelves.values() for held in shelf.held.values()]
            for name, journal in city.journals.items()
        },
        timers={
            name: {number: shelf.timers for number, shelf in journal.shelves.items()}
            for name, journal in city.journals.items()
        },
        rules=city.rules(),
        again=city.plan.again,
        joined=city.joined,
        aside=city.watch.aside,
        now=city.world.now,
    )


def _on_record(city: SimulatedCity) -> None:
    """What the edge has given a receipt for stands in its journal."""
    there = {frame(row.body).id for rows in city.rows(EDGE).values() for row in rows}
    missing = city.accepted - there
    if missing:
        raise Broken("receipts are on record", f"{sorted(missing)}")
