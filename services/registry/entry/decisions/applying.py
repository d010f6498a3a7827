"""申请, 意见, 审批: a department applies, four parties speak, the body of the same level decides."""

from collections.abc import Sequence

from kernel.acting import acting_post
from kernel.processor import Context
from schemas.entry.commands import AmendEntry, ApplyEntry, DecideEntry, GiveOpinion
from schemas.entry.events import EntryApplied, EntryEvent, EntryNoticed, EntryRefused, OpinionGiven
from services.registry.entry.dates import after_working_days
from services.registry.entry.parties import COMMUNITIES, STREET
from services.registry.entry.rows import new_row
from services.registry.entry.state import Dossier


def apply_entry(dossier: Dossier, command: ApplyEntry | AmendEntry, context: Context) -> Sequence[EntryEvent]:
    """A new version under review (申请, 调整); the one in force stays so until the new one is."""
    bundle = context.rules.bundle
    applied = EntryApplied(
        row=new_row(dossier, command.text, context),
        amends=dossier.current.number if dossier.current else 0,
        decide=after_working_days(bundle, context.received, bundle.bounds.decide_days),
        by=context.sender.id,
        at=context.received,
        edition=bundle.hash,
    )
    return (applied,)


def give_opinion(dossier: Dossier, command: GiveOpinion, context: Context) -> Sequence[EntryEvent]:
    assert dossier.coming is not None
    post = acting_post(context, context.rules.bundle.day(context.now))
    alone = command.party == STREET or (command.party == COMMUNITIES and post and post.role == "handler")
    given = OpinionGiven(
        version=dossier.coming.number,
        party=command.party,
        unit=post.unit if post and alone else "",
        agrees=command.agrees,
        text=command.text,
        by=context.sender.id,
        at=context.received,
    )
    return (given,)


def decide_entry(dossier: Dossier, command: DecideEntry, context: Context) -> Sequence[EntryEvent]:
    """Refused, or approved for notice: so many working days, then some more until the clock closes it."""
    assert dossier.coming is not None
    version, by, at = dossier.coming.number, context.sender.id, context.received
    if not command.approve:
        return (EntryRefused(version=version, reason=command.reason, silent=False, by=by, at=at),)
    bundle = context.rules.bundle
    ends = after_working_days(bundle, at, bundle.bounds.notice_days)
    noticed = EntryNoticed(
        version=version,
        approval_no=command.approval_no,
        noticed_on=bundle.day(at),
        ends=ends,
        close=after_working_days(bundle, ends, bundle.bounds.notice_extra_days),
        by=by,
        at=at,
        edition=bundle.hash,
    )
    return (noticed,)
