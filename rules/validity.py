from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Generic, Protocol, TypeVar

FIRST_DAY = date.min
LAST_DAY = date.max


class Dated(Protocol):
    """A row that holds from its first to its last day, both included, in the city's own calendar days."""

    @property
    def code(self) -> str: ...
    @property
    def valid_from(self) -> date: ...
    @property
    def valid_to(self) -> date: ...


T = TypeVar("T", bound=Dated)


def holds(row: Dated, day: date | None) -> bool:
    """Whether the row is in force on the day; without a day every row is."""
    return day is None or row.valid_from <= day <= row.valid_to


class Versions(Generic[T]):
    """Rows by code, where one code may have several versions one after the other (生效日期)."""

    __slots__ = ("_by_code", "_latest")

    def __init__(self, rows: Iterable[T]) -> None:
        by_code: dict[str, list[T]] = defaultdict(list)
        for row in rows:
            by_code[row.code].append(row)
        self._by_code = {code: tuple(sorted(all_, key=_start)) for code, all_ in by_code.items()}
        self._latest = {code: versions[-1] for code, versions in self._by_code.items()}

    def get(self, code: str, day: date | None = None) -> T | None:
        """The version in force on the day, or the latest one if no day is given."""
        latest = self._latest.get(code)
        if latest is None or holds(latest, day):
            return latest
        return next((row for row in self._by_code[code] if holds(row, day)), None)

    def single(self, code: str) -> bool:
        """Whether the code has one version that always held: then no day can change the answer."""
        row = self._latest.get(code)
        return row is not None and row.valid_from == FIRST_DAY and row.valid_to == LAST_DAY

    def latest(self, code: str) -> T:
        return self._latest[code]

    def __contains__(self, code: object) -> bool:
        return code in self._latest

    def __iter__(self) -> Iterator[str]:
        return iter(self._latest)


def _start(row: Dated) -> date:
    return row.valid_from
