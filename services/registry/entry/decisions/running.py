"""拨付, 生效, 评估, 退出, 临时准入: what changes the register asks for it, and waits for the answer."""

from collections.abc import Sequence

from kernel.acting import acting_post
from kernel.processor import Context
from rules.registering import entry_of, renewals
from schemas.entry.commands import EvaluateEntry, ExitEntry, GrantTemporary, RecordFunding
from schemas.entry.events import (
    EntryEvaluated,
    EntryEvent,
    EntryExitAsked,
    EntryExited,
    EntryFunded,
    EntryStartAsked,
    TemporaryGranted,
)
from schemas.entry.states import EntryState
from schemas.register import RegisterRow
from services.registry.entry.dates import expires, lapses
from services.registry.entry.picking import to_exit, to_fund
from services.registry.entry.rows import ended_row, funded_row, granted_row, started_row
from services.registry.entry.state import Dossier


def record_funding(dossier: Dossier, command: RecordFunding, context: Context) -> Sequence[EntryEvent]:
    """The proof is on record; a version in force gets it into the register, one that waited for it starts."""
    version = to_fund(dossier, command)
    assert version is not None
    bundle = context.rules.bundle
    today = bundle.day(context.now)
    row = funded_row(version, command, today)
    entry = entry_of(row)
    in_force = version is dossier.current
    resumed = version.state is EntryState.SUSPENDED and entry.funded(today)
    funded = EntryFunded(
        version=version.number,
        funding=row.text.funding,
        change=dossier.changes + 1 if in_force else 0,
        row=row if in_force else None,
        city=bundle.city.code,
        lapse=lapses(bundle, entry) if in_force else None,
        by=context.sender.id,
        at=context.received,
        state=EntryState.ACTIVE if resumed else version.state,
    )
    first = row.text.valid_from
    if in_force or version.starting or first is None or first > today or not entry.funded(today):
        return (funded,)
    return (funded, start_asked(row, dossier, context))


def start_asked(row: RegisterRow, dossier: Dossier, context: Context) -> EntryStartAsked:
    """生效: the register is asked to hold the version from today on."""
    bundle = context.rules.bundle
    return EntryStartAsked(
        version=row.version,
        change=dossier.changes + 1,
        row=started_row(row, bundle.day(context.now)),
        city=bundle.city.code,
        at=context.now,
    )


def evaluate_entry(dossier: Dossier, command: EvaluateEntry, context: Context) -> Sequence[EntryEvent]:
    post = acting_post(context, context.rules.bundle.day(context.now))
    assert dossier.current is not None
    assert post is not None
    evaluated = EntryEvaluated(
        version=dossier.current.number,
        unit=post.unit,
        score=command.score,
        votes=command.votes,
        text=command.text,
        by=context.sender.id,
        at=context.received,
    )
    return (evaluated,)


def exit_entry(dossier: Dossier, command: ExitEntry, context: Context) -> Sequence[EntryEvent]:
    """A version in force ends once the register is without it, one that never started at once."""
    version = to_exit(dossier, command)
    assert version is not None
    by, at = context.sender.id, context.received
    if version is dossier.coming:
        return (EntryExited(version=version.number, reason=command.reason, edition="", by=by, at=at),)
    asked = EntryExitAsked(
        version=version.number,
        reason=command.reason,
        change=dossier.changes + 1,
        row=ended_row(version, command.reason),
        city=context.rules.bundle.city.code,
        by=by,
        at=at,
    )
    return (asked,)


def grant_temporary(dossier: Dossier, command: GrantTemporary, context: Context) -> Sequence[EntryEvent]:
    """In force at once, as far as the register takes it; it ends by the clock."""
    bundle = context.rules.bundle
    row = granted_row(dossier, command, context)
    entry = entry_of(row)
    expire = expires(bundle, entry)
    assert expire is not None
    assert command.promised is not None
    granted = TemporaryGranted(
        row=row,
        promised=command.promised,
        renewal=renewals(bundle.areas, bundle.register.rows, entry),
        change=dossier.changes + 1,
        city=bundle.city.code,
        expire=expire,
        by=context.sender.id,
        at=context.received,
        edition=bundle.hash,
    )
    return (granted,)
