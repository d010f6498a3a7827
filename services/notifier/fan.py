"""notifier.fan: each case event to those who hear of it, and to each unit's own topic, cut by role (分发)."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

from msgspec.structs import replace

from kernel.processor import Context, Processor
from kernel.table import folding, reacting, sends, when
from rules.modes import Mode
from rules.routes import Route
from schemas.case import assigning, opening, supervising
from schemas.envelope import Envelope
from schemas.notice import (
    CaseFanned,
    CaseIntroduced,
    FanEvent,
    RequestNotice,
    Telling,
    UnitCaseChanged,
    UnitCopy,
)
from schemas.topics import CASE_EVENTS, NOTICE_REQUESTS, UNIT_CASES, Send, Topic
from services.notifier.audience import OWN, PRESSED, UNIT, Question, hearer, recipients
from services.notifier.known import Known
from services.notifier.learning import LEARN
from services.notifier.words import Words

TEXT_MOST: Final = 8000
TOPIC: Final = "topic"
SENDER: Final = "sender"


def decide(before: Known, event: object, context: Context) -> Sequence[FanEvent]:
    """Learn what the event changes, then say who is told and which units get a copy."""
    kind = type(event)
    name = kind.__name__
    known = LEARN[kind](before, event)
    if known.historic:
        told, copies = (), ()
    else:
        told = _told(name, before, known, event, context)
        copies = _copies(before, known, event, context)
    said: dict[str, Any] = {
        "cause": context.message_id,
        "event": name,
        "state": known.state,
        "matter": known.matter,
        "area": known.area,
        "lead": known.lead,
        "told": told,
        "copies": copies,
    }
    if isinstance(event, opening.CaseOpened):
        first = known.reporters[0] if known.reporters else None
        place, text, historic = known.place, known.text, known.historic
        return (CaseIntroduced(**said, place=place, text=text, reporter=first, historic=historic),)
    joined = hearer(event.report) if isinstance(event, opening.ReportAttached) else None
    return (CaseFanned(**said, assistants=known.assistants, supervising=known.supervising, joined=joined),)


# ── who is told ──────────────────────────────────────────────────────────────────────────────────────
def _told(name: str, before: Known, known: Known, event: object, context: Context) -> tuple[Telling, ...]:
    """The routes of this event, each for all whom its audience means; nobody hears the same words twice."""
    bundle = context.rules.bundle
    routes = bundle.routes.of(name)
    if isinstance(event, supervising.SupervisionOpened):
        routes = [route for route in routes if route.audience == event.to or route.audience not in PRESSED]
    if not routes:
        return ()
    question = Question(known, before, event, bundle, context.now)
    language = bundle.city.languages[0]
    words = Words(context.stream, known, event, bundle, language)
    urgent = _urgent(known, context)
    texts: dict[str, str] = {}
    told: dict[tuple[str, str, str], Telling] = {}
    for route in routes:
        for recipient in recipients(route.audience, question):
            channel = _channel(route, recipient, question)
            if not channel or (recipient, channel, route.template) in told:
                continue
            text = texts.get(route.template)
            if text is None:
                text = texts[route.template] = bundle.templates.render(route.template, language, words)
            told[recipient, channel, route.template] = _telling(route, recipient, channel, text, urgent)
    return tuple(told.values())


def _telling(route: Route, recipient: str, channel: str, text: str, urgent: bool) -> Telling:
    return Telling(
        recipient=recipient,
        audience=route.audience,
        channel=channel,
        template=route.template,
        text=text[:TEXT_MOST],
        digest=route.digest and not urgent,
        urgent=urgent,
    )


def _channel(route: Route, recipient: str, question: Question) -> str:
    """By which channel: a reporter's own is that of the report. Empty for who only reads the unit's topic."""
    if route.channel != OWN:
        return "" if route.channel == TOPIC else route.channel
    if route.audience == "reporter":
        return next(each.channel for each in question.known.reporters if each.recipient == recipient)
    if recipient.startswith(UNIT):
        unit = question.bundle.units.get(recipient.removeprefix(UNIT))
        if unit and unit.channels and all(channel.kind == TOPIC for channel in unit.channels):
            return ""
    return OWN


def _urgent(known: Known, context: Context) -> bool:
    """Urgent matters, hazards and areas in mode 急 wait for no digest and no quiet hours."""
    rules = context.rules
    matter = rules.bundle.matters.get(known.matter) if known.matter else None
    if matter is not None and (matter.hazard or matter.urgency == "urgent"):
        return True
    return rules.mode(known.area) is Mode.EMERGENCY


# ── which units get a copy ───────────────────────────────────────────────────────────────────────────
def _copies(before: Known, known: Known, event: object, context: Context) -> tuple[UnitCopy, ...]:
    """Copies for the subscribing units that lead, assist or were relieved by this very event.

    Who starts to work on the case gets its place and text as well; nobody gets the reporter.
    """
    if isinstance(event, opening.CommandRefused):
        return _answer(event, context)
    roles: dict[str, str] = {}
    if known.lead:
        roles[known.lead] = "lead"
    for unit in known.assistants:
        roles.setdefault(unit, "assist")
    if known.assistants is not before.assistants:
        for unit in before.assistants:
            roles.setdefault(unit, "relieved")
    if isinstance(event, assigning.LeadRelieved):
        roles.setdefault(event.unit, "relieved")
    starts = isinstance(event, assigning.CaseAssigned)
    units = context.rules.bundle.units
    copies: list[UnitCopy] = []
    for code, role in roles.items():
        unit = units.get(code)
        if unit is None or not unit.subscribes:
            continue
        if starts and role != "relieved":
            copies.append(UnitCopy(unit=code, role=role, place=known.place, text=known.text))
        else:
            copies.append(UnitCopy(unit=code, role=role))
    return tuple(copies)


def _answer(event: opening.CommandRefused, context: Context) -> tuple[UnitCopy, ...]:
    """A refused command is answered to the unit whose post sent it, and to nobody else."""
    bundle = context.rules.bundle
    post = bundle.posts.get(event.by)
    unit = bundle.units.get(post.unit) if post else None
    if unit is None or not unit.subscribes:
        return ()
    refusal = event.refusal
    note = f"{event.command} {refusal.code}: expected {refusal.expected}, found {refusal.found}"[:400]
    return (UnitCopy(unit=unit.code, role=SENDER, note=note),)


# ── what is kept and what leaves ─────────────────────────────────────────────────────────────────────
def _introduce(known: Known, event: CaseIntroduced) -> Known:  # noqa: ARG001 - the first event makes the state
    return Known(
        state=event.state,
        matter=event.matter,
        area=event.area,
        place=event.place,
        text=event.text,
        lead=event.lead,
        reporters=(event.reporter,) if event.reporter else (),
        historic=event.historic,
    )


def _follow(known: Known, event: CaseFanned) -> Known:
    reporters = known.reporters
    if event.joined is not None and event.joined not in reporters:
        reporters = (*reporters, event.joined)
    return replace(
        known,
        state=event.state,
        matter=event.matter,
        area=event.area,
        lead=event.lead,
        assistants=event.assistants,
        supervising=event.supervising,
        reporters=reporters,
    )


@lru_cache(maxsize=10_000)
def _topic(unit: str) -> Topic:
    return UNIT_CASES.of(unit)


def _tell(event: CaseIntroduced | CaseFanned, envelope: Envelope) -> Sequence[Send]:
    """Copies to the units' topics first, because that is what others wait for, then the requests."""
    if not event.told and not event.copies:
        return ()
    case = envelope.subject
    return [
        *(_topic(copy.unit).send(case, _change(event, copy, envelope)) for copy in event.copies),
        *(NOTICE_REQUESTS.send(telling.recipient, _request(event, telling, case)) for telling in event.told),
    ]


def _change(event: CaseIntroduced | CaseFanned, copy: UnitCopy, envelope: Envelope) -> UnitCaseChanged:
    on_case = copy.role != SENDER
    return UnitCaseChanged(
        case=envelope.subject,
        cause=event.cause,
        event=event.event,
        role=copy.role,
        at=envelope.time,
        state=event.state if on_case else "",
        matter=event.matter if on_case else "",
        area=event.area if on_case else "",
        lead=event.lead if on_case else "",
        place=copy.place,
        text=copy.text,
        note=copy.note,
    )


def _request(event: CaseIntroduced | CaseFanned, telling: Telling, case: str) -> RequestNotice:
    return RequestNotice(
        case=case,
        event=event.event,
        audience=telling.audience,
        channel=telling.channel,
        template=telling.template,
        text=telling.text,
        digest=telling.digest,
        urgent=telling.urgent,
    )


evolve = folding(FanEvent, when(CaseIntroduced, _introduce), when(CaseFanned, _follow))
react = reacting(FanEvent, sends(CaseIntroduced, _tell), sends(CaseFanned, _tell))

FAN: Final = Processor(
    name="notifier.fan",
    inbox=(CASE_EVENTS,),
    handles=tuple(LEARN),
    initial=Known(),
    decide=decide,
    evolve=evolve,
    react=react,
)
