"""Who is meant by a route (通知对象): its audience word, looked up in the case, the event and the rules."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, TypeAlias

from msgspec import Struct

from rules.bundle import Bundle
from rules.posts import ROLES
from schemas.intake import ReadReport
from schemas.notice import Hearer
from services.notifier.known import Known

OWN: Final = "own"
UNIT: Final = "unit:"
POST: Final = "post:"
REPORTER: Final = "reporter:"


class Question(Struct, frozen=True):
    """One event of a case, and the rules by which it is asked who hears of it."""

    known: Known
    before: Known
    event: Any
    bundle: Bundle
    now: datetime


Answer: TypeAlias = tuple[str, ...]


def unit_key(unit: str) -> str:
    """The recipient that a unit is."""
    return UNIT + unit


def post_key(post: str) -> str:
    """The recipient that a post is."""
    return POST + post


def hearer(report: ReadReport) -> Hearer | None:
    """Who reported, if they can be told: by their token, else by their report, never by a placeholder.

    A placeholder such as ‹phone 1› stands for another person in each report, so it is no recipient.
    """
    if not report.reporter:
        return None
    token = report.reporter
    name = _NO_KEY.sub(":", report.report) if _NO_TOKEN.search(token) else token
    return Hearer(recipient=REPORTER + name, channel=report.channel)


_NO_KEY: Final = re.compile(r"[/~\s]")
"""A stream key holds neither the slash of event ids nor the tilde of message ids."""
_NO_TOKEN: Final = re.compile(r"[‹›/~\s]")


def recipients(audience: str, question: Question) -> Answer:
    """The recipients of an audience, each once; none if nobody has that part."""
    named = PARTS.get(audience)
    return named(question) if named else _of_role(audience, question)


def _units(*codes: str) -> Answer:
    return tuple(unit_key(code) for code in dict.fromkeys(codes) if code)


def _lead(question: Question) -> Answer:
    return _units(question.known.lead)


def _relieved(question: Question) -> Answer:
    return _units(getattr(question.event, "unit", "") or question.before.lead)


def _above(question: Question, *, guiding: bool) -> Answer:
    """The unit above, or the guiding department, that the event names, or else of the lead."""
    event = question.event
    said = getattr(event, "applicant", "") or getattr(event, "guiding", "") if guiding else ""
    if said:
        return _units(said)
    unit = question.bundle.units.get(question.known.lead or getattr(event, "unit", ""))
    if unit is None:
        return ()
    return _units(unit.guiding if guiding else unit.parent)


def _up(question: Question) -> Answer:
    return _above(question, guiding=False) or _above(question, guiding=True)


def _of_role(role: str, question: Question) -> Answer:
    """The nearest post with the role; the handlers are those of the lead."""
    posts, day = question.bundle.posts, question.bundle.day(question.now)
    if role == "handler":
        return tuple(post_key(post.code) for post in posts.of_unit(question.known.lead, role, day))
    nearest = posts.holding(role, question.known.area, day)[:1]
    return tuple(post_key(post.code) for post in nearest)


PARTS: Final[Mapping[str, Callable[[Question], Answer]]] = {
    "lead": _lead,
    "relieved": _relieved,
    "assist": lambda question: _units(*question.known.assistants),
    "supervising": lambda question: _units(*question.known.supervising),
    "up": _up,
    "guiding": lambda question: _above(question, guiding=True),
    "parent": lambda question: _above(question, guiding=False),
    "centre": lambda question: _units(question.bundle.city.centre),
    "reporter": lambda question: tuple(dict.fromkeys(each.recipient for each in question.known.reporters)),
}
"""Audiences by their part in the case; every other audience is a role of posts."""

PRESSED: Final = frozenset({"lead", "up", "guiding", "parent", "centre", *ROLES})
"""Audiences that a supervision (督办) may press: only the one that it does press hears of it."""

assert not PARTS.keys() & ROLES.keys()
