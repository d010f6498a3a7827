"""What a worker holds of one partition between its claim and its loss; all of it goes at once."""

from typing import Any, cast

import msgspec

from kernel.inbox import fingerprint
from kernel.journal import Claim, Cursor, Reach
from kernel.log import Message
from kernel.timers import NEVER, Soon
from rules.inforce import Rules


class Tenure:
    """One claimed partition: the working copy of its cursor, its states and its parked streams.

    `states` maps a stream to its state and version, the most recently used last. `ripe` states deserve a
    snapshot once their batch is committed, `settled` ones are committed and get it with the next batch.
    `stored` is the reach that is on record, while `reach` may belong to a batch that is being decided.
    `acknowledged` is what the log has confirmed, `published` what the journal knows of it. `proven` says
    that something was committed since the claim, so that no commit from before it can land any more.
    """

    __slots__ = (
        "acknowledged",
        "below",
        "next_held",
        "now",
        "parked",
        "partition",
        "proven",
        "published",
        "reach",
        "ripe",
        "rules",
        "seen",
        "sent",
        "seq",
        "settled",
        "soon",
        "states",
        "stored",
        "token",
    )  # fmt: skip

    def __init__(self, claim: Claim, rules: Rules) -> None:
        cursor = claim.cursor
        self.partition = cursor.partition
        self.token = cursor.token
        self.reach: dict[str, int] = {topic: reach.offset for topic, reach in cursor.reach.items()}
        self.stored: dict[str, int] = dict(self.reach)
        self.below: dict[str, Message | bytes] = {
            topic: reach.fingerprint for topic, reach in cursor.reach.items()
        }
        self.now = cursor.now or NEVER
        self.rules = rules
        self.seq = cursor.seq
        self.published = cursor.published
        self.acknowledged = cursor.published
        self.proven = False
        self.seen = {topic: dict(origins) for topic, origins in cursor.seen.items()}
        self.sent = {topic: dict(targets) for topic, targets in cursor.sent.items()}
        self.parked = dict(claim.parked)
        self.next_held = claim.next_held
        self.states: dict[str, tuple[Any, int]] = {}
        self.ripe: dict[str, tuple[Any, int]] = {}
        self.settled: dict[str, tuple[Any, int]] = {}
        self.soon = Soon()

    def prints(self) -> dict[str, bytes]:
        """The fingerprint of the record below each topic's cursor."""
        for topic, below in self.below.items():
            if isinstance(below, Message):
                self.below[topic] = fingerprint(below)
        return cast("dict[str, bytes]", dict(self.below))

    def cursor(self, token: bytes, published: int, prints: dict[str, bytes]) -> Cursor:
        """The cursor after a batch, with a token drawn anew."""
        return Cursor(
            partition=self.partition,
            token=token,
            reach={topic: Reach(offset, prints[topic]) for topic, offset in self.reach.items()},
            now=self.now,
            rules=self.rules.number,
            seq=self.seq,
            published=published,
            seen=self.seen,
            sent=self.sent,
        )


def decode_state(kind: type[Any], body: bytes) -> Any:
    """A state from its snapshot."""
    return msgspec.json.decode(body, type=kind)
