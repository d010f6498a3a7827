"""What must hold beyond state and sender (前置条件): one small function each, for columns of the table."""

# ruff: noqa: ARG001 - every guard has the shape of a guard

from datetime import timedelta
from typing import Final

from kernel.acting import acting_post
from kernel.processor import Context
from rules.clocks import DEFAULTS
from rules.matters import Matter
from rules.posts import Post
from schemas.case.assigning import AssignCase
from schemas.case.closing import RecordCallback, RecordInspection, ReopenCase, ReportResolved
from schemas.case.handling import RecordProgress
from schemas.case.objecting import DecideObjection, ObjectToCase
from schemas.case.opening import AcceptCase, VoidCase
from schemas.case.states import OPEN, State
from schemas.case.supervising import LiftSupervision, Supervise
from schemas.refusal import Refusal
from services.router.state import Calls, Case

VOID_REASONS: Final = (
    "not_ours", "court", "arbitration", "market", "police", "untrue", "outside", "withdrawn", "settled",
)  # fmt: skip
"""Why a report becomes no case (不予受理): each with a remedy that the reporter is told."""
KINDS: Final = ("urge", "guide", "coach", "oversee", "escalate")
OUTCOMES: Final = ("solved", "partly", "explained", "referred")
VERDICTS: Final = ("accept", "refuse", "refer")
TRIAGES: Final = ("big", "small", "private")
CONTACTS: Final = ("", "reached", "not_reached")
LAST_LEVEL: Final = 3
"""The third meeting decides for good."""


def refuse(code: str, expected: object, found: object) -> Refusal:
    return Refusal(code=code, expected=str(expected)[:400], found=str(found)[:400] or "nothing")


def listed(code: str, allowed: tuple[str, ...], found: str) -> Refusal | None:
    return (
        None if found in allowed else refuse(code, " or ".join(word or "nothing" for word in allowed), found)
    )


def sending_post(context: Context) -> Post | None:
    """The post that sent the command; `None` for a processor, a reporter or the clock."""
    return acting_post(context)


# ── acceptance ───────────────────────────────────────────────────────────────────────────────────────
def matter_of(case: Case, command: AcceptCase, context: Context) -> Matter | None:
    return context.rules.bundle.matters.get(command.matter or case.matter_hint)


def condition_of(case: Case, command: AcceptCase, matter: Matter) -> str:
    """The filing condition that was said, else the one that the report was read as, else the only one."""
    if command.condition:
        return command.condition
    if case.condition_hint and matter.condition(case.condition_hint):
        return case.condition_hint
    return matter.only


def matter_known(case: Case, command: AcceptCase, context: Context) -> Refusal | None:
    if matter_of(case, command, context) is not None:
        return None
    return refuse("unknown_matter", "a matter of the taxonomy", command.matter or case.matter_hint)


def condition_met(case: Case, command: AcceptCase, context: Context) -> Refusal | None:
    matter = matter_of(case, command, context)
    code = condition_of(case, command, matter) if matter else ""
    if matter and matter.condition(code):
        return None
    known = matter.conditions if matter else ()
    return refuse("unknown_condition", " or ".join(one.code for one in known), code)


def check_passed(case: Case, command: AcceptCase, context: Context) -> Refusal | None:
    if case.checked in ("", "passed"):
        return None
    return refuse("check_not_passed", "a check that confirms the report", case.checked)


def triage_known(case: Case, command: AcceptCase, context: Context) -> Refusal | None:
    return listed("unknown_triage", ("", *TRIAGES), command.triage)


def reason_and_remedy(case: Case, command: VoidCase, context: Context) -> Refusal | None:
    if not command.remedy:
        return refuse("no_remedy", "the remedy that the reporter is told", "")
    return listed("unknown_reason", VOID_REASONS, command.reason)


# ── dispatch and objection ───────────────────────────────────────────────────────────────────────────
def units_known(case: Case, command: AssignCase, context: Context) -> Refusal | None:
    bundle = context.rules.bundle
    day = bundle.day(context.now)
    for code in (command.lead, *command.assistants, *command.supervising):
        if code and bundle.units.get(code, day) is None:
            return refuse("unknown_unit", "a unit in force today", code)
    return None


def lead_named(case: Case, command: AssignCase, context: Context) -> Refusal | None:
    """Who takes a case away from a unit says to whom it goes; the router walks only where nobody leads."""
    if command.lead or case.state is State.TO_ROUTE:
        return None
    return refuse("no_lead_named", "the unit that is to lead", "")


def reason_if_led(case: Case, command: AssignCase, context: Context) -> Refusal | None:
    if command.reason or not case.assignments:
        return None
    return refuse("no_reason", "why the case is dispatched again", "")


def relieved_within_bound(case: Case, command: AssignCase, context: Context) -> Refusal | None:
    """Beyond the bound of relieved leads (改派次数) only a supervisor dispatches again."""
    bundle = context.rules.bundle
    if case.relieved < bundle.bounds.relieved or not case.lead or command.lead == case.lead:
        return None
    post = sending_post(context)
    if post is not None and post.role in ("supervisor", "lead_officer"):
        return None
    return refuse(
        "too_many_relieved", f"a supervisor after {bundle.bounds.relieved} relieved leads", case.relieved
    )


def within_window(case: Case, command: object, context: Context) -> Refusal | None:
    """To sign or to object in time; after a deemed signature only what was received before its due time."""
    if case.state is State.TO_SIGN:
        return None
    if case.deemed is None:
        return refuse("wrong_state", State.TO_SIGN, case.state)
    if context.received <= case.deemed.due:
        return None
    return refuse("deemed_signed", f"received by {case.deemed.due.isoformat()}", context.received.isoformat())


def first_of_unit(case: Case, command: ObjectToCase, context: Context) -> Refusal | None:
    if case.lead not in case.refused_by:
        return None
    return refuse("objected_before", "one objection of each unit", case.lead)


def objection_reasoned(case: Case, command: ObjectToCase, context: Context) -> Refusal | None:
    if command.reason and command.basis:
        return None
    return refuse("no_basis", "a reason and its basis", command.reason)


def verdict_known(case: Case, command: DecideObjection, context: Context) -> Refusal | None:
    if command.verdict == "refer" and case.level >= LAST_LEVEL:
        return refuse("last_level", "accept or refuse: no level is above", case.level)
    return listed("unknown_verdict", VERDICTS, command.verdict)


def decides_not_the_own(case: Case, command: DecideObjection, context: Context) -> Refusal | None:
    """Nobody decides the own objection; from the first meeting on, not who dispatched the case either."""
    posts = context.rules.bundle.posts
    post = sending_post(context)
    if post is None:
        return None
    if post.unit == case.lead:
        return refuse("own_request", f"a decider outside {case.lead}", post.unit)
    sent = posts.get(case.dispatched_by)
    if case.level and sent is not None and post.person and post.person == sent.person:
        return refuse("dispatched_by_decider", f"a decider other than {sent.code}", post.code)
    return None


# ── work and supervision ─────────────────────────────────────────────────────────────────────────────
def progress_sound(case: Case, command: RecordProgress, context: Context) -> Refusal | None:
    """Contacts and stages are the lead's; a stage that can be finished is not the last one."""
    post = sending_post(context)
    leads = post is not None and post.unit == case.lead
    if (command.stage_finished or command.contact) and not leads:
        return refuse("not_lead", case.lead, post.unit if post else "")
    if command.stage_finished and case.stage + 1 >= case.stages:
        return refuse("no_such_stage", f"a stage before the last of {case.stages}", case.stage + 1)
    return listed("unknown_contact", CONTACTS, command.contact)


def answer_sound(case: Case, command: RecordProgress, context: Context) -> Refusal | None:
    """Only the unit that is pressed answers an open supervision."""
    if not command.answers:
        return None
    one = case.supervision(command.answers)
    if one is None:
        return refuse("no_supervision", "an open supervision", command.answers)
    post = sending_post(context)
    if post is None or one.unit != post.unit:
        return refuse("not_supervised", one.unit, post.unit if post else "")
    return None


def supervision_kind(case: Case, command: Supervise, context: Context) -> Refusal | None:
    return listed("unknown_kind", KINDS, command.kind)


def supervision_open(case: Case, command: LiftSupervision, context: Context) -> Refusal | None:
    """It is open, and it was answered or a reason is given; the clock lifts what its own run opened."""
    if context.sender.id == "sla.clock":
        left = case.left_by_clocks(command.clock, command.since)
        return None if left else refuse("no_supervision", f"one opened by {command.clock}", "none")
    one = case.supervision(command.number)
    if one is None:
        return refuse("no_supervision", "an open supervision", command.number)
    if one.answered or command.reason:
        return None
    return refuse("not_answered", "an answer, or a reason", "neither")


def resolution_sound(case: Case, command: ReportResolved, context: Context) -> Refusal | None:
    if command.outcome not in OUTCOMES:
        return listed("unknown_outcome", OUTCOMES, command.outcome)
    if case.reporters and not command.answer:
        return refuse("no_answer", "words for the reporter", "")
    if case.stages and case.stage + 1 < case.stages:
        return refuse("stages_open", f"{case.stages - 1} finished stages before the last", case.stage)
    answered = {one.item for one in command.items if one.evidence}
    missing = [item for item in case.closing if item not in answered]
    return refuse("items_missing", "evidence for each closing item", "、".join(missing)) if missing else None


def independent(case: Case, command: object, context: Context) -> Refusal | None:
    """Who inspects or calls belongs neither to the lead nor to a unit under it.

    The operations centre stands beside all units that it watches, even if it reports to one of them.
    """
    bundle = context.rules.bundle
    post = sending_post(context)
    if post is None or not case.lead:
        return None
    below = post.unit != bundle.city.centre and any(
        up.code == case.lead for up in bundle.units.line(post.unit)
    )
    if post.unit != case.lead and not below:
        return None
    return refuse("not_independent", f"somebody outside {case.lead}", f"{post.code} of {post.unit}")


def inspection_sound(case: Case, command: RecordInspection, context: Context) -> Refusal | None:
    """核查 only where it was ordered; 核实 item by item, and a pass means that each item passed."""
    if case.state is State.RECEIVED:
        return None if case.checked == "ordered" else refuse("no_check", "an ordered check", case.checked)
    if case.escalated:
        return refuse("bound_reached", "a supervisor's or meeting's decision", f"round {case.round}")
    if not command.passed:
        return None
    passed = {one.item for one in command.items if one.passed}
    missing = [item for item in case.closing if item not in passed]
    failed = [one.item for one in command.items if not one.passed]
    if not missing and not failed:
        return None
    return refuse("items_not_passed", "each closing item inspected and passed", "、".join(missing or failed))


# ── call-back, write-off, reopening ──────────────────────────────────────────────────────────────────
def called(case: Case, command: RecordCallback) -> str:
    """Whom the call was for: the one named, else the first who was not called to an end."""
    if command.reporter:
        return command.reporter
    nobody = Calls()
    waiting = (one for one in case.reporters if not case.calls.get(one, nobody).over)
    return next(waiting, case.reporters[0] if case.reporters else "")


def round_open(case: Case, command: RecordCallback, context: Context) -> Refusal | None:
    """Below the bound of rounds a call-back decides; at the bound a supervisor or meeting does, once."""
    if case.escalated and not _decides_at_bound(context):
        return refuse("bound_reached", "a supervisor's or meeting's decision", f"round {case.round}")
    if case.state is State.TO_VERIFY and not case.escalated:
        return refuse("wrong_state", State.TO_CALL_BACK, case.state)
    if command.last_rework and (not case.escalated or case.last_rework):
        return refuse("no_last_rework", "one last rework, at the bound of rounds", f"round {case.round}")
    return None


def callback_sound(case: Case, command: RecordCallback, context: Context) -> Refusal | None:
    if case.escalated:
        return None
    reporter = called(case, command)
    if reporter not in case.reporters:
        return refuse("not_a_reporter", " or ".join(case.reporters), reporter)
    if command.unreasonable:
        return _second_officer(command, context)
    return _attempt(case, command, context, reporter) if case.state is State.TO_CALL_BACK else None


def _decides_at_bound(context: Context) -> bool:
    post = sending_post(context)
    return post is not None and post.role in (
        "supervisor",
        "lead_officer",
        "meeting1",
        "meeting2",
        "meeting3",
    )


def _second_officer(command: RecordCallback, context: Context) -> Refusal | None:
    posts = context.rules.bundle.posts
    first, second = sending_post(context), posts.get(command.unreasonable)
    if second is not None and first is not None and second.person != first.person:
        return None
    return refuse("no_second_officer", "a second officer's post", command.unreasonable)


def _attempt(case: Case, command: RecordCallback, context: Context, reporter: str) -> Refusal | None:
    """A reporter who was not reached is called again, at another hour of the day."""
    calls = case.calls.get(reporter)
    if calls is None:
        return None
    if calls.over:
        return refuse("called_already", "a reporter who is still to be called", reporter)
    local = context.rules.bundle.calendars.get("").local
    hour = local(context.received).hour
    if command.contacted or hour not in {local(at).hour for at in calls.attempts}:
        return None
    return refuse("same_hour", "another hour of the day", f"{hour}:00")


def window_over(case: Case, command: object, context: Context) -> Refusal | None:
    """The objection window (结案异议期) is over, by the city's own calendar and policy."""
    bundle = context.rules.bundle
    policy = bundle.policies.clock("after_close")
    limit = policy.limit or DEFAULTS["after_close"].limit
    if limit is None or case.ended is None:
        return None
    calendar = bundle.calendars.get(policy.calendar)
    plain = case.ended + timedelta(minutes=limit.minutes)
    due = calendar.add(case.ended, limit.minutes) if limit.working else plain
    if context.received >= due:
        return None
    return refuse("window_open", due.isoformat(), context.received.isoformat())


def nothing_holds(case: Case, command: object, context: Context) -> Refusal | None:
    held = len(case.holds)
    return refuse("held", "no open supervision", held) if held else None


def reopenable(case: Case, command: ReopenCase, context: Context) -> Refusal | None:
    """A desk's repeat within the window, whatever the end; all but a supervisor below the bound of rounds."""
    bounds = context.rules.bundle.bounds
    post = sending_post(context)
    by_desk = context.sender.id == "intake.desk" or (post is not None and post.role == "clerk")
    if case.state in OPEN:
        return (
            None
            if command.report is not None and by_desk
            else refuse("wrong_state", "a case that is over", case.state)
        )
    if post is not None and post.role in ("supervisor", "lead_officer"):
        return None
    if case.state is not State.VOID and case.round >= bounds.rounds:
        return refuse("too_many_rounds", f"a supervisor from round {bounds.rounds}", case.round)
    if by_desk and case.ended is not None:
        last = case.ended + timedelta(days=bounds.repeat_days)
        if context.received > last:
            return refuse("window_over", last.isoformat(), context.received.isoformat())
    return None
