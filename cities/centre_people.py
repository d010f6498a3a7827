"""Those of the operations centre: clerk, dispatcher, decider, inspector, caller, keeper and supervisor."""

from datetime import datetime, timedelta
from random import Random

from cities.habits import chance, minutes
from cities.office import Act, Office
from cities.seen import Seen
from schemas.case.assigning import AssignCase
from schemas.case.closing import ItemInspected, RecordCallback, RecordInspection, ReopenCase
from schemas.case.objecting import DecideObjection
from schemas.case.opening import AcceptCase, VoidCase
from schemas.case.states import State
from schemas.case.supervising import LiftSupervision, Supervise

LAST_LEVEL = 3
CALLS_A_DAY = 9


def act(seen: Seen, at: datetime, post: str, command: object) -> list[Act]:
    """One act of this turn; none if nobody holds such a post."""
    return [Act(at=at, post=post, case=seen.case, command=command, turn=seen.turn)] if post else []


# ── acceptance ───────────────────────────────────────────────────────────────────────────────────────
def opens(office: Office, seen: Seen, at: datetime, dice: Random) -> list[Act]:
    """The clerk takes up what the desk does not accept by itself; what has to be checked waits for that."""
    matter = office.bundle.matters.get(seen.matter)
    sure = seen.confidence >= office.bundle.bounds.automatic_confidence and seen.located > 0
    if matter is not None and (matter.check or (matter.accept == "automatic" and sure)):
        return []
    return decides_filing(office, seen, at, dice)


def decides_filing(office: Office, seen: Seen, at: datetime, dice: Random) -> list[Act]:
    slow = 40 if chance(dice, office.habits.clerk_slow) else 5
    when = at + timedelta(minutes=minutes(dice, slow, 90))
    return act(seen, when, office.post("clerk", seen.area, dice), filing(office, seen, dice))


def filing(office: Office, seen: Seen, dice: Random) -> object:
    """What the clerk makes of the text: a case of some matter, or no case of ours."""
    matter = office.bundle.matters.get(seen.matter) or office.read(seen.text)
    if matter is None:
        return VoidCase(reason="not_ours", remedy="内容不清或不属城市管理事项，可补充后再次反映")
    codes = [condition.code for condition in matter.conditions]
    if not codes:
        return VoidCase(reason="settled", remedy="属咨询事项，已电话答复")
    code = seen.condition if seen.condition in codes else codes[0] if chance(dice, 75) else dice.choice(codes)
    return AcceptCase(matter=matter.code, condition=code, triage=matter.triage)


def checks(office: Office, seen: Seen, at: datetime, dice: Random) -> list[Act]:
    """核查: somebody goes and looks before the case is filed."""
    when = office.in_office(at, minutes(dice, 25, 150))
    there = not chance(dice, office.habits.check_fails)
    command = RecordInspection(passed=there, note="现场属实" if there else "现场未见所述情况")
    return act(seen, when, office.post("inspector", seen.area, dice), command)


def after_check(office: Office, seen: Seen, at: datetime, dice: Random, *, passed: bool) -> list[Act]:
    if passed:
        return decides_filing(office, seen, at, dice)
    void = VoidCase(reason="untrue", remedy="经现场核查未发现所述问题，如再次出现请附照片反映")
    return act(seen, at + timedelta(minutes=dice.randint(3, 20)), office.post("clerk", seen.area, dice), void)


# ── dispatch and objections ──────────────────────────────────────────────────────────────────────────
def dispatches(office: Office, seen: Seen, at: datetime, dice: Random) -> list[Act]:
    """The dispatcher sends what the router could not: to the next unit not tried yet."""
    choices = office.dispatch_choices(seen.matter, seen.area)
    left = [unit for unit in choices if unit not in seen.tried]
    if not left:
        return []
    seen.tried.append(left[0])
    when = at + timedelta(minutes=minutes(dice, 6, 60))
    command = AssignCase(lead=left[0], reason="按职责人工派遣")
    return act(seen, when, office.post("dispatcher", seen.area, dice), command)


def decides_objection(office: Office, seen: Seen, at: datetime, dice: Random, proposed: str) -> list[Act]:
    """The dispatcher at level 0, a meeting above; who stays silent leaves it to the clock."""
    if seen.level < LAST_LEVEL and chance(dice, office.habits.decider_silent):
        return []
    role = f"meeting{seen.level}" if seen.level else "dispatcher"
    verdict = verdict_of(office, seen, dice)
    lead = proposed if verdict == "accept" and office.bundle.units.get(proposed) else ""
    when = office.in_office(at, minutes(dice, 90, 420))
    command = DecideObjection(verdict=verdict, lead=lead, reason="按职责清单和现场情况裁定")
    return act(seen, when, office.post(role, seen.area, dice), command)


def verdict_of(office: Office, seen: Seen, dice: Random) -> str:
    if seen.level < LAST_LEVEL and chance(dice, office.habits.objection_referred):
        return "refer"
    return "accept" if chance(dice, office.habits.objection_accepted) else "refuse"


# ── inspection and call-back ─────────────────────────────────────────────────────────────────────────
def inspects(office: Office, seen: Seen, at: datetime, dice: Random, role: str = "inspector") -> list[Act]:
    """核实: every closing item on site, with photos."""
    fails = role == "inspector" and chance(dice, office.habits.inspection_fails) and bool(seen.closing)
    bad = dice.choice(seen.closing) if fails else ""
    items = tuple(ItemInspected(item=item, passed=item != bad) for item in seen.closing)
    photo = f"photo-{dice.getrandbits(40):010x}"
    command = RecordInspection(
        passed=not fails, items=items, photos=(photo,), note="" if not fails else f"{bad}：未达到"
    )
    slow = 90 if chance(dice, office.habits.inspector_slow) else 22
    when = office.in_office(at, minutes(dice, slow, 240))
    return act(seen, when, office.post(role, seen.area, dice), command)


def calls(office: Office, seen: Seen, at: datetime, dice: Random) -> list[Act]:
    """回访: each attempt at another hour of the day."""
    when = office.in_office(at, minutes(dice, 100, 420))
    for _ in range(CALLS_A_DAY):
        if when.hour not in seen.hours:
            break
        when = office.in_office(when, 61)
    post = office.post("caller", seen.area, dice)
    return act(seen, when, post, call(office, seen, dice, post))


def call(office: Office, seen: Seen, dice: Random, post: str) -> RecordCallback:
    """What comes of one call."""
    if not chance(dice, office.habits.reporter_reached):
        return RecordCallback(contacted=False, note="无人接听")
    if chance(dice, office.habits.reporter_satisfied):
        return RecordCallback(
            contacted=True, solved=True, score=dice.choice((5, 5, 5, 4, 4, 3)), note="已解决"
        )
    others = [one.code for one in office.bundle.posts.holding("caller", seen.area) if one.code != post]
    second = dice.choice(others) if others and chance(dice, office.habits.unreasonable) else ""
    note = "要求超出职责范围" if second else "问题仍在"
    return RecordCallback(contacted=True, score=dice.choice((1, 1, 2)), note=note, unreasonable=second)


def settles_at_bound(office: Office, seen: Seen, at: datetime, dice: Random) -> list[Act]:
    """After the last round a supervisor grants one rework more, or closes the case as not satisfied."""
    again = not seen.last_rework and chance(dice, 40)
    seen.last_rework = seen.last_rework or again
    command = RecordCallback(contacted=True, score=2, note="提级督办后裁定", last_rework=again)
    when = office.in_office(at, minutes(dice, 120, 480))
    return act(seen, when, office.post("supervisor", seen.area, dice), command)


# ── pressing and ending ──────────────────────────────────────────────────────────────────────────────
def stands_in(office: Office, seen: Seen, at: datetime, dice: Random, clock: str) -> list[Act]:
    """After a breach of the centre's own clocks a supervisor does it; a late unit is sometimes urged."""
    if clock in {"verify", "check"}:
        return inspects(office, seen, at, dice, role="supervisor")
    if clock == "callback" and seen.state is State.TO_CALL_BACK:
        command = RecordCallback(contacted=True, solved=True, score=3, note="督办人员代为回访")
        when = office.in_office(at, minutes(dice, 60, 300))
        return act(seen, when, office.post("supervisor", seen.area, dice), command)
    if clock == "handle" and chance(dice, office.habits.urges_at_breach):
        when = office.in_office(at, minutes(dice, 30, 240))
        command = Supervise(kind="urge", to="lead", reason="处置超时，请说明原因并尽快办结")
        return act(seen, when, office.post("supervisor", seen.area, dice), command)
    return []


def lifts(office: Office, seen: Seen, at: datetime, reason: str, numbers: tuple[int, ...] = ()) -> list[Act]:
    """Who opened a supervision lifts it, once it is answered or the case is closed."""
    posts = office.bundle.posts
    found: list[Act] = []
    for number, by in sorted(seen.supervisions.items()):
        if posts.get(by) and (not numbers or number in numbers):
            command = LiftSupervision(number=number, reason=reason)
            found += act(seen, office.in_office(at, 30), by, command)
    return found


def spot_checks(office: Office, seen: Seen, at: datetime, dice: Random) -> list[Act]:
    """A closed case that a spot check finds undone is opened again, once."""
    if seen.reopened or not chance(dice, office.habits.reopened):
        return []
    when = office.in_office(at, minutes(dice, 500, 1400))
    return act(seen, when, office.post("dispatcher", seen.area, dice), ReopenCase(reason="抽查发现问题反弹"))
