"""What leaves a recipient's desk: attempts for the performer, timers for the next one and for the digest."""

from collections.abc import Sequence

from kernel.processor import CancelTimer, Effect, SetTimer
from kernel.table import nothing, reacting, sends
from schemas.envelope import Envelope, event_id
from schemas.notice import (
    AddressDisabled,
    AttemptDelivery,
    AttemptStarted,
    DeskNoticeEvent,
    DigestComposed,
    DigestDue,
    NoticeDelivered,
    NoticeDue,
    NoticeFailed,
    NoticeGivenUp,
    NoticeQueued,
    OutcomeIgnored,
    TimerIgnored,
)
from schemas.topics import NOTICE_ATTEMPTS

DIGEST = "digest"


def _queued(event: NoticeQueued, envelope: Envelope) -> Sequence[Effect]:  # noqa: ARG001
    return () if event.due is None else (SetTimer(DIGEST, event.due, DigestDue()),)


def _composed(event: DigestComposed, envelope: Envelope) -> Sequence[Effect]:  # noqa: ARG001
    return (CancelTimer(DIGEST),)


def _started(event: AttemptStarted, envelope: Envelope) -> Sequence[Effect]:
    """Every attempt carries the id of the event that asked for it: the notice's or the digest's own."""
    recipient = envelope.subject
    delivery = AttemptDelivery(
        key=event_id(recipient, event.notice),
        recipient=recipient,
        notice=event.notice,
        attempt=event.attempt,
        channel=event.channel,
        address=event.address,
        text=event.text,
    )
    return (NOTICE_ATTEMPTS.send(recipient, delivery),)


def _failed(event: NoticeFailed, envelope: Envelope) -> Sequence[Effect]:  # noqa: ARG001
    if event.retry is None:
        return ()
    return (SetTimer(f"retry/{event.notice}", event.retry, NoticeDue(notice=event.notice)),)


react = reacting(
    DeskNoticeEvent,
    sends(NoticeQueued, _queued),
    sends(DigestComposed, _composed),
    sends(AttemptStarted, _started),
    sends(NoticeDelivered, nothing),
    sends(NoticeFailed, _failed),
    sends(NoticeGivenUp, nothing),
    sends(AddressDisabled, nothing),
    sends(OutcomeIgnored, nothing),
    sends(TimerIgnored, nothing),
)
