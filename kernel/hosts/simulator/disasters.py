"""What must be refused: a topic cut, recreated or aged beyond a cursor, a journal restored from a backup."""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from typing import Any, Final

from kernel.errors import UnsoundInbox
from kernel.hosts.simulator.city import SimulatedCity
from kernel.hosts.simulator.world import Broken
from kernel.log import Outgoing, Target
from kernel.memory.journal import Shelf
from kernel.processor import AnyProcessor
from schemas.topics import RULES_EDITIONS

Backups = Mapping[str, Mapping[int, Shelf]]


def back_up(city: SimulatedCity) -> Backups:
    """Copies of the journals of the processors that have an event topic."""
    return {
        one.name: deepcopy(city.journals[one.name].shelves)
        for one in city.plan.processors
        if one.events and one.name in city.present
    }


def _read_targets(city: SimulatedCity) -> Sequence[tuple[AnyProcessor, Target]]:
    """Inbox partitions with something in them, read to their end, and who reads them."""
    return [
        (one, (topic.name, partition))
        for one in city.plan.processors
        if one.name in city.present
        for topic in one.inbox
        for partition in range(city.plan.partitions)
        if len(city.broker.records.get((topic.name, partition), ())) > 1 and topic.name != RULES_EDITIONS.name
    ]


def _restart(city: SimulatedCity) -> None:
    for actor in list(city.world.actors):
        city.world.crash(actor)


def cut(city: SimulatedCity, backups: Backups) -> str:
    """The last records of a topic are lost under live workers that have read them."""
    del backups
    _, target = city.world.random.choice(_read_targets(city))
    end = city.broker.end(target)
    city.broker.cut(target, end - city.world.random.randrange(1, 3))
    return f"{target} cut below {end}"


def recreated(city: SimulatedCity, backups: Backups) -> str:
    """A topic is made anew and filled with other records to the same end, then all start again."""
    del backups
    _, target = city.world.random.choice(_read_targets(city))
    records = city.broker.records[target]
    records[:] = [record._replace(body=record.body + b" ") for record in records]
    _restart(city)
    return f"{target} recreated"


def expired(city: SimulatedCity, backups: Backups) -> str:
    """Records age out that a stopped reader has not yet taken."""
    del backups
    _, target = city.world.random.choice(_read_targets(city))
    last = city.broker.records[target][-1]
    _restart(city)
    city.broker.append(Outgoing(last.topic, last.partition, 0, 0, last.key, last.headers, last.body))
    city.broker.expire(target, city.broker.end(target))
    return f"{target} aged beyond the cursors"


def restored(city: SimulatedCity, backups: Backups) -> str:
    """The journal of one processor is put back to a backup while its topic has gone on."""
    older = [
        name
        for name, shelves in backups.items()
        if any(
            len(city.journals[name].shelves[number].rows) > len(shelf.rows)
            for number, shelf in shelves.items()
        )
    ]
    if not older:
        return ""
    name = city.world.random.choice(older)
    city.journals[name].shelves = dict(backups[name])
    _restart(city)
    return f"journal of {name} restored"


DISASTERS: Final[Mapping[str, tuple[Callable[[SimulatedCity, Backups], str], frozenset[str]]]] = {
    "cut": (cut, frozenset({"inbox_cut", "inbox_recreated"})),
    "recreated": (recreated, frozenset({"inbox_recreated"})),
    "expired": (expired, frozenset({"inbox_lost"})),
    "restored": (restored, frozenset({"journal_restored", "inbox_lost"})),
}
"""What happens, and the refusals of which one must answer it."""


def refused(disaster: str, what: str, run: Callable[[], Any]) -> None:
    """Run on; somebody has to refuse, for the right reason."""
    codes = DISASTERS[disaster][1]
    try:
        run()
    except UnsoundInbox as fault:
        if fault.refusal.code in codes:
            return
        raise
    raise Broken("disaster refused", f"{what}, and nobody noticed")
