"""What commands print: tables for people, JSON for programs, one line for a fault, and the exit codes."""

import sys
from collections.abc import Iterable, Sequence
from datetime import datetime, tzinfo
from enum import IntEnum
from pathlib import Path
from typing import Any, ClassVar, Final

import msgspec
from rich import box
from rich.console import Console, ConsoleDimensions, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from kernel.errors import Fault
from rules.faults import Fault as BundleFault
from rules.faults import Faults

WIDTH: Final = 100
"""Columns where nobody says how wide the terminal is; every table fits."""


class Exit(IntEnum):
    """The exit codes of every command."""

    DONE = 0
    FAULT = 1
    USAGE = 2
    SETTINGS = 3
    CITY = 4
    BUNDLE = 5
    DATABASE = 6
    NOT_FOUND = 7
    DIFFERENT = 8
    EXTRA = 9
    BROKER = 10
    STALLED = 75
    INTERRUPTED = 130


EXIT_CODES: Final[dict[Exit, str]] = {
    Exit.DONE: "done",
    Exit.FAULT: "a running city met a fault and ended",
    Exit.USAGE: "the command line is wrong",
    Exit.SETTINGS: "a setting (GRIDCASE_…) is wrong, or a port is taken",
    Exit.CITY: "no such city, or not the one expected; or another process has it",
    Exit.BUNDLE: "the bundle has faults",
    Exit.DATABASE: "the database cannot be reached, is newer, broken or read-only",
    Exit.NOT_FOUND: "no such case, held message, unit or file",
    Exit.DIFFERENT: "a replay, the topics or an export differ, or something sent was refused",
    Exit.EXTRA: "an extra is not installed",
    Exit.BROKER: "the brokers cannot be reached or refuse, or their topics do not fit",
    Exit.STALLED: "a worker stood still for no reason and ended, to be started again",
    Exit.INTERRUPTED: "interrupted",
}


class NotThere(Fault):
    """{what}: expected one that exists, found none. Do: {do}."""

    exit_code: ClassVar[int] = Exit.NOT_FOUND


class ExtraMissing(Fault):
    """The package {package} is not installed: expected the extra {extra}, found none. Do: pip install
    'gridcase[{extra}]'.
    """

    exit_code: ClassVar[int] = Exit.EXTRA


class Screen(Console):
    """A console as wide as its terminal, and of fixed width where there is none: a file, a pipe, a test."""

    @property
    def size(self) -> ConsoleDimensions:
        """Columns and lines."""
        return super().size if self.is_terminal else ConsoleDimensions(WIDTH, 25)

    @size.setter
    def size(self, new_size: tuple[int, int]) -> None:
        Console.size.__set__(self, new_size)


console: Final = Screen(highlight=False)
"""Standard output: tables and words."""

errors: Final = Screen(highlight=False, stderr=True)
"""Standard error: faults and progress."""


class BundleFaults(Fault):
    """{folder}: expected a bundle without faults, found {count}, the first: {first} Nothing was published."""

    exit_code: ClassVar[int] = Exit.BUNDLE

    def __init__(self, folder: Path, faults: Faults) -> None:
        self.faults = faults
        super().__init__(folder=folder, count=len(faults), first=faults.all[0])

    def table(self) -> Table:
        """Every fault: where, what was expected, what was found, what to do."""
        return fault_table(self.faults)


def fault_table(faults: Iterable[BundleFault]) -> Table:
    """Faults of a bundle, one a row."""
    rows = [
        (fault.file, fault.row or "", fault.column, fault.value, fault.expected, fault.do) for fault in faults
    ]
    return table("", ("file", "row", "column", "found", "expected", "do"), rows, right=(1,))


def fail(words: str) -> None:
    """One red line on stderr, whatever its length."""
    line = " ".join(words.split())
    errors.print(Text(f"gridcase: {line}", style="red"), soft_wrap=True)


def emit(value: Any, *page: RenderableType, as_json: bool) -> None:
    """The same answer for programs or for people."""
    if as_json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")
        return
    for part in page:
        console.print(part)


def table(
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    right: Sequence[int] = (),
    whole: Sequence[int] = (),
) -> Table:
    """A table that survives 100 columns: long cells fold, those in `whole` never; `right` are figures."""
    made = Table(
        title=title or None, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False
    )
    for number, column in enumerate(columns):
        justify = "right" if number in right else "left"
        made.add_column(column, overflow="fold", justify=justify, no_wrap=number in whole)
    for row in rows:
        made.add_row(*(cell if isinstance(cell, Text) else Text(str(cell)) for cell in row))
    return made


def facts(title: str, rows: Iterable[tuple[str, Any]]) -> Table:
    """A name on the left, its value on the right; what is empty is left out."""
    made = Table(
        title=title or None,
        title_justify="left",
        title_style="bold",
        box=None,
        show_header=False,
        pad_edge=False,
    )
    made.add_column(style="dim", no_wrap=True)
    made.add_column(overflow="fold")
    for name, value in rows:
        if value is not None and str(value):
            made.add_row(name, value if isinstance(value, Text) else Text(str(value)))
    return made


def local(moment: datetime | None, zone: tzinfo, *, seconds: bool = False) -> str:
    """A time as the clocks of the city show it."""
    if moment is None:
        return ""
    return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S" if seconds else "%Y-%m-%d %H:%M")


def bar(*, hidden: bool = False) -> Progress:
    """A progress bar on stderr; `hidden` where a program reads."""
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
        console=errors, transient=True, disable=hidden or not errors.is_terminal,
    )  # fmt: skip
