"""Whose word an application needs (征求意见), and which body decides it (审批主体)."""

from collections.abc import Iterable, Mapping
from typing import Final

from kernel.processor import Context
from rules.units import Unit
from schemas.register import EntryText
from services.registry.entry.state import Opinion

LEGAL, FINANCE, STREET, COMMUNITIES = "legal", "finance", "street", "communities"
PARTIES: Final = (LEGAL, FINANCE, STREET, COMMUNITIES)
"""法制, 财政, 街道, 涉及社区: all four are heard."""


def voices(text: EntryText, context: Context) -> Mapping[str, frozenset[str]]:
    """The units whose word each party needs; of legal and finance it is enough that one speaks.

    The street bodies are the lowest territorial governments over or within the area, the communities the
    highest guarded units there, or those of the level that the entry names.
    """
    bundle = context.rules.bundle
    day = bundle.day(context.now)
    there = [
        unit
        for unit in bundle.units.rows
        if unit.axis == "块"
        and unit.level
        and bundle.units.get(unit.code, day) is unit
        and _near(unit, text, context)
    ]
    guarded = bundle.register.guards
    streets = [unit for unit in there if unit.kind == "government" and not guarded(unit.level)]
    below = [unit for unit in there if guarded(unit.level)]
    named = [unit for unit in below if unit.level == text.unit_level]
    one = frozenset({""})
    return {
        LEGAL: one,
        FINANCE: one,
        STREET: _of_level(streets, context, lowest=True),
        COMMUNITIES: _of_level(named or below, context, lowest=False),
    }


def unheard(text: EntryText, opinions: Iterable[Opinion], context: Context) -> tuple[str, ...]:
    """The parties that have not spoken, with the units that are missing."""
    spoken: dict[str, set[str]] = {}
    for one in opinions:
        spoken.setdefault(one.party, set()).add(one.unit)
    missing: list[str] = []
    for party, units in voices(text, context).items():
        said = spoken.get(party, set())
        if "" not in said and not units <= said:
            left = sorted(units - said - {""})
            missing.append(f"{party} {', '.join(left)}".strip())
    return tuple(missing)


def deciders(text: EntryText, context: Context) -> frozenset[str]:
    """The street or grid body of the same level: the nearest territorial bodies over the area, not guarded.

    Who applied decides nothing; then it is for the level above.
    """
    bundle = context.rules.bundle
    over = [
        unit
        for unit in bundle.units.in_area(text.area, day=bundle.day(context.now))
        if unit.axis == "块"
        and unit.level
        and not bundle.register.guards(unit.level)
        and unit.code != text.applicant
    ]
    return frozenset(unit.code for unit in over if unit.level == over[0].level)


def _near(unit: Unit, text: EntryText, context: Context) -> bool:
    areas = context.rules.bundle.areas
    return areas.within(unit.area, text.area) or areas.within(text.area, unit.area)


def _of_level(units: Iterable[Unit], context: Context, *, lowest: bool) -> frozenset[str]:
    levels = {unit.code: context.rules.bundle.city.level(unit.level) for unit in units}
    if not levels:
        return frozenset()
    wanted = (max if lowest else min)(levels.values())
    return frozenset(code for code, level in levels.items() if level == wanted)
