"""What befalls a city rarely: bugs, wrong clocks, aged logs, dead edges, newcomers."""

from collections.abc import Callable, Coroutine, Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from kernel.edge import EDGE
from kernel.hosts.simulator.city import FOLD, SimulatedCity
from kernel.hosts.simulator.faults import FaultyLog, SimClock
from kernel.hosts.simulator.world import START
from kernel.joining import Sending, first_cursor
from kernel.journal import RULES_STREAM, HeldKind, Move, Snapshot
from kernel.log import Target
from kernel.processor import AnyProcessor
from kernel.worker import Worker
from schemas.topics import RULES_EDITIONS
from schemas.wire import encode_data

_AHEAD: Final = tuple(timedelta(seconds=seconds) for seconds in (40, 200, 1200, 4000))
_OFF: Final = tuple(timedelta(seconds=seconds) for seconds in (-4000, -60, 20, 90, 900, 20_000))


def happen(city: SimulatedCity) -> None:
    """One thing, drawn by chance."""
    city.world.random.choice(_ALL)(city)


def finish(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine of the operator, who never waits."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("an operator's order waits for nobody")


def operate(city: SimulatedCity) -> None:
    """The operator takes up what is parked, as far as its bug is mended."""
    for name in city.present:
        ids = city.held(name, HeldKind.PARKED)
        if ids:
            city.world.happened("unparked", f"{name} {len(ids)}")
            finish(city.redrive(name, ids))


def _bug(city: SimulatedCity) -> None:
    """A bug shows itself in one stream, rather in one that waits for a timer, and is mended after a while."""
    random = city.world.random
    waiting = [
        (name, stream)
        for name in city.present
        for shelf in city.journals[name].shelves.values()
        for stream in {stream for stream, _ in shelf.timers}
    ]
    known = [(name, stream) for name in city.present for stream in city.watch.streams(name)]
    streams = sorted(waiting if random.randrange(2) else known)
    if not streams:
        return
    bug = random.choice(streams)
    city.bugs.add(bug)
    city.world.happened("bug", f"in {bug[0]} for {bug[1]}")
    if random.randrange(3) == 0:
        city.world.later("a vain order", lambda: _order_in_vain(city, bug[0]))
    city.world.later(f"bug of {bug[0]} mended", lambda: _mend(city, bug), most=1000)


def _order_in_vain(city: SimulatedCity, name: str) -> None:
    ids = [
        (partition, number)
        for partition, shelf in city.journals[name].shelves.items()
        for number in shelf.held
    ]
    finish(city.redrive(name, ids))


def _mend(city: SimulatedCity, bug: tuple[str, str]) -> None:
    city.bugs.discard(bug)
    city.world.later("the operator looks", lambda: operate(city), most=1500)


def redrive(city: SimulatedCity) -> None:
    """Somebody thinks that the cause of the dead letters is mended."""
    for name in city.present:
        ids = city.held(name, HeldKind.DEAD)
        if ids:
            city.world.happened("redriven", f"{name} {len(ids)}")
            finish(city.redrive(name, ids))


def age(city: SimulatedCity) -> None:
    """Records that every reader has taken age out, up to a cursor exactly."""
    random = city.world.random
    targets = [target for target in city.broker.records if target[0] != RULES_EDITIONS.name]
    if not targets:
        return
    topic, partition = random.choice(targets)
    readers = [one for one in city.plan.processors if topic in one.topics and one.name in city.present]
    reaches = [city.journals[one.name].cursor(partition).reach.get(topic) for one in readers]
    below = min((reach.offset if reach else 0 for reach in reaches), default=0)
    below = min(below, _first_unsettled(city, topic, partition))
    if below > city.broker.first.get((topic, partition), 0):
        city.world.happened("aged", f"{topic}/{partition} below {below}")
        city.broker.expire((topic, partition), below)


def forget(city: SimulatedCity) -> None:
    """Time takes what is older than the retention of its topic and taken by all; then all start again."""
    reached: dict[Target, dict[str, int]] = {}
    processors = [one for one in city.plan.processors if one.name in city.present]
    for one in processors:
        for partition in range(city.plan.partitions):
            for topic, reach in city.journals[one.name].cursor(partition).reach.items():
                reached.setdefault((topic, partition), {})[one.name] = reach.offset
    first = sum(city.broker.first.values())
    city.broker.age(processors, reached)
    gone = sum(city.broker.first.values()) - first
    if gone:
        city.world.happened("forgotten", f"{gone} records")
        for actor in city.world.actors:
            city.world.crash(actor)


def _first_unsettled(city: SimulatedCity, topic: str, partition: int) -> int:
    """The first record of which its sender has no note that it is published; retention is far longer."""
    settled = {
        origin: claim.cursor.published
        if events == topic
        else min(
            (one.k for one in claim.outgoing if (one.topic, one.partition) == (topic, partition)), default=0
        )
        - 1
        for origin, events, claim in _senders(city)
    }
    for record in city.broker.records[topic, partition]:
        last = settled.get(record.headers.origin, -1)
        if 0 <= last < record.headers.k:
            return record.offset
    return city.broker.end((topic, partition))


def _broker_ahead(city: SimulatedCity) -> None:
    """The log's own clock is wrong for a while."""
    _set_wrong(city, "broker", city.broker.machine, city.world.random.choice(_AHEAD))


def _worker_off(city: SimulatedCity) -> None:
    """The clock of a worker is wrong for a while, often beyond the next due time of timers that it owns.

    Its own writes have told it how it differs from the log's.
    """
    stamps = (records[-1].appended for records in city.broker.records.values() if records)
    if max(stamps, default=START) > city.world.now:
        return
    dues = dict(_watched_dues(city))
    wrote = sorted(dues) or sorted(name for name, worker in city.workers.items() if _wrote(worker))
    if wrote:
        name = city.world.random.choice(wrote)
        off = _beyond(city, dues[name]) if name in dues else city.world.random.choice(_OFF)
        _set_wrong(city, name, city.clocks[name], off)


def worker_ahead(city: SimulatedCity) -> Callable[[], None] | None:
    """A worker's clock jumps beyond the due time of a timer that it owns; gives what sets it right again.

    In an idle city, where such a timer needs only that clock to ring: the worker has to see its drift.
    """
    dues = sorted(_watched_dues(city))
    if not dues:
        return None
    name, due = city.world.random.choice(dues)
    clock, off = city.clocks[name], _beyond(city, due)
    city.world.happened("clock jumps", f"{name} by {off.total_seconds():g} s")
    clock.skew = clock.right + off

    def set_right() -> None:
        clock.skew = clock.right

    return set_right


def _watched_dues(city: SimulatedCity) -> Iterator[tuple[str, datetime]]:
    """Workers that have written since they started, and when the next timer is due that they own."""
    for name, worker in city.workers.items():
        if _wrote(worker):
            shelves = city.journals[name.partition("#")[0]].shelves
            own = (shelves[number] for number in worker.decider.tenures if number in shelves)
            dues = [timer.due for shelf in own for timer in shelf.timers.values()]
            due = min((due for due in dues if due > city.world.now), default=None)
            if due is not None:
                yield name, due


def _wrote(worker: Worker) -> bool:
    return isinstance(worker.log, FaultyLog) and worker.log.wrote


def _beyond(city: SimulatedCity, due: datetime) -> timedelta:
    """By how much a clock is ahead that takes a timer for due, whatever its margin."""
    return due - city.world.now + timedelta(seconds=60)


def _set_wrong(city: SimulatedCity, who: str, clock: SimClock, off: timedelta) -> None:
    def set_right() -> None:
        clock.skew = clock.right
        city.clock_wrong = ""

    if city.clock_wrong:
        return
    city.clock_wrong = who
    city.world.happened("clock wrong", f"{who} by {off.total_seconds():g} s")
    city.clocks_were_wrong = True
    clock.skew = clock.right + off
    city.world.later(f"clock of {who} right again", set_right, most=1500)


def near_due(city: SimulatedCity) -> None:
    """Time goes on to a moment just before a timer is due: closer than clocks differ."""
    due = next_due(city)
    if due is not None:
        city.world.happened("near a due time", f"{due}")
        city.world.now = max(city.world.now, due - timedelta(milliseconds=city.world.random.randrange(4000)))


def next_due(city: SimulatedCity) -> datetime | None:
    """When the next timer is due, of any processor."""
    shelves = (shelf for journal in city.journals.values() for shelf in journal.shelves.values())
    dues = (timer.due for shelf in shelves for timer in shelf.timers.values())
    return min((due for due in dues if due > city.world.now), default=None)


def _old_snapshots(city: SimulatedCity) -> None:
    """Snapshots of another release lie about: their fold is another, their states mean nothing."""
    for processor in city.plan.processors:
        if processor.snapshot is None:
            continue
        for partition, shelf in city.journals[processor.name].shelves.items():
            for stream, places in shelf.versions.items():
                if not stream.startswith(RULES_STREAM) and city.world.random.randrange(2):
                    body = encode_data(processor.initial)
                    shelf.snapshots[stream] = Snapshot(partition, stream, len(places), f"not {FOLD}", body)
    city.world.happened("old snapshots")


def _edge_gone(city: SimulatedCity) -> None:
    living = city.living_edges()
    if len(living) > 1:
        city.end_edge(city.world.random.choice(living))


def _newcomer(city: SimulatedCity) -> None:
    """A processor is added to a running city; the log begins somewhere, for it began long ago."""
    absent = [processor for processor in city.plan.processors if processor.name not in city.present]
    if absent:
        join(city, city.world.random.choice(absent))


def join(city: SimulatedCity, processor: AnyProcessor) -> None:
    """The explicit act: first cursors with offsets and numbers, then workers."""
    senders = list(_senders(city))
    for partition in range(city.plan.partitions):
        held = {topic: city.broker.records.get((topic, partition), []) for topic in processor.topics}
        first = {topic: city.broker.first.get((topic, partition), 0) for topic in processor.topics}
        cursor = first_cursor(partition, held, first, senders, city.token())
        city.joined.setdefault(processor.name, {})[partition] = cursor
        city.journals[processor.name].apply([Move(b"", cursor)])
    city.world.happened("joined later", processor.name)
    city.add_processor(processor)


def _senders(city: SimulatedCity) -> Iterator[Sending]:
    events = {one.name: one.events.name for one in city.plan.processors if one.events}
    for name in (*city.present, EDGE):
        journal = city.journals[name]
        for claim in finish(journal.claim(list(journal.shelves))):
            yield f"{name}/{claim.cursor.partition}", events.get(name, ""), claim


_ALL: Final[tuple[Callable[[SimulatedCity], None], ...]] = (
    _bug, _bug, redrive, age, age, _broker_ahead, _worker_off, _old_snapshots, _edge_gone,
    _newcomer, _newcomer, _worker_off, near_due, near_due, _worker_off, redrive,
)  # fmt: skip
