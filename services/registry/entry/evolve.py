"""Folds the events of an entry: one small applier for each, in a table that must be complete."""

from dataclasses import replace as with_fields
from typing import Any

from msgspec.structs import replace

from kernel.table import folding, unchanged, when
from schemas.entry import events as on_record
from schemas.entry.events import EntryEvent
from schemas.entry.states import EntryState
from services.registry.entry.state import Asked, Dossier, Opinion, Version

_OVER = frozenset({EntryState.REFUSED, EntryState.EXPIRED, EntryState.EXITED})


def _taken_up(dossier: Dossier, event: on_record.EntryTakenUp) -> Dossier:
    known = replace(dossier, last=max(event.last, event.row.version))
    version = Version(row=event.row, state=event.state)
    if event.state in _OVER:
        return replace(known, ended=event.state)
    if event.state is EntryState.APPROVED:
        return replace(known, coming=version)
    return replace(known, current=version)


def _applied(dossier: Dossier, event: on_record.EntryApplied) -> Dossier:
    version = Version(row=event.row, state=event.state, decide=event.decide)
    return replace(dossier, last=event.row.version, coming=version)


def _opinion(dossier: Dossier, event: on_record.OpinionGiven) -> Dossier:
    coming = _coming(dossier)
    others = (one for one in coming.opinions if (one.party, one.unit) != (event.party, event.unit))
    said = Opinion(event.party, event.unit, event.agrees)
    return replace(dossier, coming=replace(coming, opinions=(*others, said)))


def _noticed(dossier: Dossier, event: on_record.EntryNoticed) -> Dossier:
    coming = _coming(dossier)
    row = with_fields(coming.row, approval_no=event.approval_no, noticed_on=event.noticed_on)
    noticed = replace(coming, row=row, state=event.state, decide=None, ends=event.ends, close=event.close)
    return replace(dossier, coming=noticed)


def _refused(dossier: Dossier, event: on_record.EntryRefused) -> Dossier:
    return replace(dossier, coming=None, ended=event.state)


def _objected(dossier: Dossier, event: on_record.EntryObjected) -> Dossier:
    coming = _coming(dossier)
    noted = replace(coming, open=(*coming.open, event.number), objections=event.number)
    return replace(dossier, coming=noted)


def _approved(dossier: Dossier, event: on_record.EntryApproved) -> Dossier:
    return replace(
        dossier, coming=replace(_coming(dossier), state=event.state, open=(), ends=None, close=None)
    )


def _returned(dossier: Dossier, event: on_record.EntryReturned) -> Dossier:
    """After the notice it counts as a return; the opinions stay, a start that failed is asked no more."""
    coming = _coming(dossier)
    after_notice = coming.state is EntryState.NOTICED
    back = replace(
        coming,
        state=event.state,
        decide=event.decide,
        ends=None,
        close=None,
        open=(),
        returns=coming.returns + after_notice,
        starting=0,
        waits=False,
    )
    return replace(_without(dossier, coming.starting), coming=back)


def _funded(dossier: Dossier, event: on_record.EntryFunded) -> Dossier:
    version = _named(dossier, event.version)
    text = with_fields(version.row.text, funding=event.funding)
    funded = replace(version, row=with_fields(version.row, text=text), state=event.state, waits=False)
    if event.row is None:
        return replace(dossier, coming=funded)
    asked = Asked(event.change, "fund", event.version, version)
    return replace(_asking(dossier, asked), current=funded)


def _start_asked(dossier: Dossier, event: on_record.EntryStartAsked) -> Dossier:
    starting = replace(_coming(dossier), row=event.row, starting=event.change)
    return replace(_asking(dossier, Asked(event.change, "start", event.version)), coming=starting)


def _start_waits(dossier: Dossier, event: on_record.EntryStartWaits) -> Dossier:  # noqa: ARG001 - as every applier
    return replace(dossier, coming=replace(_coming(dossier), waits=True))


def _started(dossier: Dossier, event: on_record.EntryStarted) -> Dossier:
    coming = _coming(dossier)
    started = Version(row=coming.row, state=event.state)
    return replace(_without(dossier, coming.starting), current=started, coming=None)


def _registered(dossier: Dossier, event: on_record.EntryRegistered) -> Dossier:
    return _without(dossier, event.change)


def _change_refused(dossier: Dossier, event: on_record.EntryChangeRefused) -> Dossier:
    """As before the change; a version that is over meanwhile stays over, but one whose renewal failed."""
    asked = next(one for one in dossier.asked if one.change == event.change)
    known, current = _without(dossier, event.change), dossier.current
    if asked.what == "exit" or current is None or current.number != event.version:
        return known
    before = replace(asked.before, state=event.state) if asked.before else None
    return replace(known, current=before, ended=known.ended if before else event.state)


def _exit_asked(dossier: Dossier, event: on_record.EntryExitAsked) -> Dossier:
    asked = Asked(event.change, "exit", event.version, dossier.current, event.reason, event.by)
    return _asking(dossier, asked)


def _exited(dossier: Dossier, event: on_record.EntryExited) -> Dossier:
    change = next(
        (one.change for one in dossier.asked if (one.what, one.version) == ("exit", event.version)), 0
    )
    return _over(_without(dossier, change), event.version, event.state)


def _suspended(dossier: Dossier, event: on_record.EntrySuspended) -> Dossier:
    return replace(dossier, current=replace(_named(dossier, event.version), state=event.state))


def _expired(dossier: Dossier, event: on_record.EntryExpired) -> Dossier:
    return _over(dossier, event.version, event.state)


def _granted(dossier: Dossier, event: on_record.TemporaryGranted) -> Dossier:
    asked = Asked(event.change, "grant", event.row.version, dossier.current)
    granted = Version(row=event.row, state=event.state)
    return replace(_asking(dossier, asked), last=event.row.version, current=granted)


def _superseded(dossier: Dossier, event: on_record.EntrySuperseded) -> Dossier:
    known = replace(dossier, last=max(dossier.last, event.version))
    return _over(known, event.version, event.state)


def _evaluated(dossier: Dossier, event: on_record.EntryEvaluated) -> Dossier:  # noqa: ARG001 - as every applier
    return replace(dossier, evaluations=dossier.evaluations + 1)


def _asking(dossier: Dossier, asked: Asked) -> Dossier:
    return replace(dossier, changes=asked.change, asked=(*dossier.asked, asked))


def _without(dossier: Dossier, change: int) -> Dossier:
    return replace(dossier, asked=tuple(one for one in dossier.asked if one.change != change))


def _over(dossier: Dossier, number: int, state: EntryState) -> Dossier:
    """The version is gone; how it ended is where the entry stands unless another version is there."""
    current, coming = dossier.current, dossier.coming
    return replace(
        dossier,
        current=None if current and current.number == number else current,
        coming=None if coming and coming.number == number else coming,
        ended=state,
    )


def _coming(dossier: Dossier) -> Version:
    assert dossier.coming is not None, "an event about a version under way"
    return dossier.coming


def _named(dossier: Dossier, number: int) -> Version:
    found: Any = next(
        (one for one in (dossier.coming, dossier.current) if one and one.number == number), None
    )
    assert found is not None, "an event about a version that is there"
    return found


evolve = folding(
    EntryEvent,
    when(on_record.EntryTakenUp, _taken_up),
    when(on_record.EntryApplied, _applied),
    when(on_record.OpinionGiven, _opinion),
    when(on_record.EntryNoticed, _noticed),
    when(on_record.EntryRefused, _refused),
    when(on_record.EntryObjected, _objected),
    when(on_record.EntryApproved, _approved),
    when(on_record.EntryReturned, _returned),
    when(on_record.EntryFunded, _funded),
    when(on_record.EntryStartAsked, _start_asked),
    when(on_record.EntryStartWaits, _start_waits),
    when(on_record.EntryStarted, _started),
    when(on_record.EntryRegistered, _registered),
    when(on_record.EntryChangeRefused, _change_refused),
    when(on_record.EntryEvaluated, _evaluated),
    when(on_record.EntryExitAsked, _exit_asked),
    when(on_record.EntryExited, _exited),
    when(on_record.EntrySuspended, _suspended),
    when(on_record.EntryExpired, _expired),
    when(on_record.TemporaryGranted, _granted),
    when(on_record.EntrySuperseded, _superseded),
    when(on_record.EntryCommandRefused, unchanged),
    when(on_record.EntryTimerIdle, unchanged),
)
