"""Which version of an entry a command is about (哪一版)."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from schemas.entry.commands import AmendEntry, EvaluateEntry, ExitEntry, RecordFunding
from schemas.entry.states import EntryState
from schemas.register import EntryText
from services.registry.entry.state import Dossier, Version


def coming(dossier: Dossier, command: object) -> Version | None:  # noqa: ARG001 - the shape of every pick
    return dossier.coming


def current(dossier: Dossier, command: object) -> Version | None:  # noqa: ARG001 - as above
    return dossier.current


def under_way(dossier: Dossier, command: object) -> Version | None:  # noqa: ARG001 - as above
    """The version under way, else the one in force."""
    return dossier.coming or dossier.current


def to_fund(dossier: Dossier, command: Any) -> Version | None:
    """The version named, else the approved one, else the one in force."""
    approved = dossier.coming if dossier.coming and dossier.coming.state is EntryState.APPROVED else None
    return named(dossier, command.version) if command.version else approved or dossier.current


def to_exit(dossier: Dossier, command: Any) -> Version | None:
    """The version named, else the one in force, else the one under way."""
    return named(dossier, command.version) if command.version else dossier.current or dossier.coming


def named(dossier: Dossier, number: int) -> Version | None:
    found = (one for one in (dossier.coming, dossier.current) if one and one.number == number)
    return next(found, None)


def text_of(dossier: Dossier, command: object) -> EntryText:
    """What the version says that the command is about."""
    version = _ABOUT.get(type(command), under_way)(dossier, command)
    assert version is not None, "a sender is asked after the state"
    return version.row.text


_ABOUT: Final[Mapping[type, Callable[[Dossier, Any], Version | None]]] = MappingProxyType(
    {ExitEntry: to_exit, RecordFunding: to_fund, EvaluateEntry: current, AmendEntry: current}
)
