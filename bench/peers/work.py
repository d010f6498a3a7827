"""What every peer does for a command: the very functions that our worker runs, on the same bytes.

So a difference between them and us is how messages, states and events are carried, and nothing else.
"""

import asyncio
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import msgspec

from bench.citywide import OneEdition, bench_bundle
from bench.light import LIGHT
from kernel.editions import rules_of
from kernel.processor import AnyProcessor, Context, Sender, step
from rules.inforce import Rules
from schemas.envelope import Envelope, event_id
from schemas.topics import CASE_COMMANDS, CASE_EVENTS
from schemas.wire import TYPE_OF, carried, encode, frame
from services.router.processor import ROUTER_CASE

PARTITIONS: Final = 24
SESSION_MS: Final = 6_000
HEARTBEAT_MS: Final = 1_500
"""The same session as ours: whoever is killed is missed equally soon."""

DECISIONS: Final[dict[str, AnyProcessor]] = {"router": ROUTER_CASE, "light": LIGHT}
"""As the city decides, or as lightly as can be."""

_SENDER: Final = Sender("processor", "intake.desk")
_packer = msgspec.json.Encoder()


class Place(NamedTuple):
    """Where a peer works and what it does: the brokers, the prefix of its topics, the decision."""

    bootstrap: str
    prefix: str
    decision: str

    @property
    def commands(self) -> str:
        return self.prefix + CASE_COMMANDS.name

    @property
    def events(self) -> str:
        return self.prefix + CASE_EVENTS.name

    @property
    def states(self) -> str:
        """For whoever keeps its states in a topic of its own making."""
        return self.prefix + "case.states"


def place() -> Place:
    """As the command line of a peer says."""
    return Place(*sys.argv[1:4])


class Work:
    """Decodes, decides, folds, encodes."""

    def __init__(self, decision: str) -> None:
        self.processor = DECISIONS[decision]
        self.initial = self.processor.initial
        self._unpacker = msgspec.json.Decoder(type(self.initial))
        bundle = bench_bundle(subscribed=False)
        self.rules: Rules = asyncio.run(rules_of(OneEdition(bundle), 1))
        self._source = f"/gridcase/{bundle.city.code}/{self.processor.name}"

    def decide(self, stream: str, body: bytes, case: Any, now: datetime) -> tuple[Any, Sequence[bytes]]:
        """The case after a command, and the events on the way there."""
        head = frame(body)
        context = Context(now, head.time, self.rules, _SENDER, stream, head.id)
        after, events = step(self.processor, case, carried(head), context)
        return after, [
            encode(
                Envelope(
                    id=event_id(stream, version),
                    source=self._source,
                    type=TYPE_OF[type(event)],
                    subject=stream,
                    time=now,
                    data=event,
                )
            )
            for version, event in enumerate(events, case.version + 1)
        ]

    def unpacked(self, state: bytes | None) -> Any:
        return self._unpacker.decode(state) if state else self.initial


def moment(millis: int) -> datetime:
    """When the log took a record."""
    return datetime.fromtimestamp(millis / 1000, UTC)


def packed(case: Any) -> bytes:
    return _packer.encode(case)
