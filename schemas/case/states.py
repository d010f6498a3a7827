"""The states of a case (案件状态), shared by all who read case events."""

from enum import StrEnum
from typing import Final


class State(StrEnum):
    """Where a case stands. Requests, supervision, co-tasks and appeals are facts on it, not states."""

    NONE = "none"  # 未建案: no case yet; never in an event
    RECEIVED = "received"  # 待受理
    DELIBERATING = "deliberating"  # 议事中
    TO_ROUTE = "to_route"  # 待派遣
    TO_SIGN = "to_sign"  # 待签收
    DISPUTED = "disputed"  # 异议审核
    HANDLING = "handling"  # 办理中
    SUSPENDED = "suspended"  # 挂账
    TO_VERIFY = "to_verify"  # 待核实
    TO_CALL_BACK = "to_call_back"  # 待回访
    CLOSED = "closed"  # 已结案
    WRITTEN_OFF = "written_off"  # 已销号
    MERGED = "merged"  # 已并案
    VOID = "void"  # 已作废


OPEN: Final = frozenset({
    State.RECEIVED, State.DELIBERATING, State.TO_ROUTE, State.TO_SIGN, State.DISPUTED,
    State.HANDLING, State.SUSPENDED, State.TO_VERIFY, State.TO_CALL_BACK,
})  # fmt: skip
"""The states in which somebody still has to do something; just one unit is accountable in each of them."""

HANDLE_AT_DISPATCH_MINUTES: Final = 360
"""A limit of at most six hours is counted from dispatch, a longer one from signature."""
