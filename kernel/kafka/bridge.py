"""The bridge of the edge (入口桥): what others write to open topics goes through the same door, exactly once.

Partition `n` of the open topics belongs to a journal partition of its own, whose cursor says how far they
were read, in the transaction of what was accepted or refused. Whoever owns `n` in the group claims it.
"""

import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Final, TypeAlias

from kernel.clock import WILD_STAMP, Clock
from kernel.edge import Edge
from kernel.editions import NO_RULES, Editions
from kernel.errors import Fault, OpenTopicLost, PortsFailed, UnsoundInbox
from kernel.inbox import Place, place, unsound, unsound_end
from kernel.journal import Claim, Journal, Move, Reach
from kernel.kafka.cluster import TopicMissing
from kernel.kafka.log import KafkaLog
from kernel.kafka.records import FACTS
from kernel.log import Message, Span
from kernel.outbox import Outbox
from kernel.pace import Pace
from kernel.page import BRIDGE, EDGE, Page, Refused, Submission, Taken, refused
from kernel.processor import Sender
from kernel.telemetry import OPEN_TOPIC_LOST, OPEN_TOPIC_MISSING, logger
from kernel.tenure import Tenure
from schemas.refusal import Refusal
from schemas.topics import GRID_EVENTS

Inlets: TypeAlias = Mapping[str, Sender]
"""The open topics that are read, and who alone may write to each."""

_LOOK_SECONDS: Final = 2.0
"""How often the topics are looked for, their ends compared, and idle journal partitions looked after."""

_DOUBLINGS: Final = 6


class Bridge:
    """One member of the group `edge`.

    `open_log` gives the log of so many topics, `inlets` what is to be read under the rules of now; of a topic
    in `given_up` records that are gone may be declared lost, as always of `grid.events`.
    """

    def __init__(
        self,
        edge: Edge,
        journal: Journal,
        editions: Editions,
        clock: Clock,
        *,
        open_log: Callable[[Collection[str]], KafkaLog],
        inlets: Callable[[], Awaitable[Inlets]],
        token: Callable[[], bytes],
        pace: Pace,
        given_up: Collection[str] = (),
    ) -> None:
        self.outbox = Outbox()
        self.handled = 0
        self.lost = 0
        self.failures = 0
        self.tenures: dict[int, Tenure] = {}
        self._edge = edge
        self._journal = journal
        self._editions = editions
        self._clock = clock
        self._open_log = open_log
        self._wanted = inlets
        self._token = token
        self._pace = pace
        self._given_up = {GRID_EVENTS.name, *given_up}
        self._log = open_log(())
        self._inlets: Inlets = {}
        self._missing: frozenset[str] = frozenset()
        self._rules = -1
        self._ahead: dict[tuple[str, int], int] = {}
        """Where the next record lies, if not at the cursor: behind marks of transactions, or what is lost."""
        self._gone: dict[tuple[str, int], Span] = {}
        self._astray: set[int] = set()
        self._again: dict[int, tuple[int, float]] = {}
        self._busy: set[int] = set()
        self._looked = self._asked = float("-inf")
        self._idle = 0

    async def run(self, stopped: Callable[[], bool]) -> None:
        """Turn until stopped. What fails costs all that is held in memory and a growing pause."""
        while not stopped():
            try:
                await self.turn()
            except Fault:
                raise
            except Exception as error:  # noqa: BLE001 - a port may fail in any way, and all of it is doubt
                await self._recover(error)

    async def _recover(self, error: Exception) -> None:
        self.failures += 1
        if self.failures >= self._pace.failures_most:
            raise PortsFailed(EDGE, self.failures, f"{type(error).__name__}: {error}") from error
        await self._clock.pause(self._pace.pause_seconds * 2 ** min(self.failures, _DOUBLINGS))

    async def turn(self) -> bool:
        """One batch or tick; says whether anything was done. One that fails leaves nothing in memory."""
        try:
            return await self._turn()
        except BaseException:
            self._forget(list(self.tenures))
            raise

    async def finish(self) -> None:
        """Send what is on record and note what arrived; the next owner sends what did not."""
        await self._publish()
        await self._commit(self._watermarks())

    async def close(self) -> None:
        """Leave the group."""
        await self._log.close()

    async def _turn(self) -> bool:
        await self._follow_rules()
        batch = await self._log.fetch(self._pace.batch)
        await self._keep_claims()
        done = await self._commit(await self._pages(batch))
        await self._look(idle=not batch)
        await self._mend()
        sent = await self._publish()
        self.failures = 0
        if batch or done or sent:
            self._idle = 0
            return True
        self._idle += 1
        if self._idle == self._pace.idle_ticks:
            await self._commit(self._watermarks())
        return False

    # Which topics.

    async def _follow_rules(self) -> None:
        """Read the topics of the units that subscribe now; one that is not made yet is waited for."""
        now = time.monotonic()
        if now - self._asked < _LOOK_SECONDS:
            return
        self._asked = now
        number = await self._editions.latest()
        if number == self._rules and not self._missing:
            return
        wanted = await self._wanted()
        missing = frozenset([topic for topic in wanted if not await self._is_there(topic)])
        for topic in sorted(missing - self._missing):
            logger().warning(OPEN_TOPIC_MISSING, topic=topic, do="gridcase topics apply")
        self._rules, self._missing = number, missing
        inlets = {topic: sender for topic, sender in wanted.items() if topic not in missing}
        if inlets.keys() != self._inlets.keys():
            self._forget(list(self.tenures))
            await self._log.close()
            self._log = self._open_log(inlets)
        self._inlets = inlets

    async def _is_there(self, topic: str) -> bool:
        try:
            await self._log.spans([(topic, 0)])
        except TopicMissing:
            return False
        return True

    def _topics(self, number: int) -> Sequence[str]:
        """What is read under this number: all that have one partition only under the first."""
        return [topic for topic in self._inlets if topic == GRID_EVENTS.name or not number]

    # Owning partitions.

    async def _keep_claims(self) -> None:
        assigned = self._log.assigned()
        self._forget([number for number in self.tenures if number not in assigned])
        now = time.monotonic()
        waiting = {number for number, (_, until) in self._again.items() if now < until}
        wanted = sorted(assigned - self.tenures.keys() - waiting)
        if not wanted:
            return
        for claim in await self._journal.claim([BRIDGE + number for number in wanted]):
            number = claim.cursor.partition - BRIDGE
            await self._check(number, claim)
            self.tenures[number] = Tenure(claim, NO_RULES)
            self.outbox.add(claim.cursor.partition, claim.outgoing)
            await self._log.seek(number, self._offsets(number))
        await self._publish()

    async def _check(self, number: int, claim: Claim) -> None:
        """Read back what lies below the cursor; what was lost above it is declared, or refused."""
        reached = {topic: claim.cursor.reach.get(topic, Reach(0)) for topic in self._topics(number)}
        below = {
            topic: await self._log.look(topic, number, reach.offset - 1) if reach.offset else None
            for topic, reach in reached.items()
        }
        spans = await self._log.spans([(topic, number) for topic in reached])
        for topic, reach in reached.items():
            span = spans[topic, number]
            if not self._begins_above(topic, number, reach.offset, span):
                self._refuse(number, unsound(topic, reach, span, below[topic]))

    def _begins_above(self, topic: str, number: int, offset: int, span: Span) -> bool:
        """Whether records that nobody has read are gone. Only strangers' topics may lose any, and say so."""
        if span.first <= offset:
            return False
        if topic not in self._given_up:
            raise OpenTopicLost(topic, number, offset, span.first)
        self._gone[topic, number] = Span(offset, span.first)
        self._ahead[topic, number] = span.first
        return True

    def _refuse(self, number: int, refusal: Refusal | None) -> None:
        if refusal is not None:
            raise UnsoundInbox(EDGE, BRIDGE + number, refusal)

    def _offsets(self, number: int) -> Mapping[str, int]:
        reach = self.tenures[number].reach
        return {
            topic: max(reach.get(topic, 0), self._ahead.get((topic, number), 0))
            for topic in self._topics(number)
        }

    def _forget(self, numbers: Collection[int]) -> None:
        for number in numbers:
            del self.tenures[number]
            for known in (self._ahead, self._gone):
                for key in [key for key in known if key[1] == number]:
                    del known[key]
        if numbers:
            self._astray.difference_update(numbers)
            self.outbox.forget([BRIDGE + number for number in numbers])

    # Taking.

    async def _pages(self, batch: Sequence[Message]) -> Mapping[int, Page]:
        """What comes of a batch, for each number: what may pass, letters of what may not, and of gaps."""
        found: dict[int, list[Taken]] = {}
        for (topic, number), span in self._gone.items():
            if number in self.tenures:
                found.setdefault(number, []).append(self._gap(topic, number, span))
        self._gone.clear()
        wall = self._clock.wall()
        for message in batch:
            number, topic = message.partition, message.topic
            tenure = self.tenures.get(number)
            if tenure is None or number in self._astray:
                continue
            ahead = self._ahead.get((topic, number), 0)
            where = place(max(tenure.reach.get(topic, 0), ahead), message.offset)
            if where is Place.NEXT:
                found.setdefault(number, []).append(self._taken(message, wall))
                tenure.reach[topic], tenure.below[topic] = message.offset + 1, message
            elif where is Place.ABOVE:
                self._astray.add(number)
        if not found:
            return {}
        rules = await self._editions.latest()
        return {
            number: self._edge.page(self.tenures[number], taken, rules)
            for number, taken in sorted(found.items())
        }

    def _taken(self, message: Message, wall: datetime) -> Taken:
        """A record as it goes to the edge, whose sender is who may write to its topic and nobody else."""
        sent = Submission(self._inlets[message.topic], message.body)
        why: Refused | None = None
        if claim := message.headers.origin:
            why = refused("forged_origin", f"no header {FACTS}: it is ours", claim, "one")
        elif message.appended > wall + WILD_STAMP:
            found = message.appended.isoformat()
            why = refused("wild_stamp", f"a stamp not ahead of this clock ({wall.isoformat()})", found)
        return Taken(sent, message.topic, message.partition, message.offset, why)

    def _gap(self, topic: str, number: int, span: Span) -> Taken:
        """Say what was lost, count it, put it on record, and go on behind it."""
        count = span.end - span.first
        self.lost += count
        logger().warning(OPEN_TOPIC_LOST, topic=topic, partition=number, first=span.first, messages=count)
        tenure = self.tenures[number]
        tenure.reach[topic], tenure.below[topic] = span.end, b""
        why = refused("lost", f"offset {span.first}", f"{count} messages deleted before they were read")
        return Taken(Submission(self._inlets[topic], b""), topic, number, span.first, why)

    # Committing and publishing.

    async def _commit(self, pages: Mapping[int, Page]) -> bool:
        """One transaction over all numbers: how far they were read, and what came of it."""
        moves: list[Move] = []
        for number, page in pages.items():
            await self._edge.keep(page)
            tenure = self.tenures[number]
            tenure.acknowledged = self.outbox.published(BRIDGE + number, tenure.seq - len(page.records))
            cursor = tenure.cursor(self._token(), tenure.acknowledged, tenure.prints())
            moves.append(
                Move(tenure.token, cursor, records=page.records, outgoing=page.outgoing, held=page.held)
            )
        if not moves:
            return False
        fenced = await self._journal.commit(moves)
        for (number, page), move in zip(pages.items(), moves, strict=True):
            if move.cursor.partition in fenced:
                self._postpone(number)
                continue
            tenure = self.tenures[number]
            tenure.token, tenure.proven, tenure.published = move.cursor.token, True, tenure.acknowledged
            self._again.pop(number, None)
            self._busy.add(number)
            self.handled += len(page.receipts)
            self.outbox.add(move.cursor.partition, page.outgoing)
        return True

    def _postpone(self, number: int) -> None:
        """Claim a fenced number again after a pause that grows with each fence in a row."""
        times = self._again.get(number, (0, 0.0))[0] + 1
        pause = self._pace.pause_seconds * 2 ** min(times, _DOUBLINGS)
        self._again[number] = (times, time.monotonic() + pause)
        self._forget([number])

    def _watermarks(self) -> Mapping[int, Page]:
        """Empty pages, where the journal does not know yet what arrived, or whose owner is still unproven."""
        return {
            number: self._edge.page(tenure, (), 0)
            for number, tenure in sorted(self.tenures.items())
            if not tenure.proven or self.outbox.published(BRIDGE + number, tenure.seq) > tenure.published
        }

    async def _publish(self) -> bool:
        if not self.outbox:
            return False
        counts = await self._log.publish(self.outbox.batches())
        self.outbox.acknowledged(counts)
        return any(counts.values())

    # Looking after what nothing comes from.

    async def _look(self, *, idle: bool) -> None:
        """Compare ends and positions; claim again where somebody else has written: dead letters redriven."""
        now = time.monotonic()
        if now - self._looked < _LOOK_SECONDS or not self.tenures:
            return
        self._looked = now
        quiet = sorted(BRIDGE + number for number in self.tenures.keys() - self._busy)
        self._busy.clear()
        for claim in await self._journal.claim(quiet) if quiet else ():
            number = claim.cursor.partition - BRIDGE
            if claim.cursor.token != self.tenures[number].token:
                self._forget([number])
        wanted = [(topic, number) for number in self.tenures for topic in self._topics(number)]
        spans = await self._log.spans(wanted)
        for number in self.tenures:
            positions = self._log.positions(number)
            for topic, offset in self._offsets(number).items():
                self._refuse(number, unsound_end(topic, offset, spans[topic, number]))
                astray = idle and positions.get(topic, offset) != offset
                if self._begins_above(topic, number, offset, spans[topic, number]) or astray:
                    self._astray.add(number)

    async def _mend(self) -> None:
        """Seek to the next record there is. Between two there may be marks of a producer's transactions."""
        for number in sorted(self._astray & self.tenures.keys()):
            for topic, offset in self._offsets(number).items():
                span = (await self._log.spans([(topic, number)]))[topic, number]
                if not self._begins_above(topic, number, offset, span) and offset < span.end:
                    self._ahead[topic, number] = await self._log.following(topic, number, offset)
            await self._log.seek(number, self._offsets(number))
        self._astray.clear()
