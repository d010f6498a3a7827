"""notifier.desk: one recipient's notices, from the request to the receipt (收件人通知台)."""

from typing import Final

from kernel.processor import Processor
from schemas.notice import DigestDue, NoticeDue, RecordOutcome, RequestNotice
from schemas.topics import NOTICE_REQUESTS
from services.notifier.decide import decide
from services.notifier.evolve import evolve
from services.notifier.react import react
from services.notifier.state import Desk

DESK: Final = Processor(
    name="notifier.desk",
    inbox=(NOTICE_REQUESTS,),
    handles=(RequestNotice, RecordOutcome, NoticeDue, DigestDue),
    initial=Desk(),
    decide=decide,
    evolve=evolve,
    react=react,
    snapshot=Desk,
    snapshot_every=200,
)
