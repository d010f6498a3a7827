"""`gridcase case`: one case for people to read, and the list of all."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, NamedTuple

import msgspec
import typer
from rich.table import Table
from rich.text import Text

from cli import words
from cli.opening import look
from cli.options import AsJson, CaseNumber, Database, one_of
from cli.output import emit, facts, table
from cli.reading import View
from cli.timeline import Teller, timeline
from kernel.journal import Record
from rules.clocks import LAWS
from schemas.case.states import OPEN, State
from schemas.wire import frame, trusted
from services.router.processor import ROUTER_CASE
from services.router.state import Case
from services.sla.processor import CLOCK
from services.sla.state import Clock, Clocks

app = typer.Typer(help="Read cases (案件).", no_args_is_help=True)


@app.command("show")
def show(number: CaseNumber, database: Database = None, as_json: AsJson = False) -> None:
    """Where a case stands: state, who is accountable, whose move it is, its clocks, and all that happened."""
    emit(*look(database, lambda city: shown(city, number)), as_json=as_json)


@app.command("history")
def history(number: CaseNumber, database: Database = None, as_json: AsJson = False) -> None:
    """Every event of a case in full, as it stands in the journal."""
    _, records = look(database, lambda city: city.case(number))
    rows = [_full(record) for record in records]
    lines = [Text(f"{row['id']}  {row['type']}\n  {_json(row['data'])}") for row in rows]
    emit(rows, *lines, as_json=as_json)


@app.command("list")
def list_(
    state: Annotated[
        str,
        typer.Option(
            help="Only this state, for example handling; `open` for all open ones.",
            autocompletion=one_of([*words.STATES, "open"]),
        ),
    ] = "",
    unit: Annotated[str, typer.Option(help="Only cases that this unit leads (主办).")] = "",
    late: Annotated[bool, typer.Option("--late", help="Only cases with a clock past its due time.")] = False,
    report: Annotated[str, typer.Option(help="Only the case with this report, SOURCE/ID.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="At most so many lines.")] = 40,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """All cases, the next due time first."""
    wanted = Wanted(state, unit, late, report)
    emit(*look(database, lambda city: listed(city, wanted, limit)), as_json=as_json)


class Wanted(NamedTuple):
    """Which cases to list; what is empty does not matter."""

    state: str = ""
    unit: str = ""
    late: bool = False
    report: str = ""

    def takes(self, case: Case) -> bool:
        """Whether a case is one of them, but for lateness."""
        states = OPEN if self.state == "open" else {self.state}
        return (
            (not self.state or case.state in states)
            and (not self.unit or case.lead == self.unit)
            and (not self.report or self.report in case.reports)
        )


async def listed(city: View, wanted: Wanted, limit: int) -> tuple[Any, Table]:
    """The cases wanted, for programs and for people."""
    rows = await _rows(city, wanted)
    columns = ("case", "state", "matter", "lead 主办", "next clock", "due")
    title = f"{min(limit, len(rows))} of {len(rows)} cases"
    return rows[:limit], table(title, columns, [_line(city, row) for row in rows[:limit]], whole=(0, 1, 4, 5))


async def shown(city: View, number: str) -> tuple[Any, ...]:
    """One case, for programs and for people."""
    case, records = await city.case(number)
    clocks, _ = await city.clocks(number)
    teller = Teller(city.bundle, city.local)
    entries = [teller.entry(record) for record in records]
    value = {
        "case": number,
        "state": case.state,
        "accountable": _accountable(city, case),
        "holder": words.HOLDERS.get(case.state, ""),
        "facts": msgspec.to_builtins(case),
        "clocks": [_clock(name, clock) for name, clock in clocks.clocks.items()],
        "events": [entry._asdict() for entry in entries],
    }
    told = timeline("timeline 经过", entries, lambda at: city.local(at)[5:], words.state_words)
    return value, _facts(city, case), "", _clocks(city, clocks), told


def _facts(city: View, case: Case) -> Table:
    bundle = city.bundle
    holder = words.HOLDERS.get(case.state, "")
    people = _people(city, case, holder)
    return facts(
        f"case 案件 {case.id}",
        [
            ("state", words.state_words(case.state)),
            ("accountable 责任单位", words.unit(bundle, _accountable(city, case))),
            ("holder 当前待办", f"{words.role(holder)}{f': {people}' if people else ''}" if holder else ""),
            ("lead 主办", words.unit(bundle, case.lead)),
            ("assist 协办", "、".join(words.unit(bundle, code) for code in case.assistants)),
            ("supervise 监督", "、".join(words.unit(bundle, code) for code in case.supervising)),
            ("matter 事项", words.matter(bundle, case.matter or case.matter_hint)),
            ("area 区域", words.area(bundle, case.area)),
            ("limit 时限", case.limit.text if case.limit else ""),
            ("reports", f"{len(case.reports)}: {', '.join(case.reports[:5])}"),
            ("round", case.round if case.round > 1 else None),
            ("objections 异议", case.objections or None),
            ("breaches 超时", case.breaches or None),
            ("supervised 督办", case.supervised or None),
        ],
    )


def _accountable(city: View, case: Case) -> str:
    return case.accountable(city.bundle.city.centre if city.bundle else "")


def _people(city: View, case: Case, holder: str) -> str:
    """The posts whose move it is, as far as the bundle names them."""
    if city.bundle is None or not holder:
        return ""
    if holder == "lead":
        return words.unit(city.bundle, case.lead)
    posts = city.bundle.posts.holding(holder, case.area or case.desk, city.bundle.day(city.now))
    return ", ".join(post.code for post in posts[:3])


def _clocks(city: View, clocks: Clocks) -> Table:
    rows = [
        (
            words.clock(name),
            words.role(LAWS[name].owes) if not clock.run.unit else words.unit(city.bundle, clock.run.unit),
            clock.run.term.text if clock.run.term else "",
            city.local(clock.run.start),
            city.local(clock.run.due),
            _standing(city.now, clock),
        )
        for name, clock in sorted(clocks.clocks.items(), key=lambda item: _due(item[1]))
    ]
    return table("clocks 时限", ("clock", "owed by", "limit", "since", "due", "now"), rows)


def _standing(now: datetime, clock: Clock) -> Text:
    if clock.paused:
        return Text("paused", style="yellow")
    if clock.breached or (clock.run.due is not None and clock.run.due <= now):
        return Text("late 超时", style="red")
    return Text("running", style="green")


def _due(clock: Clock) -> datetime:
    return clock.run.due or datetime.max.replace(tzinfo=clock.run.start.tzinfo)


def _clock(name: str, clock: Clock) -> dict[str, Any]:
    run = clock.run
    return {
        "clock": name, "since": run.start, "due": run.due, "paused": clock.paused,
        "breached": clock.breached, "limit": run.term.text if run.term else "", "unit": run.unit,
    }  # fmt: skip


async def _rows(city: View, wanted: Wanted) -> list[dict[str, Any]]:
    cases: dict[str, Case] = dict(await city.all_states(ROUTER_CASE))
    clocks: dict[str, Clocks] = dict(await city.all_states(CLOCK))
    rows = [
        _row(city, number, case, clocks.get(number, CLOCK.initial))
        for number, case in cases.items()
        if wanted.takes(case)
    ]
    far = datetime.max.replace(tzinfo=city.now.tzinfo)
    kept = [row for row in rows if row["late"]] if wanted.late else rows
    return sorted(kept, key=lambda row: (row["due"] or far, row["case"]))


def _row(city: View, number: str, case: Case, clocks: Clocks) -> dict[str, Any]:
    running = [
        (clock.run.due, name) for name, clock in clocks.clocks.items() if clock.run.due and not clock.paused
    ]
    due, name = min(running, default=(None, ""))
    return {
        "case": number,
        "state": case.state,
        "matter": case.matter or case.matter_hint,
        "lead": case.lead,
        "clock": name,
        "due": due,
        "late": due is not None and due <= city.now and case.state is not State.WRITTEN_OFF,
        "reports": len(case.reports),
    }


def _line(city: View, row: dict[str, Any]) -> Sequence[Any]:
    bundle, due = city.bundle, city.local(row["due"])[5:]
    matter = bundle.matters.get(row["matter"]) if bundle and row["matter"] else None
    lead = bundle.units.get(row["lead"]) if bundle and row["lead"] else None
    return (
        row["case"],
        words.state_words(row["state"]),
        matter.name if matter else row["matter"],
        lead.name if lead else row["lead"],
        words.clock(row["clock"]) if row["clock"] else "",
        Text(due, style="red") if row["late"] else due,
    )


def _full(record: Record) -> dict[str, Any]:
    head = frame(record.body)
    return {
        "id": head.id,
        "type": head.type,
        "time": head.time,
        "cause": msgspec.to_builtins(record.cause.id),
        "sender": f"{record.cause.sender.kind} {record.cause.sender.id}",
        "rules": record.rules,
        "trace": record.trace,
        "data": msgspec.json.decode(head.data),
        "state": getattr(trusted(record.body).message, "state", ""),
    }


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
