"""What one transaction of the edge leaves behind: rows and messages of what passes, letters of the rest."""

from datetime import datetime
from hashlib import sha256
from typing import Final, NamedTuple

from kernel.journal import Cause, Held, HeldKind, Record, Via
from kernel.keyring import Secret
from kernel.letters import SEALED, Letters
from kernel.log import Headers, Outgoing
from kernel.partition import partition_of
from kernel.processor import Sender
from kernel.tenure import Tenure
from schemas.refusal import Refusal
from schemas.topics import Topic

EDGE: Final = "edge"
INSTANCES: Final = range(16)
"""Numbers of edges that there may be: 0 for the city's first, 1 to 8 for commands, the rest for more."""

BRIDGE: Final = len(INSTANCES)
"""The journal partition of the edge that reads partition 0 of open topics; those of the others follow."""


def partitions_of(processor: str, partitions: int) -> range:
    """The journal partitions that a processor may have in a city with so many."""
    return range(BRIDGE + partitions if processor == EDGE else partitions)


class Submission(NamedTuple):
    """What came to the edge: who sent it, as authenticated, and the bytes."""

    sender: Sender
    body: bytes


class Taken(NamedTuple):
    """A submission with the place on an open topic where it lay, and why it is refused unread, if it is."""

    submission: Submission
    topic: str = ""
    partition: int = 0
    offset: int = -1
    refused: "Refused | None" = None


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


def refused(code: str, expected: str, found: str, unquoted: str = "") -> Refused:
    """`unquoted` is what to keep where `found` repeats what a stranger wrote."""
    told = Refusal(code=code, expected=expected, found=found)
    return Refused(told, Refusal(code=code, expected=expected, found=unquoted or found))


class Page:
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

    def write(self, taken: Taken, admitted: Admitted, now: datetime) -> None:
        tenure, sender = self._tenure, taken.submission.sender
        tenure.seq += 1
        topic = admitted.topic
        partition = 0 if topic.single else partition_of(admitted.key, self._partitions)
        sent = tenure.sent.setdefault(topic.name, {})
        k = sent[partition] = sent.get(partition, 0) + 1
        trace = _trace(self._origin, tenure.seq)
        cause = Cause(Via.MESSAGE, admitted.id, admitted.received, sender, *_place(taken))
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

    def dead(self, taken: Taken, why: Refused, now: datetime, again: Held | None, most: int | None) -> None:
        """Keep what was refused sealed and whole, or its first bytes, so that it can be redriven.

        What was sealed before and is refused `again` stays under its secret: erasing that erases every copy.
        """
        sender, body = taken.submission
        if again is not None and again.type == SEALED:
            kept = again.body
        else:
            kept, secret = self._letters.seal(body[:most])
            self.secrets.append(secret)
        tenure = self._tenure
        number = tenure.next_held
        tenure.next_held += 1
        kept_why = why.kept
        reason = f"{kept_why.code}: expected {kept_why.expected}, found {kept_why.found}"
        place = (
            _place(taken) if again is None else (again.cause.topic, again.cause.offset, again.cause.origin)
        )
        cause = Cause(Via.MESSAGE, self._letters.id_of(body), now, sender, *place)
        self.held.append(
            Held(
                tenure.partition, number, HeldKind.DEAD, self._origin, reason, SEALED,
                kept, cause, self._rules, "", now,
            )
        )  # fmt: skip
        self.receipts.append(Receipt(0, "", why.told))


def _place(taken: Taken) -> tuple[str, int, str]:
    """Where it lay, as a cause has it; nothing for what was handed to the edge itself."""
    return (taken.topic, taken.offset, f"{taken.topic}/{taken.partition}") if taken.topic else ("", -1, "")


def _trace(origin: str, seq: int) -> str:
    """A W3C traceparent that follows from the edge's own number, so that a replay makes the same."""
    digest = sha256(f"{origin}/{seq}".encode()).hexdigest()
    return f"00-{digest[:32]}-{digest[32:48]}-01"
