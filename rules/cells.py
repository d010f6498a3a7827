import re
from collections.abc import Collection, Mapping
from datetime import date

from rules.faults import Fault
from rules.limits import DEFAULT_WORDS, Limit, LimitFault, LimitWords, parse_limit
from rules.rows import SEPARATOR, Row

_CODE = re.compile(r"[\w.@-]+")
_FLAGS = {"yes": True, "no": False, "是": True, "否": False, "true": True, "false": False}
STAND_IN = Limit("", 1, working=True)
"""What a limit that does not parse becomes, so that reading goes on; its bundle is never published."""


class Cells:
    """Typed reading of one row. What does not fit becomes a fault and a stand-in, and reading goes on."""

    __slots__ = ("faults", "row")

    def __init__(self, row: Row, faults: list[Fault]) -> None:
        self.row = row
        self.faults = faults

    def fault(self, code: str, column: str, expected: str, value: str = "", do: str = "") -> None:
        self.faults.append(self.row.fault(code, column, expected, value, do))

    def has(self, column: str) -> bool:
        return column in self.row.cells

    def free(self, column: str, default: str = "") -> str:
        return self.row.cells.get(column, default)

    def text(self, column: str, code: str = "empty") -> str:
        """A cell that must not be empty."""
        if column not in self.row.cells:
            self.fault(code, column, "a value")
        return self.free(column)

    def code(self, column: str) -> str:
        found = self.text(column)
        if found and not _CODE.fullmatch(found):
            self.fault("bad_code", column, "a code")
        return found

    def several(self, column: str) -> tuple[str, ...]:
        parts = (part.strip() for part in self.free(column).split(SEPARATOR))
        return tuple(part for part in parts if part)

    def known(self, column: str, codes: Collection[str], what: str, needed: str = "") -> str:
        """A reference to something else; `needed` is the fault's code if it must not be empty."""
        found = self.text(column, needed) if needed else self.free(column)
        if found and found not in codes:
            self.fault("unknown_reference", column, f"a code of {what}")
        return found

    def choice(
        self, column: str, words: Mapping[str, str] | tuple[str, ...], default: str | None = None
    ) -> str:
        """One of some words; in a mapping several may mean the same. Without default it must not be empty."""
        found = self.text(column) if default is None else self.free(column, default)
        if found and found not in words:
            self.fault("bad_choice", column, "one of " + ", ".join(words))
            return default or next(iter(words))
        return str(words[found]) if found and isinstance(words, Mapping) else found

    def flag(self, column: str, *, default: bool = False) -> bool:
        found = self.row.cells.get(column)
        if found is None:
            return default
        if found not in _FLAGS:
            self.fault("bad_flag", column, "yes or no")
        return _FLAGS.get(found, default)

    def whole(self, column: str, low: int, high: int, default: int | None = None) -> int:
        found = self.text(column) if default is None else self.free(column, str(default))
        digits = found.isascii() and found.isdigit() and len(found) <= 10
        if found and not (digits and low <= int(found) <= high):
            self.fault("bad_number", column, f"a whole number from {low} to {high}")
            return low
        return int(found) if found else low

    def day(self, column: str, default: date | None = None) -> date:
        found = self.text(column) if default is None else self.free(column)
        try:
            if len(found) == len("2026-01-31"):
                return date.fromisoformat(found)
        except ValueError:
            pass
        if found:
            self.fault("bad_day", column, "a day")
        return default or date.min

    def limit(self, column: str, words: LimitWords = DEFAULT_WORDS) -> Limit:
        found = self.text(column)
        return self.parsed(column, found, words) if found else STAND_IN

    def parsed(self, column: str, text: str, words: LimitWords) -> Limit:
        """A limit that stands within a cell."""
        read = parse_limit(text, words)
        if isinstance(read, LimitFault):
            self.fault("bad_limit", column, read.expected, text, read.do)
            return STAND_IN
        return read
