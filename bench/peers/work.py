"""What every peer does for a command: the very decision of router.case, on the same bytes.

So a difference between them and us is how messages, states and events are carried, and nothing else.
"""

import asyncio
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

import msgspec

from bench.citywide import OneEdition, bench_bundle
from kernel.editions import rules_of
from kernel.processor import Context, Sender, step
from rules.inforce import Rules
from schemas.envelope import Envelope, event_id
from schemas.topics import CASE_COMMANDS, CASE_EVENTS
from schemas.wire import TYPE_OF, carried, encode, frame
from services.router.processor import ROUTER_CASE
from services.router.state import NO_CASE, Case

PARTITIONS: Final = 24
SESSION_MS: Final = 6_000
HEARTBEAT_MS: Final = 1_500
"""The same session as ours: whoever is killed is missed equally soon."""

_SENDER: Final = Sender("processor", "intake.desk")
_packer = msgspec.json.Encoder()
_unpacker = msgspec.json.Decoder(Case)


class Place(NamedTuple):
    """Where a peer works: the brokers, and the prefix of its topics."""

    bootstrap: str
    prefix: str

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
    return Place(*sys.argv[1:3])


class Work:
    """Decodes, decides, folds, encodes."""

    def __init__(self) -> None:
        bundle = bench_bundle(subscribed=False)
        self.rules: Rules = asyncio.run(rules_of(OneEdition(bundle), 1))
        self._source = f"/gridcase/{bundle.city.code}/{ROUTER_CASE.name}"

    def decide(self, stream: str, body: bytes, case: Case, now: datetime) -> tuple[Case, Sequence[bytes]]:
        """The case after a command, and the events on the way there."""
        head = frame(body)
        context = Context(now, head.time, self.rules, _SENDER, stream, head.id)
        after, events = step(ROUTER_CASE, case, carried(head), context)
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


def moment(millis: int) -> datetime:
    """When the log took a record."""
    return datetime.fromtimestamp(millis / 1000, UTC)


def packed(case: Case) -> bytes:
    return _packer.encode(case)


def unpacked(state: bytes | None) -> Case:
    return _unpacker.decode(state) if state else NO_CASE
