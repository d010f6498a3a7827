"""The one door (入口) for HTTP, Kafka bridge and files: what it accepts is on record before it answers."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final, NamedTuple

from kernel.clock import Clock
from kernel.editions import NO_RULES, Editions
from kernel.journal import Cause, Held, HeldKind, Journal, Move, Record, Via
from kernel.keyring import Secret
from kernel.letters import SEALED, Letters
from kernel.log import Headers, Log, Outgoing
from kernel.outbox import Outbox
from kernel.partition import partition_of
from kernel.processor import Sender
from kernel.tenure import Tenure
from schemas.described import described
from schemas.envelope import Envelope, Frame
from schemas.refusal import Refusal
from schemas.topics import Topic
from schemas.wire import Unreadable, checked, encode

EDGE: Final = "edge"
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


class Submission(NamedTuple):
    """What came to the edge: who sent it, as authenticated, and the bytes."""

    sender: Sender
    body: bytes


class Receipt(NamedTuple):
    """The edge's answer: the number under which the input is on record, or why it is a dead letter.

    `refusal` may quote the input: it is for whoever sent it, and for no log and no table.
    """

    seq: int
    id: str
    refusal: Refusal | None = None


class Admitted(NamedTuple):
    """A submission that may pass: its key and topic, and the bytes as they go on, sealed and stamped."""

    id: str
    key: str
    topic: Topic
    body: bytes
    received: datetime


class Refused(NamedTuple):
    """A submission that may not pass, and why: `told` to its sender, `kept` without a word of the input."""

    told: Refusal
    kept: Refusal


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
        """Send what is on record and not yet acknowledged (a log apart from the journal only)."""
        async with self._writing:
            await self._claimed()
            return await self._publish()

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
        page = self._page(tenure, submissions, again)
        if self._keep is not None:
            await self._keep()
        await self._letters.keep(page.secrets)
        token = self._token()
        published = (
            tenure.seq
            if self._journal.delivers
            else self.outbox.published(self.instance, tenure.seq - len(page.records))
        )
        move = Move(
            before=before,
            cursor=tenure.cursor(token, published, {}),
            records=page.records,
            outgoing=page.outgoing,
            held=page.held,
            released=() if again is None else (again.id,),
        )
        if await self._journal.commit([move]):
            raise EdgeFenced(self.instance)
        tenure.token = token
        if not self._journal.delivers:
            self.outbox.add(self.instance, page.outgoing)
            await self._publish()
        return page.receipts

    def _page(self, tenure: Tenure, submissions: Sequence[Submission], again: Held | None) -> "_Page":
        """Judge submissions, or a dead letter once more, and write what comes of them."""
        now = tenure.now = max(tenure.now, self._clock.city(self._clock.wall()))
        page = _Page(tenure, self._rules, self._partitions, self._letters)
        for submission in submissions:
            admitted = self._admit(submission, now)
            if isinstance(admitted, Admitted):
                page.write(submission.sender, admitted, now)
            else:
                whole = len(submission.body) <= self._largest
                page.dead(submission, admitted, now, again, None if whole else KEPT_BYTES)
        return page

    def _admit(self, submission: Submission, now: datetime) -> Admitted | Refused:
        sender, body = submission
        if len(body) > self._largest:
            return _refused("too_large", f"at most {self._largest} bytes", f"{len(body)} bytes")
        if _NULL.search(body):  # no column of text takes it: all that wait with it would fail for ever
            return _refused("null_character", "text without U+0000", "U+0000")
        try:
            head, message = checked(body)
        except Unreadable as error:
            return Refused(error.told, error.refusal)
        door = self._doors.get(head.type)
        if door is None:
            return _refused("no_door", "a type that may come from outside", head.type)
        key = door.key(head, message)
        refused = self._closed(door, sender) or _wrong_key(key)
        if refused is not None:
            return refused
        sealed = Envelope(
            id=head.id,
            source=head.source,
            type=head.type,
            subject=key,
            time=now,
            data=self._seal(head, message),
        )
        return Admitted(head.id, key, door.topic, encode(sealed), now)

    def _closed(self, door: Door, sender: Sender) -> Refused | None:
        if sender.kind not in door.senders:
            return _refused("not_your_message", " or ".join(sorted(door.senders)), sender.kind)
        if not self._rules and not door.before_rules:
            return _refused("no_rules", "an edition in force", "a city without rules")
        return None


def _refused(code: str, expected: str, found: str, unquoted: str = "") -> Refused:
    """`unquoted` is what to keep where `found` repeats what a stranger wrote."""
    told = Refusal(code=code, expected=expected, found=found)
    return Refused(told, Refusal(code=code, expected=expected, found=unquoted or found))


def _wrong_key(key: str) -> Refused | None:
    if key and len(key) <= LONGEST_KEY and not any(letter.isspace() for letter in key):
        return None
    expected = "a subject that names the stream, without spaces"
    return _refused("wrong_key", expected, repr(key)[:200], described(key))


class EdgeFenced(Exception):  # noqa: N818 - named by what happened
    """Another process writes to this edge's journal partition."""

    def __init__(self, instance: int) -> None:
        super().__init__(
            f"edge/{instance}: another process took this partition over; "
            "the input is not on record, send it again"
        )


class _Page:
    """The rows of one transaction of an edge, in the making."""

    def __init__(self, tenure: Tenure, rules: int, partitions: int, letters: Letters) -> None:
        self._tenure = tenure
        self._rules = rules
        self._partitions = partitions
        self._letters = letters
        self._origin = f"{EDGE}/{tenure.partition}"
        self.records: list[Record] = []
        self.outgoing: list[Outgoing] = []
        self.held: list[Held] = []
        self.secrets: list[Secret] = []
        self.receipts: list[Receipt] = []

    def write(self, sender: Sender, admitted: Admitted, now: datetime) -> None:
        tenure = self._tenure
        tenure.seq += 1
        topic = admitted.topic
        partition = 0 if topic.single else partition_of(admitted.key, self._partitions)
        sent = tenure.sent.setdefault(topic.name, {})
        k = sent[partition] = sent.get(partition, 0) + 1
        trace = _trace(self._origin, tenure.seq)
        cause = Cause(Via.MESSAGE, admitted.id, admitted.received, sender)
        self.records.append(
            Record(
                tenure.partition, tenure.seq, self._origin, tenure.seq, admitted.body,
                cause, now, self._rules, trace,
            )
        )  # fmt: skip
        headers = Headers(self._origin, k, self._rules, trace, sender)
        self.outgoing.append(
            Outgoing(topic.name, partition, k, tenure.seq, admitted.key, headers, admitted.body)
        )
        self.receipts.append(Receipt(tenure.seq, admitted.id))

    def dead(
        self, submission: Submission, refused: Refused, now: datetime, again: Held | None, most: int | None
    ) -> None:
        """Keep what was refused sealed and whole, or its first bytes, so that it can be redriven.

        What was sealed before and is refused `again` stays under its secret: erasing that erases every copy.
        """
        sender, body = submission
        if again is not None and again.type == SEALED:
            kept = again.body
        else:
            kept, secret = self._letters.seal(body[:most])
            self.secrets.append(secret)
        tenure = self._tenure
        number = tenure.next_held
        tenure.next_held += 1
        why = refused.kept
        reason = f"{why.code}: expected {why.expected}, found {why.found}"
        cause = Cause(Via.MESSAGE, self._letters.id_of(body), now, sender)
        self.held.append(
            Held(
                tenure.partition, number, HeldKind.DEAD, self._origin, reason, SEALED,
                kept, cause, self._rules, "", now,
            )
        )  # fmt: skip
        self.receipts.append(Receipt(0, "", refused.told))


def _trace(origin: str, seq: int) -> str:
    """A W3C traceparent that follows from the edge's own number, so that a replay makes the same."""
    digest = sha256(f"{origin}/{seq}".encode()).hexdigest()
    return f"00-{digest[:32]}-{digest[32:48]}-01"
