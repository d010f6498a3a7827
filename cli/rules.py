"""`gridcase rules`: a city's data written, checked, compiled and compared, before it is in force."""

from collections.abc import Mapping
from datetime import datetime
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final

import typer

from cli.bundles import bundle_of
from cli.coverage import coverage
from cli.edition_words import EditionWords
from cli.fault_words import chinese_table
from cli.options import AsJson, Language, Tongue, one_of
from cli.output import Exit, NotThere, console, emit, facts, fail, fault_table, table
from cli.publishing import publish
from cli.trying import try_
from kernel.errors import Fault
from rules.bundle import Bundle
from rules.differences import SECTIONS, Fields, Section, counted, differences, sections
from rules.edition import Edition
from rules.faults import Faults
from rules.folder import read_folder
from rules.instructions import PURPOSES
from rules.source import compile_bundle, is_workbook, read_bundle
from rules.writing import NoCellError, write_folder, write_workbook

app: Final = typer.Typer(no_args_is_help=True, help="The city as data: check and compare bundles (规则包).")
Source = Annotated[Path, typer.Argument(metavar="BUNDLE", help="A folder or an Excel workbook.")]
_SHOWN: Final = 200
_UNREAD: Final = frozenset({"missing_file", "unreadable"})

app.command("coverage")(coverage)
app.command("publish")(publish)
app.command("try")(try_)


class TargetThere(Fault):
    """{path}: expected a new place, found something there. Do: name another, or remove it first."""

    exit_code: ClassVar[int] = Exit.USAGE


class NotWritten(Fault):
    """{path} was not written: {reason}. Do: keep this bundle as a folder, or shorten the value."""

    exit_code: ClassVar[int] = Exit.BUNDLE


@app.command()
def template(
    target: Annotated[Path, typer.Argument(metavar="DIR|FILE.xlsx", help="What is to be written.")],
    source: Annotated[
        Path | None, typer.Option("--from", help="Write this bundle in the other form; else an example.")
    ] = None,
) -> None:
    """Write a bundle to fill in (模板): a small example city, a folder or a workbook with drop-downs."""
    if target.exists() and (target.is_file() or any(target.iterdir())):
        raise TargetThere(path=target)
    with resources.as_file(resources.files("rules") / "starter") as example:
        folder = read_bundle(source) if source else read_folder(example)
    if source and any(fault.code in _UNREAD for fault in folder.faults):
        bundle_of(source)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        (write_workbook if is_workbook(target) else write_folder)(folder, target)
    except (NoCellError, OSError) as error:
        raise NotWritten(path=target, reason=error) from error
    console.print(f"written 已写入: {target}", soft_wrap=True)
    console.print(f"Next: gridcase rules check {target}", soft_wrap=True)


@app.command()
def check(bundle: Source, language: Language = Tongue.EN, as_json: AsJson = False) -> None:
    """Check a bundle (检查): every fault at once, with its place and what to do."""
    compiled = compile_bundle(bundle)
    faults = tuple(compiled) if isinstance(compiled, Faults) else ()
    edition = "" if isinstance(compiled, Faults) else compiled.hash
    value = {"bundle": str(bundle), "faults": faults, "edition": edition}
    if faults:
        page = chinese_table(faults) if language == Tongue.ZH else fault_table(faults)
        emit(value, page, as_json=as_json)
        fail(f"{bundle}: expected a bundle without faults, found {len(faults)}")
        raise typer.Exit(Exit.BUNDLE)
    emit(value, f"{bundle}: no faults 无问题; edition {edition[:12]}", as_json=as_json)


@app.command("compile")
def compile_(
    bundle: Source,
    out: Annotated[Path | None, typer.Option(help="Write the edition here, as it is stored.")] = None,
    as_json: AsJson = False,
) -> None:
    """Compile a bundle into an edition (版本): its hash, and each section with its own."""
    compiled = bundle_of(bundle)
    edition = Edition.of(compiled.parts)
    if out:
        out.write_bytes(edition.pack())
    counts = counted(sections(compiled))
    sizes = {name: len(edition.sections[digest]) for name, digest in edition.manifest.items()}
    value = {"edition": edition.hash, "sections": edition.manifest, "bytes": sizes, "rows": counts}
    rows = [
        (name, PURPOSES.get(name, ("",))[0], counts.get(name, ""), f"{sizes[name]:,}", digest[:12])
        for name, digest in edition.manifest.items()
    ]
    heads = ("section", "内容", "rows", "bytes", "hash")
    emit(
        value,
        facts(f"{compiled.city.name} ({compiled.city.code})", [("edition 规则版本", edition.hash)]),
        table("", heads, rows, right=(2, 3)),
        as_json=as_json,
    )


@app.command()
def diff(
    before: Annotated[Path, typer.Argument(metavar="A", help="The older bundle: a folder or a workbook.")],
    after: Annotated[Path, typer.Argument(metavar="B", help="The newer bundle.")],
    language: Language = Tongue.EN,
    day: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="From when B holds; else `starts` of its city."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compare two editions in words (比较): who leads what from when, and every other row that differs."""
    old, new = bundle_of(before), bundle_of(after)
    said = EditionWords(old, new, language, day.date() if day else None)
    changes = [(change, said.says(change)) for change in differences(old, new)]
    value: dict[str, Any] = {
        "before": old.hash,
        "after": new.hash,
        "changes": [
            {"section": change.section, "key": change.key, "words": words, "fields": change.fields}
            for change, words in changes
        ],
    }
    rows = [(change.section, sentence) for change, words in changes for sentence in words]
    title = f"{old.hash[:12]} → {new.hash[:12]}: {len(changes):,} differences 处不同"
    emit(value, table(title, ("section", "what changes 变更"), rows), as_json=as_json)


@app.command()
def show(
    bundle: Source,
    section: Annotated[
        str, typer.Argument(metavar="[SECTION]", help="One section.", autocompletion=one_of(SECTIONS))
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Show what a bundle says (查看): how much in each section, or the rows of one."""
    if section and section not in SECTIONS:
        raise NotThere(what=f"the section {section}", do=f"name one of {', '.join(SECTIONS)}")
    compiled = bundle_of(bundle)
    found = sections(compiled)
    if section:
        _show_rows(section, found[section], as_json=as_json)
    else:
        _show_counts(compiled, found, as_json=as_json)


def _show_counts(compiled: Bundle, found: Mapping[str, Section], *, as_json: bool) -> None:
    counts = counted(found)
    rows = [(name, *PURPOSES[name], f"{count:,}") for name, count in counts.items()]
    title = f"{compiled.city.name} ({compiled.city.code}), edition {compiled.hash[:12]}"
    value = {"city": compiled.city.code, "edition": compiled.hash, "rows": counts}
    emit(value, table(title, ("section", "内容", "what it says", "rows"), rows, right=(3,)), as_json=as_json)


def _show_rows(name: str, rows: Section, *, as_json: bool) -> None:
    value = [{"key": key, **fields} for key, fields in rows.items()]
    shown = [(" ".join(part for part in key if part), _line(fields)) for key, fields in rows.items()]
    more = len(shown) - _SHOWN
    title = f"{name} {PURPOSES[name][0]}: {len(shown):,}"
    last = [f"… {more:,} more: --json shows all"] if more > 0 else []
    emit(value, table(title, ("key", "what it says"), shown[:_SHOWN]), *last, as_json=as_json)


def _line(fields: Fields) -> str:
    return " · ".join(f"{name} {text}" for name, text in fields.items())
