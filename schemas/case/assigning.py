"""Who leads the case: dispatch (派遣), admission (准入裁定), relief, and what happens when nobody may."""

from dataclasses import dataclass

from schemas.case.states import State
from schemas.case.timing import Term
from schemas.scalars import Code, Count, Hash, Instant, Line, Name, OptionalCode


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignCase:
    """派遣·改派: one lead, assistants, and a unit that supervises.

    Without a lead the router walks its candidates itself; without `supervising` the matter says who.
    """

    lead: OptionalCode = ""
    assistants: tuple[Code, ...] = ()
    supervising: tuple[Code, ...] = ()
    reason: Line = ""
    expected_revision: Count = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateVerdict:
    """One unit that was looked at: why it was a candidate, the step that decided and the entry it cites.

    `observed` is the refusal that would have been made if that step were enforced; it was let pass.
    """

    unit: Code
    role: Name
    origin: Name
    step: Count
    verdict: Name
    entry: OptionalCode = ""
    version: Count = 0
    observed: Name = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdmissionDecided:
    """准入裁定: the finding (lifecycle.md §2) of this moment, written before anyone leads or assists.

    `lead` is the unit it allows to lead, empty if none; `assistants` are those that passed too.
    """

    t: Instant
    edition: Hash
    rules: Count
    mode: Name
    matter: Code
    area: Code
    verdicts: tuple[CandidateVerdict, ...]
    lead: OptionalCode
    assistants: tuple[Code, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AdmissionGap:
    """准入空白: a unit was passed over because no entry admits it; its guiding unit should apply for one."""

    unit: Code
    matter: Code
    area: Code
    guiding: OptionalCode


@dataclass(frozen=True, slots=True, kw_only=True)
class FundingDue:
    """经费待拨: the entry's funding proof does not cover this moment; the applicant leads and has to pay."""

    unit: Code
    entry: Code
    version: Count
    applicant: OptionalCode


@dataclass(frozen=True, slots=True, kw_only=True)
class FundingDebt:
    """经费欠拨: dispatched in 急 without funding; shown by assessment and audit until paid."""

    unit: Code
    entry: Code
    version: Count
    applicant: OptionalCode


@dataclass(frozen=True, slots=True, kw_only=True)
class Understaffed:
    """无人在岗: the unit passed, but none of its posts is held today."""

    unit: Code


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseAssigned:
    """已派遣 to `lead`: sign and leg clock run from `at`, and handle if `handle_at_once` (limit ≤ 6 h).

    `same_lead` says that the unit had the case already, so that its leg goes on. `calendar` is the lead's.
    `state` is to_sign, or handling where the last lead takes a reopened case up again.
    """

    lead: Code
    lead_name: Name
    assistants: tuple[Code, ...]
    supervising: tuple[Code, ...]
    limit: Term
    leg_limit: Term
    calendar: OptionalCode
    handle_at_once: bool
    same_lead: bool
    reachable: bool
    number: Count
    origin: Name
    reason: Line
    by: Name
    at: Instant
    state: State = State.TO_SIGN


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadRelieved:
    """已解除主办: the unit no longer leads; its leg ends at `at` and it is told why."""

    unit: Code
    successor: OptionalCode
    reason: Line
    at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutedToFallback:
    """兜底派遣: no candidate passed, so the fallback owner of the area leads."""

    unit: Code
    area: Code


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingStopped:
    """派遣受阻: the dispatcher has to act, because nobody passed or the matter is dispatched by hand."""

    reason: Name
    matter: Code
    area: Code
    desk: Code
    at: Instant
    state: State = State.TO_ROUTE
