"""`gridcase held`: parked and dead messages (搁置), why they lie there, and how they are taken up again."""

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, NamedTuple

import msgspec
import typer
from rich.text import Text

from cli import words
from cli.opening import account, look, take_up
from cli.options import AsJson, Database, Yes
from cli.output import Exit, NotThere, emit, facts, table
from cli.reading import View
from kernel.edge import EDGE
from kernel.errors import Fault
from kernel.journal import Held, HeldKind
from kernel.letters import SEALED, name_of
from schemas.refusal import Refusal

app = typer.Typer(help="Look at messages set aside (搁置), and take them up again.", no_args_is_help=True)
Which = Annotated[
    list[str] | None, typer.Argument(metavar="ID…", help="As `held list` shows it, e.g. intake.reader/3/1.")
]
One = Annotated[str, typer.Argument(metavar="ID", help="As `held list` shows it, e.g. edge/0/1.")]
Stream = Annotated[str, typer.Option(help="Only this stream, e.g. a case number.")]


class NobodyCanRead(Fault):
    """{what}: expected a letter that can be opened, found {found}. Nothing was ordered. Do: let whoever sent
    it send it again, under the same id.
    """

    exit_code: ClassVar[int] = Exit.DIFFERENT


class LiesInClear(Fault):
    """{what}: expected a sealed letter, found one that an earlier release stored in clear. Do: gridcase held
    redrive {what}, then erase what it becomes if it does not pass.
    """

    exit_code: ClassVar[int] = Exit.DIFFERENT


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
def show(which: One, database: Database = None, as_json: AsJson = False) -> None:
    """One held message in full: reason, cause and bytes. Opening a sealed letter is put on record."""
    emit(*look(database, lambda city: shown(city, which)), as_json=as_json)


@app.command("erase")
def erase(which: One, yes: Yes = False, database: Database = None, as_json: AsJson = False) -> None:
    """Forget the secret of a dead letter of the edge for good; who did it and when is put on record."""
    if not yes:
        typer.confirm(f"Forget the bytes of {which} for ever?", abort=True, err=True)
    look(database, lambda city: erased(city, which))
    emit({"id": which, "erased": True}, f"{which}: forgotten 已删除", as_json=as_json)


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
    values = [_value(item, None if item.held.type == SEALED else item.held.body) for item in items]
    return values, table(title, columns, rows, whole=(0, 1, 2))


async def shown(city: View, which: str) -> tuple[Any, ...]:
    """One held message, for programs and for people; what a sealed letter says, if it can be opened."""
    item = await _item(city, which)
    held, cause = item.held, item.held.cause
    body = await city.letters.read(held, account(), f"gridcase held show {item.id}", city.now)
    page = facts(
        f"held message {item.id}",
        [
            ("kind", _kind(held)),
            ("reason", held.reason),
            ("stream", held.stream),
            ("since", city.local(held.now)),
            ("message", words.message(held.type)),
            ("sealed by", name_of(held)),
            (
                "came from",
                f"{cause.sender.kind} {cause.sender.id} · {cause.topic} at {cause.offset} · {cause.id}",
            ),
            ("received", city.local(cause.received)),
            ("rules", held.rules),
            ("ordered", "yes, waits for its worker" if held.ordered else ""),
            ("do", "" if held.ordered or isinstance(body, Refusal) else _do(item)),
        ],
    )
    if not isinstance(body, Refusal):
        return _value(item, body), page, "", Text(_pretty(body))
    why = await _why_closed(city, held, body)
    return {**_value(item, None), "unreadable": why}, page, "", Text(why)


async def erased(city: View, which: str) -> None:
    """Forget one dead letter of the edge."""
    item = await _item(city, which)
    if item.processor != EDGE:
        raise NotThere(
            what=f"secret of {which}: only letters of the edge have one of their own",
            do="gridcase personal erase SOURCE/ID of the report",
        )
    if item.held.type != SEALED:
        raise LiesInClear(what=which)
    if not await city.letters.erase(item.held, account(), f"gridcase held erase {which}", city.now):
        raise NotThere(what=f"secret of {which}", do="nothing: it is forgotten already")


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
    closed = await _closed(city, chosen)
    if closed and not everything:
        raise NobodyCanRead(what=", ".join(closed), found="; ".join(sorted({*closed.values()})))
    chosen = [item for item in chosen if item.id not in closed]
    count = 0
    for processor in sorted({item.processor for item in chosen}):
        places = [(item.held.partition, item.held.id) for item in chosen if item.processor == processor]
        count += await city.journals[processor].order(places)
    said = f"{count} ordered; a running city takes them up within a second, else the next `gridcase run` does"
    if closed:
        said = f"{said}; left alone: {', '.join(closed)}, which nobody can open"
    return {"ordered": count, "messages": [item.id for item in chosen], "left": list(closed)}, said


async def _closed(city: View, items: Sequence[Item]) -> dict[str, str]:
    """The letters among them that nobody can open any more, each with the reason in a line."""
    answers = [(item, await city.letters.open(item.held)) for item in items]
    return {
        item.id: await _why_closed(city, item.held, answer)
        for item, answer in answers
        if isinstance(answer, Refusal)
    }


async def _why_closed(city: View, held: Held, refusal: Refusal) -> str:
    """Why a letter cannot be opened, in one line; of an erased one by whom and when."""
    by = next((one for one in await city.letters.accesses(held) if one.answer == "erased"), None)
    if refusal.code == "erased" and by is not None:
        return f"erased 已删除 by {by.reader} on {city.local(by.at)}: nobody can read its bytes"
    return f"{words.refusal(refusal)}: nobody can read its bytes"


async def _item(city: View, which: str) -> Item:
    item = next((item for item in await _items(city) if item.id == which), None)
    if item is None:
        raise NotThere(what=f"held message {which}", do="gridcase held list shows the ids")
    return item


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


def _do(item: Item) -> str:
    if item.held.kind is HeldKind.DEAD:
        return f"mend the cause, then gridcase held redrive {item.id}"
    return f"mend the bug, then gridcase held unpark {item.held.stream}"


def _value(item: Item, body: bytes | None) -> dict[str, Any]:
    """For programs; a sealed letter has a body only where it was opened."""
    held = item.held
    return {
        "id": item.id, "kind": held.kind, "stream": held.stream, "reason": held.reason, "type": held.type,
        "since": held.now, "ordered": held.ordered,
        "sender": f"{held.cause.sender.kind} {held.cause.sender.id}",
        "cause": held.cause.id, "rules": held.rules,
        "body": None if body is None else body.decode("utf-8", "backslashreplace"),
    }  # fmt: skip


def _pretty(body: bytes) -> str:
    """JSON with its structure; what is no JSON as it is, with escapes."""
    try:
        return msgspec.json.format(body, indent=2).decode()
    except (msgspec.DecodeError, UnicodeDecodeError):
        return body.decode("utf-8", "backslashreplace")
