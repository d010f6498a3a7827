"""The state's row is the law (时限表): which clocks run in which state, for every city alike.

`ROWS` and `LAWS` are the clock table of the lifecycle as data: sla.clock obeys them, tests and simulator
compare with them, the docs draw them. Limits, warnings and ladders are the city's (`rules.policies`);
`DEFAULTS` stands where a bundle says nothing.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from rules.limits import Limit
from rules.policies import Policy, Rung
from schemas.case.assigning import CaseAssigned
from schemas.case.closing import ReworkOrdered
from schemas.case.handling import StageFinished
from schemas.case.objecting import ObjectionReferred
from schemas.case.states import State
from schemas.sla import CaseFacts

RUNS: Final = True
PAUSES: Final = False


class Entry(NamedTuple):
    """One clock in the row of a state: it runs or is paused there, if `when` holds for the case."""

    clock: str
    runs: bool = RUNS
    when: str = ""


WHEN: Final[Mapping[str, Callable[[CaseFacts], bool]]] = MappingProxyType(
    {
        "": lambda _: True,
        "checking": lambda facts: facts.checking,
        "not checking": lambda facts: not facts.checking,
        "early": lambda facts: facts.early,
        "contact": lambda facts: facts.contact,
    }
)
"""What an entry may depend on: an open check (核查), work counted from dispatch, a contact still owed."""

_WORK: Final = (Entry("leg"), Entry("handle", RUNS, "early"), Entry("contact", RUNS, "contact"))
"""What the unit owes while it may still object: a new lead has only its leg, unless the limit is short."""

ROWS: Final[Mapping[State, tuple[Entry, ...]]] = MappingProxyType(
    {
        State.NONE: (),
        State.RECEIVED: (
            Entry("accept", RUNS, "not checking"),
            Entry("accept", PAUSES, "checking"),
            Entry("check", RUNS, "checking"),
        ),
        State.DELIBERATING: (Entry("meeting"), Entry("case")),
        State.TO_ROUTE: (Entry("route"), Entry("case")),
        State.TO_SIGN: (Entry("sign"), Entry("case"), *_WORK),
        State.DISPUTED: (Entry("decide"), Entry("case"), *_WORK),
        State.HANDLING: (Entry("contact", RUNS, "contact"), Entry("handle"), Entry("case"), Entry("leg")),
        State.SUSPENDED: (
            Entry("review"),
            Entry("contact", PAUSES, "contact"),
            Entry("handle", PAUSES),
            Entry("case", PAUSES),
            Entry("leg", PAUSES),
        ),
        State.TO_VERIFY: (Entry("verify"), Entry("case")),
        State.TO_CALL_BACK: (Entry("callback"), Entry("case")),
        State.CLOSED: (Entry("after_close"),),
        State.WRITTEN_OFF: (),
        State.MERGED: (),
        State.VOID: (),
    }
)


class Law(NamedTuple):
    """How one clock behaves whatever the city says.

    `own` clocks start anew whenever the case enters their state; `restarts` are case events that start
    them anew while they run, `of_lead` says that a new lead gets a new one. `owes` is who has to move
    (`lead` counts by the unit's calendar, a role by the city's). `at_due` is the one command that asks
    the case for the breach, `audience` who is pressed where that command is Supervise.
    """

    title: str
    owes: str
    own: bool = False
    of_lead: bool = False
    restarts: tuple[type, ...] = ()
    at_due: str = "RecordBreach"
    audience: str = ""


LAWS: Final[Mapping[str, Law]] = MappingProxyType(
    {
        "accept": Law("受理", "clerk", own=True, at_due="Supervise", audience="lead_officer"),
        "check": Law("核查", "inspector", at_due="Supervise", audience="lead_officer"),
        "meeting": Law("会期", "meeting1", own=True),
        "route": Law("派遣", "dispatcher", own=True, at_due="Supervise", audience="lead_officer"),
        "sign": Law("签收", "lead", own=True, restarts=(CaseAssigned,), at_due="SignCase"),
        "decide": Law(
            "裁定", "dispatcher", own=True, restarts=(ObjectionReferred,), at_due="DecideObjection"
        ),
        "contact": Law("首次联系", "lead", of_lead=True),
        "handle": Law(
            "处置",
            "lead",
            of_lead=True,
            restarts=(ReworkOrdered, StageFinished),
            at_due="Supervise",
            audience="lead",
        ),
        "case": Law("总时限", "centre"),
        "leg": Law("单位时限", "lead", of_lead=True, restarts=(ReworkOrdered,)),
        "review": Law("挂账复查", "lead", own=True),
        "verify": Law("核实", "inspector", own=True, at_due="Supervise", audience="centre"),
        "callback": Law("回访", "caller", own=True, at_due="Supervise", audience="centre"),
        "after_close": Law("结案异议期", "keeper", own=True, at_due="WriteOff"),
    }
)
"""`review` and `meeting` get their own commands (ResumeCase, RecordDecision) together with these."""


def row(facts: CaseFacts) -> dict[str, bool]:
    """The clocks that this case must have now: true = running, false = paused; all others are stopped."""
    return {entry.clock: entry.runs for entry in ROWS[facts.state] if WHEN[entry.when](facts)}


def _limit(text: str, minutes: int, *, working: bool) -> Limit:
    return Limit(text, minutes, working)


_DAY: Final = _limit("1工作日", 480, working=True)
_QUARTER: Final = _limit("15分钟", 15, working=False)
_HALF: Final = _limit("30工作分钟", 30, working=True)

DEFAULTS: Final[Mapping[str, Policy]] = MappingProxyType(
    {
        policy.name: policy
        for policy in (
            Policy(name="accept", limit=_QUARTER),
            Policy(name="route", limit=_QUARTER),
            Policy(name="check", limit=_HALF),
            Policy(name="sign", limit=_DAY),
            Policy(name="decide", limit=_DAY),
            Policy(name="contact", limit=_DAY),
            Policy(
                name="handle",
                warn=(70,),
                ladder=(
                    Rung("lead", kind="催办"),
                    Rung("guiding", _DAY, "督办"),
                    Rung("parent", _limit("5工作日", 2_400, working=True), "提级督办"),
                ),
            ),
            Policy(name="verify", limit=_HALF),
            Policy(name="callback", limit=_DAY),
            Policy(name="after_close", limit=_limit("5工作日", 2_400, working=True)),
        )
    }
)
"""The limits that lifecycle.md proposes, for a bundle that is silent about a clock.

The centre's clocks run through the night (it is staffed), inspectors and callers keep office hours.
"""
