"""After a journal was refused as older: what an operator does with `gridcase recover`, and what follows.

The operator first tries to go on from the one older journal and is told that the others contradict it, then
puts the whole city back to one backup, journals and topics together, as a host in one process has them. Of
the topics something is lost that nobody had read; it is sent again from the journals.
"""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import NamedTuple

from kernel.edge import EDGE
from kernel.hosts.mending import Cursors, Misfit, lost, misfits, republish
from kernel.hosts.replay import Histories, Traffic, traffic
from kernel.hosts.simulator.city import SimulatedCity
from kernel.hosts.simulator.happenings import finish
from kernel.hosts.simulator.watch import Watch
from kernel.hosts.simulator.world import Broken
from kernel.journal import Cursor
from kernel.log import Message, Outgoing, Target
from kernel.memory.journal import Shelf
from kernel.memory.log import MemoryLog
from kernel.processor import AnyProcessor
from schemas.topics import RULES_EDITIONS
from schemas.wire import frame


class Backup(NamedTuple):
    """The whole city at one moment: its journals, its topics, and what was known of them.

    `performed` is how much the world outside had been told.
    """

    journals: Mapping[str, Mapping[int, Shelf]]
    records: Mapping[Target, list[Message]]
    first: Mapping[Target, int]
    ever: Mapping[Target, list[Message]]
    watch: Watch
    joined: Mapping[str, Mapping[int, Cursor]]
    present: Sequence[str] = ()
    performed: int = 0


def back_up(city: SimulatedCity) -> Backup:
    """A copy of the city as its database has it now."""
    return Backup(
        journals={name: deepcopy(journal.shelves) for name, journal in city.journals.items()},
        records={target: list(records) for target, records in city.broker.records.items()},
        first=dict(city.broker.first),
        ever={target: list(records) for target, records in city.broker.ever.items()},
        watch=city.watch.copy(),
        joined={name: dict(cursors) for name, cursors in city.joined.items()},
        present=tuple(city.present),
        performed=len(city.performed),
    )


def stop(city: SimulatedCity) -> None:
    """Everybody ends, and starts again when time goes on."""
    for actor in list(city.world.actors):
        city.world.crash(actor)


def recover(city: SimulatedCity, backup: Backup, name: str) -> None:
    """Recover the city whose journal of `name` is older than the rest of it, and let people go on."""
    heard = _heard_more(city, name)
    if heard and not _contradictions(city):
        raise Broken("recover compares the journals", f"{heard}, and recover goes on from it")
    stop(city)
    _put_back(city, backup)
    _lose(city)
    found = _contradictions(city)
    if found:
        raise Broken("one backup fits itself", f"{found[0]}")
    cursors, _, sent = _record(city)
    log = MemoryLog(city.broker, ())
    again = finish(lost(_processors(city), cursors, sent, log))
    finish(republish(again, log))
    city.world.happened("recovered", f"{len(again)} messages sent again")
    city.stricken = False
    city.receiving = True
    city.people.recovered(city)


def kept(city: SimulatedCity, backup: Backup) -> None:
    """Design §4.4 across a recovery: what the backup had on record is there as it was."""
    for name, shelves in backup.journals.items():
        for partition, shelf in shelves.items():
            rows = city.journals[name].shelves[partition].rows
            if rows[: len(shelf.rows)] != shelf.rows:
                raise Broken("nothing is rewritten", f"{name}/{partition} is not what the backup had")


def _processors(city: SimulatedCity) -> Sequence[AnyProcessor]:
    return [one for one in city.plan.processors if one.name in city.present]


def _heard_more(city: SimulatedCity, name: str) -> str:
    """A row of another journal whose cause the older one has never sent, in words."""
    _, _, sent = _record(city)
    known = {(address.origin, address.topic, address.partition, address.k) for address in sent.sent}
    for other in city.present:
        for partition, rows in city.rows(other).items():
            for row in rows:
                cause = row.cause
                if not cause.origin.startswith(f"{name}/"):
                    continue
                if (cause.origin, cause.topic, partition, cause.k) not in known:
                    return f"{other}/{partition} has taken {cause.k} of {cause.origin} on {cause.topic}"
    return ""


def _record(city: SimulatedCity) -> tuple[Cursors, Histories, Traffic]:
    """Every cursor, every row, and all that the rows have sent: what `gridcase recover` reads."""
    processors = _processors(city)
    histories = {name: city.rows(name) for name in city.journals}
    doors = {kind: door.topic.name for kind, door in city.plan.doors.items()}
    cursors = {
        name: {partition: city.journals[name].cursor(partition) for partition in range(city.plan.partitions)}
        for name in (*city.present, EDGE)
    }
    return cursors, histories, traffic(processors, histories, city.plan.partitions, doors)


def _contradictions(city: SimulatedCity) -> Sequence[Misfit]:
    return misfits(_processors(city), *_record(city))


def _put_back(city: SimulatedCity, backup: Backup) -> None:
    """Journals and topics of one moment; what was told since is known to the world outside alone."""
    for name, journal in city.journals.items():
        journal.shelves = deepcopy(dict(backup.journals[name]))
    broker = city.broker
    broker.records = {target: list(records) for target, records in backup.records.items()}
    broker.first = dict(backup.first)
    broker.ever = {target: list(records) for target, records in backup.ever.items()}
    city.watch = backup.watch.copy(inputs=city.watch.inputs)
    city.joined = {name: dict(cursors) for name, cursors in backup.joined.items()}
    city.restrict(backup.present)
    city.told_in_vain = city.performed[backup.performed :]
    del city.performed[backup.performed :]
    there = {frame(row.body).id for rows in city.rows(EDGE).values() for row in rows}
    city.world.counts["receipts lost"] = len(city.accepted - there)
    city.accepted &= there


def _lose(city: SimulatedCity) -> None:
    """The end of a topic is lost before anybody has read it; once in a while its last record came late."""
    random = city.world.random
    events = {one.events.name for one in city.plan.processors if one.events}
    for target, records in list(city.broker.records.items()):
        topic, partition = target
        readers = [one for one in _processors(city) if topic in one.topics]
        if topic in events or topic == RULES_EDITIONS.name or not readers or not random.randrange(3):
            continue
        reaches = [city.journals[one.name].cursor(partition).reach.get(topic) for one in readers]
        read = max((reach.offset if reach else 0 for reach in reaches), default=0)
        end = city.broker.end(target)
        if read >= end:
            continue
        last, below = records[-1], random.randrange(read, end)
        city.broker.cut(target, below)
        del city.broker.ever[target][below:]
        if end - below > 1 and random.randrange(2):
            city.broker.append(
                Outgoing(topic, partition, last.headers.k, 0, last.key, last.headers, last.body)
            )
        city.world.happened("unread records lost", f"{topic}/{partition} below {end}, from {below}")
