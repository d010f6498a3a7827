"""Decide, commit, publish: in this order, for ever."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final, TypeAlias

from kernel.batch import Batch
from kernel.both import Both, in_turn
from kernel.clock import WILD_STAMP, Clock
from kernel.decider import Decider
from kernel.editions import NO_RULES, Editions, rules_of
from kernel.errors import Fault, PortsFailed, UnsoundInbox, WildStamp
from kernel.held import void_timers
from kernel.inbox import hole, overtaken, unsound, unsound_begin, unsound_end
from kernel.journal import Claim, Held, Journal, Move, Reach, Record, StoredTimer
from kernel.log import Headers, Log, Message, Outgoing
from kernel.outbox import Outbox
from kernel.pace import Every, Pace
from kernel.timers import learned, to_ask
from rules.inforce import Rules
from schemas.refusal import Refusal

Perform: TypeAlias = Callable[[Sequence[Message]], Awaitable[Mapping[tuple[str, int, int], Any]]]
"""Does what a batch's messages ask of the world outside, and gives what to decide in their place."""

_AHEAD: Final = timedelta(seconds=10)
"""How far ahead, in wall time, timers are read, so that few turns need to ask the journal for them."""


class Worker:
    """One processor's worker: what it owns, what it has still to send, and one turn after another."""

    def __init__(
        self,
        decider: Decider,
        log: Log,
        journal: Journal,
        editions: Editions,
        clock: Clock,
        *,
        pace: Pace,
        perform: Perform | None = None,
        both: Both = in_turn,
    ) -> None:
        self.decider = decider
        self.log = log
        self.journal = journal
        self.editions = editions
        self.clock = clock
        self.pace = pace
        self.outbox = Outbox()
        self.failures = 0
        self.handled = 0
        self._perform = perform
        self._both = both
        self._topics = decider.processor.topics
        self._events = decider.processor.events
        self._rest: Sequence[Message] = ()
        self._idle = 0
        self._ticked: datetime | None = None
        self._tick = timedelta(seconds=pace.tick_seconds)
        self._look = Every(pace.look_seconds)
        self._margin = timedelta(seconds=pace.margin_seconds)
        self._again: dict[int, tuple[int, datetime]] = {}

    async def turn(self, *, tick: bool = True) -> bool:
        """One batch or tick: publish what the last left, fetch, claim what is new, decide, commit.

        Says whether anything was done. Without `tick` nothing is done where nothing arrived: for hosts that
        know that no time has passed. A turn that fails or is cancelled leaves nothing in memory: it may have
        been committed or not.
        """
        try:
            return await self._turn(tick=tick)
        except BaseException:
            self._doubt()
            raise

    async def _turn(self, *, tick: bool) -> bool:
        batch, self._rest = self._rest, ()
        if batch:
            sent = await self._publish()
        else:
            sent, batch = await self._both(self._publish, partial(self.log.fetch, self.pace.batch))
        claimed = await self._keep_claims()
        if not (batch or claimed or tick):
            return sent
        self._refuse_wild(batch)
        await self._learn_rules(batch)
        asked = await self._ask(batch)
        moves = await self._draft(asked)
        await self._mend_gaps()
        done = await self._commit(moves)
        if batch or done or sent or claimed:
            self._idle = 0
            return True
        self._idle += 1
        if self._idle == self.pace.idle_ticks:
            await self._commit(self._watermarks())
        return False

    async def run(self, stopped: Callable[[], bool]) -> None:
        """Turn until stopped. A port that fails costs all that is held in memory and a growing pause."""
        while not stopped():
            try:
                if not await self.turn():
                    self.failures = 0  # a turn that only claims again proves nothing, a commit does
            except Fault:
                raise
            except Exception as error:  # noqa: BLE001 - a port may fail in any way, and all of it is doubt
                await self.recover(error)

    async def recover(self, error: Exception) -> None:
        """After a port's failure, when all is forgotten: pause, and let the next turn claim again."""
        self.failures += 1
        if self.failures >= self.pace.failures_most:
            raise PortsFailed(
                self.decider.processor.name, self.failures, f"{type(error).__name__}: {error}"
            ) from error
        await self.clock.pause(self._pause(self.failures).total_seconds())

    def _doubt(self) -> None:
        self._forget(list(self.decider.tenures))
        self._rest = ()

    # Owning partitions.

    async def _keep_claims(self) -> bool:
        """Forget partitions that were taken away, claim those that came or were lost to fence or doubt.

        Says whether any was claimed: what lies in it is still to be read.
        """
        assigned = self.log.assigned()
        held = self.decider.tenures.keys()
        self._forget([partition for partition in held if partition not in assigned])
        wanted = sorted(assigned - held - self._postponed())
        if not wanted:
            return False
        self._look.again()
        published = await self._last_published(wanted)
        for claim in await self.journal.claim(wanted):
            await self._check(claim, published.get(claim.cursor.partition))
            rules = await self._rules(claim.cursor.rules)
            self.decider.take_over(claim, rules)
            await self.log.seek(claim.cursor.partition, self._offsets(claim.cursor.partition))
            self.outbox.add(claim.cursor.partition, self.leaving(claim.records, claim.outgoing))
        await self._publish()
        return True

    def _postponed(self) -> set[int]:
        """Partitions whose pause is not over; an end too far off was counted by a clock since set right."""
        wall = self.clock.wall()
        latest = wall + self._pause(6)
        return {partition for partition, (_, until) in self._again.items() if wall < until <= latest}

    def _pause(self, times: int) -> timedelta:
        return timedelta(seconds=self.pace.pause_seconds * 2 ** min(times, 6))

    def _offsets(self, partition: int) -> Mapping[str, int]:
        reach = self.decider.tenures[partition].reach
        return {topic: reach.get(topic, 0) for topic in self._topics}

    async def _last_published(self, partitions: Sequence[int]) -> dict[int, Message]:
        """The last record of each own event partition, read before the cursor: the journal must have it."""
        if self._events is None or self.journal.delivers:
            return {}
        spans = await self.log.spans([(self._events.name, partition) for partition in partitions])
        found: dict[int, Message] = {}
        for (topic, partition), span in spans.items():
            last = await self.log.look(topic, partition, span.end - 1) if span.end else None
            if last is not None:
                found[partition] = last
        return found

    async def _check(self, claim: Claim, published: Message | None) -> None:
        """Compare what this partition has published last, and read back what lies below the cursor.

        An older journal may also find its inbox aged: its age is the cause, and told first. Spans are asked
        for last: a record that ages out in between must not look like one that was lost.
        """
        partition = claim.cursor.partition
        if published is not None and self._events is not None:
            self._refuse(partition, overtaken(self._events.name, claim.cursor.seq, [published]))
        below: dict[str, Message | None] = {}
        for topic, reach in claim.cursor.reach.items():
            below[topic] = await self.log.look(topic, partition, reach.offset - 1) if reach.offset else None
        spans = await self.log.spans([(topic, partition) for topic in self._topics])
        for topic in self._topics:
            reach = claim.cursor.reach.get(topic, Reach(0))
            self._refuse(partition, unsound(topic, reach, spans[topic, partition], below.get(topic)))

    def _refuse(self, partition: int, refusal: Refusal | None) -> None:
        if refusal is not None:
            raise UnsoundInbox(self.decider.processor.name, partition, refusal)

    async def _rules(self, number: int) -> Rules:
        known = self.decider.rules
        if number not in known:
            known[number] = await rules_of(self.editions, number) if number else NO_RULES
        return known[number]

    async def _learn_rules(self, batch: Iterable[Message]) -> None:
        for number in sorted(self.decider.missing_rules(batch)):
            await self._rules(number)

    def _forget(self, partitions: Sequence[int]) -> None:
        if partitions:
            self.decider.forget(partitions)
            self.outbox.forget(frozenset(partitions))

    # Taking and deciding.

    def _refuse_wild(self, batch: Sequence[Message]) -> None:
        """One wild stamp would push every later `now` of its partition: do not take it."""
        if not batch:
            return
        wall = self.clock.wall()
        wildest = max(batch, key=lambda message: message.appended)
        if wildest.appended > wall + WILD_STAMP:
            raise WildStamp(wildest.topic, wildest.partition, wildest.offset, wildest.appended, wall)

    async def _ask(self, batch: Sequence[Message]) -> Batch:
        """What may be taken now: timers up to a partition's messages, or up to the clock if it is quiet."""
        tenures = self.decider.tenures
        until: dict[int, datetime] = {}
        for message in batch:
            tenure = tenures.get(message.partition)
            if tenure is not None:
                until[message.partition] = max(
                    until.get(message.partition, tenure.now), self.clock.city(message.appended)
                )
        ordered: Sequence[Held] = ()
        quiet: dict[int, datetime] = {}
        wall, drifts = self.clock.wall(), self._drifts()
        looks = False
        if tenures and (not batch or self._ticked is None or wall - self._ticked >= self._tick):
            self._ticked = wall
            if looks := self._look.over(wall):
                ordered = await self.journal.ordered(list(tenures), self.pace.batch)
            if not drifts:
                now = self.clock.city(wall - self._margin)
                quiet = {partition: now for partition in tenures if partition not in until}
        due, horizon = await self._due(until | quiet)
        quiet = await self._read_to_end(quiet, {timer.partition for timer in due}, idle=looks and not batch)
        kept = [timer for timer in due if timer.partition in until or timer.partition in quiet]
        if horizon is not None and len(kept) < len(due):
            kept, horizon = await self._due(until | quiet)
        performed: Mapping[tuple[str, int, int], Any] = {}
        if self._perform and batch:
            performed = await self._perform(self.decider.fresh(batch))
        void = await void_timers(ordered, self.journal, self.decider.processor.react)
        return Batch(
            messages=batch,
            due=kept,
            ordered=ordered,
            void=void,
            until=quiet,
            horizon=horizon,
            performed=performed,
        )

    async def _due(self, until: Mapping[int, datetime]) -> tuple[list[StoredTimer], datetime | None]:
        """What is due, and from when on there may be more; the journal is asked for a while ahead."""
        soons = {partition: self.decider.tenures[partition].soon for partition in until}
        asked = to_ask(soons, until, self.clock.city(self.clock.wall() + _AHEAD))
        found = await self.journal.due(asked, self.pace.timers) if asked else ()
        return learned(soons, until, asked, found, whole=len(found) < self.pace.timers)

    def _drifts(self) -> bool:
        """A clock too far from the log's fires no timer without a message."""
        return self.pace.margin_seconds > 0 and abs(self.log.drift()) > self.pace.margin_seconds

    async def _read_to_end(
        self, quiet: Mapping[int, datetime], due: Collection[int], *, idle: bool
    ) -> dict[int, datetime]:
        """Of the quiet partitions those with something due and nothing unread; their clock was read before.

        An idle worker also sees a position off the cursor, and a log that ends below it or begins above.
        """
        wanted = [
            partition for partition in quiet if partition in due or (idle and not self.journal.delivers)
        ]
        if not wanted:
            return {}
        spans = await self.log.spans([(topic, partition) for partition in wanted for topic in self._topics])
        read: dict[int, datetime] = {}
        for partition in wanted:
            offsets = self._offsets(partition)
            for topic, offset in offsets.items():
                self._refuse(partition, unsound_end(topic, offset, spans[topic, partition]))
                self._refuse(partition, unsound_begin(topic, offset, spans[topic, partition]))
            positions = self.log.positions(partition)
            if any(positions.get(topic, offset) != offset for topic, offset in offsets.items()):
                self.decider.gaps.add(partition)
            elif partition in due and all(
                offset == spans[topic, partition].end for topic, offset in offsets.items()
            ):
                read[partition] = quiet[partition]
        return read

    async def _draft(self, asked: Batch) -> Sequence[Move]:
        """Load the states that the batch needs and decide it."""
        missing = self.decider.missing_states(asked)
        if missing:
            self.decider.learn(await self.journal.histories(missing, self.decider.fold))
        if not self.journal.delivers:
            for partition, tenure in self.decider.tenures.items():
                tenure.acknowledged = self.outbox.published(partition, tenure.seq)
        moves = self.decider.draft(asked)
        self._rest = self.decider.rest
        return moves

    async def _mend_gaps(self) -> None:
        """Seek back to the cursor where a batch began above it; a hole in the log itself is lost data."""
        gaps = sorted(self.decider.gaps)
        self.decider.gaps.clear()
        for partition in gaps:
            if partition not in self.decider.tenures:
                continue
            offsets = self._offsets(partition)
            spans = await self.log.spans([(topic, partition) for topic in self._topics])
            for topic, offset in offsets.items():
                span = spans[topic, partition]
                self._refuse(partition, unsound_begin(topic, offset, span))
                if offset < span.end:
                    self._refuse(
                        partition, hole(topic, offset, await self.log.look(topic, partition, offset))
                    )
            await self.log.seek(partition, offsets)

    # Committing and publishing.

    async def _commit(self, moves: Sequence[Move]) -> bool:
        """One transaction; whoever was fenced forgets, what the others sent is queued."""
        if not moves:
            return False
        fenced = await self.journal.commit(moves)
        self.failures = 0
        self.decider.settle(fenced)
        self.outbox.forget(fenced)
        for partition in fenced:
            self._postpone(partition)
        for move in moves:
            partition = move.cursor.partition
            if partition not in fenced:
                self.handled += len(move.records)
                self._again.pop(partition, None)
                if not self.journal.delivers:
                    self.outbox.add(partition, self.leaving(move.records, move.outgoing))
        return True

    def _postpone(self, partition: int) -> None:
        """Claim a fenced partition again after a pause that grows with each fence in a row."""
        times = self._again.get(partition, (0, self.clock.wall()))[0] + 1
        self._again[partition] = (times, self.clock.wall() + self._pause(times))

    async def finish(self) -> None:
        """Send what is on record and note what arrived; the next owner sends what did not."""
        if not self.journal.delivers:
            await self._publish()
            await self._commit(self._watermarks())

    def leaving(self, records: Sequence[Record], outgoing: Sequence[Outgoing]) -> Iterator[Outgoing]:
        """All that committed rows publish: the events themselves, if they have a topic, and the messages."""
        if self._events is not None:
            name, processor = self._events.name, self.decider.processor.name
            for partition, seq, stream, _, body, _, _, rules, trace in records:
                headers = Headers(f"{processor}/{partition}", seq, rules, trace)
                yield Outgoing(name, partition, seq, seq, stream, headers, body)
        yield from outgoing

    async def _publish(self) -> bool:
        """Send what is queued; each target goes on from its first message that was not acknowledged."""
        if not self.outbox:
            return False
        counts = await self.log.publish(self.outbox.batches())
        self.outbox.acknowledged(counts)
        return any(counts.values())

    def _watermarks(self) -> Sequence[Move]:
        """Moves for partitions whose journal does not yet know all that was acknowledged.

        And for those with no commit since their claim: one of another owner may still be on its way. If it
        comes later the new token fences it, if it came before we are fenced, claim again and publish it;
        without a move nobody might ever do so, for timers and held messages leave nothing to be read again.
        """
        if self.journal.delivers:
            return ()
        stale: list[int] = []
        for partition, tenure in self.decider.tenures.items():
            tenure.acknowledged = self.outbox.published(partition, tenure.seq)
            if tenure.acknowledged > tenure.published or not tenure.proven:
                stale.append(partition)
        return self.decider.touch(stale)
