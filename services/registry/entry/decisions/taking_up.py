"""An entry that came with a published bundle is taken up (录入) by the first command for it."""

from collections.abc import Sequence
from datetime import date

from kernel.processor import Context
from rules.admission import IN_FORCE, Entry
from rules.registering import row_of
from schemas.entry.events import EntryTakenUp
from schemas.entry.states import EntryState
from services.registry.entry.dates import expires, lapses, starts
from services.registry.entry.state import Dossier


def taken_up(dossier: Dossier, context: Context) -> Sequence[EntryTakenUp]:
    """Nothing, unless this stream is empty and the register in force has the entry: its last version."""
    if dossier.last:
        return ()
    bundle = context.rules.bundle
    versions = bundle.register.versions(context.stream)
    if not versions:
        return ()
    day = bundle.day(context.now)
    entry = next((one for one in versions if one.in_force(day)), versions[0])
    state = _state(entry, day)
    return (
        EntryTakenUp(
            row=row_of(entry),
            last=versions[0].version,
            state=state,
            start=starts(bundle, entry) if state is EntryState.APPROVED else None,
            expire=expires(bundle, entry),
            lapse=lapses(bundle, entry) if state is EntryState.ACTIVE else None,
            edition=bundle.hash,
        ),
    )


def _state(entry: Entry, day: date) -> EntryState:
    if entry.state == "exited":
        return EntryState.EXITED
    if entry.expired(day):
        return EntryState.EXPIRED
    if entry.state not in IN_FORCE or entry.valid_from > day:
        return EntryState.APPROVED
    if entry.term == "temporary":
        return EntryState.TEMPORARY
    return EntryState.ACTIVE if entry.funded(day) else EntryState.SUSPENDED
