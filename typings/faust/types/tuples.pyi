from collections.abc import Iterable
from typing import NamedTuple

class TP(NamedTuple):
    topic: str
    partition: int

class Message:
    topic: str
    partition: int
    offset: int
    timestamp: float
    headers: Iterable[tuple[str, bytes | None]] | None
    key: bytes | None
    value: bytes | None
