"""公示: anyone may object, every objection is answered, then the entry is admitted or goes back."""

from collections.abc import Sequence

from kernel.processor import Context
from rules.registering import entry_of
from schemas.entry.commands import CloseNotice, ObjectionAnswer, ObjectToEntry
from schemas.entry.events import EntryApproved, EntryEvent, EntryObjected, EntryReturned
from services.registry.entry.dates import after_working_days, starts
from services.registry.entry.state import Dossier


def object_to_entry(dossier: Dossier, command: ObjectToEntry, context: Context) -> Sequence[EntryEvent]:
    assert dossier.coming is not None
    coming = dossier.coming
    objected = EntryObjected(
        version=coming.number,
        number=coming.objections + 1,
        text=command.text,
        by=context.sender.id,
        at=context.received,
    )
    return (objected,)


def close_notice(dossier: Dossier, command: CloseNotice, context: Context) -> Sequence[EntryEvent]:
    """Admitted, or back to be reviewed, with the answer to each objection."""
    assert dossier.coming is not None
    if not command.back:
        return (approved(dossier, command.answers, context.sender.id, context),)
    bundle = context.rules.bundle
    back = EntryReturned(
        version=dossier.coming.number,
        answers=command.answers,
        reason=command.reason,
        faults=(),
        decide=after_working_days(bundle, context.received, bundle.bounds.decide_days),
        by=context.sender.id,
        at=context.received,
    )
    return (back,)


def approved(
    dossier: Dossier, answers: tuple[ObjectionAnswer, ...], by: str, context: Context
) -> EntryApproved:
    """The clock starts it on its first day, or at once if that day has come."""
    assert dossier.coming is not None
    start = starts(context.rules.bundle, entry_of(dossier.coming.row))
    return EntryApproved(
        version=dossier.coming.number, answers=answers, start=start, by=by, at=context.received
    )
