"""Signing (签收) and working (办理)."""

from kernel.processor import Context
from schemas.case.handling import (
    CaseSigned,
    ProgressRecorded,
    RecordProgress,
    ReporterContacted,
    SignatureDeemed,
    SignCase,
    StageFinished,
    SupervisionAnswered,
)
from schemas.case.objecting import DeemedSignatureTakenBack
from schemas.case.states import State
from schemas.case.timing import BreachTakenBack
from schemas.case.union import CaseEvent
from services.router.decisions.supervising import opened
from services.router.firings import breach
from services.router.guards import sending_post
from services.router.state import Case


def sign_case(case: Case, command: SignCase, context: Context) -> list[CaseEvent]:
    """签收 by the lead; by the clock it is deemed, and the unit is urged (催办)."""
    firing = command.firing
    if firing is None:
        signed = CaseSigned(
            unit=case.lead, reachable=case.reachable, by=context.sender.id, at=context.received
        )
        return [*silence_taken_back(case, context), signed]
    deemed = SignatureDeemed(unit=case.lead, reachable=case.reachable, at=firing.due)
    urged = opened(case, context, kind="urge", unit=case.lead, reason="sign", firing=firing)
    return [*breach(case, firing, context), deemed, urged]


def silence_taken_back(case: Case, context: Context) -> list[CaseEvent]:
    """The unit was not silent after all: its word was received before the sign clock's due time."""
    if case.state is State.TO_SIGN or case.deemed is None:
        return []
    at = context.received
    sign = case.deemed.sign
    back: list[CaseEvent] = [DeemedSignatureTakenBack(unit=case.lead, at=at)]
    if sign.breached is None:
        return back
    return [BreachTakenBack(clock="sign", since=sign.since, due=sign.breached, at=at), *back]


def record_progress(case: Case, command: RecordProgress, context: Context) -> list[CaseEvent]:
    """办理进展: on record; a contact stops the contact clock, a finished stage starts the next."""
    post = sending_post(context)
    unit = post.unit if post else case.lead
    by, at = context.sender.id, context.received
    events: list[CaseEvent] = [ProgressRecorded(unit=unit, text=command.text, by=by, at=at)]
    if command.contact:
        events.append(ReporterContacted(unit=unit, result=command.contact, by=by, at=at))
    if command.stage_finished:
        events.append(StageFinished(unit=unit, stage=case.stage + 1, by=by, at=at))
    if command.answers:
        events.append(SupervisionAnswered(number=command.answers, unit=unit, by=by, at=at))
    return events
