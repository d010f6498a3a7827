"""What must be refused: a topic cut, recreated or aged beyond a cursor, a journal restored from a backup."""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from typing import Any, Final, NamedTuple

from kernel.errors import UnsoundInbox
from kernel.hosts.simulator.city import SimulatedCity
from kernel.hosts.simulator.recovering import Backup, stop
from kernel.hosts.simulator.world import Broken
from kernel.log import Outgoing, Target
from kernel.memory.journal import MemoryJournal, Shelf
from kernel.processor import AnyProcessor
from schemas.topics import RULES_EDITIONS


class Struck(NamedTuple):
    """What has happened, and which refusals are right: a processor, its partition, and the code.

    `name` is the processor whose journal is older now, if one is.
    """

    what: str
    right: frozenset[tuple[str, int, str]]
    name: str = ""


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


def _of_readers(city: SimulatedCity, target: Target, *codes: str) -> frozenset[tuple[str, int, str]]:
    """Each of the codes from whoever reads a topic partition."""
    topic, partition = target
    readers = [one.name for one in city.plan.processors if topic in one.topics and one.name in city.present]
    return frozenset((name, partition, code) for name in readers for code in codes)


def cut(city: SimulatedCity, backup: Backup) -> Struck:
    """The last records of a topic are lost under live workers that have read them."""
    del backup
    _, target = city.world.random.choice(_read_targets(city))
    end = city.broker.end(target)
    city.broker.cut(target, end - city.world.random.randrange(1, 3))
    return Struck(f"{target} cut below {end}", _of_readers(city, target, "inbox_cut", "inbox_recreated"))


def recreated(city: SimulatedCity, backup: Backup) -> Struck:
    """A topic is made anew and filled with other records to the same end, then all start again."""
    del backup
    _, target = city.world.random.choice(_read_targets(city))
    records = city.broker.records[target]
    records[:] = [record._replace(body=record.body + b" ") for record in records]
    stop(city)
    return Struck(f"{target} recreated", _of_readers(city, target, "inbox_recreated"))


def expired(city: SimulatedCity, backup: Backup) -> Struck:
    """Records age out that a stopped reader has not yet taken."""
    del backup
    _, target = city.world.random.choice(_read_targets(city))
    last = city.broker.records[target][-1]
    stop(city)
    city.broker.append(Outgoing(last.topic, last.partition, 0, 0, last.key, last.headers, last.body))
    city.broker.expire(target, city.broker.end(target))
    return Struck(f"{target} aged beyond the cursors", _of_readers(city, target, "inbox_lost"))


def restored(city: SimulatedCity, backup: Backup) -> Struck | None:
    """The journal of one processor is put back to a backup while its topics have gone on.

    Nothing tells it from a true one if it sends no events, or if they have all aged out of its topic, unless
    its inbox has aged as well; such a one is not drawn.
    """
    found = {
        one.name: right
        for one in city.plan.processors
        if one.name in backup.present and (right := _older(city, one, backup.journals[one.name]))
    }
    if not found:
        return None
    name = city.world.random.choice(list(found))
    city.journals[name].shelves = deepcopy(dict(backup.journals[name]))
    stop(city)
    return Struck(f"journal of {name} restored", found[name], name)


def _older(
    city: SimulatedCity, one: AnyProcessor, shelves: Mapping[int, Shelf]
) -> frozenset[tuple[str, int, str]]:
    """What has to be answered, by partition, if these shelves stood in the place of a journal that went on.

    An event in its own topic that it does not have says that it is older. Where none does, its inbox may have
    aged beyond its cursor: the records that it needs are lost indeed. Empty if it would not all be refused.
    """
    journal = MemoryJournal()
    journal.shelves = dict(shelves)
    right: set[tuple[str, int, str]] = set()
    for partition in range(city.plan.partitions):
        cursor = journal.cursor(partition)
        events = city.broker.records.get((one.events.name, partition), ()) if one.events else ()
        if events and events[-1].headers.k > cursor.seq:
            right.add((one.name, partition, "journal_restored"))
        elif any(
            city.broker.first.get((topic, partition), 0)
            > (cursor.reach[topic].offset if topic in cursor.reach else 0)
            for topic in one.topics
        ):
            right.add((one.name, partition, "inbox_lost"))
        elif cursor.seq < city.journals[one.name].cursor(partition).seq:
            return frozenset()
    return frozenset(right)


DISASTERS: Final[Mapping[str, Callable[[SimulatedCity, Backup], Struck | None]]] = {
    "cut": cut,
    "recreated": recreated,
    "expired": expired,
    "restored": restored,
}


def refused(struck: Struck, run: Callable[[], Any]) -> None:
    """Run on; somebody has to refuse, for the right reason."""
    try:
        run()
    except UnsoundInbox as fault:
        answer = (str(fault.facts["processor"]), int(str(fault.facts["partition"])), fault.refusal.code)
        if answer in struck.right:
            return
        raise
    raise Broken("disaster refused", f"{struck.what}, and nobody noticed")
