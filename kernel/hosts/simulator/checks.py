"""What must hold once the faults of a simulated city are over and its queues drained, each by a name."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from kernel.hosts.replay import Address, Again, Passage, Replayer, Traffic
from kernel.hosts.simulator.world import Broken
from kernel.journal import RULES_STREAM, Cause, Cursor, Held, HeldKind, Record, StoredTimer, Via
from kernel.log import Message, Target
from kernel.processor import AnyProcessor, CancelTimer, DeadLetter, SetTimer
from rules.inforce import Rules
from schemas.envelope import Envelope, enclosing
from schemas.wire import TYPE_OF, trusted

Rows = Mapping[int, Sequence[Record]]


class Evidence(NamedTuple):
    """All that the checks at the end look at.

    `joined` holds the first cursors of processors that came later, `aside` the causes of all that was ever
    set aside, by processor and partition.
    """

    processors: Sequence[AnyProcessor]
    histories: Mapping[str, Rows]
    traffic: Traffic
    log: Mapping[Target, Sequence[Message]]
    ticked: Mapping[tuple[str, int], Mapping[int, datetime]]
    held: Mapping[str, Sequence[Held]]
    timers: Mapping[str, Mapping[int, Mapping[tuple[str, str], StoredTimer]]]
    rules: Mapping[int, Rules]
    again: Mapping[str, Again]
    joined: Mapping[str, Mapping[int, Cursor]]
    aside: Mapping[tuple[str, int, str, Cause], HeldKind]
    now: datetime

    def timers_aside(self, name: str, partition: int) -> set[tuple[str, str, str]]:
        """Stream, name and setting event of each timer that fired for a parked stream."""
        return {
            (stream, cause.id, cause.event)
            for one, where, stream, cause in self.aside
            if one == name and where == partition and cause.via is Via.TIMER
        }


def check_all(evidence: Evidence) -> None:
    """Everything that must hold at the end; raises `Broken` at the first thing that does not."""
    for processor in evidence.processors:
        for partition, history in evidence.histories[processor.name].items():
            _in_order(evidence, processor, partition, history)
    _log_from_journals(evidence)
    for processor in evidence.processors:
        _same_again(evidence, processor)
        for partition, history in evidence.histories[processor.name].items():
            _timers_in_time(evidence, processor, partition, history)
            _nothing_before_a_tick(evidence, processor, partition, history)
        _taken_once(evidence, processor)
    _all_visible(evidence)


def _in_order(evidence: Evidence, processor: AnyProcessor, partition: int, rows: Sequence[Record]) -> None:
    """Sequence dense, versions gapless, time rising, messages of one sender to one stream in order."""
    versions: dict[str, int] = {}
    last: dict[tuple[str, str, str], int] = {}
    now: datetime | None = None
    for seq, row in enumerate(rows, 1):
        where = f"{processor.name}/{partition}/{row.seq}"
        if row.seq != seq:
            raise Broken("sequence dense", f"{where}, expected {seq}")
        versions[row.stream] = versions.get(row.stream, 0) + 1
        if row.version != versions[row.stream]:
            raise Broken("versions gapless", f"{where}: {row.stream}/{row.version}")
        if now is not None and row.now < now:
            raise Broken("now rises", f"{where}: {row.now} after {now}")
        now = row.now
        kind = evidence.aside.get((processor.name, partition, row.stream, row.cause))
        if row.cause.via is Via.MESSAGE and kind is not HeldKind.DEAD:
            key = (row.stream, row.cause.topic, row.cause.origin)
            if row.cause.k < last.get(key, 0):
                raise Broken(
                    "order of one sender", f"{where}: {row.cause.k} of {row.cause.origin} after {last[key]}"
                )
            last[key] = row.cause.k


def _log_from_journals(evidence: Evidence) -> None:
    """Whatever stands in a topic stands in its sender's journal under this number, and says the same."""
    for (topic, partition), records in evidence.log.items():
        for record in records:
            address = Address(record.headers.origin, topic, partition, record.headers.k)
            passage = evidence.traffic.sent.get(address)
            if passage is None:
                raise Broken("no phantom", f"{address} is in the log and in no journal")
            head, message = trusted(record.body)
            if head.type != passage.type or message != passage.message or record.key != passage.key:
                raise Broken(
                    "content as in the sender's journal", f"{address}: {head.id}, sent by {passage.event}"
                )


def _same_again(evidence: Evidence, processor: AnyProcessor) -> None:
    """Deciding again on what the senders sent gives the same bytes; nothing was received that nobody sent."""
    rows = evidence.histories[processor.name]
    again = evidence.again.get(processor.name)
    try:
        verdict = Replayer(processor, evidence.rules, evidence.traffic, again).replay(rows)
    except Exception as error:
        raise Broken("decided again", f"{processor.name}: {type(error).__name__}: {error}") from error
    for difference in verdict.differences:
        where = f"{difference.processor}/{difference.partition}/{difference.seq}"
        found = f"{where}: expected {difference.expected[:200]}, found {difference.found[:200]}"
        raise Broken(_REPLAYED.get(difference.code, "decided again"), found)


_REPLAYED = {
    "older_rules": "no older edition than the cause",
    "phantom": "no phantom",
    "now_back": "now rises",
}


class _Group(NamedTuple):
    """The rows that one input left in one stream; `dead` if it was kept among the dead letters as well."""

    first: Record
    events: Sequence[tuple[Envelope, Any]]
    effects: Sequence[tuple[str, Any]]

    @property
    def dead(self) -> bool:
        return any(isinstance(effect, DeadLetter) for _, effect in self.effects)


def _groups(processor: AnyProcessor, rows: Sequence[Record]) -> Iterator[_Group]:
    first: Record | None = None
    seq = 0
    events: list[tuple[Envelope, Any]] = []
    effects: list[tuple[str, Any]] = []
    for row in rows:
        if row.stream.startswith(RULES_STREAM):
            continue
        ended = any(isinstance(effect, DeadLetter) for _, effect in effects)
        if (
            first is None
            or ended
            or row.cause != first.cause
            or row.stream != first.stream
            or row.seq != seq + 1
        ):
            if first is not None:
                yield _Group(first, events, effects)
            first, events, effects = row, [], []
        seq = row.seq
        head, event = trusted(row.body)
        envelope = enclosing(head, event)
        events.append((envelope, event))
        effects.extend((head.id, effect) for effect in processor.react(event, envelope))
    if first is not None:
        yield _Group(first, events, effects)


def _taken_once(evidence: Evidence, processor: AnyProcessor) -> None:
    """Every message sent to this processor was decided once, or lies held; none twice, none lost.

    A dead letter may be decided again each time it is redriven, once without becoming one.
    """
    name = processor.name
    handled = {TYPE_OF[kind] for kind in processor.handles}
    taken: dict[Address, int] = {}
    dead: set[Address] = set()
    for partition, rows in evidence.histories[name].items():
        for group in _groups(processor, rows):
            cause = group.first.cause
            address = Address(cause.origin, cause.topic, partition, cause.k)
            if cause.via is not Via.MESSAGE:
                continue
            if group.dead:
                dead.add(address)
            else:
                taken[address] = taken.get(address, 0) + 1
    held = {
        Address(one.cause.origin, one.cause.topic, one.partition, one.cause.k): one.kind
        for one in evidence.held[name]
    }
    for address, passage in _sent_to(evidence, processor):
        if passage.type not in handled:
            continue
        times = taken.get(address, 0)
        if times == 0 and address not in held:
            raise Broken("nothing lost", f"{passage.type} {address} sent by {passage.event}, for {name}")
        if times > 1 or (times == 1 and held.get(address) is HeldKind.PARKED):
            raise Broken("decided once", f"{times} times: {passage.type} {address} sent by {passage.event}")
        if address in dead and times == 0 and held.get(address) is None:
            raise Broken("dead letters kept", f"{passage.type} {address} sent by {passage.event}")


def _sent_to(evidence: Evidence, processor: AnyProcessor) -> Iterator[tuple[Address, Passage]]:
    topics = set(processor.topics)
    joined = evidence.joined.get(processor.name, {})
    for address, passage in evidence.traffic.sent.items():
        if address.topic not in topics:
            continue
        first = joined.get(address.partition)
        if first is not None and address.k <= first.seen.get(address.topic, {}).get(address.origin, 0):
            continue
        yield address, passage


class _Timers:
    """The timers of one partition as its rows set, cancel and fire them.

    `aside` are those that rang for a parked stream, `rung` those of them that are set by now.
    """

    def __init__(self, aside: set[tuple[str, str, str]]) -> None:
        self.open: dict[tuple[str, str], tuple[datetime, str]] = {}
        self.aside = aside
        self._rung: dict[tuple[str, str], str] = {}

    def ring(self, row: Record, *, again: bool) -> None:
        """One that was set aside is taken up; only a dead letter may be so once more."""
        key = (row.stream, row.cause.id, row.cause.event)
        if key not in self.aside and not again:
            raise Broken("a timer fires once, if set", f"{row.cause.id} of {row.stream}, row {row.seq}")
        self.aside.discard(key)

    def follow(self, stream: str, event: str, effect: Any) -> None:
        if not isinstance(effect, CancelTimer | SetTimer):
            return
        key = (stream, effect.name)
        self.open.pop(key, None)
        self.aside.discard((*key, self._rung.pop(key, "")))
        if isinstance(effect, SetTimer):
            if (*key, event) in self.aside:
                self._rung[key] = event
            else:
                self.open[key] = (effect.due, event)


def _timers_in_time(
    evidence: Evidence, processor: AnyProcessor, partition: int, rows: Sequence[Record]
) -> None:
    """Each timer fires or is cancelled, once, and before any message that is later than its due time.

    One that rang for a parked stream is taken up later, unless what was parked before it cancels it.
    """
    timers = _Timers(evidence.timers_aside(processor.name, partition))
    for group in _groups(processor, rows):
        row = group.first
        aside = evidence.aside.get((processor.name, partition, row.stream, row.cause))
        if row.cause.via is not Via.TIMER:
            if aside is None:
                _none_overdue(timers.open, row, processor)
        elif aside is not None:
            timers.ring(row, again=aside is HeldKind.DEAD)
        elif timers.open.pop((row.stream, row.cause.id), (None, ""))[1] != row.cause.event:
            raise Broken("a timer fires once, if set", f"{row.cause.id} of {row.stream}, row {row.seq}")
        for event, effect in group.effects:
            timers.follow(row.stream, event, effect)
    if timers.aside:
        lost = sorted(timers.aside)
        raise Broken("each timer fires or is cancelled", f"{lost} of {processor.name} rang and was lost")
    _still_set(evidence, processor, partition, timers.open)


def _still_set(
    evidence: Evidence,
    processor: AnyProcessor,
    partition: int,
    open_: Mapping[tuple[str, str], tuple[datetime, str]],
) -> None:
    """What has neither fired nor been cancelled is still stored, and not yet due; nothing else is."""
    stored = evidence.timers[processor.name].get(partition, {})
    for key, (due, event) in open_.items():
        if key not in stored or stored[key].event != event:
            raise Broken(
                "each timer fires or is cancelled", f"{key} of {processor.name}, set by {event}, is gone"
            )
        if due < evidence.now:
            raise Broken("each timer fires or is cancelled", f"{key} of {processor.name} was due {due}")
    if len(stored) > len(open_):
        raise Broken(
            "no timer that nobody set", f"{sorted(stored.keys() - open_.keys())} of {processor.name}"
        )


def _none_overdue(
    open_: Mapping[tuple[str, str], tuple[datetime, str]], row: Record, processor: AnyProcessor
) -> None:
    """No message is decided while a timer is due before it; what is taken up comes late."""
    for (stream, name), (due, _) in open_.items():
        if due < row.now:
            where = f"{processor.name}/{row.partition}/{row.seq} at {row.now}"
            raise Broken("timers before messages", f"{where}, while {name} of {stream} was due {due}")


def _nothing_before_a_tick(
    evidence: Evidence, processor: AnyProcessor, partition: int, rows: Sequence[Record]
) -> None:
    """No record that the log took before a timer's due time is decided after that timer fired on a tick."""
    ticked = evidence.ticked.get((processor.name, partition), {})
    fired: datetime | None = None
    reached: dict[str, int] = {}
    for row in rows:
        if row.seq in ticked:
            fired = max(fired, ticked[row.seq]) if fired else ticked[row.seq]
        elif (processor.name, partition, row.stream, row.cause) in evidence.aside:
            continue
        elif row.cause.topic and row.cause.offset > reached.get(row.cause.topic, -1):
            reached[row.cause.topic] = row.cause.offset
            appended = evidence.log[row.cause.topic, partition][row.cause.offset].appended
            if fired is not None and appended < fired:
                where = f"{processor.name}/{partition}/{row.seq}"
                raise Broken(
                    "nothing unread before a tick", f"{where}: {appended}, after a timer due {fired}"
                )


def _all_visible(evidence: Evidence) -> None:
    """Every outgoing message can be seen in its topic at least once, unit topics as well."""
    seen = {
        Address(record.headers.origin, topic, partition, record.headers.k)
        for (topic, partition), records in evidence.log.items()
        for record in records
    }
    for address, passage in evidence.traffic.sent.items():
        if address not in seen:
            raise Broken("all that was sent is visible", f"{passage.type} {address} of {passage.event}")
