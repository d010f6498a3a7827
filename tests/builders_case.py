"""Case events as they would stand in the journal of router.case, for the tests of those who read them."""

from datetime import datetime
from typing import Any

from schemas.case.assigning import CaseAssigned, LeadRelieved
from schemas.case.closing import (
    CallbackRecorded,
    CaseClosed,
    CaseReopened,
    CaseWrittenOff,
    CheckRecorded,
    InspectionFailed,
    InspectionPassed,
    ResolutionReported,
    ReworkOrdered,
    WriteOffTakenBack,
)
from schemas.case.handling import CaseSigned, ReporterContacted, SignatureDeemed, StageFinished
from schemas.case.objecting import (
    DeemedSignatureTakenBack,
    ObjectionAccepted,
    ObjectionRaised,
    ObjectionReferred,
    ObjectionRefused,
)
from schemas.case.opening import CaseAccepted, CaseOpened, CaseVoided, CheckOrdered
from schemas.case.states import State
from schemas.case.timing import BreachNotConfirmed, ClockBreached, Term
from schemas.intake import ReadReport
from schemas.refusal import Refusal
from tests.builders_city import CLUTTER

CASE, DESK = "20260302-C1-0001", "C1"
HOURS_4 = Term(text="4工作时", minutes=240, working=True)
DAYS_3 = Term(text="3工作日", minutes=1_440, working=True)
URGENT_2 = Term(text="2紧急工作时", minutes=120, working=False, urgent=True)
SHORT = 360


def read_report(at: datetime, **other: Any) -> ReadReport:
    return ReadReport(**{
        "report": "app/1", "channel": "app", "kind": "problem", "text": "楼道堆物", "place": "",
        "position": None, "areas": (), "located": 1000, "matter": CLUTTER,
        "confidence": 900, "received": at, "occurred": None, "reporter": "r-1", "historic": False,
    } | other)  # fmt: skip


def opened(at: datetime, matter: str = CLUTTER, area: str = "C1", historic: bool = False) -> CaseOpened:
    report = read_report(at, matter=matter, historic=historic)
    return CaseOpened(
        case=CASE,
        desk=DESK,
        area=area,
        matter=matter,
        matter_name="",
        report=report,
        historic=historic,
        at=at,
    )


def check_ordered(at: datetime) -> CheckOrdered:
    return CheckOrdered(area="C1", at=at)


def check_recorded(at: datetime) -> CheckRecorded:
    return CheckRecorded(passed=True, items=(), photos=(), note="", by="OPS-inspector", at=at)


def accepted(
    at: datetime,
    limit: Term = DAYS_3,
    leg_limit: Term | None = None,
    stages: tuple[Term, ...] = (),
    matter: str = CLUTTER,
) -> CaseAccepted:
    return CaseAccepted(
        matter=matter, matter_name="", condition="1", triage="small", area="C1", desk=DESK, limit=limit,
        leg_limit=leg_limit or limit, closing=(), stages=stages, calendar="",
        automatic=True, by="intake.desk", at=at,
    )  # fmt: skip


def assigned(
    at: datetime, lead: str = "JW1", limit: Term = DAYS_3, same_lead: bool = False, **other: Any
) -> CaseAssigned:
    facts = {"leg_limit": limit, "reachable": False, "handle_at_once": limit.minutes <= SHORT}
    return CaseAssigned(
        lead=lead, lead_name="", assistants=(), supervising=(), limit=limit, calendar="", same_lead=same_lead,
        number=1, origin="", reason="", by="intake.desk", at=at, **(facts | other),
    )  # fmt: skip


def relieved(at: datetime, unit: str = "JW1") -> LeadRelieved:
    return LeadRelieved(unit=unit, successor="", reason="", at=at)


def signed(at: datetime, unit: str = "JW1", reachable: bool = False) -> CaseSigned:
    return CaseSigned(unit=unit, reachable=reachable, by=f"{unit}-handler", at=at)


def deemed(at: datetime, unit: str = "JW1") -> SignatureDeemed:
    return SignatureDeemed(unit=unit, reachable=False, at=at)


def deemed_taken_back(at: datetime, unit: str = "JW1") -> DeemedSignatureTakenBack:
    return DeemedSignatureTakenBack(unit=unit, at=at)


def objected(at: datetime, unit: str = "JW1") -> ObjectionRaised:
    return ObjectionRaised(
        unit=unit, reason="not_ours", basis="", proposed="", number=1, by=f"{unit}-handler", at=at
    )


def referred(at: datetime, level: int = 1) -> ObjectionReferred:
    return ObjectionReferred(unit="JW1", level=level, why="no_answer", by="sla.clock", at=at)


def objection_accepted(at: datetime) -> ObjectionAccepted:
    return ObjectionAccepted(unit="JW1", level=0, reason="", by="OPS-dispatcher", at=at)


def objection_refused(at: datetime, reachable: bool = False) -> ObjectionRefused:
    return ObjectionRefused(
        unit="JW1", level=0, reason="", silent=False, reachable=reachable, by="OPS-dispatcher", at=at
    )


def contacted(at: datetime) -> ReporterContacted:
    return ReporterContacted(unit="JW1", result="reached", by="JW1-handler", at=at)


def stage_finished(at: datetime, stage: int) -> StageFinished:
    return StageFinished(unit="JW1", stage=stage, by="JW1-handler", at=at)


def resolved(at: datetime) -> ResolutionReported:
    return ResolutionReported(
        unit="JW1",
        outcome="solved",
        answer="已清理",
        items=(),
        settled_level="",
        round=1,
        by="JW1-handler",
        at=at,
    )


def passed(at: datetime, state: State = State.TO_CALL_BACK) -> InspectionPassed:
    return InspectionPassed(items=(), photos=(), note="", by="OPS-inspector", at=at, state=state)


def failed(at: datetime) -> InspectionFailed:
    return InspectionFailed(items=(), photos=(), note="", by="OPS-inspector", at=at)


def rework(at: datetime, limit: Term = HOURS_4, reachable: bool = False) -> ReworkOrdered:
    return ReworkOrdered(unit="JW1", round=2, why="inspection", limit=limit, reachable=reachable, at=at)


def called_back(at: datetime, contacted: bool = True) -> CallbackRecorded:
    return CallbackRecorded(
        reporter="r-1", attempt=1, contacted=contacted, solved=True, score=5, note="", unreasonable="",
        outcome="called_back" if contacted else "not_reached", over=contacted, by="OPS-caller", at=at,
    )  # fmt: skip


def closed(at: datetime) -> CaseClosed:
    return CaseClosed(case=CASE, desk=DESK, how="called_back", satisfied=True, lead="JW1", round=1, at=at)


def written_off(at: datetime) -> CaseWrittenOff:
    return CaseWrittenOff(case=CASE, desk=DESK, due=None, by="sla.clock", at=at)


def write_off_taken_back(at: datetime) -> WriteOffTakenBack:
    return WriteOffTakenBack(at=at)


def reopened(at: datetime, state: State = State.TO_ROUTE, limit: Term | None = DAYS_3) -> CaseReopened:
    return CaseReopened(
        case=CASE, desk=DESK, round=2, reason="", former=State.CLOSED, limit=limit, by="intake.desk", at=at,
        state=state,
    )  # fmt: skip


def voided(at: datetime) -> CaseVoided:
    return CaseVoided(case=CASE, desk=DESK, reason="private", remedy="", by="OPS-clerk", at=at)


def breached(at: datetime, clock: str, since: int) -> ClockBreached:
    return ClockBreached(clock=clock, since=since, due=at, unit="", at=at)


def not_breached(at: datetime, clock: str, since: int) -> BreachNotConfirmed:
    refusal = Refusal(code="stopped_in_time", expected="", found="")
    return BreachNotConfirmed(clock=clock, since=since, due=at, refusal=refusal)
