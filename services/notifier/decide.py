"""notifier.desk decides when and how one recipient is told: now, in a digest, again, or not at all (通知)."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from kernel.processor import Context
from kernel.table import decides, deciding
from rules.bundle import Bundle
from schemas.notice import (
    AddressDisabled,
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
    RecordOutcome,
    RequestNotice,
    TimerIgnored,
)
from services.notifier.audience import OWN
from services.notifier.ladder import DIGEST_MOST, digest_due, next_attempt, quiet_until, unit_of
from services.notifier.state import Desk, Pending, Waiting

TEXT_MOST: Final = 8000
AGAIN: Final = frozenset({"failed", "unknown", "not_tried"})
"""The results after which the same channel is tried again."""


# ── a request ────────────────────────────────────────────────────────────────────────────────────────
def take_on(desk: Desk, request: RequestNotice, context: Context) -> Sequence[DeskNoticeEvent]:
    """Now, unless it may wait for the digest or comes in quiet hours; then it leaves with the next digest."""
    bundle = context.rules.bundle
    quiet = None if request.urgent else quiet_until(context.now, context.stream, bundle)
    if quiet is None and (request.urgent or not request.digest):
        queued = _queued(desk, request, "now")
        pending = Pending(asked=request.channel, text=request.text)
        return queued, _start(queued.number, pending, desk.disabled, "no_channel", context)
    if quiet is None and len(desk.waiting) + 1 >= DIGEST_MOST:
        queued = _queued(desk, request, "digest")
        waiting = (*desk.waiting, Waiting(queued.number, request.channel, request.text))
        return queued, *_compose(desk.version + 1, waiting, desk.disabled, context)
    due = None if desk.waiting else quiet or digest_due(context.now, context.stream, bundle)
    return (_queued(desk, request, "quiet" if quiet else "digest", due=due),)


def _queued(desk: Desk, request: RequestNotice, wait: str, due: datetime | None = None) -> NoticeQueued:
    return NoticeQueued(
        number=desk.version + 1,
        case=request.case,
        event=request.event,
        audience=request.audience,
        channel=request.channel,
        text=request.text,
        wait=wait,
        due=due,
    )


# ── the digest ───────────────────────────────────────────────────────────────────────────────────────
def send_digest(desk: Desk, timer: DigestDue, context: Context) -> Sequence[DeskNoticeEvent]:  # noqa: ARG001
    """What waits leaves as one, for each channel that was asked for."""
    if not desk.waiting:
        return (TimerIgnored(notice=0),)
    return _compose(desk.version, desk.waiting, desk.disabled, context)


def _compose(
    version: int, waiting: tuple[Waiting, ...], disabled: tuple[tuple[str, str], ...], context: Context
) -> tuple[DeskNoticeEvent, ...]:
    """The digests of what waits, each with its first attempt; `version` is that of the event before them."""
    events: list[DeskNoticeEvent] = []
    for channel, part in _parts(waiting):
        text = part[0].text if len(part) == 1 else _joined([item.text for item in part])
        number = version + len(events) + 1
        numbers = tuple(item.number for item in part)
        events.append(DigestComposed(number=number, notices=numbers, channel=channel, text=text))
        events.append(_start(number, Pending(asked=channel, text=text), disabled, "no_channel", context))
    return tuple(events)


def _parts(waiting: tuple[Waiting, ...]) -> Iterator[tuple[str, tuple[Waiting, ...]]]:
    """What waits, by channel in order of first coming, at most `DIGEST_MOST` together."""
    for channel in dict.fromkeys(item.channel for item in waiting):
        mine = tuple(item for item in waiting if item.channel == channel)
        for start in range(0, len(mine), DIGEST_MOST):
            yield channel, mine[start : start + DIGEST_MOST]


def _joined(lines: list[str]) -> str:
    """One line for each notice; what does not fit is counted, never cut in the middle."""
    room, kept = TEXT_MOST - 12, 0
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            break
        kept += 1
    left = len(lines) - kept
    return "\n".join([*lines[:kept], f"… +{left}"] if left else lines)


# ── attempts ─────────────────────────────────────────────────────────────────────────────────────────
def record(desk: Desk, command: RecordOutcome, context: Context) -> Sequence[DeskNoticeEvent]:
    """What became of an attempt: delivered, tried again, by the next channel, or given up."""
    notice, outcome = command.notice, command.outcome
    pending = desk.pending.get(notice)
    if pending is None or not pending.running or command.attempt != pending.attempt:
        why = _why(pending, command)
        return (OutcomeIgnored(notice=notice, attempt=command.attempt, outcome=outcome, why=why),)
    if outcome.result == "delivered":
        return (NoticeDelivered(notice=notice, attempt=command.attempt),)
    retry = next_attempt(context.now, pending.tries, outcome.after) if outcome.result in AGAIN else None
    failed = NoticeFailed(notice=notice, attempt=command.attempt, outcome=outcome, retry=retry)
    if retry is not None:
        return (failed,)
    way = (pending.channel, pending.address)
    further = Pending(
        asked=pending.asked, text=pending.text, attempt=pending.attempt, passed=(*pending.passed, way)
    )
    events: list[DeskNoticeEvent] = [failed]
    if outcome.result == "gone" and pending.address:
        events.append(AddressDisabled(channel=pending.channel, address=pending.address))
    events.append(_start(notice, further, desk.disabled, outcome.result, context))
    return events


def try_again(desk: Desk, timer: NoticeDue, context: Context) -> Sequence[DeskNoticeEvent]:
    """The pause is over: the same channel again, at the address that it has by now."""
    pending = desk.pending.get(timer.notice)
    if pending is None or pending.running:
        return (TimerIgnored(notice=timer.notice),)
    return (_start(timer.notice, pending, desk.disabled, "no_channel", context),)


def _why(pending: Pending | None, command: RecordOutcome) -> str:
    if pending is None:
        return "settled"
    if command.attempt > pending.attempt:
        return "unknown"
    return "older" if command.attempt < pending.attempt else "duplicate"


def _start(
    number: int, pending: Pending, disabled: tuple[tuple[str, str], ...], last: str, context: Context
) -> AttemptStarted | NoticeGivenUp:
    """The next attempt by the first channel that has not had its chance; none left: given up."""
    for way in ways(pending.asked, context.stream, context.rules.bundle):
        if way not in pending.passed and way not in disabled:
            channel, address = way
            return AttemptStarted(
                notice=number,
                attempt=pending.attempt + 1,
                channel=channel,
                address=address,
                text=pending.text,
            )
    return NoticeGivenUp(notice=number, attempts=pending.attempt, reason=last)


def ways(asked: str, recipient: str, bundle: Bundle) -> Sequence[tuple[str, str]]:
    """The channels with their addresses by which a recipient can be told, in order.

    The asked one comes first, then the recipient's own ones; a unit's topic is no notice.
    """
    code = unit_of(recipient, bundle)
    unit = bundle.units.get(code) if code else None
    own = [(way.kind, way.address) for way in unit.channels if way.kind != "topic"] if unit else []
    if asked == OWN:
        return own
    named = [way for way in own if way[0] == asked] or [(asked, "")]
    return [*named, *(way for way in own if way not in named)]


decide = deciding(
    RequestNotice | RecordOutcome | NoticeDue | DigestDue,
    decides(RequestNotice, take_on),
    decides(RecordOutcome, record),
    decides(NoticeDue, try_again),
    decides(DigestDue, send_digest),
)
