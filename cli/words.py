"""English with its Chinese term: states, events, clocks, units, for newcomers and clerks alike."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Final

from rules.bundle import Bundle
from rules.clocks import LAWS
from schemas.case.states import State
from schemas.contracts import CONTRACTS
from schemas.entry.states import EntryState
from schemas.refusal import Refusal

STATES: Final[Mapping[str, str]] = {
    State.NONE: "未建案",
    State.RECEIVED: "待受理",
    State.DELIBERATING: "议事中",
    State.TO_ROUTE: "待派遣",
    State.TO_SIGN: "待签收",
    State.DISPUTED: "异议审核",
    State.HANDLING: "办理中",
    State.SUSPENDED: "挂账",
    State.TO_VERIFY: "待核实",
    State.TO_CALL_BACK: "待回访",
    State.CLOSED: "已结案",
    State.WRITTEN_OFF: "已销号",
    State.MERGED: "已并案",
    State.VOID: "已作废",
}
HOLDERS: Final[Mapping[str, str]] = {
    State.RECEIVED: "clerk",
    State.TO_ROUTE: "dispatcher",
    State.TO_SIGN: "lead",
    State.DISPUTED: "dispatcher",
    State.HANDLING: "lead",
    State.SUSPENDED: "lead",
    State.TO_VERIFY: "inspector",
    State.TO_CALL_BACK: "caller",
    State.CLOSED: "keeper",
}
"""Whose move it is (当前待办) in each state that waits for somebody."""

ROLES: Final[Mapping[str, str]] = {
    "clerk": "受理员",
    "dispatcher": "派遣员",
    "lead": "主办单位",
    "lead_officer": "值班长",
    "inspector": "核查员",
    "caller": "回访员",
    "keeper": "台账管理员",
    "supervisor": "督导",
    "handler": "经办人",
    "reviewer": "复核员",
    "centre": "城运中心",
}

KINDS: Final[Mapping[str, str]] = {
    "urge": "催办",
    "guide": "指导",
    "coach": "辅导",
    "oversee": "督导",
    "escalate": "提级督办",
}
"""The kinds of supervision (督办)."""

ENTRY_STATES: Final[Mapping[str, str]] = {
    EntryState.NONE: "未申请",
    EntryState.REVIEWING: "审核",
    EntryState.NOTICED: "公示",
    EntryState.APPROVED: "已准入",
    EntryState.ACTIVE: "生效",
    EntryState.SUSPENDED: "暂停",
    EntryState.TEMPORARY: "临时准入",
    EntryState.REFUSED: "不予准入",
    EntryState.EXPIRED: "到期",
    EntryState.EXITED: "退出",
}
"""The states of an admission entry (准入条目)."""

_CHINESE: Final = re.compile(r"[一-鿿][一-鿿·、]*")
_LIKE_A_CLASS: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")


def state_words(name: str) -> str:
    """`handling 办理中`."""
    return f"{name} {STATES.get(name, '')}".strip()


def entry_state(name: str) -> str:
    """`reviewing 审核`."""
    return f"{name} {ENTRY_STATES.get(name, '')}".strip()


def role(name: str) -> str:
    """`clerk 受理员`."""
    return f"{name} {ROLES.get(name, '')}".strip()


def clock(name: str) -> str:
    """`sign 签收`."""
    law = LAWS.get(name)
    return f"{name} {law.title}" if law else name


@cache
def message(type_or_name: str) -> str:
    """`CaseAssigned 已派遣`, of a CloudEvents type or a class name; the Chinese stands in the contract."""
    name = type_or_name.split(".")[2] if type_or_name.count(".") == 3 else type_or_name
    found = _CHINESE.search(_first_line(name))
    return f"{name} {found.group()}" if found else name


def plain(name: str) -> str:
    """A class name as words: `case assigned`."""
    return _LIKE_A_CLASS.sub(" ", name).lower()


def refusal(said: Refusal, bundle: Bundle | None = None, language: str = "en") -> str:
    """Why something was refused: the city's words for the code if it has some, always expected and found."""
    words = said.code
    if bundle is not None:
        for code in (f"refusal.{said.code}", said.code):
            if bundle.templates.has(code, language):
                values = {"expected": said.expected, "found": said.found}
                return bundle.templates.render(code, language, values)
    return f"{words.replace('_', ' ')}: expected {said.expected}, found {said.found}"


def unit(bundle: Bundle | None, code: str) -> str:
    """`城管执法局 (U03)`, or the code alone."""
    found = bundle.units.get(code) if bundle and code else None
    return f"{found.name} ({code})" if found else code


def area(bundle: Bundle | None, code: str) -> str:
    """Areas from the deepest to the whole: `和平社区 (SQ01) · 中街街道`."""
    chain = bundle.areas.chain(code) if bundle and code else ()
    if not chain:
        return code
    return " · ".join([f"{chain[0].name} ({code})", *(place.name for place in chain[1:])])


def matter(bundle: Bundle | None, code: str) -> str:
    """`占道经营 (E-01-03)`."""
    found = bundle.matters.get(code) if bundle and code else None
    return f"{found.name} ({code})" if found else code


def _first_line(name: str) -> str:
    contract = next((one for one in CONTRACTS.values() if one.__name__ == name), None)
    return (contract.__doc__ or "").partition("\n\n")[0] if contract else ""
