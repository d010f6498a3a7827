"""`gridcase personal`: sealed personal data (个人信息), read for a purpose on record, or forgotten."""

from typing import TYPE_CHECKING, Annotated, ClassVar
from zoneinfo import ZoneInfo

import typer
from rich.table import Table

from cli import words
from cli.held import LiesInClear
from cli.opening import account, enter
from cli.options import AsJson, Database, Yes
from cli.output import Exit, NotThere, emit, facts, local, table
from kernel.edge import EDGE
from kernel.errors import Fault
from kernel.keyring import Access
from rules.bundle import Bundle
from schemas.refusal import Refusal

if TYPE_CHECKING:
    from cli.assemble import LiveCity

app = typer.Typer(help="Sealed personal data (个人信息), read with a record of access.", no_args_is_help=True)
Report = Annotated[str, typer.Argument(metavar="SOURCE/ID", help="The report, as `case show` names it.")]
Post = Annotated[str, typer.Option("--as", help="The post (岗位) that asks.")]


class MayNot(Fault):
    """{report}: {why}. The asking is on record."""

    exit_code: ClassVar[int] = Exit.DIFFERENT


@app.command("read")
def read(
    report: Report,
    post: Post,
    purpose: Annotated[str, typer.Option(help="What the data is needed for; it is put on record.")],
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Show the originals of a report's placeholders to a role that may see them."""

    async def work(city: "LiveCity") -> dict[str, str]:
        role = _role(await _bundle(city), post)
        opened = await city.keyring.read(report, post, role, purpose, city.clock.city(city.clock.wall()))
        if isinstance(opened, Refusal):
            raise MayNot(report=report, why=words.refusal(opened))
        return opened.fields

    found = enter(database, work)
    emit(found, facts(f"report 上报 {report}", list(found.items())), as_json=as_json)


@app.command("erase")
def erase(report: Report, yes: Yes = False, database: Database = None, as_json: AsJson = False) -> None:
    """Forget the key of a report for good, and those of dead letters that say that they are this report."""
    if not yes:
        typer.confirm(f"Forget the personal data of {report} for ever?", abort=True, err=True)
    done, letters = enter(database, lambda city: _forgotten(city, report))
    clear = [name for name, sealed in letters.items() if not sealed]
    if clear:
        raise LiesInClear(what=clear[0])
    if not done and not letters:
        raise NotThere(what=f"a key of {report}", do="nothing: it had none, or it is forgotten already")
    said = f"{report}: forgotten 已删除{', with its dead letters ' if letters else ''}{', '.join(letters)}"
    emit({"report": report, "erased": True, "letters": list(letters)}, said, as_json=as_json)


@app.command("accesses")
def accesses(report: Report, database: Database = None, as_json: AsJson = False) -> None:
    """Who asked for a report's personal data, what for, and what the answer was."""

    async def work(city: "LiveCity") -> tuple[list[Access], Table]:
        bundle, found = await _bundle(city), list(await city.keyring.accesses(report))
        rows = [
            (
                _local(bundle, one),
                one.reader,
                words.role(one.role),
                one.purpose,
                " ".join(one.fields),
                one.answer,
            )
            for one in found
        ]
        columns = ("time", "reader", "role", "purpose", "fields", "answer")
        return found, table(f"{len(rows)} accesses 查阅记录", columns, rows, whole=(0,))

    found, page = enter(database, work)
    emit([one._asdict() for one in found], page, as_json=as_json)


async def _forgotten(city: "LiveCity", report: str) -> tuple[bool, dict[str, bool]]:
    """Whether the report had a key to forget, and its dead letters: of each, whether it was sealed."""
    done = await city.keyring.erase(report)
    now, purpose = city.clock.city(city.clock.wall()), f"gridcase personal erase {report}"
    return done, {
        f"{EDGE}/{one.partition}/{one.id}": await city.letters.erase(one, account(), purpose, now)
        for one in await city.letters.of_report(city.journals[EDGE].held(), report)
    }


async def _bundle(city: "LiveCity") -> Bundle:
    rules = await city.rules()
    if rules is None:
        raise NotThere(what=f"rules of {city.city.code}", do="gridcase init")
    return rules.bundle


def _role(bundle: Bundle, post: str) -> str:
    held = bundle.posts.get(post)
    if held is None:
        raise NotThere(what=f"post {post}", do="take one of posts.csv of the city's bundle")
    return held.role


def _local(bundle: Bundle, access: Access) -> str:
    return local(access.at, ZoneInfo(bundle.city.zone))
