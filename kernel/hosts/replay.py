"""Replay: in memory, from the journals alone. Every decision is taken again and its bytes compared.

The inputs are not stored a second time: what a processor received is what the senders' rows, reacted to
once more, sent. So one pass also proves that nothing was received that nobody sent.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from kernel.edge import EDGE
from kernel.editions import NO_RULES
from kernel.journal import RULES_STREAM, Cause, Record, Via
from kernel.leaf import Drafted
from kernel.partition import partition_of
from kernel.processor import AnyProcessor, Context, DeadLetter, SetTimer, step
from rules.inforce import Rules
from schemas.envelope import Envelope, enclosing, event_id, message_id
from schemas.kernel import AreaMode, EditionAdopted
from schemas.topics import Send
from schemas.wire import TYPE_OF, encode, trusted

Histories = Mapping[str, Mapping[int, Sequence[Record]]]
"""The rows of each processor's journal, by partition, in order of seq."""

Again = Callable[[Any, Any], Any]
"""Of a processor whose inputs the world answers first: the input that was decided, from message and event."""


class Passage(NamedTuple):
    """One message that a journal row sent, as its receiver finds it; `number` 0 is the row itself."""

    key: str
    type: str
    message: Any
    row: Record
    number: int = 0

    @property
    def event(self) -> str:
        """The id of the event that sent it."""
        return event_id(self.row.stream, self.row.version)

    def body(self) -> bytes:
        """The bytes as they were published: the row's own, or those of its `number`-th message."""
        if not self.number:
            return self.row.body
        head = trusted(self.row.body).frame
        return encode(
            Envelope(
                id=message_id(head.id, self.number),
                source=head.source,
                type=self.type,
                subject=self.key,
                time=head.time,
                data=self.message,
            )
        )


class Address(NamedTuple):
    """Which message: the sending journal partition, the target, and its number there."""

    origin: str
    topic: str
    partition: int
    k: int


class Difference(NamedTuple):
    """Where replay and record part: a code, the row, and both sides."""

    code: str
    processor: str
    partition: int
    seq: int
    expected: str
    found: str


@dataclass(slots=True)
class Verdict:
    """What replaying one processor's journal gave. `outside` rows hold what the world answered."""

    processor: str
    inputs: int = 0
    events: int = 0
    equal: int = 0
    outside: int = 0
    differences: list[Difference] = field(default_factory=list[Difference])


@dataclass(slots=True)
class Traffic:
    """All that the journals' rows sent and set, rebuilt by reacting to each row once more."""

    sent: dict[Address, Passage] = field(default_factory=dict[Address, Passage])
    timers: dict[tuple[str, str, str], SetTimer] = field(default_factory=dict[tuple[str, str, str], SetTimer])


def traffic(
    processors: Iterable[AnyProcessor], histories: Histories, partitions: int, doors: Mapping[str, str]
) -> Traffic:
    """Everything that left the journals. `doors` gives the topic of each type that the edge lets in."""
    found = Traffic()
    for processor in processors:
        for partition, rows in histories.get(processor.name, {}).items():
            _collect(found, processor, partition, rows, partitions)
    for instance, rows in histories.get(EDGE, {}).items():
        _collect_edge(found, instance, rows, partitions, doors)
    return found


def _collect(
    found: Traffic, processor: AnyProcessor, partition: int, rows: Sequence[Record], partitions: int
) -> None:
    origin = f"{processor.name}/{partition}"
    numbers: dict[tuple[str, int], int] = {}
    topic = processor.events.name if processor.events else ""
    for row in rows:
        try:
            frame, event = trusted(row.body)
            rules = row.stream.startswith(RULES_STREAM)
            effects = () if rules else processor.react(event, enclosing(frame, event))
        except Exception:  # noqa: BLE001, S112 - a record that was changed; deciding it again says so
            continue
        if topic:
            address = Address(origin, topic, partition, row.seq)
            found.sent[address] = Passage(row.stream, frame.type, event, row)
        for number, effect in enumerate(effects, 1):
            if isinstance(effect, Send):
                target = (
                    partition_of(effect.key, partitions) if effect.partition is None else effect.partition
                )
                k = numbers[effect.topic, target] = numbers.get((effect.topic, target), 0) + 1
                kind = TYPE_OF[type(effect.message)]
                passage = Passage(effect.key, kind, effect.message, row, number)
                found.sent[Address(origin, effect.topic, target, k)] = passage
            elif isinstance(effect, SetTimer):
                found.timers[origin, frame.id, effect.name] = effect


def _collect_edge(
    found: Traffic, instance: int, rows: Sequence[Record], partitions: int, doors: Mapping[str, str]
) -> None:
    origin = f"{EDGE}/{instance}"
    numbers: dict[tuple[str, int], int] = {}
    for row in rows:
        frame, message = trusted(row.body)
        topic = doors[frame.type]
        target = partition_of(frame.subject, partitions)
        k = numbers[topic, target] = numbers.get((topic, target), 0) + 1
        found.sent[Address(origin, topic, target, k)] = Passage(frame.subject, frame.type, message, row)


class Replayer:
    """Takes the decisions of one processor again. `rules` holds every rules number that the rows name.

    With `again` the world's recorded answer stands in for asking it a second time.
    """

    def __init__(
        self, processor: AnyProcessor, rules: Mapping[int, Rules], sent: Traffic, again: Again | None = None
    ) -> None:
        self.processor = processor
        self._rules = rules
        self._traffic = sent
        self._outcome = again
        self._verdict = Verdict(processor.name)
        self._rows: Sequence[Record] = ()
        self._taken: dict[tuple[str, str, int, str, str], int] = {}

    def replay(self, partitions: Mapping[int, Sequence[Record]]) -> Verdict:
        """Replay all partitions of the journal."""
        for partition, rows in sorted(partitions.items()):
            self._partition(partition, rows)
        return self._verdict

    def _partition(self, partition: int, rows: Sequence[Record]) -> None:
        rules = NO_RULES
        self._rows, self._taken = rows, {}
        states: dict[str, tuple[Any, int]] = {}
        last: datetime | None = None
        for seq, row in enumerate(rows, 1):
            if row.seq != seq:
                self._differ("gap", row, f"seq {seq}", f"seq {row.seq}")
                return
        for group in _inputs(rows):
            first = group[0]
            if last is not None and first.now < last:
                self._differ("now_back", first, str(last), str(first.now))
            last = first.now
            try:
                if first.stream.startswith(RULES_STREAM):
                    rules = self._rules[trusted(first.body).message.number]
                    self._adopted(first, rules)
                    self._verdict.events += 1
                else:
                    self._group(partition, group, rules, states)
            except Exception as error:  # noqa: BLE001 - a record that was changed may raise anything
                found = f"{type(error).__name__}: {error}"[:2000]
                self._differ("exception", first, "a record that can be decided again", found)

    def _adopted(self, row: Record, rules: Rules) -> None:
        modes = tuple(AreaMode(area=area, mode=mode) for area, mode in sorted(rules.modes.items()))
        event = EditionAdopted(number=rules.number, edition=rules.bundle.hash, modes=modes)
        self._compare(row, _body(row, trusted(row.body).frame.source, row.version, event))

    def _group(
        self, partition: int, group: Sequence[Record], rules: Rules, states: dict[str, tuple[Any, int]]
    ) -> None:
        """One cause's rows of one stream; a redriven dead letter has decided more than once."""
        verdict = self._verdict
        stream = group[0].stream
        state, version = states.get(stream, (self.processor.initial, 0))
        rest = list(group)
        while rest:
            row = rest[0]
            message = self._input(partition, row, row.cause)
            if message is None:
                return
            self._once(row)
            if self._outcome is not None:
                message = self._outcome(message, trusted(row.body).message)
                verdict.outside += 1
            context = Context(row.now, row.cause.received, rules, row.cause.sender, stream, row.cause.id)
            verdict.inputs += 1
            after, events = step(self.processor, state, message, context)
            source = trusted(row.body).frame.source
            drafted = Drafted(after, events)
            for place, event in enumerate(events, version + 1):
                drafted.bodies.append(_body(row, source, place, event))
            if len(events) > len(rest) or not events:
                self._differ("events", row, f"{len(rest)} events", f"{len(events)} events")
                return
            for one, body in zip(rest, drafted.bodies, strict=False):
                self._compare(one, body)
            verdict.events += len(events)
            rest = rest[len(events) :]
            state, version = after, version + len(events)
        states[stream] = (state, version)

    def _once(self, row: Record) -> None:
        """An input is decided once; again only where its decision left it among the dead letters."""
        cause = row.cause
        timer = cause.id if cause.via is Via.TIMER else ""
        key = (cause.topic, cause.origin, cause.k, cause.event, timer)
        first = self._taken.get(key)
        self._taken[key] = row.seq
        if first is not None and not self._died(first):
            self._differ("twice", row, f"one decision, that of row {first}", "another decision")

    def _died(self, seq: int) -> bool:
        """Whether what was decided from row `seq` on kept its input among the dead letters."""
        first = self._rows[seq - 1]
        for row in self._rows[seq - 1 :]:
            if row.cause != first.cause or row.stream != first.stream:
                return False
            head, event = trusted(row.body)
            if any(
                isinstance(effect, DeadLetter)
                for effect in self.processor.react(event, enclosing(head, event))
            ):
                return True
        return False

    def _input(self, partition: int, row: Record, cause: Cause) -> Any:
        if cause.via is Via.TIMER:
            timer = self._traffic.timers.get((f"{self.processor.name}/{partition}", cause.event, cause.id))
            if timer is None:
                self._differ("phantom", row, f"timer {cause.id} set by {cause.event}", "nobody set it")
                return None
            if timer.due != cause.received:
                self._differ("due", row, f"timer {cause.id} due {timer.due}", f"due {cause.received}")
            return timer.message
        passage = self._traffic.sent.get(Address(cause.origin, cause.topic, partition, cause.k))
        if passage is None:
            self._differ(
                "phantom",
                row,
                f"message {cause.k} of {cause.origin} to {cause.topic}/{partition}",
                "nobody sent it",
            )
            return None
        if passage.key != row.stream:
            self._differ("stream", row, f"stream {passage.key}", f"stream {row.stream}")
            return None
        if passage.row.rules > row.rules:
            self._differ("older_rules", row, f"rules {passage.row.rules} or later", f"rules {row.rules}")
        return passage.message

    def _compare(self, row: Record, body: bytes) -> None:
        if body == row.body:
            self._verdict.equal += 1
        else:
            self._differ("bytes", row, row.body.decode()[:2000], body.decode()[:2000])

    def _differ(self, code: str, row: Record, expected: str, found: str) -> None:
        self._verdict.differences.append(
            Difference(code, self.processor.name, row.partition, row.seq, expected, found)
        )


def _body(row: Record, source: str, version: int, event: Any) -> bytes:
    return encode(
        Envelope(
            id=event_id(row.stream, version),
            source=source,
            type=TYPE_OF[type(event)],
            subject=row.stream,
            time=row.now,
            data=event,
        )
    )


def _inputs(rows: Iterable[Record]) -> Iterator[list[Record]]:
    """Rows that follow each other with one cause in one stream."""
    group: list[Record] = []
    for row in rows:
        if group and (
            row.cause != group[0].cause or row.stream != group[0].stream or row.now != group[0].now
        ):
            yield group
            group = []
        group.append(row)
    if group:
        yield group
