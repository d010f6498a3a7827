"""notifier.performer: the recorded side of deliveries; the worker carried them out before (执行)."""

from collections.abc import Sequence
from typing import Final

from kernel.processor import Context, Processor
from kernel.table import decides, deciding
from schemas.envelope import Envelope
from schemas.notice import AttemptDelivery, AttemptPerformed, Outcome, Performed, RecordOutcome
from schemas.topics import NOTICE_ATTEMPTS, NOTICE_REQUESTS, Send

NOT_TRIED: Final = Outcome(result="not_tried", detail="taken up without a performer")


def note(state: None, performed: Performed, context: Context) -> Sequence[AttemptPerformed]:  # noqa: ARG001
    return (_performed(performed.request, performed.outcome),)


def leave(state: None, request: AttemptDelivery, context: Context) -> Sequence[AttemptPerformed]:  # noqa: ARG001
    """An attempt that nobody carried out, such as one that was held: the desk tries again under its key."""
    return (_performed(request, NOT_TRIED),)


def _performed(request: AttemptDelivery, outcome: Outcome) -> AttemptPerformed:
    return AttemptPerformed(
        notice=request.notice, attempt=request.attempt, channel=request.channel, outcome=outcome
    )


def _evolve(state: None, event: AttemptPerformed) -> None:
    """The desk keeps the notice; here nothing is remembered."""


def _react(event: AttemptPerformed, envelope: Envelope) -> Sequence[Send]:
    outcome = RecordOutcome(notice=event.notice, attempt=event.attempt, outcome=event.outcome)
    return (NOTICE_REQUESTS.send(envelope.subject, outcome),)


def again(request: AttemptDelivery, event: AttemptPerformed) -> Performed:
    """The input that was decided, from what was recorded: replay performs nothing."""
    return Performed(request=request, outcome=event.outcome)


PERFORMER: Final = Processor(
    name="notifier.performer",
    inbox=(NOTICE_ATTEMPTS,),
    handles=(AttemptDelivery, Performed),
    initial=None,
    decide=deciding(AttemptDelivery | Performed, decides(AttemptDelivery, leave), decides(Performed, note)),
    evolve=_evolve,
    react=_react,
)
