from datetime import datetime
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from schemas.intake import ReadReport
from services.intake.desk import shelves
from services.intake.desk.shelves import Shelves
from services.intake.desk.spots import spots_of
from services.intake.likeness import letters

CROWD = 32
"""Cases of one matter that a spot keeps in mind for merging; in a storm the oldest is forgotten first."""
CHUNK = 128


class Known(Struct, frozen=True, gc=False):
    """A case as the desk remembers it: what a new report is compared with. `until` is set once it is over."""

    case: str
    matter: str
    lon_e7: int | None
    lat_e7: int | None
    place: str
    text: str
    spots: tuple[str, ...]
    last: datetime
    how: str = ""
    until: datetime | None = None


class Mark(NamedTuple):
    """A case at a spot, with its point if it has one, so that what is too far is never looked up."""

    case: str
    lon_e7: int
    lat_e7: int


class Fading(Struct, frozen=True, gc=False, array_like=True):
    """A case that may be forgotten at `until`, unless it is open again by then."""

    case: str
    until: datetime


class DeskState(Struct, frozen=True):
    """One desk: the last number of its day, the cases it remembers, and where they are.

    `spots` leads from a matter at a spot to the cases there, oldest first; `fading` is in order of the end.
    """

    day: str = ""
    number: int = 0
    cases: Shelves[Known] = shelves.empty()
    spots: Shelves[tuple[Mark, ...]] = shelves.empty()
    fading: tuple[tuple[Fading, ...], ...] = ()


def remember(state: DeskState, case: str, report: ReadReport) -> DeskState:
    """The state with one more open case (without touching its numbers)."""
    lon, lat = (report.position.lon_e7, report.position.lat_e7) if report.position else (None, None)
    known = Known(
        case=case,
        matter=report.matter,
        lon_e7=lon,
        lat_e7=lat,
        place=letters(report.place),
        text=letters(report.text),
        spots=spots_of(report),
        last=report.received,
    )
    at, crowded, mark = state.spots, list[Mark](), Mark(case, lon or 0, lat or 0)
    for spot in known.spots:
        there = shelves.get(at, spot) or ()
        crowded += there[: max(len(there) + 1 - CROWD, 0)]
        at = shelves.put(at, spot, (*there, mark))
    state = replace(state, cases=shelves.put(state.cases, case, known), spots=at)
    for old in crowded:
        state = forget(state, old.case)
    return state


def forget(state: DeskState, case: str) -> DeskState:
    """The state without this case."""
    known = shelves.get(state.cases, case)
    if known is None:
        return state
    at = state.spots
    for spot in known.spots:
        rest = tuple([mark for mark in shelves.get(at, spot) or () if mark.case != case])
        at = shelves.put(at, spot, rest) if rest else shelves.drop(at, spot)
    return replace(state, cases=shelves.drop(state.cases, case), spots=at)


def fade(state: DeskState, case: str, until: datetime) -> DeskState:
    """The state that will forget the case at `until`."""
    chunks, entry = state.fading, Fading(case, until)
    if chunks and len(chunks[-1]) < CHUNK:
        return replace(state, fading=(*chunks[:-1], (*chunks[-1], entry)))
    return replace(state, fading=(*chunks, (entry,)))


def forget_faded(state: DeskState, now: datetime) -> DeskState:
    """The state without the cases whose repeat window closed at or before `now`."""
    while state.fading and state.fading[0][0].until <= now:
        (first, *rest), *later = state.fading
        state = replace(state, fading=(tuple(rest), *later) if rest else tuple(later))
        known = shelves.get(state.cases, first.case)
        if known is not None and known.until is not None and known.until <= now:
            state = forget(state, first.case)
    return state
