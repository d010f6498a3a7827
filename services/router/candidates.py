"""Which units come into question (候选单位), in the order in which the matter names who is responsible."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from rules.areas import Area
from rules.bundle import Bundle
from rules.matters import Matter
from rules.responsible import selected


class Place(NamedTuple):
    """Where the case lies: its area in the main layer first, then in the others, with their ways up."""

    area: str
    areas: tuple[str, ...]
    layers: tuple[str, ...]
    chain: tuple[Area, ...]


class Candidate(NamedTuple):
    """A unit to be looked at in a role, and why it was one: territory, owner, trade, operator, unit, …"""

    unit: str
    role: str
    origin: str


def place_of(bundle: Bundle, area: str, places: Sequence[tuple[str, str]], day: date) -> Place:
    areas = dict.fromkeys((area, *(code for _, code in places)))
    layers = dict.fromkeys((bundle.city.layers[0], *(layer for layer, _ in places)))
    chain = {above.code: above for code in areas for above in bundle.areas.chain(code, day)}
    return Place(area, tuple(areas), tuple(layers), tuple(chain.values()))


def candidates(bundle: Bundle, matter: Matter, place: Place, day: date) -> tuple[Candidate, ...]:
    """All candidates of both roles in order of precedence, each unit once for a role."""
    found = (
        Candidate(unit.code, rule.role, rule.by)
        for rule in matter.responsibility
        for area in place.areas
        for unit in selected(bundle, rule, area, day)
    )
    return tuple(dict.fromkeys(found))


def tied(bundle: Bundle, matter: Matter, place: Place, lead: Candidate, day: date) -> Sequence[Candidate]:
    """Whom the same rule names for the same territory as the lead, only behind it (并列)."""
    for rule in matter.responsibility:
        if (rule.role, rule.by) != (lead.role, lead.origin):
            continue
        for area in place.areas:
            units = selected(bundle, rule, area, day)
            own = next((unit.area for unit in units if unit.code == lead.unit), None)
            if own is not None:
                return [
                    lead._replace(unit=unit.code)
                    for unit in units
                    if unit.area == own and unit.code != lead.unit
                ]
    return ()


def supervising(bundle: Bundle, matter: Matter, place: Place, lead: str, day: date) -> tuple[str, ...]:
    """Who watches the lead (监督单位): as the matter says, else its guiding department or the unit above."""
    kind, _, select = matter.supervising.partition(":")
    if kind == "unit" and select != lead and bundle.units.get(select, day):
        return (select,)
    if kind == "trade":
        near = [unit.code for unit in bundle.units.with_trade(select, place.area, day) if unit.code != lead]
        if near:
            return (near[0],)
    unit = bundle.units.get(lead, day)
    above = (unit.guiding, unit.parent) if unit else ()
    return (next((code for code in above if code and code != lead), bundle.city.centre),)
