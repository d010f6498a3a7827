"""`gridcase held`: parked and dead messages (搁置), why they lie there, and how they are taken up again."""

from typing import Annotated, Any, NamedTuple

import msgspec
import typer
from rich.text import Text

from cli import words
from cli.opening import look, take_up
from cli.options import AsJson, Database
from cli.output import NotThere, emit, facts, table
from cli.reading import View
from kernel.edge import EDGE
from kernel.journal import Held, HeldKind

app = typer.Typer(help="Look at messages set aside (搁置), and take them up again.", no_args_is_help=True)
Which = Annotated[
    list[str] | None, typer.Argument(metavar="ID…", help="As `held list` shows it, e.g. intake.reader/3/1.")
]
Stream = Annotated[str, typer.Option(help="Only this stream, e.g. a case number.")]


class Item(NamedTuple):
    """One held message and the processor that holds it."""

    processor: str
    held: Held

    @property
    def id(self) -> str:
        """`intake.reader/3/1`: processor, partition, number."""
        return f"{self.processor}/{self.held.partition}/{self.held.id}"


@app.command("list")
def list_(stream: Stream = "", database: Database = None, as_json: AsJson = False) -> None:
    """All held messages: dead letters (死信) block nothing, a parked one (挂起) holds its stream."""
    emit(*look(database, lambda city: listed(city, stream)), as_json=as_json)


@app.command("show")
def show(
    which: Annotated[str, typer.Argument(metavar="ID")], database: Database = None, as_json: AsJson = False
) -> None:
    """One held message in full: reason, cause and bytes."""
    emit(*look(database, lambda city: shown(city, which)), as_json=as_json)


@app.command("redrive")
def redrive(
    which: Which = None,
    everything: Annotated[bool, typer.Option("--all", help="All dead letters.")] = False,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Order dead letters (死信) to be decided anew, once their cause is mended."""
    value, said = look(
        database, lambda city: ordered(city, HeldKind.DEAD, which or [], everything=everything)
    )
    edges = {int(one.split("/")[1]) for one in value["messages"] if one.startswith(f"{EDGE}/")}
    if edges:
        value["passed_the_edge"] = take_up(database, sorted(edges))
        said = f"{said}; {value['passed_the_edge']} passed the edge now"
    emit(value, said, as_json=as_json)


@app.command("unpark")
def unpark(
    which: Annotated[
        list[str] | None, typer.Argument(metavar="STREAM…", help="Parked streams, e.g. case numbers.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All parked streams.")] = False,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Order parked streams (挂起) to go on, after the bug is mended; their messages are decided in order."""
    emit(
        *look(database, lambda city: ordered(city, HeldKind.PARKED, which or [], everything=everything)),
        as_json=as_json,
    )


async def listed(city: View, stream: str) -> tuple[Any, ...]:
    """The held messages, for programs and for people: what is parked first."""
    items = sorted(await _items(city, stream), key=lambda item: item.held.kind is HeldKind.DEAD)
    rows = [
        (
            item.id,
            _kind(item.held),
            city.local(item.held.now)[5:],
            Text(f"{words.message(item.held.type)} of {item.held.stream}\n{item.held.reason}"),
        )
        for item in items
    ]
    parked = sum(item.held.kind is HeldKind.PARKED for item in items)
    title = f"held messages 搁置: {parked} parked 挂起, {len(items) - parked} dead 死信"
    columns = ("id", "kind", "since", "message, and why it lies here")
    return [_value(item) for item in items], table(title, columns, rows, whole=(0, 1, 2))


async def shown(city: View, which: str) -> tuple[Any, ...]:
    """One held message, for programs and for people."""
    item = next((item for item in await _items(city) if item.id == which), None)
    if item is None:
        raise NotThere(what=f"held message {which}", do="gridcase held list shows the ids")
    held, cause = item.held, item.held.cause
    dead = held.kind is HeldKind.DEAD
    do = (
        f"mend the cause, then gridcase held redrive {item.id}"
        if dead
        else f"mend the bug, then gridcase held unpark {held.stream}"
    )
    page = facts(
        f"held message {item.id}",
        [
            ("kind", _kind(held)),
            ("reason", held.reason),
            ("stream", held.stream),
            ("since", city.local(held.now)),
            ("message", words.message(held.type)),
            (
                "came from",
                f"{cause.sender.kind} {cause.sender.id} · {cause.topic} at {cause.offset} · {cause.id}",
            ),
            ("received", city.local(cause.received)),
            ("rules", held.rules),
            ("ordered", "yes, waits for its worker" if held.ordered else ""),
            ("do", "" if held.ordered else do),
        ],
    )
    return _value(item), page, "", Text(_pretty(held.body))


async def ordered(city: View, kind: HeldKind, which: list[str], *, everything: bool) -> tuple[Any, ...]:
    """Order messages to be taken up: dead ones by id, parked ones by stream."""
    if bool(which) is everything:
        raise typer.BadParameter("name what to take up, or say --all")
    items = [item for item in await _items(city) if item.held.kind is kind]
    names = [item.id if kind is HeldKind.DEAD else item.held.stream for item in items]
    missing = sorted(set(which) - set(names))
    if missing:
        what = "dead letter" if kind is HeldKind.DEAD else "parked stream"
        raise NotThere(what=f"{what} {', '.join(missing)}", do="gridcase held list shows what is there")
    chosen = [item for item, name in zip(items, names, strict=True) if everything or name in which]
    count = 0
    for processor in sorted({item.processor for item in chosen}):
        places = [(item.held.partition, item.held.id) for item in chosen if item.processor == processor]
        count += await city.journals[processor].order(places)
    said = f"{count} ordered; a running city takes them up within a second, else the next `gridcase run` does"
    return {"ordered": count, "messages": [item.id for item in chosen]}, said


async def _items(city: View, stream: str = "") -> list[Item]:
    return [
        Item(processor, held)
        for processor, journal in city.journals.items()
        async for held in journal.held(stream or None)
    ]


def _kind(held: Held) -> Text:
    parked = held.kind is HeldKind.PARKED
    words_ = "parked 挂起" if parked else "dead 死信"
    return Text(f"{words_}{' (ordered)' if held.ordered else ''}", style="red" if parked else "yellow")


def _value(item: Item) -> dict[str, Any]:
    held = item.held
    return {
        "id": item.id, "kind": held.kind, "stream": held.stream, "reason": held.reason, "type": held.type,
        "since": held.now, "ordered": held.ordered,
        "sender": f"{held.cause.sender.kind} {held.cause.sender.id}",
        "cause": held.cause.id, "rules": held.rules, "body": held.body.decode("utf-8", "backslashreplace"),
    }  # fmt: skip


def _pretty(body: bytes) -> str:
    """JSON with its structure; what is no JSON as it is, with escapes."""
    try:
        return msgspec.json.format(body, indent=2).decode()
    except (msgspec.DecodeError, UnicodeDecodeError):
        return body.decode("utf-8", "backslashreplace")
