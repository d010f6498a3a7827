"""Folds the events of a recipient's desk; a settled notice leaves the state."""

from msgspec.structs import replace

from kernel.table import folding, when
from schemas.notice import (
    AddressDisabled,
    AttemptStarted,
    DeskNoticeEvent,
    DigestComposed,
    NoticeDelivered,
    NoticeFailed,
    NoticeGivenUp,
    NoticeQueued,
    OutcomeIgnored,
    TimerIgnored,
)
from services.notifier.state import Desk, Pending, Waiting


def _queued(desk: Desk, event: NoticeQueued) -> Desk:
    if event.wait == "now":
        return _with(desk, event.number, Pending(asked=event.channel, text=event.text))
    item = Waiting(event.number, event.channel, event.text)
    return replace(desk, version=desk.version + 1, waiting=(*desk.waiting, item))


def _composed(desk: Desk, event: DigestComposed) -> Desk:
    left = tuple(item for item in desk.waiting if item.number not in event.notices)
    pending = Pending(asked=event.channel, text=event.text)
    return replace(_with(desk, event.number, pending), waiting=left)


def _started(desk: Desk, event: AttemptStarted) -> Desk:
    pending = desk.pending[event.notice]
    same = (pending.channel, pending.address) == (event.channel, event.address)
    started = replace(
        pending,
        attempt=event.attempt,
        tries=pending.tries + 1 if same else 1,
        channel=event.channel,
        address=event.address,
        running=True,
    )
    return _with(desk, event.notice, started)


def _failed(desk: Desk, event: NoticeFailed) -> Desk:
    pending = replace(desk.pending[event.notice], running=False)
    if event.retry is None:
        pending = replace(pending, passed=(*pending.passed, (pending.channel, pending.address)))
    return _with(desk, event.notice, pending)


def _settled(desk: Desk, event: NoticeDelivered | NoticeGivenUp) -> Desk:
    pending = {number: each for number, each in desk.pending.items() if number != event.notice}
    return replace(desk, version=desk.version + 1, pending=pending)


def _disabled(desk: Desk, event: AddressDisabled) -> Desk:
    disabled = (*desk.disabled, (event.channel, event.address))
    return replace(desk, version=desk.version + 1, disabled=disabled)


def _noted(desk: Desk, event: OutcomeIgnored | TimerIgnored) -> Desk:  # noqa: ARG001 - on record, changes nothing
    return replace(desk, version=desk.version + 1)


def _with(desk: Desk, number: int, pending: Pending) -> Desk:
    return replace(desk, version=desk.version + 1, pending={**desk.pending, number: pending})


evolve = folding(
    DeskNoticeEvent,
    when(NoticeQueued, _queued),
    when(DigestComposed, _composed),
    when(AttemptStarted, _started),
    when(NoticeDelivered, _settled),
    when(NoticeFailed, _failed),
    when(NoticeGivenUp, _settled),
    when(AddressDisabled, _disabled),
    when(OutcomeIgnored, _noted),
    when(TimerIgnored, _noted),
)
