"""Those of the units: they sign, object, stay silent, call the reporter, finish stages and resolve."""

from datetime import datetime, timedelta
from random import Random

from cities.centre_people import act
from cities.habits import chance, minutes, share_of_limit
from cities.office import Act, Office
from cities.seen import Seen
from schemas.case.closing import ItemAnswered, ReportResolved
from schemas.case.handling import RecordProgress, SignCase
from schemas.case.objecting import ObjectToCase
from schemas.case.timing import Term

REASONS = (
    ("not_our_area", "点位在辖区红线以外"),
    ("not_our_power", "不在本单位权责清单内"),
    ("another_owner", "设施产权属其他单位"),
)
SHORT_MINUTES = 360
DEFAULT_LIMIT = Term(text="1工作日", minutes=480, working=True)
ANSWERS = (
    "已到现场处理完毕",
    "已清理并加强巡查",
    "已责令整改，复查合格",
    "已修复并恢复使用",
    "已劝导并签订承诺",
)


def takes(office: Office, seen: Seen, at: datetime, dice: Random) -> list[Act]:
    """A case has come: most sign within the hour, some object, some say nothing."""
    if chance(dice, office.habits.sign_silent):
        return []
    when = signing_time(office, seen, at, dice)
    post = office.handler(seen.lead, dice)
    body = office.bundle.city.body
    if seen.lead not in seen.objected and seen.lead != body and chance(dice, office.habits.objects):
        return act(seen, when, post, objection(office, seen, dice))
    return act(seen, when, post, SignCase())


def signing_time(office: Office, seen: Seen, at: datetime, dice: Random) -> datetime:
    """Soon if the limit is short; what runs through the night is signed by whoever is on call."""
    limit = seen.limit or DEFAULT_LIMIT
    short = limit.minutes <= SHORT_MINUTES
    span = minutes(dice, 10 if short else 40, 60 if short else 400)
    return office.in_office(at, span, seen.lead) if limit.working else at + timedelta(minutes=span)


def objection(office: Office, seen: Seen, dice: Random) -> ObjectToCase:
    reason, basis = dice.choice(REASONS)
    others = [unit for unit in office.dispatch_choices(seen.matter, seen.area) if unit not in seen.tried]
    return ObjectToCase(reason=reason, basis=basis, proposed=others[0] if others and chance(dice, 60) else "")


def works(office: Office, seen: Seen, at: datetime, dice: Random, *, reachable: bool) -> list[Act]:
    """From the signature on: call the reporter, then finish the next stage or the whole."""
    planned = goes_on(office, seen, at, dice)
    if not reachable:
        return planned
    result = "reached" if chance(dice, office.habits.contact_reached) else "not_reached"
    when = office.in_office(at, minutes(dice, 30, 240), seen.lead)
    if planned and when >= planned[0].at:
        when = at + (planned[0].at - at) / 2
    text = "已电话联系诉求人，说明处理安排" if result == "reached" else "两次拨打无人接听"
    contact = RecordProgress(text=text, contact=result)
    return [*act(seen, when, office.handler(seen.lead, dice), contact), *planned]


def goes_on(office: Office, seen: Seen, at: datetime, dice: Random) -> list[Act]:
    """The next stage, or the result."""
    limit = seen.limit or DEFAULT_LIMIT
    share = share_of_limit(dice, office.habits)
    post = office.handler(seen.lead, dice)
    if seen.stages and seen.stage + 1 < seen.stages:
        when = office.by_limit(at, limit, max(share // (seen.stages + 1), 4), seen.lead)
        step = RecordProgress(text=f"第{seen.stage + 1}阶段已完成", stage_finished=True)
        return act(seen, when, post, step)
    when = office.by_limit(at, limit, share // max(seen.stages, 1), seen.lead)
    return act(seen, when, post, result(office, seen, dice))


def result(office: Office, seen: Seen, dice: Random) -> ReportResolved:
    """办结反馈: a photo for each item of the closing condition, and words for the reporter."""
    items = tuple(
        ItemAnswered(item=item, evidence=f"photo-{dice.getrandbits(40):010x}") for item in seen.closing
    )
    outcome = dice.choices(("solved", "partly", "explained"), (88, 8, 4))[0]
    unit = office.bundle.units.get(seen.lead)
    level = unit.level if unit else ""
    return ReportResolved(outcome=outcome, answer=dice.choice(ANSWERS), items=items, settled_level=level)


def answers(office: Office, seen: Seen, at: datetime, dice: Random, number: int) -> list[Act]:
    """A unit that is pressed answers, mostly."""
    if not chance(dice, office.habits.answers_supervision):
        return []
    when = office.in_office(at, minutes(dice, 60, 300), seen.lead)
    command = RecordProgress(text="已收到督办，正在加紧办理", answers=number)
    return act(seen, when, office.handler(seen.lead, dice), command)
