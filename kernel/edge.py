"""The one door (入口) for HTTP, Kafka bridge and files: what it accepts is on record before it answers."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from kernel.clock import Clock
from kernel.editions import NO_RULES, Editions
from kernel.journal import Held, Journal, Move
from kernel.letters import Letters
from kernel.log import Log
from kernel.outbox import Outbox
from kernel.page import EDGE, Admitted, Page, Receipt, Refused, Submission, Taken, refused
from kernel.processor import Sender
from kernel.tenure import Tenure
from schemas.described import described
from schemas.envelope import Envelope, Frame
from schemas.refusal import Refusal
from schemas.topics import Topic
from schemas.wire import Unreadable, checked, encode

LARGEST_BYTES: Final = 262_144
"""The size of a message that the edge reads at most, unless it is told otherwise."""

KEPT_BYTES: Final = 65_536
"""How much of a message that is too large is kept among the dead letters."""

LONGEST_KEY: Final = 200
_NULL: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


@dataclass(frozen=True, slots=True)
class Door:
    """Where messages of one type go: the topic, how the key is found, which kinds of sender may send it.

    Only a door `before_rules` is open while the city has no edition yet.
    """

    topic: Topic
    key: Callable[[Frame, Any], str]
    senders: frozenset[str]
    before_rules: bool = False


Seal = Callable[[Frame, Any], Any]
"""Replaces declared personal fields of a message by placeholders and keeps the originals."""


class Edge:
    """One instance of the edge, with a journal partition of its own.

    Submissions that arrive while a transaction is under way wait for the next one together. `seal` replaces
    personal data by placeholders, `keep` stores the originals before the message is on record, `letters`
    seals what is refused.
    """

    def __init__(
        self,
        instance: int,
        doors: Mapping[str, Door],
        journal: Journal,
        clock: Clock,
        editions: Editions,
        *,
        token: Callable[[], bytes],
        partitions: int,
        seal: Seal,
        letters: Letters,
        keep: Callable[[], Awaitable[None]] | None = None,
        log: Log | None = None,
        largest: int = LARGEST_BYTES,
    ) -> None:
        self.instance = instance
        self.outbox = Outbox()
        self._doors = doors
        self._journal = journal
        self._clock = clock
        self._editions = editions
        self._token = token
        self._partitions = partitions
        self._seal = seal
        self._letters = letters
        self._keep = keep
        self._log = log
        self._largest = largest
        self._tenure: Tenure | None = None
        self._looked = 0
        self._rules = 0
        self._waiting: list[tuple[Submission, asyncio.Future[Receipt]]] = []
        self._flushing: asyncio.Task[None] | None = None
        self._writing = asyncio.Lock()

    async def submit(self, sender: Sender, body: bytes) -> Receipt:
        """Accept one message; returns once it is on record, raises in doubt (send it again, same id)."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.append((Submission(sender, body), future))
        if self._flushing is None or self._flushing.done():
            self._flushing = asyncio.create_task(self._flush())
        return await future

    async def _flush(self) -> None:
        while self._waiting:
            taken, self._waiting = self._waiting, []
            try:
                receipts = await self.accept([submission for submission, _ in taken])
            except Exception as error:  # noqa: BLE001 - every waiting caller has to hear of it
                for _, future in taken:
                    if not future.done():
                        future.set_exception(error)
                continue
            for (_, future), receipt in zip(taken, receipts, strict=True):
                if not future.done():
                    future.set_result(receipt)

    async def accept(self, submissions: Sequence[Submission]) -> Sequence[Receipt]:
        """Put all submissions on record in one transaction: accepted and on their way, or dead letters."""
        async with self._writing:
            self._rules = await self._editions.latest()
            return await self._record(await self._claimed(), submissions)

    async def take_over(self) -> None:
        """Fence whoever wrote here before and publish what it left: for an instance that seems gone.

        To be done again every few seconds while it is silent: it may only have been frozen, claim its
        partition back, write, and be gone then.
        """
        await self.accept(())

    async def take_up(self) -> int:
        """Try ordered dead letters once more; gives how many passed. One that nobody can open stays."""
        passed = 0
        async with self._writing:
            self._rules = await self._editions.latest()
            for held in await self._journal.ordered([self.instance], 1000):
                body = await self._letters.open(held)
                if isinstance(body, Refusal):
                    continue
                submission = Submission(held.cause.sender, body)
                (receipt,) = await self._record(await self._claimed(), [submission], held)
                if receipt.refusal is None:
                    passed += 1
                    await self._letters.forget(held)
        return passed

    async def publish(self) -> bool:
        """Send what is on record and not yet acknowledged (a log apart from the journal only).

        Once all of it is acknowledged and nothing was accepted since the last call, the journal notes so: an
        heir would take an idle edge for dead. A busy one notes it with what it accepts next.
        """
        async with self._writing:
            tenure = await self._claimed()
            sent = await self._publish()
            idle, self._looked = self._looked == tenure.seq, tenure.seq
            if self._log is not None and idle and not self.outbox and tenure.published < tenure.seq:
                await self._record(tenure, ())
            return sent

    async def _publish(self) -> bool:
        if not self.outbox or self._log is None:
            return False
        counts = await self._log.publish(self.outbox.batches())
        self.outbox.acknowledged(counts)
        return any(counts.values())

    async def _claimed(self) -> Tenure:
        if self._tenure is None:
            (claim,) = await self._journal.claim([self.instance])
            self._tenure = Tenure(claim, NO_RULES)
            self.outbox.add(self.instance, claim.outgoing)
        return self._tenure

    def _forget(self) -> None:
        self._tenure = None
        self.outbox.forget([self.instance])

    async def _record(
        self, tenure: Tenure, submissions: Sequence[Submission], again: Held | None = None
    ) -> Sequence[Receipt]:
        """One transaction; an exception or a cancellation is doubt, and all that is held is forgotten."""
        try:
            return await self._recorded(tenure, submissions, again)
        except BaseException:
            self._forget()
            raise

    async def _recorded(
        self, tenure: Tenure, submissions: Sequence[Submission], again: Held | None
    ) -> Sequence[Receipt]:
        before = tenure.token
        page = self.page(tenure, [Taken(one) for one in submissions], self._rules, again)
        await self.keep(page)
        token = self._token()
        published = (
            tenure.seq
            if self._journal.delivers
            else self.outbox.published(self.instance, tenure.seq - len(page.records))
        )
        move = Move(
            before=before,
            cursor=tenure.cursor(token, published, tenure.prints()),
            records=page.records,
            outgoing=page.outgoing,
            held=page.held,
            released=() if again is None else (again.id,),
        )
        if await self._journal.commit([move]):
            raise EdgeFenced(self.instance)
        tenure.token, tenure.published = token, published
        if not self._journal.delivers:
            self.outbox.add(self.instance, page.outgoing)
            await self._publish()
        return page.receipts

    def page(self, tenure: Tenure, taken: Sequence[Taken], rules: int, again: Held | None = None) -> Page:
        """Judge submissions, or a dead letter once more, and write what comes of them."""
        now = tenure.now = max(tenure.now, self._clock.city(self._clock.wall()))
        page = Page(tenure, rules, self._partitions, self._letters)
        for one in taken:
            admitted = one.refused or self._admitted(one.submission, now, rules)
            if isinstance(admitted, Admitted):
                page.write(one, admitted, now)
            else:
                whole = len(one.submission.body) <= self._largest
                page.dead(one, admitted, now, again, None if whole else KEPT_BYTES)
        return page

    async def keep(self, page: Page) -> None:
        """Store what opens the seals of a page, before it is committed."""
        if self._keep is not None:
            await self._keep()
        await self._letters.keep(page.secrets)

    def _admitted(self, submission: Submission, now: datetime, rules: int) -> Admitted | Refused:
        """A message whose judging fails is dead by itself, and no end of all that came with it."""
        try:
            return self._admit(submission, now, rules)
        except Exception as error:  # noqa: BLE001 - a bug of ours, met by bytes that anybody may have written
            return refused("edge_failed", "a message that can be judged", type(error).__name__)

    def _admit(self, submission: Submission, now: datetime, rules: int) -> Admitted | Refused:
        sender, body = submission
        if len(body) > self._largest:
            return refused("too_large", f"at most {self._largest} bytes", f"{len(body)} bytes")
        if _NULL.search(body):  # no column of text takes it: all that wait with it would fail for ever
            return refused("null_character", "text without U+0000", "U+0000")
        try:
            head, message = checked(body)
        except Unreadable as error:
            return Refused(error.told, error.refusal)
        door = self._doors.get(head.type)
        if door is None:
            return refused("no_door", "a type that may come from outside", head.type)
        key = door.key(head, message)
        closed = _closed(door, sender, rules) or _wrong_key(key)
        if closed is not None:
            return closed
        sealed = Envelope(
            id=head.id,
            source=head.source,
            type=head.type,
            subject=key,
            time=now,
            data=self._seal(head, message),
        )
        return Admitted(head.id, key, door.topic, encode(sealed), now)


def _closed(door: Door, sender: Sender, rules: int) -> Refused | None:
    if sender.kind not in door.senders:
        return refused("not_your_message", " or ".join(sorted(door.senders)), sender.kind)
    if not rules and not door.before_rules:
        return refused("no_rules", "an edition in force", "a city without rules")
    return None


def _wrong_key(key: str) -> Refused | None:
    if key and len(key) <= LONGEST_KEY and not any(letter.isspace() for letter in key):
        return None
    expected = "a subject that names the stream, without spaces"
    return refused("wrong_key", expected, repr(key)[:200], described(key))


class EdgeFenced(Exception):  # noqa: N818 - named by what happened
    """Another process writes to this edge's journal partition."""

    def __init__(self, instance: int) -> None:
        super().__init__(
            f"{EDGE}/{instance}: another process took this partition over; "
            "the input is not on record, send it again"
        )
