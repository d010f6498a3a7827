"""Which remembered case a report belongs to (归并): same matter, same place, in time, and alike in words."""

from datetime import datetime, timedelta

from msgspec import Struct

from rules.bundle import Bundle
from rules.matters import Matter
from schemas.intake import Alike, ReadReport
from services.intake.desk import shelves
from services.intake.desk.spots import box_around, cells_of, metres_between, spots_of
from services.intake.desk.state import DeskState, Known
from services.intake.likeness import letters, likeness

SAME_PLACE, EDGE_OF_REACH, SAME_AREA = 1000, 400, 300
SUGGESTED = 3
SECOND = timedelta(seconds=1)


class Match(Struct, frozen=True, gc=False):
    """One remembered case against one report: the score, and what it is made of, per mille."""

    known: Known
    score: int
    likeness: int
    metres: int | None


class Matches(Struct, frozen=True, gc=False):
    """The finding: the case that the report joins or repeats, and those that only look like it."""

    joins: Match | None = None
    repeats: Match | None = None
    alike: tuple[Alike, ...] = ()


NONE = Matches()


def match(state: DeskState, report: ReadReport, bundle: Bundle, now: datetime) -> Matches:
    """Compares the report with the cases of its matter nearby.

    score = 4 parts place, 1 part time, 5 parts words; from `merge_score` on a report joins by rule, from
    `suggest_score` on the clerk is shown the case. An open case comes before one that is over.
    """
    matter = bundle.matters.get(report.matter)
    if matter is None or not matter.merge_hours:
        return NONE
    found = sorted(_candidates(state, report, matter, now), key=_rank)
    if not found:
        return NONE
    bounds = bundle.bounds
    best = [one for one in found if one.score >= bounds.merge_score]
    joins = next((one for one in best if takes_reports(one.known)), None)
    repeats = None if joins else next(iter(best), None)
    others = (one for one in found if one is not joins and one is not repeats)
    alike = [one for one in others if one.score >= bounds.suggest_score]
    return Matches(
        joins, repeats, tuple([Alike(case=one.known.case, score=one.score) for one in alike[:SUGGESTED]])
    )


def takes_reports(known: Known) -> bool:
    """Open cases do, and merged ones, which hand them on to their survivor."""
    return known.until is None or known.how == "merged"


def _rank(match: Match) -> tuple[int, str]:
    return -match.score, match.known.case


def _candidates(state: DeskState, report: ReadReport, matter: Matter, now: datetime) -> list[Match]:
    cases = _nearby(state, report, matter.merge_metres)
    if not cases:
        return []
    words = letters(report.text), letters(report.place)
    compared = [_compare(shelves.get(state.cases, case), report, words, matter, now) for case in cases]
    return [one for one in compared if one is not None]


def _nearby(state: DeskState, report: ReadReport, metres: int) -> set[str]:
    """The cases of the matter within a box around the point, at the address, or else in the area."""
    spots, position = spots_of(report), report.position
    if position is None:
        return {mark.case for spot in spots for mark in shelves.get(state.spots, spot) or ()}
    box = box_around(position.lon_e7, position.lat_e7, metres)
    west, south, east, north = box
    found = {
        case
        for cell in cells_of(report.matter, box)
        for case, lon, lat in shelves.get(state.spots, cell) or ()
        if west <= lon <= east and south <= lat <= north
    }
    found.update(mark.case for spot in spots[1:] for mark in shelves.get(state.spots, spot) or ())
    return found


def _compare(
    known: Known | None, report: ReadReport, words: tuple[str, str], matter: Matter, now: datetime
) -> Match | None:
    if known is None or (known.until is not None and known.until <= now):
        return None
    in_time = _in_time(known, report.received, matter.merge_hours * 3600)
    in_place, metres = _in_place(known, report, words[1], matter.merge_metres)
    if not in_time or not in_place:
        return None
    alike = likeness(words[0], known.text)
    return Match(known, (4 * in_place + in_time + 5 * alike) // 10, alike, metres)


def _in_time(known: Known, received: datetime, window: int) -> int:
    """1000 for at once down to 500 at the end of the window, 0 beyond; a repeat has its own window."""
    if not takes_reports(known):
        return 500
    seconds = abs(received - known.last) // SECOND
    return 1000 - 500 * seconds // window if seconds <= window else 0


def _in_place(known: Known, report: ReadReport, place: str, reach: int) -> tuple[int, int | None]:
    """1000 for the same point or address down to 400 at the end of the reach, 300 for only the same area."""
    if place and place == known.place:
        return SAME_PLACE, None
    position = report.position
    if position is not None and known.lon_e7 is not None and known.lat_e7 is not None:
        metres = metres_between(known.lon_e7, known.lat_e7, position.lon_e7, position.lat_e7)
        if metres > reach:
            return 0, metres
        return SAME_PLACE - (SAME_PLACE - EDGE_OF_REACH) * metres // max(reach, 1), metres
    return SAME_AREA, None
