"""A figure, its goal and its peer; and the one table in which they are printed."""

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One number. `goal` is a least value, or a largest one where `most` is set; none means: reported only.

    `peer` names what it is compared with in the same run, `against` its number, `ratio` the least ratio
    that is wanted, if any.
    """

    bench: str
    name: str
    value: float
    unit: str
    goal: float | None = None
    most: bool = False
    peer: str = ""
    against: float | None = None
    ratio: float | None = None
    note: str = ""

    @property
    def reached(self) -> float | None:
        """How far the goal was reached: 1 or more is met."""
        if self.goal is None or not self.value:
            return None
        return self.goal / self.value if self.most else self.value / self.goal

    @property
    def to_peer(self) -> float | None:
        return self.value / self.against if self.against else None

    @property
    def met(self) -> bool | None:
        """Whether goal and ratio are met; `None` where there is neither."""
        judged = [
            *([self.reached >= 1] if self.reached is not None else []),
            *([self.to_peer >= self.ratio] if self.to_peer is not None and self.ratio is not None else []),
        ]
        return all(judged) if judged else None


def number(value: float | None, digits: int = 3) -> str:
    """Thousands are grouped; small numbers keep their digits."""
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.{digits}g}"


def print_table(figures: Sequence[Figure], console: Console | None = None) -> None:
    """All figures; a missed goal is said as plainly as a met one."""
    console = console or Console()
    if not console.is_terminal:
        console.width = 170
    table = Table(title=f"gridcase bench · {machine()}", title_justify="left", pad_edge=False)
    for column in ("bench", "figure"):
        table.add_column(column, no_wrap=True)
    for column in ("measured", "goal", "reached"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("peer in the same run")
    table.add_column("ratio (wanted)", justify="right", no_wrap=True)
    table.add_column("")
    for one in figures:
        table.add_row(*_row(one))
    console.print(table)
    for one in figures:
        if one.note:
            console.print(f"[dim]{one.bench} · {one.name}:[/] {one.note}", highlight=False)
    judged = [one.met for one in figures if one.met is not None]
    console.print(f"{sum(judged)} of {len(judged)} goals met")


def _row(one: Figure) -> tuple[str | Text, ...]:
    sign = "≤" if one.most else "≥"
    wanted = f" ({sign} {number(one.ratio)})" if one.ratio is not None else ""
    verdict = {True: Text("met", "green"), False: Text("missed", "bold red"), None: Text("")}[one.met]
    return (
        one.bench,
        one.name,
        f"{number(one.value)} {one.unit}",
        f"{sign} {number(one.goal)}" if one.goal is not None else "",
        number(one.reached),
        f"{one.peer} {number(one.against)}".strip(),
        f"{number(one.to_peer)}{wanted}",
        verdict,
    )


def as_json(figures: Sequence[Figure]) -> str:
    rows: list[dict[str, Any]] = [
        asdict(one) | {"reached": one.reached, "to_peer": one.to_peer, "met": one.met} for one in figures
    ]
    return json.dumps({"machine": machine(), "figures": rows}, ensure_ascii=False, indent=2)


def machine() -> str:
    """Where and under which load this was measured: figures of another place say little about this one."""
    load = os.getloadavg()[0]
    return f"{os.cpu_count()} cores, Python {platform.python_version()}, load {load:.1f} from the last minute"
