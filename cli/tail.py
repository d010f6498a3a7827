"""`gridcase tail`: what a city decides, as it decides it."""

import asyncio
import sys
from collections.abc import Iterable
from typing import Annotated, Any

import msgspec
import typer
from rich.text import Text

from cli.opening import look
from cli.options import AsJson, Database, one_of
from cli.output import NotThere, console
from cli.reading import NAMES, View
from cli.timeline import Entry, Teller
from kernel.journal import RULES_STREAM, Record
from schemas.wire import trusted

_LOOK_SECONDS = 0.5


def tail(
    processor: Annotated[
        list[str] | None,
        typer.Option(
            help="Of this processor, e.g. router.case (the default) or sla.clock; several.",
            autocompletion=one_of(NAMES),
        ),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Of every processor.")] = False,
    last: Annotated[int, typer.Option(min=0, help="Begin with so many that are there.")] = 20,
    follow: Annotated[
        bool, typer.Option("--follow/--no-follow", help="Wait for more until stopped (Ctrl-C).")
    ] = True,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Follow the events (事件) of a city: one line each, or one JSON object each."""
    chosen = list(NAMES) if everything else processor or ["router.case"]
    unknown = [name for name in chosen if name not in NAMES]
    if unknown:
        raise NotThere(what=f"processor {', '.join(unknown)}", do=f"take one of {', '.join(NAMES)}")
    look(database, lambda city: following(city, chosen, last, follow=follow, as_json=as_json))


async def following(city: View, processors: Iterable[str], last: int, *, follow: bool, as_json: bool) -> None:
    """Print the last rows, then every new one until interrupted."""
    reached: dict[str, dict[int, int]] = {name: {} for name in processors}
    rows = await _news(city, reached)
    _print(city, rows[len(rows) - min(last, len(rows)) :], as_json=as_json)
    while follow:
        await asyncio.sleep(_LOOK_SECONDS)
        _print(city, await _news(city, reached), as_json=as_json)


async def _news(city: View, reached: dict[str, dict[int, int]]) -> list[tuple[str, Record]]:
    """What is new in all partitions, in the order of its decision; the rules' own rows are left out."""
    found = [
        (name, record)
        for name, partitions in reached.items()
        async for record in city.after(name, partitions)
        if not record.stream.startswith(RULES_STREAM)
    ]
    return sorted(found, key=lambda item: item[1].now)


def _print(city: View, rows: Iterable[tuple[str, Record]], *, as_json: bool) -> None:
    teller = Teller(city.bundle, city.local)
    for name, record in rows:
        if as_json:
            sys.stdout.write(msgspec.json.encode(_value(name, record)).decode() + "\n")
        else:
            console.print(_line(city, record, teller.entry(record)))
    sys.stdout.flush()


def _line(city: View, record: Record, entry: Entry) -> Text:
    line = Text(f"{city.local(entry.at)[5:]}  ", style="dim")
    line.append(f"{record.stream}/{entry.version}  ", style="cyan")
    line.append(
        f"{entry.event}  ",
        style="bold red" if "Refused" in entry.event or "Breach" in entry.event else "bold",
    )
    return line.append(entry.said, style="default")


def _value(processor: str, record: Record) -> dict[str, Any]:
    head, message = trusted(record.body)
    return {
        "processor": processor, "partition": record.partition, "seq": record.seq,
        "id": head.id, "type": head.type, "time": head.time, "data": msgspec.to_builtins(message),
    }  # fmt: skip
