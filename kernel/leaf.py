"""One partition's part of a batch being drafted: rows, messages, timers and held messages, numbered."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypeAlias

from kernel.journal import Cause, Held, HeldKind, Move, Record, Snapshot, StoredTimer
from kernel.log import Headers, Outgoing
from kernel.partition import partition_of
from kernel.processor import AnyProcessor, CancelTimer, DeadLetter, Effect, SetTimer
from kernel.tenure import Tenure
from kernel.timers import Agenda
from schemas.envelope import Envelope, event_id, message_id
from schemas.topics import Send
from schemas.wire import TYPE_OF, encode, encode_data

Reaction: TypeAlias = Callable[[Any, Envelope], Sequence[Effect]]


class Drafted:
    """One decided input before anything is numbered: an exception up to here leaves no trace."""

    __slots__ = ("bodies", "effects", "events", "state")

    def __init__(self, state: object, events: Sequence[object]) -> None:
        self.state = state
        self.events = events
        self.bodies: list[bytes] = []
        self.effects: list[tuple[str, int, Effect, bytes]] = []
        """Of each effect: the sending event's id, its place among the events, the effect, its bytes."""


class Leaf:
    """What one batch leaves behind in one partition, in the making."""

    __slots__ = (
        "_before", "_origin", "_partitions", "_processor", "_source", "agenda",
        "held", "outgoing", "records", "released", "tenure", "voided",
    )  # fmt: skip

    def __init__(
        self, tenure: Tenure, agenda: Agenda, processor: AnyProcessor, source: str, partitions: int
    ) -> None:
        self.tenure = tenure
        self.agenda = agenda
        self._processor = processor
        self._source = source
        self._partitions = partitions
        self._before = tenure.token
        self._origin = f"{processor.name}/{tenure.partition}"
        self.records: list[Record] = []
        self.outgoing: list[Outgoing] = []
        self.held: list[Held] = []
        self.released: list[int] = []
        self.voided: list[str] = []

    def express(self, stream: str, version: int, now: datetime, drafted: Drafted, react: Reaction) -> None:
        """Encode the events and compute all that leaves; may raise what `react` raises."""
        source = self._source
        for place, event in enumerate(drafted.events):
            version += 1
            envelope = Envelope(
                id=event_id(stream, version),
                source=source,
                type=TYPE_OF[type(event)],
                subject=stream,
                time=now,
                data=event,
            )
            drafted.bodies.append(encode(envelope))
            for number, effect in enumerate(react(event, envelope), 1):
                drafted.effects.append(
                    (envelope.id, place, effect, self._effect_body(envelope, number, effect))
                )

    def _effect_body(self, envelope: Envelope, number: int, effect: Effect) -> bytes:
        if isinstance(effect, Send):
            message = Envelope(
                id=message_id(envelope.id, number),
                source=self._source,
                type=TYPE_OF[type(effect.message)],
                subject=effect.key,
                time=envelope.time,
                data=effect.message,
            )
            return encode(message)
        return encode_data(effect.message) if isinstance(effect, SetTimer) else b""

    def write(
        self, stream: str, version: int, now: datetime, drafted: Drafted, *, cause: Cause, trace: str
    ) -> None:
        """Number the rows and hand on the effects; nothing here may fail."""
        tenure = self.tenure
        seq = tenure.seq
        rules = tenure.rules.number
        for place, body in enumerate(drafted.bodies, 1):
            self.records.append(
                Record(tenure.partition, seq + place, stream, version + place, body, cause, now, rules, trace)
            )
        tenure.seq = seq + len(drafted.bodies)
        for event, place, effect, body in drafted.effects:
            if isinstance(effect, Send):
                self._send(effect, seq + place + 1, trace, body)
            elif isinstance(effect, SetTimer):
                kind = TYPE_OF[type(effect.message)]
                self.agenda.set(
                    StoredTimer(tenure.partition, stream, effect.name, effect.due, kind, body, event)
                )
            elif isinstance(effect, CancelTimer):
                self.agenda.cancel(tenure.partition, stream, effect.name)

    def _send(self, send: Send, seq: int, trace: str, body: bytes) -> None:
        tenure = self.tenure
        number = send.partition
        partition = partition_of(send.key, self._partitions) if number is None else number
        sent = tenure.sent.get(send.topic)
        if sent is None:
            sent = tenure.sent[send.topic] = {}
        k = sent[partition] = sent.get(partition, 0) + 1
        headers = Headers(self._origin, k, tenure.rules.number, trace)
        self.outgoing.append(Outgoing(send.topic, partition, k, seq, send.key, headers, body))

    def hold(self, kind: HeldKind, stream: str, reason: str, item: tuple[str, bytes, Cause, str]) -> None:
        """Set an input aside: its CloudEvents type, bytes, cause and trace, parked or dead."""
        tenure = self.tenure
        name, body, cause, trace = item
        if kind is HeldKind.PARKED:
            tenure.parked[stream] = tenure.parked.get(stream, 0) + 1
        number = tenure.next_held
        tenure.next_held += 1
        held = Held(
            tenure.partition,
            number,
            kind,
            stream,
            reason,
            name,
            body,
            cause,
            tenure.rules.number,
            trace,
            tenure.now,
        )
        self.held.append(held)

    def dead_letters(self, drafted: Drafted) -> list[str]:
        """The reasons for which the decided input is kept among the dead letters."""
        return [effect.reason for _, _, effect, _ in drafted.effects if isinstance(effect, DeadLetter)]

    def move(
        self, token: bytes, published: int, prints: dict[str, bytes], snapshots: Sequence[Snapshot]
    ) -> Move:
        """The leaf as the journal takes it."""
        return Move(
            before=self._before,
            cursor=self.tenure.cursor(token, published, prints),
            records=self.records,
            outgoing=self.outgoing,
            timers=list(self.agenda.changed.values()),
            held=self.held,
            released=self.released,
            voided=self.voided,
            snapshots=snapshots,
        )
