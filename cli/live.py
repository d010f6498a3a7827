"""The live view of a lived city: what came in, what burns, which unit has what."""

from datetime import datetime, tzinfo

from rich.columns import Columns
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from cli.output import local
from cli.tally import Tally
from cli.words import state_words
from rules.bundle import Bundle
from schemas.case.states import OPEN, State


def board(tally: Tally, bundle: Bundle, now: datetime, zone: tzinfo, came_in: int) -> RenderableType:
    """One screen: states on the left, units with open cases on the right, the last events below."""
    states = tally.states()
    left = Table(box=None, show_header=False, padding=(0, 1))
    for state in State:
        if states[state]:
            left.add_row(state_words(state), str(states[state]), style="bold" if state in OPEN else "dim")
    middle = Table(box=None, padding=(0, 1))
    middle.add_column("unit 单位")
    middle.add_column("open 未结", justify="right")
    for code, number in tally.open_by_unit().most_common(9):
        unit = bundle.units.get(code)
        middle.add_row(unit.name if unit else code, str(number))
    right = Table(box=None, padding=(0, 1))
    right.add_column("burns 超时")
    right.add_column("", justify="right")
    for clock, number in tally.breaches.most_common(9):
        right.add_row(clock, str(number))
    title = (
        f"{bundle.city.name} {local(now, zone)}  reports 上报 {came_in}  cases 案件 {len(tally.cases)}"
        f"  merged 并入 {tally.merged + tally.repeats}"
    )
    last = Text(
        "\n".join(f"{local(at, zone)} {case:<24} {event}" for at, case, event in tally.recent[-6:]),
        style="dim",
    )
    return Group(Panel(Columns([left, middle, right], padding=(0, 3)), title=title, width=100), last)
