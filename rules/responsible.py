"""Whom a matter names as responsible in a place (谁主管谁负责), before it is asked whether it is admitted."""

from collections.abc import Sequence
from datetime import date

from rules.bundle import Bundle
from rules.matters import Matter, Responsibility
from rules.units import Unit


def selected(bundle: Bundle, rule: Responsibility, area: str, day: date) -> Sequence[Unit]:
    """The units that one row of responsibility names for an area, nearest territory first."""
    units = bundle.units
    if rule.by == "unit":
        unit = units.get(rule.select, day)
        return (unit,) if unit else ()
    if rule.by == "territory":
        return [unit for unit in units.in_area(area, level=rule.select, day=day) if unit.axis == "块"]
    return units.with_trade(rule.select, area, day)


def reaches(bundle: Bundle, unit: Unit, matter: Matter) -> bool:
    """Whether the unit is of the level that the law names (法定职责), or above it. A company has no level."""
    levels = {kind.code: kind.level for kind in bundle.city.kinds}
    wanted = matter.statutory_level
    return not wanted or not unit.level or levels.get(unit.level, 99) <= levels.get(wanted, 99)


def able(bundle: Bundle, unit: Unit, matter: Matter) -> bool:
    """Whether the unit reaches the statutory level and holds the power that the matter needs."""
    return reaches(bundle, unit, matter) and (not matter.power or matter.power in unit.powers)
