"""What is printed when a city has been lived: the tables, and what to try next."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from cli.assemble import Opened
from cli.conductor import Conductor
from cli.output import emit, table
from cli.tally import Tally
from cli.words import state_words
from kernel.edge import EDGE
from kernel.journal import HeldKind
from kernel.sql import reading
from rules.bundle import Bundle
from schemas.case.states import State
from services.intake.reader.processor import READER
from services.router.state import Case


@dataclass(frozen=True, slots=True)
class Lived:
    """A lived city in figures."""

    bundle: Bundle
    database: str
    tally: Tally
    seconds: float
    receipts: dict[str, int]
    dead: Counter[str]
    parked: int
    accepted: int
    events: int
    timers: int
    cases_to_show: Sequence[str]

    @classmethod
    async def of(
        cls, bundle: Bundle, database: str, city: Opened, conductor: Conductor, tally: Tally, seconds: float
    ) -> "Lived":
        """Look at the journals of a city that has come to rest."""
        dead: Counter[str] = Counter()
        parked = 0
        for journal in city.journals.values():
            async for held in journal.held():
                if held.kind is HeldKind.DEAD:
                    dead[held.reason.partition(":")[0]] += 1
                else:
                    parked += 1
        cursors = await city.store.read(reading.cursors)
        accepted = 0
        for partition in range(city.city.partitions):
            async for row in city.journals[READER.name].records(partition):
                accepted += b'"gridcase.intake.ReportAccepted.v1"' in row.body
        return cls(
            bundle=bundle,
            database=database,
            tally=tally,
            seconds=seconds,
            receipts=dict(conductor.receipts),
            dead=dead,
            parked=parked,
            accepted=accepted,
            events=sum(cursor.seq for (name, _), cursor in cursors.items() if name != EDGE),
            timers=tally.breaches.total(),
            cases_to_show=_telling(tally),
        )


def _telling(tally: Tally) -> list[str]:
    """Cases worth a look: one that came back, one that was disputed, any."""
    cases = sorted(tally.cases.items())
    wanted: tuple[Callable[[Case], bool], ...] = (
        lambda case: case.round > 1 and case.objections > 0,
        lambda case: case.objections > 0,
        lambda case: case.round > 1,
        lambda case: bool(case.lead),
    )
    found: list[str] = []
    for fits in wanted:
        found.extend(number for number, case in cases if fits(case) and number not in found)
    return found[:3]


def print_outcome(lived: Lived, *, as_json: bool) -> None:
    """The closing tables, or all figures as one JSON object."""
    tally = lived.tally
    dead_at_edge = sum(count for code, count in lived.receipts.items() if code != "accepted")
    figures: dict[str, Any] = {
        "city": lived.bundle.city.code,
        "database": lived.database,
        "seconds": round(lived.seconds, 1),
        "edge": lived.receipts,
        "reports": {
            "accepted": lived.accepted,
            "opened_cases": len(tally.cases),
            "merged": tally.merged,
            "repeats": tally.repeats,
            "dead": lived.dead.total(),
            "dead_at_the_edge": dead_at_edge,
        },
        "states": {str(state): count for state, count in tally.states().items()},
        "units": {code: _unit(tally, code) for code in sorted(tally.units)},
        "refused_assignments": {
            f"{unit} {verdict}": count for (unit, verdict), count in tally.refused_steps.most_common()
        },
        "refused_commands": {
            f"{command} {code}": count for (command, code), count in tally.refused_commands.most_common()
        },
        "breaches": dict(tally.breaches),
        "dead_letters": dict(lived.dead),
        "parked": lived.parked,
        "events": lived.events,
    }
    emit(figures, *_pages(lived, dead_at_edge), as_json=as_json)


def _unit(tally: Tally, code: str) -> dict[str, Any]:
    unit = tally.units[code]
    return {
        "name": unit.name,
        "assigned": unit.assigned,
        "on_time": unit.on_time,
        "late": unit.late,
        "open": tally.open_by_unit()[code],
    }


def _flow(lived: Lived, dead_at_edge: int) -> list[tuple[str, int]]:
    """From reports to cases, in counts."""
    tally = lived.tally
    states = tally.states()
    ended = states[State.WRITTEN_OFF] + states[State.VOID]
    return [
        ("reports at the edge 上报", sum(lived.receipts.values())),
        ("  refused there, as dead letters 死信", dead_at_edge),
        ("reports found valid 有效上报", lived.accepted),
        ("  opened a case 建案", len(tally.cases)),
        ("  merged into a case 并入", tally.merged),
        ("  repeats noted 重复", tally.repeats),
        ("dead letters in all 死信合计", lived.dead.total()),
        ("parked messages 搁置", lived.parked),
        ("cases written off or void 已销号/作废", ended),
        ("events on record 事件", lived.events),
    ]


def _pages(lived: Lived, dead_at_edge: int) -> list[Any]:
    tally = lived.tally
    units = [
        (unit.name, unit.assigned, unit.on_time, unit.late, tally.open_by_unit()[code])
        for code, unit in sorted(tally.units.items(), key=lambda item: -item[1].assigned)
    ]
    names = lived.bundle.units
    refused = [
        ((unit.name if (unit := names.get(code)) else code), verdict, count)
        for (code, verdict), count in tally.refused_steps.most_common(12)
    ]
    return [
        table("Reports → cases 上报 → 案件", ["", "count"], _flow(lived, dead_at_edge), right=[1]),
        table(
            "Cases by state 案件状态",
            ["state", "cases"],
            [(state_words(s), n) for s, n in tally.states().items()],
            right=[1],
        ),
        table(
            "By unit 按单位",
            ["unit", "assigned 派遣", "on time 按期", "late 超期", "open 未结"],
            units,
            right=[1, 2, 3, 4],
        ),
        table("Refused assignments, and why 准入不通过", ["unit", "verdict", "times"], refused, right=[2]),
        table("Dead letters 死信", ["reason", "count"], lived.dead.most_common(), right=[1]),
        f"Lived in {lived.seconds:.1f} s; kept in {lived.database}. Try next:",
        *(f"  {line}" for line in _try_next(lived)),
    ]


def _try_next(lived: Lived) -> list[str]:
    case = next(iter(lived.cases_to_show), "")
    prefix = ".venv/bin/gridcase"
    return [
        f"{prefix} case show {case} --database {lived.database}",
        f"{prefix} explain route {case} --database {lived.database}",
        f"{prefix} replay --database {lived.database}",
    ]
