from dataclasses import replace as changed
from typing import Any, get_args

import pytest
from msgspec.structs import replace

from kernel.processor import Sender
from rules.inforce import Mode, Rules
from rules.routes import Route
from rules.templates import Template
from rules.units import Channel
from schemas.case.assigning import AdmissionGap, FundingDue, LeadRelieved
from schemas.case.opening import CommandRefused, ReportAttached
from schemas.case.supervising import SupervisionOpened
from schemas.case.union import CaseEvent
from schemas.notice import (
    CaseFanned,
    CaseIntroduced,
    Hearer,
    RequestNotice,
    Telling,
    UnitCaseChanged,
    UnitCopy,
)
from schemas.refusal import Refusal
from schemas.topics import NOTICE_REQUESTS, UNIT_CASES
from services.notifier.fan import FAN
from services.notifier.learning import LEARN, SILENT
from tests.builders_case import (
    CASE,
    accepted,
    assigned,
    breached,
    closed,
    objected,
    objection_accepted,
    opened,
    read_report,
    relieved,
    rework,
    signed,
)
from tests.builders_city import CLUTTER, MANHOLE, tiny_city, tiny_parts
from tests.stories import START, Story
from tests.unit.notifier.conftest import ROUTER, city

TOKEN = Hearer(recipient="reporter:r-1", channel="app")
NEW = Telling(
    recipient="post:OPS-clerk", audience="clerk", channel="own", template="case_opened",
    text=f"新案件{CASE}：楼道堆物",
)  # fmt: skip


def fanned(event: str, state: str, **other: Any) -> CaseFanned:
    """What is known after each event, unless the test says otherwise."""
    return CaseFanned(**{
        "cause": "story/2", "event": event, "state": state, "matter": CLUTTER, "area": "C1", "lead": "",
        "assistants": (), "supervising": (), "told": (), "copies": (),
    } | other)  # fmt: skip


def told(story: Story) -> list[tuple[str, str, str]]:
    """Who was told of the last event: recipient, audience, words."""
    [event] = story.events
    return [(each.recipient, each.audience, each.text) for each in event.told]


def sends(story: Story) -> list[Any]:
    return list(story.effects)


def copied(story: Story) -> list[tuple[str, str]]:
    [event] = story.events
    return [(copy.unit, copy.role) for copy in event.copies]


def test_a_new_case_is_introduced_and_the_clerk_hears_of_it(fan: Story) -> None:
    fan.when(opened(START))
    fan.then(
        CaseIntroduced(
            cause="story/1", event="CaseOpened", state="received", matter=CLUTTER, area="C1", lead="",
            place="", text="楼道堆物", reporter=TOKEN, historic=False, told=(NEW,), copies=(),
        )
    )  # fmt: skip
    fan.sends(
        NOTICE_REQUESTS.send(
            "post:OPS-clerk",
            RequestNotice(
                case=CASE, event="CaseOpened", audience="clerk", channel="own", template="case_opened",
                text=f"新案件{CASE}：楼道堆物",
            ),
        )
    )  # fmt: skip


def test_the_reporter_hears_by_the_channel_of_the_report(fan: Story) -> None:
    fan.when(opened(START)).when(accepted(START))
    words = f"您的诉求已受理，编号{CASE}"
    telling = Telling(
        recipient="reporter:r-1", audience="reporter", channel="app", template="case_accepted", text=words
    )
    fan.then(fanned("CaseAccepted", "to_route", told=(telling,)))


def test_the_lead_is_told_and_its_topic_gets_the_work(fan: Story) -> None:
    fan.when(opened(START)).when(assigned(START, "JW1"))
    words = f"案件{CASE}派给贵单位：楼道堆物"
    telling = Telling(
        recipient="unit:JW1", audience="lead", channel="own", template="case_assigned", text=words
    )
    copy = UnitCopy(unit="JW1", role="lead", text="楼道堆物")
    fan.then(fanned("CaseAssigned", "to_sign", lead="JW1", told=(telling,), copies=(copy,)))
    fan.sends(
        UNIT_CASES.of("JW1").send(
            CASE,
            UnitCaseChanged(
                case=CASE, cause="story/2", event="CaseAssigned", role="lead", at=START, state="to_sign",
                matter=CLUTTER, area="C1", lead="JW1", text="楼道堆物",
            ),
        ),
        NOTICE_REQUESTS.send(
            "unit:JW1",
            RequestNotice(
                case=CASE, event="CaseAssigned", audience="lead", channel="own", template="case_assigned",
                text=words,
            ),
        ),
    )  # fmt: skip


def test_a_unit_that_does_not_subscribe_gets_a_notice_but_no_copy(fan: Story) -> None:
    fan.when(opened(START)).when(assigned(START, "JW2"))
    assert copied(fan) == []
    assert [recipient for recipient, *_ in told(fan)] == ["unit:JW2"]


def test_later_copies_carry_no_text(fan: Story) -> None:
    fan.when(opened(START)).when(assigned(START, "JW1")).when(signed(START))
    fan.then(
        fanned(
            "CaseSigned", "handling", cause="story/3", lead="JW1", copies=(UnitCopy(unit="JW1", role="lead"),)
        )
    )


def test_assistants_hear_too_and_those_left_out_are_relieved(fan: Story) -> None:
    fan.when(opened(START)).when(changed(assigned(START, "CG"), assistants=("JW1",)))
    assert copied(fan) == [("CG", "lead"), ("JW1", "assist")]
    assert [(who, role) for who, role, _ in told(fan)] == [("unit:CG", "lead"), ("unit:JW1", "assist")]
    fan.when(assigned(START, "CG", same_lead=True))
    assert copied(fan) == [("CG", "lead"), ("JW1", "relieved")]


@pytest.mark.parametrize("successor_first", [True, False])
def test_a_relieved_unit_hears_it_once_and_leads_no_more(fan: Story, successor_first: bool) -> None:
    fan.when(opened(START)).when(assigned(START, "CG")).when(objected(START, "CG"))
    fan.when(objection_accepted(START))
    two = [assigned(START, "SZ"), relieved(START, "CG")]
    copies: list[tuple[str, str]] = []
    notices: list[str] = []
    for event in two if successor_first else reversed(two):
        fan.when(event)
        copies += copied(fan)
        notices += [recipient for recipient, *_ in told(fan)]
    assert copies.count(("CG", "relieved")) == 1
    assert ("SZ", "lead") in copies
    assert sorted(notices) == ["unit:CG", "unit:SZ"]
    assert fan.state.lead == "SZ"


def test_nobody_hears_of_historic_cases(fan: Story) -> None:
    fan.when(opened(START, historic=True))
    assert told(fan) == copied(fan) == []
    fan.when(assigned(START, "JW1")).then(fanned("CaseAssigned", "to_sign", lead="JW1")).sends()


def test_each_reporter_hears_of_the_closing_once(fan: Story) -> None:
    report = read_report(START, report="12345/9", channel="12345", reporter="r-2")
    attached = ReportAttached(report=report, score=900, count=2, at=START)
    fan.when(opened(START)).when(attached)
    fan.then(fanned("ReportAttached", "received", joined=Hearer(recipient="reporter:r-2", channel="12345")))
    fan.when(attached).when(closed(START))
    assert [recipient for recipient, *_ in told(fan)] == ["reporter:r-1", "reporter:r-2"]
    assert [each.channel for each in fan.events[0].told] == ["app", "12345"]


def test_a_placeholder_is_no_recipient_because_it_means_another_person_in_each_report(fan: Story) -> None:
    sealed = changed(opened(START), report=read_report(START, report="app/7", reporter="‹phone 1›"))
    fan.when(sealed)
    assert fan.state.reporters == (Hearer(recipient="reporter:app:7", channel="app"),)


def test_an_anonymous_report_has_nobody_to_tell(fan: Story) -> None:
    fan.when(changed(opened(START), report=read_report(START, reporter=""))).when(accepted(START))
    assert told(fan) == []


def test_the_reporter_never_goes_to_a_unit(fan: Story) -> None:
    """Not in the copies, and not in the notices of units and posts."""
    report = read_report(START, reporter="secret-token")
    fan.when(changed(opened(START), report=report))
    for event in (accepted(START), assigned(START, "JW1"), signed(START), rework(START), closed(START)):
        fan.when(event)
        for effect in sends(fan):
            assert effect.key.startswith("reporter:") or "secret-token" not in str(effect)


def test_a_hazard_is_urgent_and_waits_for_no_digest() -> None:
    routes = tuple(replace(route, digest=True) for route in tiny_parts().routes)
    story = Story(FAN, city(routes=routes), CASE, ROUTER)
    story.when(opened(START, matter=MANHOLE)).when(assigned(START, "SZ"))
    assert [(each.digest, each.urgent) for each in story.events[0].told] == [(False, True)]
    calm = Story(FAN, city(routes=routes), CASE, ROUTER)
    calm.when(opened(START)).when(assigned(START, "SZ"))
    assert [(each.digest, each.urgent) for each in calm.events[0].told] == [(True, False)]


def test_in_emergency_everything_is_urgent() -> None:
    rules = Rules(2, tiny_city(), {"S1": Mode.EMERGENCY})
    story = Story(FAN, rules, CASE, ROUTER)
    story.when(opened(START)).when(assigned(START, "JW1"))
    assert [each.urgent for each in story.events[0].told] == [True]


def test_a_unit_that_reads_only_its_topic_gets_no_notice() -> None:
    units = tuple(
        unit if unit.code != "CG" else replace(unit, channels=(Channel("topic"),))
        for unit in tiny_parts().units
    )
    story = Story(FAN, city(units=units), CASE, ROUTER)
    story.when(opened(START)).when(assigned(START, "CG"))
    assert told(story) == []
    assert copied(story) == [("CG", "lead")]


def supervised(to: str, unit: str = "") -> SupervisionOpened:
    return SupervisionOpened(
        number=1, kind="urge", level=0, to=to, unit=unit, replaces=0, reason="", reply_due=None,
        clock="handle", since=3, by="sla.clock", at=START,
    )  # fmt: skip


def test_a_supervision_reaches_whom_it_presses_and_nobody_else() -> None:
    extra = tuple(
        Route("SupervisionOpened", audience, "own", "supervision")
        for audience in ("lead_officer", "guiding", "parent")
    )
    story = Story(FAN, city(routes=(*tiny_parts().routes, *extra)), CASE, ROUTER)
    story.when(opened(START)).when(assigned(START, "CG"))
    for to, recipient in (
        ("lead", "unit:CG"),
        ("lead_officer", "post:OPS-lead_officer"),
        ("guiding", "unit:GOV"),
        ("parent", "unit:JD"),
    ):
        story.when(supervised(to))
        assert [who for who, *_ in told(story)] == [recipient]


def test_a_breach_names_its_clock_and_tells_the_supervising_unit(fan: Story) -> None:
    fan.when(opened(START)).when(changed(assigned(START, "JW1"), supervising=("GOV",)))
    fan.when(breached(START, "handle", 3))
    words = f"案件{CASE}的handle已超时"
    assert told(fan) == [("unit:JW1", "lead", words), ("unit:GOV", "supervising", words)]


def test_a_city_may_have_words_for_codes() -> None:
    templates = (*tiny_parts().templates, Template("clock.handle", "zh", "处置时限"))
    story = Story(FAN, city(templates=templates), CASE, ROUTER)
    story.when(opened(START)).when(assigned(START, "JW1")).when(breached(START, "handle", 3))
    assert told(story) == [("unit:JW1", "lead", f"案件{CASE}的处置时限已超时")]


def test_a_gap_in_the_register_is_told_to_the_guiding_department_and_a_debt_to_the_applicant() -> None:
    extra = tuple(
        Route(event, "guiding", "own", "routing_stopped") for event in ("AdmissionGap", "FundingDue")
    )
    story = Story(FAN, city(routes=extra), CASE, ROUTER)
    story.when(opened(START)).when(AdmissionGap(unit="JW1", matter=CLUTTER, area="C1", guiding="JD"))
    assert [who for who, *_ in told(story)] == ["unit:JD"]
    story.when(FundingDue(unit="JW1", entry="AST-02", version=1, applicant="SZ"))
    assert [who for who, *_ in told(story)] == ["unit:SZ"]


def test_a_refused_command_is_answered_to_the_unit_that_sent_it_with_nothing_of_the_case(fan: Story) -> None:
    refusal = Refusal(code="not_lead", expected="JW1", found="CG")
    fan.when(opened(START)).when(assigned(START, "JW1"))
    fan.when(CommandRefused(command="SignCase", refusal=refusal, by="CG-handler"))
    assert copied(fan) == [("CG", "sender")]
    [sent] = sends(fan)
    assert (sent.topic, sent.message.note) == (
        "unit.CG.cases",
        "SignCase not_lead: expected JW1, found CG",
    )
    assert (sent.message.lead, sent.message.matter, sent.message.area, sent.message.state) == ("", "", "", "")
    fan.when(CommandRefused(command="WriteOff", refusal=refusal, by="sla.clock"))
    assert copied(fan) == []


def test_every_case_event_is_either_learnt_or_silent_on_purpose() -> None:
    assert set(LEARN) | SILENT == set(get_args(CaseEvent))
    assert not SILENT & set(LEARN)
    assert set(FAN.handles) == set(LEARN)


def test_the_sender_of_an_event_changes_nothing(fan: Story) -> None:
    fan.when(opened(START), sender=Sender("processor", "router.case"))
    assert told(fan) == [("post:OPS-clerk", "clerk", f"新案件{CASE}：楼道堆物")]


def test_an_unknown_lead_is_no_reason_to_fail(fan: Story) -> None:
    fan.when(opened(START)).when(LeadRelieved(unit="GONE", successor="", reason="", at=START))
    assert [who for who, *_ in told(fan)] == ["unit:GONE"]
