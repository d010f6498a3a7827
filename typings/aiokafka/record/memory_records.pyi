from collections.abc import Iterator

class Record:
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]]

class RecordBatch:
    is_control_batch: bool
    next_offset: int

    def __iter__(self) -> Iterator[Record]: ...

class MemoryRecords:
    def __init__(self, bytes_data: bytes) -> None: ...
    def has_next(self) -> bool: ...
    def next_batch(self) -> RecordBatch: ...
