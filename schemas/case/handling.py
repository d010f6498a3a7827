"""Signing (签收) and progress (办理进展) of the unit that leads."""

from dataclasses import dataclass

from schemas.case.states import State
from schemas.case.timing import Firing
from schemas.scalars import Code, Count, Instant, Name, Text


@dataclass(frozen=True, slots=True, kw_only=True)
class SignCase:
    """签收: by the lead, or deemed by the sign clock."""

    firing: Firing | None = None
    expected_revision: Count = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordProgress:
    """办理进展·首次联系: a step taken; it may contact the reporter, finish a stage or answer a supervision.

    `contact` is empty, `reached` or `not_reached`; `answers` the number of a supervision, 0 for none.
    """

    text: Text
    contact: Name = ""
    stage_finished: bool = False
    answers: Count = 0
    expected_revision: Count = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseSigned:
    """已签收. Handle runs from `at`, contact too if a reporter is `reachable`."""

    unit: Code
    reachable: bool
    by: Name
    at: Instant
    state: State = State.HANDLING


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureDeemed:
    """视为签收: the unit stayed silent until the sign clock's due time, which is `at`."""

    unit: Code
    reachable: bool
    at: Instant
    state: State = State.HANDLING


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressRecorded:
    """已记进展."""

    unit: Code
    text: Text
    by: Name
    at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class ReporterContacted:
    """已联系诉求人: the contact clock stops at `at`, whether the reporter was reached or not."""

    unit: Code
    result: Name
    by: Name
    at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class StageFinished:
    """阶段完成: limits in series (停工 → 处罚 → 拆除) go on with the next stage."""

    unit: Code
    stage: Count
    by: Name
    at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class SupervisionAnswered:
    """督办已回复."""

    number: Count
    unit: Code
    by: Name
    at: Instant
