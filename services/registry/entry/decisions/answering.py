"""What the rules answer (登记结果): a change is in force, or is not, or another entry took the place."""

from collections.abc import Sequence

from kernel.processor import Context
from rules.registering import FUNDED_ROLES, entry_of
from schemas.entry.commands import EntryChanged, EntryNotChanged, EntryReplaced
from schemas.entry.events import (
    EntryChangeRefused,
    EntryEvent,
    EntryExited,
    EntryRegistered,
    EntryReturned,
    EntryStarted,
    EntrySuperseded,
    EntryTimerIdle,
)
from schemas.entry.states import EntryState
from schemas.register import RegisterRow
from services.registry.entry.dates import after_working_days, expires, lapses
from services.registry.entry.state import Asked, Dossier, Version


def changed(dossier: Dossier, answer: EntryChanged, context: Context) -> Sequence[EntryEvent]:
    """It stands in the register in force: started, ended, or funded."""
    asked = _asked(dossier, answer.change)
    if asked is None:
        return (EntryTimerIdle(what="answer", version=0),)
    if asked.what == "start":
        return (_started(dossier, asked, answer, context),)
    if asked.what == "exit":
        exited = EntryExited(
            version=asked.version, reason=asked.reason, edition=answer.edition, by=asked.by, at=context.now
        )
        return (exited,)
    return (_registered(asked, answer, context),)


def not_changed(dossier: Dossier, answer: EntryNotChanged, context: Context) -> Sequence[EntryEvent]:
    """The register has changed since it was decided: a start is decided once more, all else is as before."""
    asked = _asked(dossier, answer.change)
    if asked is None:
        return (EntryTimerIdle(what="answer", version=0),)
    if asked.what == "start" and _starting(dossier, asked) is not None:
        bundle = context.rules.bundle
        back = EntryReturned(
            version=asked.version,
            answers=(),
            reason="the register has changed since",
            faults=answer.faults,
            decide=after_working_days(bundle, context.now, bundle.bounds.decide_days),
            by="registry.rules",
            at=context.now,
        )
        return (back,)
    return (_as_before(dossier, asked, answer, context),)


def replaced(dossier: Dossier, answer: EntryReplaced, context: Context) -> Sequence[EntryEvent]:
    """Another entry that supersedes this one is in force; the register has ended it already."""
    current = dossier.current
    if dossier.last and (current is None or current.number != answer.version):
        return (EntryTimerIdle(what="answer", version=answer.version),)
    superseded = EntrySuperseded(
        version=answer.version, by_entry=answer.by_entry, by_version=answer.by_version, at=context.now
    )
    return (superseded,)


def _started(dossier: Dossier, asked: Asked, answer: EntryChanged, context: Context) -> EntryEvent:
    version = _starting(dossier, asked)
    if version is None:
        return _registered(asked, answer, context)
    bundle, entry = context.rules.bundle, entry_of(version.row)
    return EntryStarted(
        version=asked.version,
        edition=answer.edition,
        rules=answer.rules,
        ended=dossier.current.number if dossier.current else 0,
        expire=expires(bundle, entry),
        lapse=lapses(bundle, entry),
        at=context.now,
        state=_funded_or_not(EntryState.ACTIVE, version.row, context),
    )


def _as_before(
    dossier: Dossier, asked: Asked, answer: EntryNotChanged, context: Context
) -> EntryChangeRefused:
    """The version that stood there before stands there again, with its own last days."""
    before = dossier.current if asked.what == "exit" else asked.before
    bundle, entry = context.rules.bundle, entry_of(before.row) if before else None
    over = EntryState.REFUSED if asked.what == "grant" else dossier.ended
    return EntryChangeRefused(
        version=asked.version,
        change=asked.change,
        stands=before.number if before else 0,
        faults=answer.faults,
        expire=expires(bundle, entry) if entry else None,
        lapse=lapses(bundle, entry) if entry else None,
        at=context.now,
        state=_funded_or_not(before.state, before.row, context) if before else over,
    )


def _funded_or_not(state: EntryState, row: RegisterRow, context: Context) -> EntryState:
    """An entry that needs a proof is in force only as long as one covers the day."""
    entry = entry_of(row)
    lapsed = entry.role in FUNDED_ROLES and not entry.funded(context.rules.bundle.day(context.now))
    return EntryState.SUSPENDED if lapsed and state is EntryState.ACTIVE else state


def _registered(asked: Asked, answer: EntryChanged, context: Context) -> EntryRegistered:
    return EntryRegistered(
        version=asked.version,
        change=asked.change,
        edition=answer.edition,
        rules=answer.rules,
        at=context.now,
    )


def _asked(dossier: Dossier, change: int) -> Asked | None:
    return next((one for one in dossier.asked if one.change == change), None)


def _starting(dossier: Dossier, asked: Asked) -> Version | None:
    coming = dossier.coming
    return coming if coming is not None and coming.starting == asked.change else None
