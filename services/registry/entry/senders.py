"""Who may send a command (谁可办): each role sees the sender's post as of today, and the entry."""

# ruff: noqa: ARG001 - every role has the shape of a role

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from kernel.processor import Context
from rules.posts import Post
from schemas.entry.commands import AmendEntry, ApplyEntry, GiveOpinion, GrantTemporary
from services.registry.entry.parties import COMMUNITIES, FINANCE, LEGAL, PARTIES, STREET, deciders, voices
from services.registry.entry.picking import text_of
from services.registry.entry.state import Dossier
from services.registry.entry.table import Role

Holds: TypeAlias = Callable[[Dossier, Any, Context, Post | None], bool]

MEETINGS: Final = ("meeting1", "meeting2", "meeting3")
_DECIDES: Final = ("handler", "lead_officer")


def _covers(post: Post, area: str, context: Context) -> bool:
    bundle = context.rules.bundle
    return post.area == bundle.city.root or bundle.areas.within(area, post.area)


def _office(role: str, post: Post, area: str, context: Context) -> bool:
    """A post of this role over the area; in a city that has none, a handler of its government."""
    bundle = context.rules.bundle
    if any(one.role == role for one in bundle.parts.posts):
        return post.role == role and _covers(post, area, context)
    return post.role == "handler" and post.unit == bundle.city.body


def _applies(dossier: Dossier, command: ApplyEntry, context: Context, post: Post | None) -> bool:
    """The department that applies, of no level that is guarded itself."""
    if post is None or post.role != "handler" or post.unit != command.text.applicant:
        return False
    bundle = context.rules.bundle
    unit = bundle.units.get(post.unit, bundle.day(context.now))
    return unit is not None and not bundle.register.guards(unit.level)


def _amends(dossier: Dossier, command: AmendEntry, context: Context, post: Post | None) -> bool:
    """The department that applied or guides, in its own name."""
    return _concerned(dossier, command, context, post) and _applies(dossier, command, context, post)  # type: ignore[arg-type]


def _concerned(dossier: Dossier, command: object, context: Context, post: Post | None) -> bool:
    text = text_of(dossier, command)
    return post is not None and post.role == "handler" and post.unit in (text.applicant, text.guiding_dept)


def _speaks(dossier: Dossier, command: GiveOpinion, context: Context, post: Post | None) -> bool:
    """Whoever speaks for the party that is named; a meeting speaks for all communities at once."""
    text = text_of(dossier, command)
    if post is None:
        return False
    if command.party not in PARTIES:
        return True  # the guard says which parties there are
    if command.party in (LEGAL, FINANCE):
        return _office(command.party, post, text.area, context)
    heard = voices(text, context)
    if command.party == COMMUNITIES and post.role in MEETINGS:
        return _covers(post, text.area, context)
    return (
        command.party in (STREET, COMMUNITIES)
        and post.role == "handler"
        and post.unit in heard[command.party]
    )


def _decides(dossier: Dossier, command: object, context: Context, post: Post | None) -> bool:
    """The street or grid body of the same level, never who applied."""
    if post is None or post.role not in _DECIDES:
        return False
    return post.unit in deciders(text_of(dossier, command), context)


def _funds(dossier: Dossier, command: object, context: Context, post: Post | None) -> bool:
    return post is not None and _office(FINANCE, post, text_of(dossier, command).area, context)


def _evaluates(dossier: Dossier, command: object, context: Context, post: Post | None) -> bool:
    if post is None or post.role != "handler":
        return False
    return post.unit in voices(text_of(dossier, command), context)[COMMUNITIES]


def _supervises(dossier: Dossier, command: object, context: Context, post: Post | None) -> bool:
    if post is None or post.role not in ("supervisor", "lead_officer"):
        return False
    area = command.text.area if isinstance(command, GrantTemporary) else text_of(dossier, command).area
    return _covers(post, area, context)


def _supervises_temporary(dossier: Dossier, command: object, context: Context, post: Post | None) -> bool:
    current = dossier.current
    temporary = current is not None and current.row.term == "temporary"
    return temporary and _supervises(dossier, command, context, post)


def _anyone(dossier: Dossier, command: object, context: Context, post: Post | None) -> bool:
    return True


department = Role("the applicant's handler", _applies)
amender = Role("a handler of applicant or guiding department", _amends)
concerned = Role("a handler of applicant or guiding department", _concerned)
party = Role("who speaks for this party", _speaks)
decider = Role("the deciding body", _decides)
finance = Role("finance", _funds)
evaluator = Role("a community concerned", _evaluates)
sup = Role("supervisor", _supervises)
sup_of_temporary = Role("supervisor of a temporary admission", _supervises_temporary)
anyone = Role("anyone", _anyone)
