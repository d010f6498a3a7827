"""A map that many versions share (持久化映射): one more key copies two short rows and one small dict.

A desk has thousands of open cases and each event makes a new state; copying one large dict each time
would cost more than the decision. Shelves are tuples of tuples of dicts, so that a snapshot can hold them.
"""

from typing import Final, TypeAlias, TypeVar
from zlib import crc32

V = TypeVar("V")

Shelves: TypeAlias = tuple[tuple[dict[str, V], ...], ...]

WIDTH: Final = 64


def empty() -> "Shelves[V]":
    """Shelves without a key; all empty rows are the same one."""
    return ((),) * WIDTH


def get(shelves: "Shelves[V]", key: str) -> V | None:
    """What stands under the key, or `None`."""
    place = crc32(key.encode())
    row = shelves[place & 63]
    return row[place >> 6 & 63].get(key) if row else None


def put(shelves: "Shelves[V]", key: str, value: V) -> "Shelves[V]":
    """The shelves with `value` under the key; the old ones stay as they were."""
    place = crc32(key.encode())
    row = shelves[place & 63] or _blank()
    book = {**row[place >> 6 & 63], key: value}
    return _swap(shelves, place & 63, _swap(row, place >> 6 & 63, book))


def drop(shelves: "Shelves[V]", key: str) -> "Shelves[V]":
    """The shelves without the key."""
    place = crc32(key.encode())
    row = shelves[place & 63]
    if not row or key not in row[place >> 6 & 63]:
        return shelves
    book = row[place >> 6 & 63].copy()
    del book[key]
    return _swap(shelves, place & 63, _swap(row, place >> 6 & 63, book))


def size(shelves: "Shelves[V]") -> int:
    """How many keys there are; for tests and figures."""
    return sum(len(book) for row in shelves for book in row)


def _blank() -> "tuple[dict[str, V], ...]":
    nothing: dict[str, V] = {}
    return (nothing,) * WIDTH


T = TypeVar("T")


def _swap(row: tuple[T, ...], place: int, item: T) -> tuple[T, ...]:
    return (*row[:place], item, *row[place + 1 :])
