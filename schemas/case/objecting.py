"""A unit says that the case is not its own (派单异议), and who decides that (裁定)."""

from dataclasses import dataclass

from schemas.case.states import State
from schemas.case.timing import Firing
from schemas.scalars import Code, Count, Instant, Line, Name, OptionalCode


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectToCase:
    """派单异议·退单: reason code, basis and the unit that should have the case instead."""

    reason: Name
    basis: Line
    proposed: OptionalCode = ""
    expected_revision: Count = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideObjection:
    """裁定异议: `verdict` is accept, refuse or refer. `lead` names the new lead, else the router walks."""

    verdict: Name
    lead: OptionalCode = ""
    reason: Line = ""
    firing: Firing | None = None
    expected_revision: Count = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DeemedSignatureTakenBack:
    """撤回视为签收: what the unit sent was received before the window ended; the clock's effect is undone."""

    unit: Code
    at: Instant
    state: State = State.TO_SIGN


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectionRaised:
    """已提异议, the `number`-th of the case. The decide clock runs from `at`; case and leg never pause."""

    unit: Code
    reason: Name
    basis: Line
    proposed: OptionalCode
    number: Count
    by: Name
    at: Instant
    level: Count = 0
    state: State = State.DISPUTED


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectionReferred:
    """已提交上级裁定: the decider of `level` (0 dispatcher, 1–3 meeting) has a decide clock of its own.

    `why` is `bound`, `no_answer` or `asked`.
    """

    unit: Code
    level: Count
    why: Name
    by: Name
    at: Instant
    state: State = State.DISPUTED


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectionAccepted:
    """异议成立: the case leaves the unit; the finding and the new lead follow."""

    unit: Code
    level: Count
    reason: Line
    by: Name
    at: Instant
    state: State = State.TO_ROUTE


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectionRefused:
    """异议不成立: the unit must handle, with no second return. `silent` is the third level's silence."""

    unit: Code
    level: Count
    reason: Line
    silent: bool
    reachable: bool
    by: Name
    at: Instant
    state: State = State.HANDLING
