"""`gridcase explain`: why this unit, and why this deadline, from what the events themselves cite."""

from collections.abc import Iterator
from typing import Annotated, Any

import msgspec
import typer
from rich.text import Text

from cli import words
from cli.opening import look
from cli.options import AsJson, CaseNumber, Database, Language, Tongue, one_of
from cli.output import NotThere, emit, table
from cli.reading import View
from rules.bundle import Bundle
from rules.clocks import LAWS
from rules.workdays import Calendar
from schemas.sla import ClocksSet, DeadlinesRecomputed
from schemas.wire import trusted
from services.router import explain as routing
from services.sla import explain as timing
from services.sla import words as timing_words

app = typer.Typer(help="Explain decisions (说明).", no_args_is_help=True)


@app.command("route")
def route(
    number: CaseNumber, language: Language = Tongue.EN, database: Database = None, as_json: AsJson = False
) -> None:
    """Every unit that was looked at, the step and entry that decided, and who leads (派遣说明)."""
    emit(*look(database, lambda city: routed(city, number, language)), as_json=as_json)


@app.command("deadline")
def deadline(
    number: CaseNumber,
    clock: Annotated[
        str,
        typer.Option(
            help="Only this clock, for example handle; else all of them.", autocompletion=one_of(LAWS)
        ),
    ] = "",
    language: Language = Tongue.EN,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Every stretch that a clock counted and skipped, with calendar and limit (时限说明)."""
    emit(*look(database, lambda city: timed(city, number, clock, language)), as_json=as_json)


async def routed(city: View, number: str, language: str) -> tuple[Any, ...]:
    """The findings of a case, for programs and for people."""
    _, records = await city.case(number)
    events = [trusted(record.body).message for record in records]
    plain = routing.routes(events)
    bundles = {one.edition: await city.edition(one.edition) for one in plain}
    found = [
        routing.routes(events, lambda code, bundle=bundles[one.edition]: _name(bundle, code))[place]
        for place, one in enumerate(plain)
    ]
    page: list[Any] = []
    for place, one in enumerate(found, 1):
        bundle = bundles[one.edition]
        title = (
            f"finding 准入裁定 {place} of {len(found)} · {city.local(one.t)} · "
            f"{words.matter(bundle, one.matter)} · {words.area(bundle, one.area)} · "
            f"mode {one.mode} · edition {one.edition[:12]}"
        )
        page += [Text(title, style="bold"), *(Text(f"  {line}") for line in routing.lines(one, language)), ""]
    if not page:
        page.append(f"case {number} has not been routed: no finding (准入裁定) is on record yet")
    return msgspec.to_builtins(found), *page


async def timed(city: View, number: str, clock: str, language: str) -> tuple[Any, ...]:
    """The runs of the clocks of a case, for programs and for people."""
    await city.case(number)
    _, records = await city.clocks(number)
    history = [timing.Told(record.now, trusted(record.body).message) for record in records]
    clocks = timing.clocks_of(history)
    if clock and clock not in clocks:
        raise NotThere(
            what=f"clock {clock} of case {number}", do=f"take one of {', '.join(clocks) or 'none'}"
        )
    calendars = await _calendars(city, history)
    runs = [
        run
        for name in clocks
        if clock in {"", name}
        for run in timing.explain(history, name, calendars.get, city.now)
    ]
    page: list[Any] = []
    for run in runs:
        head, *rest = timing_words.lines(run, lambda moment: moment.astimezone(city.zone), language)
        page += [Text(head, style="bold"), *(Text(line) for line in rest), ""]
    if not clock:
        page.insert(0, _overview(city, runs))
    return msgspec.to_builtins(runs), *page


def _overview(city: View, runs: list[timing.Explanation]) -> Any:
    rows = [
        (
            words.clock(run.clock),
            run.term.text if run.term else "",
            city.local(run.started),
            city.local(run.due),
            run.state,
            _left(run.rest),
        )
        for run in runs
    ]
    return table("clocks 时限", ("clock", "limit", "from", "due", "state", "left"), rows)


def _left(seconds: int | None) -> Text:
    """Minutes left of a limit, or late in red."""
    if seconds is None:
        return Text("")
    hours, minutes = divmod(abs(seconds) // 60, 60)
    return (
        Text(f"{hours} h {minutes:02} min")
        if seconds >= 0
        else Text(f"{hours} h {minutes:02} min late", style="red")
    )


async def _calendars(city: View, history: list[timing.Told]) -> dict[str, Calendar]:
    """The calendars that the clocks name, each of the very version, from the editions that they cite."""
    found: dict[str, Calendar] = {}
    for edition, version in set(_cited(history)):
        bundle = await city.edition(edition)
        calendar = bundle.calendars.of_version(version) if bundle else None
        if calendar is not None:
            found[version] = calendar
    return found


def _cited(history: list[timing.Told]) -> Iterator[tuple[str, str]]:
    for told in history:
        event = told.event
        if isinstance(event, ClocksSet):
            yield from (
                (event.edition, run.calendar) for run in (*event.started, *event.resumed) if run.calendar
            )
        elif isinstance(event, DeadlinesRecomputed):
            yield from (
                (event.edition, moved.after.calendar) for moved in event.moved if moved.after.calendar
            )


def _name(bundle: Bundle | None, code: str) -> str:
    found = bundle.units.get(code) if bundle and code else None
    return found.name if found else code
