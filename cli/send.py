"""`gridcase send`: a report, a file of reports, or the command of a post, through the edge."""

import asyncio
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, NamedTuple, get_args

import msgspec
import typer
from rich.text import Text

from cli import words
from cli.opening import Doorway, act
from cli.options import AsJson, Database, one_of
from cli.output import Exit, NotThere, bar, emit, table
from cli.reading import View
from cli.timeline import Teller
from kernel.edge import EDGE, Edge, EdgeFenced, Receipt, Submission
from kernel.errors import Fault, NoSuchEdition
from kernel.processor import AnyProcessor, Sender
from schemas.case.opening import CommandRefused
from schemas.case.union import CaseCommand
from schemas.entry.commands import EntryCommand
from schemas.entry.events import EntryCommandRefused
from schemas.envelope import Envelope
from schemas.intake import CaseNumbered, ReportAccepted, ReportConflicting, ReportDead, ReportMerged
from schemas.report import GridReport, Position, Reporter
from schemas.switching import SwitchMode, SwitchRefused
from schemas.wire import TYPE_OF, Unreadable, encode, frame, trusted
from services.intake.desk.processor import DESK
from services.intake.reader.processor import READER
from services.registry.entry.processor import REGISTRY_ENTRY
from services.registry.mode.processor import REGISTRY_MODE
from services.router.processor import ROUTER_CASE

DECIDERS: Final[Mapping[type[Any], AnyProcessor]] = {
    **dict.fromkeys(get_args(CaseCommand), ROUTER_CASE),
    **dict.fromkeys(get_args(EntryCommand), REGISTRY_ENTRY),
    SwitchMode: REGISTRY_MODE,
}
"""Which processor decides a command that a post sends."""
COMMANDS: Final = {command.__name__: command for command in DECIDERS}
_ABOUT: Final = (
    (ROUTER_CASE, "--case NUMBER"), (REGISTRY_ENTRY, "--entry ID"), (REGISTRY_MODE, "--area CODE"),
)  # fmt: skip
"""Which option says what a command is about."""
_AT_ONCE: Final = 500
_LOOK_SECONDS: Final = 0.2
_PATIENCE: Final = 5
_PLACE: Final = "as LONGITUDE,LATITUDE in degrees, for example 123.4312,41.8021"


class NotSendable(Fault):
    """{what}: expected {expected}, found {found}. Nothing was sent. Do: {do}."""

    exit_code: ClassVar[int] = Exit.USAGE


class SomeRefused(Fault):
    """{refused} of {sent} were refused, the first: {first}. They are on record as dead letters. Do:
    gridcase held list, mend the cause, send again.
    """

    exit_code: ClassVar[int] = Exit.DIFFERENT


class NotDone(Fault):
    """{what}: on record, but not done: {why}."""

    exit_code: ClassVar[int] = Exit.DIFFERENT


class Sent(NamedTuple):
    """What became of one submission: its receipt, its stream, and what was decided, if it is known by now."""

    receipt: Receipt
    stream: str
    decider: str = ROUTER_CASE.name
    decided: str = ""
    case: str = ""
    not_done: str = ""


def send(  # one command, three things to send
    text: Annotated[str, typer.Option(help="The words of a report (上报).")] = "",
    file: Annotated[
        Path | None, typer.Option(help="CloudEvents as JSON lines, or a CSV with --mapping.")
    ] = None,
    command: Annotated[
        str, typer.Option(help="A command, for example SignCase.", autocompletion=one_of(COMMANDS))
    ] = "",
    case: Annotated[str, typer.Option(help="The case that the command is for.")] = "",
    entry: Annotated[str, typer.Option(help="The admission entry that the command is for.")] = "",
    post: Annotated[str, typer.Option("--as", help="The post (岗位) that sends the command.")] = "",
    data: Annotated[str, typer.Option(help="The command's fields as JSON.")] = "{}",
    channel: Annotated[str, typer.Option(help="Channel of the report.")] = "app",
    at: Annotated[str, typer.Option(metavar="LON,LAT", help="Where it is, WGS-84.")] = "",
    place: Annotated[str, typer.Option(help="Where it is, in words.")] = "",
    area: Annotated[str, typer.Option(help="Code of the area, of a report or of SwitchMode.")] = "",
    matter: Annotated[str, typer.Option(help="Code of the matter (事项), if known.")] = "",
    name: Annotated[str, typer.Option(help="Name of the reporter; sealed at the edge.")] = "",
    phone: Annotated[str, typer.Option(help="Telephone of the reporter; sealed at the edge.")] = "",
    source: Annotated[str, typer.Option(help="The source that sends.")] = "terminal",
    id_: Annotated[str, typer.Option("--id", help="Its own id; the same id again is the same report.")] = "",
    mapping: Annotated[Path | None, typer.Option(help="Which column of the CSV is what.")] = None,
    wait: Annotated[float, typer.Option(min=0, help="Seconds to wait for the decision.")] = 3.0,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Send a report (--text), a file (--file), or a command (--command --as, --case or --entry)."""
    if sum(map(bool, (text, file, command))) != 1:
        raise NotSendable(
            what="send", expected="one of --text, --file, --command", found="none or several", do="see --help"
        )
    if command:
        ready = [_command(command, (case, entry, area), post, data)]
    elif file is not None:
        ready = list(_file(file, mapping, source))
    else:
        report = GridReport(channel=channel, text=text, place=place, area=area, matter=matter)
        report = replace(report, position=position(at), reporter=_person(name, phone))
        ready = [_submission(Sender("source", source), source, id_ or secrets.token_hex(6), "report", report)]
    sent = act(database, lambda city: submitted(city, ready, wait, quiet=as_json))
    _report(sent, as_json=as_json)


def _person(name: str, phone: str) -> Reporter | None:
    return Reporter(name=name, phone=phone) if name or phone else None


async def submitted(city: Doorway, ready: Sequence[Submission], wait: float, *, quiet: bool) -> list[Sent]:
    """Put everything on record, let it be decided, and look up to `wait` seconds for what came of it."""
    if (await city.view()).bundle is None:
        raise NoSuchEdition("a city with rules in force", "a city without its first edition")
    receipts: list[Receipt] = []
    with bar(hidden=quiet or len(ready) < _AT_ONCE) as progress:
        task = progress.add_task("send 上报", total=len(ready))
        for start in range(0, len(ready), _AT_ONCE):
            chunk = ready[start : start + _AT_ONCE]
            receipts += await _accepted(city.edge, chunk)
            progress.advance(task, len(chunk))
    await city.settle()
    sent = [Sent(receipt, *_stream(one)) for receipt, one in zip(receipts, ready, strict=True)]
    if len(sent) > 1:
        return sent
    for _ in range(max(1, round(wait / _LOOK_SECONDS))):
        sent = [await _decided(await city.view(), city.edge.instance, one) for one in sent]
        if sent[0].decided or sent[0].receipt.refusal is not None or not wait:
            break
        await asyncio.sleep(_LOOK_SECONDS)
    return sent


async def _accepted(edge: Edge, chunk: Sequence[Submission]) -> Sequence[Receipt]:
    """On record, even if another terminal sends through the same edge at this moment."""
    for _ in range(_PATIENCE):
        try:
            return await edge.accept(chunk)
        except EdgeFenced:
            await asyncio.sleep(_LOOK_SECONDS)
    return await edge.accept(chunk)


async def _decided(city: View, instance: int, sent: Sent) -> Sent:
    """What the processor behind the door decided on this very message."""
    if sent.receipt.refusal is not None:
        return sent
    teller = Teller(city.bundle, city.local)
    records = await city.history(sent.decider, sent.stream)
    trace = await _trace(city, instance, sent.receipt.seq)
    own = [record for record in records if record.trace == trace]
    if not own:
        return sent
    entries = [teller.entry(record) for record in own]
    said = "; ".join(f"{entry.event}: {entry.said}".removesuffix(": ") for entry in entries)
    event = trusted(own[0].body).message
    if isinstance(event, ReportAccepted):
        case = await _case_of(city, event.report.desk, sent.stream)
        return sent._replace(
            decided=f"{words.message('ReportAccepted')} · {words.area(city.bundle, event.report.desk)}"
            if case
            else "",
            case=case,
        )
    no = (
        teller.why(event.refusal)
        if isinstance(
            event, CommandRefused | ReportDead | ReportConflicting | EntryCommandRefused | SwitchRefused
        )
        else ""
    )
    case = sent.stream if sent.decider == ROUTER_CASE.name else ""
    return sent._replace(decided=said, case=case, not_done=no)


async def _trace(city: View, instance: int, seq: int) -> str:
    """The trace that the edge gave to its row: what was decided on it carries the same."""
    async for row in city.journals[EDGE].records(instance, seq - 1):
        return row.trace
    return ""


async def _case_of(city: View, desk: str, report: str) -> str:
    """The case that the desk opened for a report or merged it into."""
    for record in reversed(await city.history(DESK.name, desk)):
        event = trusted(record.body).message
        if isinstance(event, CaseNumbered | ReportMerged) and event.report.report == report:
            return event.case
    return ""


def _report(sent: Sequence[Sent], *, as_json: bool) -> None:
    values = [
        {"id": one.receipt.id, "seq": one.receipt.seq, "stream": one.stream, "case": one.case,
         "decided": one.decided, "not_done": one.not_done,
         "refusal": msgspec.to_builtins(one.receipt.refusal)}
        for one in sent
    ]  # fmt: skip
    refused = [one for one in sent if one.receipt.refusal is not None]
    if len(sent) == 1:
        emit(values[0], *_one(sent[0]), as_json=as_json)
    else:
        rows = [("accepted 已收", len(sent) - len(refused)), ("refused 死信", len(refused))]
        emit(values, table(f"{len(sent)} sent", ("", "how many"), rows, right=(1,)), as_json=as_json)
    if refused:
        first = refused[0].receipt.refusal
        assert first is not None
        raise SomeRefused(refused=len(refused), sent=len(sent), first=words.refusal(first))
    if sent[0].not_done:
        raise NotDone(what=sent[0].stream, why=sent[0].not_done)


def _one(sent: Sent) -> list[Text]:
    if sent.receipt.refusal is not None:
        return []
    lines = [
        Text(f"on record 已收 as edge row {sent.receipt.seq}, id {sent.receipt.id}, stream {sent.stream}")
    ]
    if sent.case:
        lines.append(Text(f"case 案件 {sent.case}: gridcase case show {sent.case}"))
    if sent.decider == REGISTRY_ENTRY.name:
        lines.append(Text(f"entry 准入条目 {sent.stream}: gridcase registry show {sent.stream}"))
    waiting = "not decided yet: it is as soon as the city runs (gridcase run)"
    return [*lines, Text(sent.decided or waiting)]


def _command(name: str, about: tuple[str, str, str], post: str, data: str) -> Submission:
    """A command of a post; `about` gives the case, the entry and the area, of which it needs one."""
    kind = COMMANDS.get(name)
    if kind is None:
        alike = get_close_matches(name, COMMANDS, 1) or sorted(COMMANDS)[:1]
        raise NotThere(what=f"command {name}", do=f"take one of {', '.join(sorted(COMMANDS))} ({alike[0]}?)")
    subject, option = next(
        (given, option)
        for given, (decider, option) in zip(about, _ABOUT, strict=True)
        if decider is DECIDERS[kind]
    )
    if not subject or not post:
        missing = "--as" if subject else option.partition(" ")[0]
        raise NotSendable(
            what=name, expected=f"{option} and --as POST", found=f"no {missing}", do=f"give {missing}"
        )
    try:
        message: Any = msgspec.json.decode(data, type=kind)
    except msgspec.DecodeError as error:
        raise NotSendable(
            what=f"--data of {name}", expected="its fields as JSON", found=str(error), do="correct it"
        ) from None
    return _submission(Sender("post", post), f"post/{post}", secrets.token_hex(6), subject, message)


def _file(file: Path, mapping: Path | None, source: str) -> Iterator[Submission]:
    """Each line of a file of CloudEvents as it is; each row of a sheet as a report."""
    if not file.is_file():
        raise NotThere(what=f"file {file}", do="check the path")
    if file.suffix == ".csv":
        yield from _sheet(file, mapping)
        return
    sender = Sender("source", source)
    yield from (Submission(sender, line) for line in file.read_bytes().splitlines() if line.strip())


def _sheet(file: Path, mapping: Path | None) -> Iterator[Submission]:
    from cli.sheets import read_arrivals  # noqa: PLC0415 - a report by hand needs no sheets

    if mapping is None:
        raise NotSendable(
            what=file, expected="--mapping for a CSV", found="none", do="see cities/boston/mapping.yaml"
        )
    for arrival in read_arrivals(mapping.parent, file):
        if arrival.report is not None:
            yield _submission(
                Sender("source", arrival.source), arrival.source, arrival.id, "report", arrival.report
            )


def _submission(sender: Sender, source: str, id_: str, subject: str, message: Any) -> Submission:
    kind = TYPE_OF[type(message)]
    body = Envelope(id=id_, source=source, type=kind, subject=subject, time=datetime.now(UTC), data=message)
    return Submission(sender, encode(body))


def _stream(submission: Submission) -> tuple[str, str]:
    """Which stream it goes to, that of the report or what a command is about, and who decides it."""
    try:
        head = frame(submission.body)
    except Unreadable:
        return "", ROUTER_CASE.name
    if head.type == TYPE_OF[GridReport]:
        return f"{head.source}/{head.id}", READER.name
    return head.subject, next(
        (one.name for kind, one in DECIDERS.items() if TYPE_OF[kind] == head.type), ROUTER_CASE.name
    )


def position(at: str) -> Position | None:
    """Degrees to whole numbers, exactly as written: no float comes near."""
    if not at:
        return None
    try:
        lon, lat = (_e7(part) for part in at.split(","))
    except ValueError:
        raise NotSendable(what="--at", expected=_PLACE, found=at, do="correct it") from None
    return Position(lon_e7=lon, lat_e7=lat)


def _e7(degrees: str) -> int:
    whole, _, rest = degrees.strip().partition(".")
    return int(f"{whole}{(rest + '0' * 7)[:7]}")
