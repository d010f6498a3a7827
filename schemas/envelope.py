"""The frame of every message: CloudEvents 1.0 in structured JSON."""

from datetime import datetime

import msgspec


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """One CloudEvent. An event's `id` is `<stream>/<version>`, a command's `<id of the sending event>~<n>`.

    `subject` is the stream key, `time` the moment of the decision or, from outside, of receipt at the
    edge. `data` is the message itself when the frame is written and still raw JSON when it is read.
    """

    id: str
    source: str
    type: str
    subject: str
    time: datetime
    data: object
    specversion: str = "1.0"
    datacontenttype: str = "application/json"


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """An `Envelope` as it is read: its data is decoded later, by its type."""

    id: str
    source: str
    type: str
    subject: str
    time: datetime
    data: msgspec.Raw
    specversion: str = "1.0"
    datacontenttype: str = "application/json"


def enclosing(frame: Frame, data: object) -> Envelope:
    """The envelope of a frame that was read, around its decoded data."""
    return Envelope(
        id=frame.id, source=frame.source, type=frame.type, subject=frame.subject, time=frame.time, data=data
    )


def event_id(stream: str, version: int) -> str:
    """The id of the `version`-th event of `stream`, counted from 1."""
    return f"{stream}/{version}"


def message_id(event: str, number: int) -> str:
    """The id of the `number`-th message that the event `event` sent, counted from 1."""
    return f"{event}~{number}"
