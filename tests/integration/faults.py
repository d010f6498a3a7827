"""The table of faults: what was done, how often, what came of it, how long until the city worked again."""

from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

from tests.integration.account import Account
from tests.integration.lived import ROOT

FILE = ROOT / "build" / "faults.txt"
HEAD = ("fault", "times", "inputs", "decided once", "sent", "seen once", "lost", "twice", "recovery (s)")


class Fault(NamedTuple):
    """One row: `seconds` are those of every single time."""

    name: str
    times: int
    found: Account
    seconds: Sequence[float] = ()


TABLE: list[Fault] = []


def record(name: str, times: int, found: Account, seconds: Sequence[float] = ()) -> None:
    """Put a fault into the table, and the table into its file."""
    TABLE.append(Fault(name, times, found, tuple(seconds)))
    FILE.parent.mkdir(exist_ok=True)
    Path(FILE).write_text("\n".join(lines()) + "\n", "utf-8")


def lines() -> list[str]:
    """The table as text."""
    rows = [HEAD, *(_cells(fault) for fault in TABLE)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(HEAD))]
    return [
        "  ".join(
            cell.ljust(width) if place == 0 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]


def _cells(fault: Fault) -> tuple[str, ...]:
    found = fault.found
    numbers = (found.inputs, found.decided_once, found.sent, found.seen_once, found.lost, found.twice)
    taken = fault.seconds
    recovery = f"{median(taken):.1f} (most {max(taken):.1f})" if taken else "at once"
    return (fault.name, str(fault.times), *(f"{number:,}" for number in numbers), recovery)
