"""What leaves an entry: changes for the register of the city, and the timers of its versions."""

from collections.abc import Sequence
from datetime import datetime
from typing import get_args

from kernel.processor import CancelTimer, Effect, SetTimer
from kernel.table import nothing, reacting, sends
from schemas.entry.commands import EntryRang
from schemas.entry.events import (
    EntryApplied,
    EntryApproved,
    EntryChangeRefused,
    EntryEvent,
    EntryExitAsked,
    EntryFunded,
    EntryNoticed,
    EntryRefused,
    EntryReturned,
    EntryStartAsked,
    EntryStarted,
    EntryStartWaits,
    EntryTakenUp,
    TemporaryGranted,
)
from schemas.envelope import Envelope
from schemas.register import RegisterRow, RowChange
from schemas.registry import ChangeRegister
from schemas.topics import REGISTRY_COMMANDS, Send

DECIDE, CLOSE, START, LAPSE, EXPIRE = "decide", "close", "start", "lapse", "expire"
"""The timers of an entry; one that rings for a version that is over changes nothing."""


def _timer(clock: str, due: datetime | None, version: int) -> Effect:
    return (
        CancelTimer(clock) if due is None else SetTimer(clock, due, EntryRang(clock=clock, version=version))
    )


def _change(city: str, change: int, row: RegisterRow) -> Send:
    return REGISTRY_COMMANDS.send(city, ChangeRegister(change=RowChange(change=change, row=row)))


def _taken_up(event: EntryTakenUp, envelope: Envelope) -> Sequence[Effect]:  # noqa: ARG001
    due = ((START, event.start), (EXPIRE, event.expire), (LAPSE, event.lapse))
    return [_timer(clock, at, event.row.version) for clock, at in due if at is not None]


def _applied(event: EntryApplied, envelope: Envelope) -> Sequence[Effect]:  # noqa: ARG001
    return [_timer(DECIDE, event.decide, event.row.version)]


def _noticed(event: EntryNoticed, envelope: Envelope) -> Sequence[Effect]:  # noqa: ARG001
    return [CancelTimer(DECIDE), _timer(CLOSE, event.close, event.version)]


def _refused(event: EntryRefused, envelope: Envelope) -> Sequence[Effect]:  # noqa: ARG001
    return [CancelTimer(DECIDE), CancelTimer(CLOSE)]


def _returned(event: EntryReturned, envelope: Envelope) -> Sequence[Effect]:  # noqa: ARG001
    return [CancelTimer(CLOSE), _timer(DECIDE, event.decide, event.version)]


def _approved(event: EntryApproved, envelope: Envelope) -> Sequence[Effect]:  # noqa: ARG001
    return [CancelTimer(CLOSE), _timer(START, event.start, event.version)]


def _start_waits(event: EntryStartWaits, envelope: Envelope) -> Sequence[Effect]:  # noqa: ARG001
    return [_timer(START, event.expire, event.version)]


def _start_asked(event: EntryStartAsked, envelope: Envelope) -> Sequence[Effect]:  # noqa: ARG001
    return [CancelTimer(START), _change(event.city, event.change, event.row)]


def _started(event: EntryStarted, envelope: Envelope) -> Sequence[Effect]:  # noqa: ARG001
    return [_timer(EXPIRE, event.expire, event.version), _timer(LAPSE, event.lapse, event.version)]


def _funded(event: EntryFunded, envelope: Envelope) -> Sequence[Effect]:  # noqa: ARG001
    if event.row is None:
        return ()
    return [_timer(LAPSE, event.lapse, event.version), _change(event.city, event.change, event.row)]


def _exit_asked(event: EntryExitAsked, envelope: Envelope) -> Sequence[Effect]:  # noqa: ARG001
    return [_change(event.city, event.change, event.row)]


def _granted(event: TemporaryGranted, envelope: Envelope) -> Sequence[Effect]:  # noqa: ARG001
    expire = _timer(EXPIRE, event.expire, event.row.version)
    return [expire, CancelTimer(LAPSE), _change(event.city, event.change, event.row)]


def _change_refused(event: EntryChangeRefused, envelope: Envelope) -> Sequence[Effect]:  # noqa: ARG001
    """The timers are again those of the version that stands there as before."""
    return [_timer(EXPIRE, event.expire, event.stands), _timer(LAPSE, event.lapse, event.stands)]


_LEAVING = (
    sends(EntryTakenUp, _taken_up),
    sends(EntryApplied, _applied),
    sends(EntryNoticed, _noticed),
    sends(EntryRefused, _refused),
    sends(EntryReturned, _returned),
    sends(EntryApproved, _approved),
    sends(EntryStartWaits, _start_waits),
    sends(EntryStartAsked, _start_asked),
    sends(EntryStarted, _started),
    sends(EntryFunded, _funded),
    sends(EntryExitAsked, _exit_asked),
    sends(TemporaryGranted, _granted),
    sends(EntryChangeRefused, _change_refused),
)
_SILENT = tuple(
    sends(kind, nothing) for kind in get_args(EntryEvent) if kind not in {kind for kind, _ in _LEAVING}
)

react = reacting(EntryEvent, *_LEAVING, *_SILENT)
