"""What must hold while a simulated city runs, and once its faults are over and its queues are drained."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from kernel.decider import Decider
from kernel.hosts.replay import RULES_STREAM, Address, Replayer, Traffic
from kernel.hosts.simulator.world import Broken
from kernel.journal import Held, HeldKind, Move, Record, Via
from kernel.log import Target
from kernel.processor import AnyProcessor, CancelTimer, SetTimer
from kernel.tenure import Tenure
from rules.inforce import Rules
from schemas.envelope import Envelope
from schemas.wire import TYPE_OF, trusted


class Watch:
    """Folds every committed row once more, apart from the workers, and compares at each commit."""

    def __init__(self, processors: Iterable[AnyProcessor]) -> None:
        self._processors = {processor.name: processor for processor in processors}
        self._states: dict[tuple[str, int, str], Any] = {}
        self.ticked: dict[tuple[str, int], dict[int, datetime]] = {}
        self.inputs = 0

    def committed(self, name: str, decider: Decider, moves: Sequence[Move], fenced: frozenset[int]) -> None:
        """Fold equals live: the worker's state of every stream it has just written is what its rows say."""
        processor = self._processors[name]
        for move in moves:
            partition = move.cursor.partition
            if partition in fenced:
                continue
            touched: set[str] = set()
            causes: set[object] = set()
            for row in move.records:
                causes.add((row.cause.via, row.cause.id, row.cause.offset))
                if row.cause.via is Via.TIMER and partition in decider.batch.until:
                    self.ticked.setdefault((name, partition), {})[row.seq] = row.cause.received
                if row.stream.startswith(RULES_STREAM):
                    continue
                key = (name, partition, row.stream)
                self._states[key] = processor.evolve(self._states.get(key, processor.initial), trusted(row.body).message)
                touched.add(row.stream)
            self.inputs += len(causes)
            tenure = decider.tenures.get(partition)
            if tenure is not None and tenure.seq == move.cursor.seq:
                self._compare(name, tenure, touched)

    def _compare(self, name: str, tenure: Tenure, streams: Iterable[str]) -> None:
        for stream in streams:
            live = tenure.states.get(stream)
            if live is not None and live[0] != self._states[name, tenure.partition, stream]:
                raise Broken(f"fold differs from live: {name}/{tenure.partition} {stream}")

    def state(self, name: str, stream: str) -> Any:
        """The folded state of a stream, wherever it lies; `None` if it has no row."""
        return next((state for (one, _, key), state in self._states.items() if one == name and key == stream), None)

    def states(self, name: str) -> Mapping[str, Any]:
        """All folded states of one processor, by stream."""
        return {stream: state for (one, _, stream), state in self._states.items() if one == name}


class Evidence(NamedTuple):
    """All that the checks at the end look at."""

    processors: Sequence[AnyProcessor]
    histories: Mapping[str, Mapping[int, Sequence[Record]]]
    traffic: Traffic
    stamps: Mapping[Target, Sequence[datetime]]
    ticked: Mapping[tuple[str, int], Mapping[int, datetime]]
    held: Mapping[str, Sequence[Held]]
    rules: Mapping[int, Rules]
    performing: frozenset[str]


def check_all(evidence: Evidence) -> None:
    """Everything that must hold at the end; raises `Broken` at the first thing that does not."""
    for processor in evidence.processors:
        rows = evidence.histories[processor.name]
        if processor.name not in evidence.performing:
            _same_again(evidence, processor)
        for partition, history in rows.items():
            _in_order(processor, partition, history)
            _timers_in_time(evidence, processor, partition, history)
            _nothing_before_a_tick(evidence, processor, partition, history)
        _taken_once(evidence, processor)


def _same_again(evidence: Evidence, processor: AnyProcessor) -> None:
    """Deciding again on what the senders sent gives the same bytes; nothing was received that nobody sent."""
    verdict = Replayer(processor, evidence.rules, evidence.traffic).replay(evidence.histories[processor.name])
    for difference in verdict.differences:
        raise Broken(f"replay: {difference}")


def _in_order(processor: AnyProcessor, partition: int, rows: Sequence[Record]) -> None:
    """Sequence dense, versions gapless, messages of one sender to one stream in order."""
    versions: dict[str, int] = {}
    last: dict[tuple[str, str, str], int] = {}
    for seq, row in enumerate(rows, 1):
        where = f"{processor.name}/{partition}/{row.seq}"
        if row.seq != seq:
            raise Broken(f"sequence not dense at {where}: expected {seq}")
        versions[row.stream] = versions.get(row.stream, 0) + 1
        if row.version != versions[row.stream]:
            raise Broken(f"version not gapless at {where}: {row.stream}/{row.version}")
        if row.cause.via is Via.MESSAGE:
            key = (row.stream, row.cause.topic, row.cause.origin)
            if row.cause.k < last.get(key, 0):
                raise Broken(f"order of {row.cause.origin} broken at {where}: {row.cause.k} after {last[key]}")
            last[key] = row.cause.k


def _taken_once(evidence: Evidence, processor: AnyProcessor) -> None:
    """Every message sent to this processor was decided once, or lies held; none twice, none lost."""
    handled = {TYPE_OF[kind] for kind in processor.handles}
    topics = set(processor.topics)
    taken: dict[Address, int] = {}
    for partition, rows in evidence.histories[processor.name].items():
        before: tuple[int, Address] | None = None
        for row in rows:
            if row.cause.via is not Via.MESSAGE or row.stream.startswith(RULES_STREAM):
                continue
            address = Address(row.cause.origin, row.cause.topic, partition, row.cause.k)
            if before != (row.seq - 1, address):
                taken[address] = taken.get(address, 0) + 1
            before = (row.seq, address)
    held = {
        Address(one.cause.origin, one.cause.topic, one.partition, one.cause.k): one.kind for one in evidence.held[processor.name]
    }
    for address, passage in evidence.traffic.sent.items():
        if address.topic not in topics or passage.type not in handled:
            continue
        times = taken.get(address, 0)
        if times == 0 and address not in held:
            raise Broken(f"lost: {passage.type} {address} sent by {passage.event}")
        if times > 1 and held.get(address) is not HeldKind.DEAD:
            raise Broken(f"decided {times} times: {passage.type} {address} sent by {passage.event}")


def _timers_in_time(evidence: Evidence, processor: AnyProcessor, partition: int, rows: Sequence[Record]) -> None:
    """Each timer fires or is cancelled, once, and before any message that is later than its due time."""
    open_: dict[tuple[str, str], tuple[datetime, str]] = {}
    held = {(one.stream, one.cause.id) for one in evidence.held[processor.name] if one.cause.via is Via.TIMER}
    cause: object = None
    for row in rows:
        if row.stream.startswith(RULES_STREAM):
            continue
        if row.cause != cause:
            cause = row.cause
            if row.cause.via is Via.TIMER:
                known = open_.pop((row.stream, row.cause.id), None)
                if known is None or known[1] != row.cause.event:
                    raise Broken(f"timer {row.cause.id} of {row.stream} fired without being set: {processor.name}/{partition}/{row.seq}")
            else:
                _none_overdue(open_, row, held, processor)
        frame, event = trusted(row.body)
        envelope = Envelope(id=frame.id, source=frame.source, type=frame.type, subject=frame.subject, time=frame.time, data=event)
        for effect in processor.react(event, envelope):
            if isinstance(effect, SetTimer):
                open_[row.stream, effect.name] = (effect.due, frame.id)
            elif isinstance(effect, CancelTimer):
                open_.pop((row.stream, effect.name), None)


def _none_overdue(
    open_: Mapping[tuple[str, str], tuple[datetime, str]], row: Record, held: set[tuple[str, str]], processor: AnyProcessor
) -> None:
    for (stream, name), (due, _) in open_.items():
        if due < row.now and (stream, name) not in held:
            raise Broken(f"message at {row.now} decided while timer {name} of {stream} was due {due}: {processor.name}/{row.partition}/{row.seq}")


def _nothing_before_a_tick(evidence: Evidence, processor: AnyProcessor, partition: int, rows: Sequence[Record]) -> None:
    """No record that the log took before a timer's due time is decided after that timer fired on a tick."""
    ticked = evidence.ticked.get((processor.name, partition), {})
    fired: datetime | None = None
    for row in rows:
        if row.seq in ticked:
            fired = max(fired, ticked[row.seq]) if fired else ticked[row.seq]
        elif fired is not None and row.cause.topic:
            appended = evidence.stamps.get((row.cause.topic, partition), ())
            if row.cause.offset < len(appended) and appended[row.cause.offset] < fired:
                raise Broken(
                    f"a record of {appended[row.cause.offset]} decided after a timer due {fired}: {processor.name}/{partition}/{row.seq}"
                )
