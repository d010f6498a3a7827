"""`gridcase rules publish`: a bundle in force in a city that lives (发布规则)."""

import asyncio
from itertools import dropwhile
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final

import typer
from rich.console import RenderableType

from cli import words
from cli.bundles import bundle_of
from cli.edition_words import EditionWords
from cli.opening import Doorway, account, act
from cli.options import AsJson, Database, Language, Tongue
from cli.output import Exit, emit, facts, table
from cli.reading import View, folded
from kernel.errors import Fault
from kernel.page import Receipt
from rules.bundle import Bundle
from rules.differences import differences
from rules.edition import Edition
from schemas.registry import PublicationRefused
from schemas.wire import trusted
from services.registry.rules.processor import REGISTRY_RULES
from services.registry.rules.state import InForce

_SHOWN: Final = 40
_LOOK_SECONDS: Final = 0.1


class AnotherCity(Fault):
    """The bundle is of city {bundle}, the database of city {city}. Nothing was published. Do: give the bundle
    of this city, or another --database.
    """

    exit_code: ClassVar[int] = Exit.BUNDLE


class NotPublished(Fault):
    """Edition {edition} was not put in force: {why}."""

    exit_code: ClassVar[int] = Exit.DIFFERENT


def publish(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="A folder or an Excel workbook.")],
    reason: Annotated[str, typer.Option(help="Why, for the record; at most 100 characters.")] = "",
    wait: Annotated[float, typer.Option(min=0, help="Seconds to wait until it is in force.")] = 20.0,
    language: Language = Tongue.EN,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Put a bundle in force in a city (发布): checked, stored, numbered, decided by from then on.

    Modes (平/急) stay as they are. What was decided before stays and is replayed by the rules that it cites.
    """
    compiled = bundle_of(bundle)
    value, *page = act(database, lambda city: _published(city, compiled, reason, wait, language))
    emit(value, *page, as_json=as_json)


async def _published(
    city: Doorway, bundle: Bundle, reason: str, wait: float, language: Tongue
) -> tuple[Any, ...]:
    from cli.assemble import asking  # noqa: PLC0415 - a bundle with faults needs no database

    view = await city.view()
    before = await _in_force(view)
    if bundle.city.code != view.code:
        raise AnotherCity(bundle=bundle.city.code, city=view.code)
    if bundle.hash in {before.edition, before.asked}:
        there = f"edition {bundle.hash[:12]} is in force already 已在施行: rules {before.number}"
        return _value(before, before, bundle), there
    await city.keep(Edition.of(bundle.parts))
    asked = asking(bundle, before, view.partitions, view.now, account(), reason)
    (receipt,) = await city.edge.accept([asked])
    if receipt.refusal is not None:
        raise NotPublished(edition=bundle.hash[:12], why=words.refusal(receipt.refusal))
    await city.settle()
    now = await _decided(city, bundle, receipt, before, wait)
    new = (await city.view()).bundle if now is not before else bundle
    return _value(before, now, bundle), *_page(view, new or bundle, now, language)


async def _in_force(view: View) -> InForce:
    """What the registry has decided by now."""
    return folded(REGISTRY_RULES, await view.history(REGISTRY_RULES.name, view.code))


async def _decided(city: Doorway, bundle: Bundle, receipt: Receipt, before: InForce, wait: float) -> InForce:
    """What is in force, as soon as that is this bundle; what was before if nobody has decided it by then.

    Entries that came through the register's workflow are put into it first: then the edition in force is
    another, of which the registry knows that it was `asked` for as this one.
    """
    for _ in range(max(1, round(wait / _LOOK_SECONDS))):
        view = await city.view()
        records = await view.history(REGISTRY_RULES.name, view.code)
        now = folded(REGISTRY_RULES, records)
        if now.number > before.number and bundle.hash in {now.edition, now.asked}:
            return now
        for record in dropwhile(lambda one: one.cause.id != receipt.id, records):
            event = trusted(record.body).message
            if isinstance(event, PublicationRefused):
                raise NotPublished(edition=bundle.hash[:12], why=words.refusal(event.refusal))
        await asyncio.sleep(_LOOK_SECONDS)
    return before


def _value(before: InForce, now: InForce, bundle: Bundle) -> dict[str, Any]:
    return {
        "city": bundle.city.code,
        "before": before.edition,
        "bundle": bundle.hash,
        "edition": now.edition,
        "rules": now.number,
        "in_force": bundle.hash in {now.edition, now.asked},
    }


def _page(view: View, new: Bundle, now: InForce, language: Tongue) -> list[RenderableType]:
    """What is in force now, and the first of what it changes."""
    old = view.bundle
    waiting = "on record; in force as soon as the city runs 待施行 (gridcase run)"
    done = new.hash == now.edition
    page: list[RenderableType] = [
        facts(
            f"{new.city.name} ({new.city.code})",
            [
                ("edition 规则版本", new.hash[:12]),
                ("before 原版本", old.hash[:12] if old else "–"),
                ("in force 施行", f"rules {now.number}" if done else waiting),
            ],
        )
    ]
    if old is not None:
        said = EditionWords(old, new, language, new.day(view.now))
        changes = [(one.section, line) for one in differences(old, new) for line in said.says(one)]
        title = f"{len(changes):,} changes 处变更"
        page.append(table(title, ("section", "what changes 变更"), changes[:_SHOWN]))
        if len(changes) > _SHOWN:
            page.append(f"… {len(changes) - _SHOWN:,} more: gridcase rules diff shows all")
    if _new_topics(old, new):
        page.append("Units subscribe that did not before. On Kafka: gridcase topics apply")
    return page


def _new_topics(old: Bundle | None, new: Bundle) -> bool:
    before = {unit.code for unit in old.units.rows if unit.subscribes} if old else set[str]()
    return bool({unit.code for unit in new.units.rows if unit.subscribes} - before)
