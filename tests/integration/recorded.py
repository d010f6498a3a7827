"""What a processor was given once (order, stamps, rules), given to a worker again over any journal."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from cli.assemble import fold_of
from cli.topology import PERFORMING
from kernel.clock import SteppedClock
from kernel.decider import Decider
from kernel.editions import Editions
from kernel.journal import Journal, Via
from kernel.log import Message, Outgoing, Span, Target
from kernel.pace import Pace
from kernel.processor import AnyProcessor
from kernel.worker import Worker
from rules.bundle import Bundle
from rules.inforce import Rules
from schemas.kernel import ActivateRules
from schemas.wire import trusted
from tests.integration.lived import Lived

FIRST = datetime(2000, 1, 1, tzinfo=UTC)


class RecordedClock(SteppedClock):
    """Wall time that goes along with the records, and the recorded city's own map to city time."""

    def __init__(self, lived: Lived) -> None:
        super().__init__(min(one.appended for found in lived.messages.values() for one in found))
        self._to_city = lived.to_city

    def city(self, wall: datetime) -> datetime:
        return self._to_city(wall)


class RecordedLog:
    """The recorded inputs of all partitions of one processor, in the order in which they were decided.

    Time goes along: the clock stands at the stamp of the last record given. What leaves is kept in `sent`.
    """

    def __init__(self, inbox: Mapping[int, Sequence[Message]], clock: SteppedClock) -> None:
        self.sent: dict[Target, list[Outgoing]] = {}
        self._inbox = inbox
        self._clock = clock
        self._given = dict.fromkeys(inbox, 0)
        self._positions: dict[int, dict[str, int]] = {}
        self._ends: dict[Target, int] = {}
        for partition, messages in inbox.items():
            for message in messages:
                self._ends[message.topic, partition] = message.offset + 1

    @property
    def done(self) -> bool:
        return all(self._given[one] == len(self._inbox[one]) for one in self._inbox)

    def assigned(self) -> frozenset[int]:
        return frozenset(self._inbox)

    async def fetch(self, limit: int) -> Sequence[Message]:
        """A few of each partition at once: a batch cuts across partitions as live ones do."""
        share = max(1, limit // max(1, len(self._inbox)))
        found: list[Message] = []
        for partition in self._positions:
            messages = self._inbox[partition]
            begin = self._given[partition]
            part = messages[begin : begin + share]
            self._given[partition] += len(part)
            for message in part:
                self._positions[partition][message.topic] = message.offset + 1
            found.extend(part)
        if found:
            self._clock.step(max(message.appended for message in found))
        return found

    async def seek(self, partition: int, offsets: Mapping[str, int]) -> None:
        self._positions.setdefault(partition, {}).update(offsets)

    def positions(self, partition: int) -> Mapping[str, int]:
        return self._positions.get(partition, {})

    async def look(self, topic: str, partition: int, offset: int) -> Message | None:
        return next(
            (one for one in self._inbox[partition] if one.topic == topic and one.offset == offset), None
        )

    async def spans(self, targets: Collection[Target]) -> Mapping[Target, Span]:
        return {target: Span(0, self._ends.get(target, 0)) for target in targets}

    async def publish(self, batches: Mapping[Target, Sequence[Outgoing]]) -> Mapping[Target, int]:
        for target, batch in batches.items():
            self.sent.setdefault(target, []).extend(batch)
        return {target: len(batch) for target, batch in batches.items()}

    def drift(self) -> float:
        return 0.0


class RecordedEditions:
    """The rules that the live city had."""

    def __init__(self, rules: Mapping[int, Rules]) -> None:
        self._rules = rules

    async def latest(self) -> int:
        return max(self._rules)

    async def activation(self, number: int) -> ActivateRules:
        return ActivateRules(number=number, edition=self._rules[number].bundle.hash, effective=FIRST)

    async def bundle(self, edition: str) -> Bundle:
        return next(rules.bundle for rules in self._rules.values() if rules.bundle.hash == edition)


def inbox_of(lived: Lived, processor: AnyProcessor) -> dict[int, list[Message]]:
    """What each partition was given, in the order of its decisions.

    Rows say nothing of messages that nobody decides: those come between their neighbours, by their stamps.
    """
    return {
        partition: list(_given(lived, processor, partition)) for partition in lived.histories[processor.name]
    }


def _given(lived: Lived, processor: AnyProcessor, partition: int) -> Iterator[Message]:
    topics = {topic: lived.messages.get((topic, partition), ()) for topic in processor.topics}
    decided: list[Message] = []
    place: dict[tuple[str, int], int] = {}
    for row in lived.histories[processor.name][partition]:
        at = (row.cause.topic, row.cause.offset)
        if row.cause.via is Via.MESSAGE and at not in place:
            place[at] = len(decided)
            decided.append(topics[at[0]][at[1]])
    passed: dict[int, list[Message]] = {}
    for topic, messages in topics.items():
        low = 0
        for message in messages:
            known = place.get((topic, message.offset))
            if known is None:
                end = next(
                    (
                        place[topic, one.offset]
                        for one in messages[message.offset :]
                        if (topic, one.offset) in place
                    ),
                    len(decided),
                )
                while low < end and decided[low].appended <= message.appended:
                    low += 1
                passed.setdefault(low, []).append(message)
            else:
                low = known + 1
    for position, message in enumerate(decided):
        yield from passed.get(position, ())
        yield message
    yield from passed.get(len(decided), ())


async def decide_again(
    lived: Lived, processor: AnyProcessor, journal: Journal, batch: int, editions: Editions | None = None
) -> RecordedLog:
    """Feed the recorded inputs to a worker of today, then let its clock run on to where the city's stood."""
    clock = RecordedClock(lived)
    log = RecordedLog(inbox_of(lived, processor), clock)
    decider = Decider(
        processor,
        city_code=lived.code,
        partitions=lived.partitions,
        city=clock.city,
        token=_tokens(),
        delivers=journal.delivers,
        fold=fold_of(processor),
    )
    pace = Pace(batch=batch, margin_seconds=0, tick_seconds=0)
    perform = _answers(lived, processor) if processor.name in PERFORMING else None
    worker = Worker(
        decider, log, journal, editions or RecordedEditions(lived.rules), clock, pace=pace, perform=perform
    )
    while not log.done:
        await worker.turn()
    clock.step(lived.wall)
    for _ in range(8):
        while await worker.turn():
            pass
        clock.step(lived.wall + timedelta(microseconds=1))
    return log


def _tokens() -> Any:
    numbers = iter(range(1, 10**9))
    return lambda: next(numbers).to_bytes(8, "big")


def _answers(lived: Lived, processor: AnyProcessor) -> Any:
    """What the world answered then, by the message that asked."""
    recorded = {
        (row.cause.topic, row.partition, row.cause.offset): trusted(row.body).message
        for row in lived.rows(processor.name)
        if row.cause.via is Via.MESSAGE
    }

    async def answered(messages: Sequence[Message]) -> Mapping[tuple[str, int, int], Any]:
        places = [(one.topic, one.partition, one.offset) for one in messages]
        return {
            place: PERFORMING[processor.name](trusted(one.body).message, recorded[place])
            for place, one in zip(places, messages, strict=True)
            if place in recorded and place[0] != "rules.editions"
        }

    return answered
