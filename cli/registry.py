"""`gridcase registry`: the admission register (事务准入) for people to read, entry by entry."""

from collections.abc import Sequence
from typing import Annotated, Any, Final

import msgspec
import typer
from rich.table import Table
from rich.text import Text

from cli import words
from cli.opening import look
from cli.options import AsJson, Database, one_of
from cli.output import NotThere, emit, facts, table
from cli.reading import View, folded
from cli.timeline import Teller, timeline
from rules.admission import Entry as Line
from rules.registering import entry_of
from rules.validity import FIRST_DAY, LAST_DAY
from schemas.entry.states import EntryState
from services.registry.entry.parties import PARTIES
from services.registry.entry.processor import REGISTRY_ENTRY
from services.registry.entry.state import Dossier, Version

app: Final = typer.Typer(help="Read the admission register (事务准入).", no_args_is_help=True)


@app.command("show")
def show(
    entry: Annotated[str, typer.Argument(metavar="ENTRY", help="Id of the entry, such as AST-31.")],
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Where an entry stands: its version in force, the one under way, the register, and all that happened."""
    emit(*look(database, lambda city: shown(city, entry)), as_json=as_json)


@app.command("list")
def list_(
    state: Annotated[
        str,
        typer.Option(
            help="Only this state, for example reviewing.", autocompletion=one_of(words.ENTRY_STATES)
        ),
    ] = "",
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """All entries that went through the workflow, and where each of them stands."""
    emit(*look(database, lambda city: listed(city, state)), as_json=as_json)


async def shown(city: View, name: str) -> tuple[Any, ...]:
    """One entry, for programs and for people."""
    records = await city.history(REGISTRY_ENTRY.name, name)
    lines = city.bundle.register.versions(name) if city.bundle else ()
    if not records and not lines:
        raise NotThere(what=f"entry {name}", do="gridcase registry list, or rules show BUNDLE entries")
    dossier: Dossier = folded(REGISTRY_ENTRY, records)
    teller = Teller(city.bundle, city.local)
    entries = [teller.entry(record) for record in records]
    value = {
        "entry": name,
        "state": _state(city, dossier, lines),
        "workflow": msgspec.to_builtins(dossier),
        "register": [msgspec.to_builtins(line) for line in lines],
        "events": [entry._asdict() for entry in entries],
    }
    pages: list[Any] = [_facts(city, name, dossier, lines), ""]
    pages.append(_register(city, lines) if lines else "not in the register in force 未登记")
    if entries:
        pages.append(timeline("history 经过", entries, city.local, words.entry_state))
    return value, *pages


async def listed(city: View, state: str) -> tuple[Any, Table]:
    """All entries of the workflow, for programs and for people."""
    dossiers: dict[str, Dossier] = dict(await city.all_states(REGISTRY_ENTRY))
    rows: list[dict[str, Any]] = [
        {
            "entry": name,
            "state": dossier.state,
            "version": dossier.last,
            "under_way": dossier.coming.state if dossier.coming and dossier.current else "",
            "matter": _text(dossier).matter if _text(dossier) else "",
            "area": _text(dossier).area if _text(dossier) else "",
        }
        for name, dossier in sorted(dossiers.items())
        if dossier.last and state in ("", dossier.state)
    ]
    lines = [
        (row["entry"], words.entry_state(row["state"]), row["version"], words.entry_state(row["under_way"]),
         words.matter(city.bundle, row["matter"]), row["area"])
        for row in rows
    ]  # fmt: skip
    heads = ("entry", "state", "version", "under way", "matter 事项", "area")
    return rows, table(f"{len(rows)} entries", heads, lines, right=(2,), whole=(0, 1))


def _text(dossier: Dossier) -> Any:
    version = dossier.current or dossier.coming
    return version.row.text if version else None


def _state(city: View, dossier: Dossier, lines: Sequence[Line]) -> str:
    """Where it stands by the workflow, else by the register alone: an entry that came with the bundle."""
    if dossier.last or not city.bundle:
        return dossier.state
    day = city.bundle.day(city.now)
    return lines[0].state if any(line.in_force(day) for line in lines) else EntryState.EXPIRED.value


def _facts(city: View, name: str, dossier: Dossier, lines: Sequence[Line]) -> Table:
    version = dossier.current or dossier.coming
    line = entry_of(version.row) if version else (lines[0] if lines else None)
    rows: list[tuple[str, Any]] = [("state", words.entry_state(_state(city, dossier, lines)))]
    if line is not None:
        rows += _says(city, line)
    if dossier.coming is not None:
        rows += _coming(city, dossier.coming)
    if dossier.asked:
        rows.append(
            ("asked 待登记", ", ".join(f"{one.what} of version {one.version}" for one in dossier.asked))
        )
    return facts(f"entry 准入条目 {name}", rows)


def _says(city: View, line: Line) -> list[tuple[str, Any]]:
    bundle, money = city.bundle, line.funding
    proof = (
        f"{money.proof_id}, {money.covers_from} – {money.covers_to}" if money.proof_id else "no proof 无凭证"
    )
    return [
        ("list 清单", f"{line.kind} ({line.role})"),
        ("matter 事项", words.matter(bundle, line.matter)),
        ("area 区域", words.area(bundle, line.area)),
        ("level 层级", line.unit_level),
        ("version 版本", line.version),
        ("basis 依据", "、".join(line.legal_basis)),
        ("duties 职责", line.duties),
        ("applicant 申请单位", words.unit(bundle, line.applicant)),
        ("guided by 指导部门", words.unit(bundle, line.guiding_dept)),
        ("valid 有效期", _days(line)),
        ("funding 经费", proof if line.role in ("assist", "entrusted") else ""),
        ("order 令号", line.order_number),
    ]


def _coming(city: View, coming: Version) -> list[tuple[str, Any]]:
    said = {one.party: one for one in coming.opinions}
    parties = ", ".join(
        f"{party} {'agrees' if said[party].agrees else 'disagrees'}" for party in PARTIES if party in said
    )
    return [
        ("under way 流程中", f"version {coming.number}: {words.entry_state(coming.state)}"),
        ("opinions 意见", parties),
        ("decide by 审批期限", city.local(coming.decide)),
        ("notice until 公示至", city.local(coming.ends)),
        ("open objections 未答复异议", ", ".join(map(str, coming.open))),
    ]


def _register(city: View, lines: Sequence[Line]) -> Table:
    """What stands in the register in force, the newest version first."""
    day = city.bundle.day(city.now) if city.bundle else None
    rows = [
        (
            line.version,
            line.state,
            _days(line),
            _standing(line, day),
            line.exit_reason,
        )
        for line in lines
    ]
    return table(
        "register in force 现行登记", ("version", "state", "valid", "today", "reason"), rows, right=(0,)
    )


def _days(line: Line) -> str:
    """The days of a line; an end or a beginning that nobody gave is left open."""
    first = "" if line.valid_from == FIRST_DAY else line.valid_from.isoformat()
    last = "" if line.valid_to == LAST_DAY else line.valid_to.isoformat()
    return f"{first} – {last}"


def _standing(line: Line, day: Any) -> Text:
    if day is None or not line.in_force(day):
        return Text("not in force", style="dim")
    return (
        Text("in force 有效", style="green")
        if line.funded(day)
        else Text("unfunded 经费未到位", style="yellow")
    )
