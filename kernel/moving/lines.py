"""What an export says, line by line. Times are UTC; what was published stands as it is, byte for byte."""

from datetime import datetime
from typing import Final

import msgspec
from msgspec import Raw, Struct

from kernel.journal import Reach

FORMAT: Final = "gridcase-export"
VERSION: Final = 1

MANIFEST: Final = "manifest.json"
README: Final = "README.txt"
CITY: Final = "city.json"
CURSORS: Final = "cursors.jsonl"
TIMERS: Final = "timers.jsonl"
HELD: Final = "held.jsonl"
SECRETS: Final = "secrets.jsonl"
ACCESSES: Final = "accesses.jsonl"

_BASE64: Final = "base64"
_raw = msgspec.json.Decoder(Raw)


def journal_part(processor: str) -> str:
    """The part that holds the events of a processor."""
    return f"journals/{processor}.jsonl"


def edition_part(hash_: str) -> str:
    """The part that is the manifest of an edition of the rules."""
    return f"editions/{hash_}.json"


def section_part(hash_: str) -> str:
    """The part that is a section of editions; its SHA-256 is its name."""
    return f"sections/{hash_}.json"


class Part(Struct, frozen=True):
    """One part of an export: how many lines and bytes it has, and their hash."""

    name: str
    lines: int
    bytes: int
    sha256: str


class Manifest(Struct, frozen=True):
    """The last thing that is written. Its own SHA-256 is the seal of the export."""

    format: str
    version: int
    release: str
    code: str
    name: str
    exported: datetime
    parts: tuple[Part, ...]


class CityLine(Struct, frozen=True):
    """What was fixed when the city was founded. `host` is the one that it left."""

    code: str
    name: str
    partitions: int
    clock: str
    start_wall: datetime | None
    start_city: datetime | None
    speed: int
    mark: str
    created: datetime
    host: str


class CursorLine(Struct, frozen=True, omit_defaults=True):
    """One journal partition: its last row, and the last number seen of and sent to each other.

    Positions in the city's own topics stay behind. `outside` is how far the edge has read topics in which
    strangers write: what they have written since waits there.
    """

    processor: str
    partition: int
    seq: int
    held: int
    appended: datetime
    now: datetime | None
    rules: int
    seen: dict[str, dict[str, int]]
    sent: dict[str, dict[int, int]]
    outside: dict[str, Reach] = {}


class EventLine(Struct, frozen=True, omit_defaults=True):
    """One row of a journal; `event` is the CloudEvent as published, its hash is that of these bytes."""

    partition: int
    seq: int
    stream: str
    version: int
    now: datetime
    rules: int
    appended: datetime
    trace: str
    cause: Raw
    event: Raw
    encoding: str = ""


class TimerLine(Struct, frozen=True, omit_defaults=True):
    """A timer that waits: `event` is the id of the event that set it."""

    processor: str
    partition: int
    stream: str
    name: str
    due: datetime
    kind: str
    event: str
    data: Raw
    encoding: str = ""


class HeldLine(Struct, frozen=True, omit_defaults=True):
    """A parked message or a dead letter; those of the edge are sealed."""

    processor: str
    partition: int
    id: int
    kind: str
    stream: str
    reason: str
    type: str
    rules: int
    trace: str
    now: datetime
    ordered: bool
    cause: Raw
    message: Raw
    encoding: str = ""


class SecretLine(Struct, frozen=True):
    """A key and what it sealed; without a key it was erased."""

    id: str
    key: bytes | None
    sealed: bytes


class AccessLine(Struct, frozen=True):
    """Who asked for which personal data, what for, and the answer."""

    at: datetime
    report: str
    reader: str
    role: str
    purpose: str
    fields: tuple[str, ...]
    answer: str


def packed(body: bytes) -> tuple[Raw, str]:
    """Bytes as part of a line and their encoding: JSON stands as it is, all else is a string in base64."""
    if b"\n" not in body and b"\r" not in body:
        try:
            body.decode()
            if bytes(_raw.decode(body)) == body:
                return Raw(body), ""
        except (UnicodeDecodeError, msgspec.DecodeError):
            pass
    return Raw(msgspec.json.encode(body)), _BASE64


def unpacked(raw: Raw, encoding: str) -> bytes:
    """The bytes again."""
    if not encoding:
        return bytes(raw)
    if encoding != _BASE64:
        raise msgspec.ValidationError(f"no encoding of ours: {encoding}")
    return msgspec.json.decode(raw, type=bytes)
