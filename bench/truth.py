"""What the events on the topic should be after a backlog, and in what they differ: an exact count."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import reduce
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer
from aiokafka.structs import ConsumerRecord, TopicPartition

from bench.ground import PARTITIONS, Backlog, Ground, number_of
from bench.peers.work import Work
from kernel.kafka.looking import Looker
from schemas.topics import CASE_EVENTS, Topic
from schemas.wire import frame, message_of


class Verdict(NamedTuple):
    """Of `cases` how many ended otherwise than they should; copies of events, and ids with two contents."""

    cases: int
    wrong: int
    copies: int
    forked: int

    def __str__(self) -> str:
        return (
            f"{self.wrong:,} of {self.cases:,} cases wrong, {self.copies:,} events twice, "
            f"{self.forked:,} ids with two contents"
        )


class Truth:
    """How each pattern of a backlog ends, by the very functions that the contestants run."""

    def __init__(self, backlog: Backlog, decision: str = "router") -> None:
        work, now = Work(decision), datetime.now(UTC)
        self._initial, self._evolve = work.initial, work.processor.evolve
        self._ends: list[tuple[object, ...]] = []
        for pattern in backlog.patterns:
            case = work.initial
            for command in pattern:
                case, _ = work.decide(command.key, command.body, case, now)
            self._ends.append(_end(case))

    def events(self, commands: int) -> int:
        """How many events so many commands give."""
        return self.events_of(range(commands // 2))

    def events_of(self, cases: Iterable[int]) -> int:
        """How many events the cases of these numbers have."""
        versions = [int(str(end[0])) for end in self._ends]
        return sum(versions[number % len(versions)] for number in cases)

    def judged(self, records: dict[bytes, list[ConsumerRecord]], commands: int) -> Verdict:
        """Compare what lies on the topic, by case in order of arrival, with how each case should end."""
        wrong = copies = forked = 0
        for key, found in records.items():
            kept: dict[str, bytes] = {}
            for record in found:
                name = frame(record.value).id
                if name in kept:
                    copies += 1
                    forked += kept[name] != record.value
                kept.setdefault(name, record.value)
            case = reduce(self._evolve, map(message_of, kept.values()), self._initial)
            wrong += _end(case) != self._ends[number_of(key.decode()) % len(self._ends)]
        cases = commands // 2
        return Verdict(cases, wrong + cases - len(records), copies, forked)


def _end(case: Any) -> tuple[object, ...]:
    return (case.version, case.revision, case.state, case.lead)


async def read(ground: Ground, topics: Sequence[Topic] = (CASE_EVENTS,)) -> list[ConsumerRecord]:
    """Every record of some topics, each partition in its order."""
    ends = await _ends(ground, topics)
    if not ends:
        return []
    consumer = AIOKafkaConsumer(**ground.cluster.client("reader"), enable_auto_commit=False)
    await consumer.start()
    try:
        consumer.assign(list(ends))
        for part in ends:
            consumer.seek(part, 0)
        left = set(ends)
        found: list[ConsumerRecord] = []
        while left:
            for part, records in (await consumer.getmany(timeout_ms=500)).items():
                found += records
                if records and records[-1].offset + 1 >= ends[part]:
                    left.discard(part)
        return found
    finally:
        await consumer.stop()


async def _ends(ground: Ground, topics: Sequence[Topic]) -> dict[TopicPartition, int]:
    """Where the partitions end that hold anything; asked topic by topic, for there may be many."""
    looker, ends = Looker(ground.cluster, "reader"), dict[TopicPartition, int]()
    try:
        for topic in topics:
            numbers = range(1 if topic.single else PARTITIONS)
            spans = await looker.spans([(topic.name, number) for number in numbers])
            for (_, number), span in spans.items():
                if span.end:
                    ends[TopicPartition(ground.cluster.name(topic.name), number)] = span.end
    finally:
        await looker.close()
    return ends


def by_case(records: Sequence[ConsumerRecord]) -> dict[bytes, list[ConsumerRecord]]:
    """Without the streams of the partitions' own, on which rules are taken up."""
    cases: dict[bytes, list[ConsumerRecord]] = {}
    for record in records:
        if not record.key.startswith(b"_"):
            cases.setdefault(record.key, []).append(record)
    return cases
