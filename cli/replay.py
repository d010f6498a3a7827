"""`gridcase replay`: take every decision again from the journals alone, and compare the bytes."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar

import typer
from rich.table import Table
from rich.text import Text

from cli import words
from cli.opening import look
from cli.options import AsJson, Database, one_of
from cli.output import Exit, NotThere, bar, emit, facts, table
from cli.reading import NAMES, View
from cli.topology import DOORS, PERFORMING, PROCESSORS
from kernel.editions import rules_of
from kernel.errors import Fault
from kernel.hosts.replay import Difference, Replayer, Verdict, traffic
from kernel.journal import Record
from kernel.page import partitions_of
from rules.inforce import Rules
from schemas.wire import Unreadable, frame


class ReplayDiffers(Fault):
    """{count} rows differ, the first {processor}/{partition} seq {seq} ({code}): expected what is on
    record, found another. Do: compare release and editions with those of that time; the record was
    changed, or the code that decided it.
    """

    exit_code: ClassVar[int] = Exit.DIFFERENT


def replay(
    processor: Annotated[
        list[str] | None,
        typer.Option(help="Only this processor, e.g. router.case; several.", autocompletion=one_of(NAMES)),
    ] = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Decide again (重放) on recorded inputs, order, time and editions: equal, or where it differs."""
    unknown = [name for name in processor or () if name not in NAMES]
    if unknown:
        raise NotThere(what=f"processor {', '.join(unknown)}", do=f"take one of {', '.join(NAMES)}")
    verdicts = look(database, lambda city: replayed(city, processor or list(NAMES), quiet=as_json))
    differences = [one for verdict in verdicts for one in verdict.differences]
    pages = [_page(verdicts), *([_first(differences[0])] if differences else [])]
    emit([_value(verdict) for verdict in verdicts], *pages, as_json=as_json)
    if differences:
        first = differences[0]
        raise ReplayDiffers(
            count=len(differences),
            processor=first.processor,
            partition=first.partition,
            seq=first.seq,
            code=first.code,
        )


async def replayed(city: View, names: Sequence[str], *, quiet: bool) -> Sequence[Verdict]:
    """The verdict on each processor; what the world answered is taken from the record, not asked again."""
    with bar(hidden=quiet) as progress:
        reading = progress.add_task("read 读取", total=len(city.journals))
        histories: dict[str, Mapping[int, Sequence[Record]]] = {}
        for name in city.journals:
            histories[name] = await _rows(city, name)
            progress.advance(reading)
        sent = traffic(
            PROCESSORS, histories, city.partitions, {kind: door.topic.name for kind, door in DOORS.items()}
        )
        rules = await _rules(city)
        deciding = progress.add_task("decide again 重放", total=len(names))
        verdicts: list[Verdict] = []
        for name in names:
            verdicts.append(Replayer(NAMES[name], rules, sent, PERFORMING.get(name)).replay(histories[name]))
            progress.advance(deciding)
    return verdicts


async def _rows(city: View, name: str) -> Mapping[int, Sequence[Record]]:
    """All rows of a journal by partition."""
    found: dict[int, Sequence[Record]] = {}
    for partition in partitions_of(name, city.partitions):
        rows = [record async for record in city.journals[name].records(partition)]
        if rows:
            found[partition] = rows
    return found


async def _rules(city: View) -> Mapping[int, Rules]:
    if city.editions is None:
        return {}
    latest = await city.editions.latest()
    return {number: await rules_of(city.editions, number) for number in range(1, latest + 1)}


def _page(verdicts: Sequence[Verdict]) -> Table:
    rows = [
        (
            one.processor,
            f"{one.inputs:,}",
            f"{one.events:,}",
            f"{one.equal:,}",
            f"{len(one.differences):,}",
            _word(one),
        )
        for one in verdicts
    ]
    total = (
        "all",
        f"{sum(one.inputs for one in verdicts):,}",
        f"{sum(one.events for one in verdicts):,}",
        f"{sum(one.equal for one in verdicts):,}",
        f"{sum(len(one.differences) for one in verdicts):,}",
        "",
    )
    columns = ("processor", "inputs", "events", "equal 一致", "different 不一致", "verdict")
    return table("replay 重放", columns, [*rows, total], right=(1, 2, 3, 4))


def _word(verdict: Verdict) -> Text:
    if verdict.differences:
        return Text("different", style="red")
    if verdict.outside:
        return Text("equal, on the world's recorded answers", style="green")
    return Text("equal", style="green") if verdict.events else Text("empty", style="dim")


def _first(difference: Difference) -> Table:
    place = f"{difference.processor}/{difference.partition} seq {difference.seq}"
    rows = [
        ("code", difference.code),
        ("on record", difference.expected),
        ("decided again", difference.found),
    ]
    return facts(f"first difference: {place} {_what(difference)}".strip(), rows)


def _what(difference: Difference) -> str:
    """The event in question, where the record is one."""
    try:
        return words.message(frame(difference.expected.encode()).type)
    except Unreadable:
        return ""


def _value(verdict: Verdict) -> dict[str, Any]:
    return {
        "processor": verdict.processor, "inputs": verdict.inputs, "events": verdict.events,
        "equal": verdict.equal, "outside": verdict.outside, "different": len(verdict.differences),
        "differences": [one._asdict() for one in verdict.differences[:20]],
    }  # fmt: skip
