"""What the clock does (到时): silence refuses, a notice closes, a version starts, lapses, expires."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from kernel.processor import Context
from rules.registering import FUNDED_ROLES, entry_of
from schemas.entry.commands import EntryRang
from schemas.entry.events import (
    EntryEvent,
    EntryExpired,
    EntryRefused,
    EntryStartWaits,
    EntrySuspended,
    EntryTimerIdle,
)
from schemas.entry.states import EntryState
from services.registry.entry.dates import expires
from services.registry.entry.decisions.noticing import approved
from services.registry.entry.decisions.running import start_asked
from services.registry.entry.state import Dossier, Version

CLOCK: Final = "clock"
_IN_FORCE: Final = frozenset({EntryState.ACTIVE, EntryState.SUSPENDED, EntryState.TEMPORARY})


def ring(dossier: Dossier, timer: EntryRang, context: Context) -> Sequence[EntryEvent]:
    """Each timer is judged by where its version stands now; one that came late changes nothing."""
    found = _RINGS[timer.clock](dossier, timer.version, context)
    return found or (EntryTimerIdle(what=timer.clock, version=timer.version),)


def _decide(dossier: Dossier, number: int, context: Context) -> Sequence[EntryEvent]:
    version = _coming(dossier, number, EntryState.REVIEWING)
    if version is None or version.decide is None or context.now < version.decide:
        return ()
    return (_silent(version, "not decided in time", context),)


def _close(dossier: Dossier, number: int, context: Context) -> Sequence[EntryEvent]:
    version = _coming(dossier, number, EntryState.NOTICED)
    if version is None or version.close is None or context.now < version.close:
        return ()
    if version.open:
        return (_silent(version, f"{len(version.open)} objections not answered in time", context),)
    return (approved(dossier, (), CLOCK, context),)


def _start(dossier: Dossier, number: int, context: Context) -> Sequence[EntryEvent]:
    """生效, as soon as the proof covers the day; a version that never got one ends with its last day."""
    version = _coming(dossier, number, EntryState.APPROVED)
    if version is None or version.starting:
        return ()
    bundle, entry = context.rules.bundle, entry_of(version.row)
    today = bundle.day(context.now)
    if entry.expired(today):
        return (EntryExpired(version=number, at=context.now),)
    if entry.valid_from > today:
        return ()
    if entry.role in FUNDED_ROLES and not entry.funded(today):
        waits = EntryStartWaits(version=number, expire=expires(bundle, entry), at=context.now)
        return () if version.waits else (waits,)
    return (start_asked(version.row, dossier, context),)


def _lapse(dossier: Dossier, number: int, context: Context) -> Sequence[EntryEvent]:
    """暂停: the register is not asked, for the guard judges the proof by its days."""
    current = dossier.current
    if current is None or current.number != number or current.state is not EntryState.ACTIVE:
        return ()
    if entry_of(current.row).funded(context.rules.bundle.day(context.now)):
        return ()
    return (EntrySuspended(version=number, at=context.now),)


def _expire(dossier: Dossier, number: int, context: Context) -> Sequence[EntryEvent]:
    """到期: neither is it here, for the guard judges the entry by its last day."""
    current = dossier.current
    if current is None or current.number != number or current.state not in _IN_FORCE:
        return ()
    if not entry_of(current.row).expired(context.rules.bundle.day(context.now)):
        return ()
    return (EntryExpired(version=number, at=context.now),)


def _coming(dossier: Dossier, number: int, state: EntryState) -> Version | None:
    coming = dossier.coming
    return coming if coming is not None and coming.number == number and coming.state is state else None


def _silent(version: Version, reason: str, context: Context) -> EntryRefused:
    return EntryRefused(version=version.number, reason=reason, silent=True, by=CLOCK, at=context.now)


_RINGS: Final[Mapping[str, Callable[[Dossier, int, Context], Sequence[EntryEvent]]]] = MappingProxyType(
    {"decide": _decide, "close": _close, "start": _start, "lapse": _lapse, "expire": _expire}
)
