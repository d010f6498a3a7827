from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from msgspec import json as codec
from msgspec.structs import replace

from kernel.processor import CancelTimer, SetTimer
from rules.units import Channel
from schemas.notice import (
    AddressDisabled,
    AttemptDelivery,
    AttemptStarted,
    DigestComposed,
    DigestDue,
    NoticeDelivered,
    NoticeDue,
    NoticeFailed,
    NoticeGivenUp,
    NoticeQueued,
    Outcome,
    OutcomeIgnored,
    RecordOutcome,
    RequestNotice,
    TimerIgnored,
)
from schemas.topics import NOTICE_ATTEMPTS
from services.notifier.ladder import DIGEST_MOST, PAUSES_MINUTES
from services.notifier.state import Desk
from tests.builders_case import CASE
from tests.builders_city import tiny_parts
from tests.stories import START, Story
from tests.unit.notifier.conftest import city

Desks = Callable[..., Story]
NIGHT = START + timedelta(hours=12)
"""Nine in the evening in China."""
HOOK = "http://127.0.0.1:9/hook"
DELIVERED, FAILED, UNKNOWN = (Outcome(result=word) for word in ("delivered", "failed", "unknown"))


def request(text: str = "派单", **other: Any) -> RequestNotice:
    said: dict[str, Any] = {"case": CASE, "event": "CaseAssigned", "audience": "lead", "channel": "own"}
    said |= {"template": "case_assigned", "text": text} | other
    return RequestNotice(**said)


def queued(number: int, wait: str = "now", text: str = "派单", **other: Any) -> NoticeQueued:
    return NoticeQueued(**{
        "number": number, "case": CASE, "event": "CaseAssigned", "audience": "lead", "channel": "own",
        "text": text, "wait": wait,
    } | other)  # fmt: skip


def started(notice: int, attempt: int, channel: str = "terminal", **other: Any) -> AttemptStarted:
    said = {"notice": notice, "attempt": attempt, "channel": channel, "address": "", "text": "派单"}
    return AttemptStarted(**said | other)


def outcome(notice: int, attempt: int, how: Outcome) -> RecordOutcome:
    return RecordOutcome(notice=notice, attempt=attempt, outcome=how)


def test_in_office_hours_a_notice_leaves_at_once(desk: Desks) -> None:
    story = desk("unit:CG").when(request())
    story.then(queued(1), started(1, 1))
    story.sends(
        NOTICE_ATTEMPTS.send(
            "unit:CG",
            AttemptDelivery(
                key="unit:CG/1", recipient="unit:CG", notice=1, attempt=1, channel="terminal", address="",
                text="派单",
            ),
        )
    )  # fmt: skip


def test_what_was_delivered_is_settled(desk: Desks) -> None:
    story = desk("unit:CG").when(request()).when(outcome(1, 1, DELIVERED))
    story.then(NoticeDelivered(notice=1, attempt=1)).sends()
    assert story.state == Desk(version=3)


def test_every_attempt_of_a_notice_has_the_same_key(desk: Desks) -> None:
    story = desk("unit:CG").when(request())
    keys = [attempt.key for attempt in attempts(story)]
    for number in range(1, len(PAUSES_MINUTES) + 1):
        story.when(outcome(1, number, UNKNOWN))
        story.when(NoticeDue(notice=1), after=timedelta(hours=2))
        keys += [attempt.key for attempt in attempts(story)]
    assert keys == ["unit:CG/1"] * (len(PAUSES_MINUTES) + 1)


def attempts(story: Story) -> list[AttemptDelivery]:
    effects: list[Any] = list(story.effects)
    return [effect.message for effect in effects if getattr(effect, "topic", "") == "notice.attempts"]


def test_a_failure_is_tried_again_up_the_ladder_and_then_given_up(desk: Desks) -> None:
    story = desk("unit:CG").when(request())
    for number, minutes in enumerate(PAUSES_MINUTES, 1):
        story.when(outcome(1, number, FAILED))
        retry = story.now + timedelta(minutes=minutes)
        story.then(NoticeFailed(notice=1, attempt=number, outcome=FAILED, retry=retry))
        story.sends(SetTimer("retry/1", retry, NoticeDue(notice=1)))
        story.when(NoticeDue(notice=1), at=retry).then(started(1, number + 1))
    last = len(PAUSES_MINUTES) + 1
    story.when(outcome(1, last, FAILED)).then(
        NoticeFailed(notice=1, attempt=last, outcome=FAILED),
        NoticeGivenUp(notice=1, attempts=last, reason="failed"),
    )
    assert story.state.pending == {}


def test_a_receiver_that_asks_for_time_gets_it_but_no_more_than_a_day(desk: Desks) -> None:
    for asked, given in (
        (600, timedelta(minutes=10)),
        (10, timedelta(minutes=1)),
        (10**6, timedelta(days=1)),
    ):
        busy = Outcome(result="failed", after=asked)
        story = desk("unit:CG").when(request()).when(outcome(1, 1, busy))
        story.then(NoticeFailed(notice=1, attempt=1, outcome=busy, retry=START + given))


@pytest.mark.parametrize("result", ["refused", "no_channel"])
def test_the_next_channel_has_its_chance_where_one_never_will(desk: Desks, result: str) -> None:
    never = Outcome(result=result)
    story = desk("unit:SZ").when(request()).then(queued(1), started(1, 1, "webhook", address=HOOK))
    story.when(outcome(1, 1, never))
    story.then(NoticeFailed(notice=1, attempt=1, outcome=never), started(1, 2, "terminal"))
    story.when(outcome(1, 2, never)).then(
        NoticeFailed(notice=1, attempt=2, outcome=never), NoticeGivenUp(notice=1, attempts=2, reason=result)
    )


def test_an_address_that_is_gone_is_left_out_until_the_bundle_names_another(desk: Desks) -> None:
    gone = Outcome(result="gone")
    story = desk("unit:SZ").when(request()).when(outcome(1, 1, gone))
    story.then(
        NoticeFailed(notice=1, attempt=1, outcome=gone),
        AddressDisabled(channel="webhook", address=HOOK),
        started(1, 2, "terminal"),
    )
    story.when(request()).then(queued(6), started(6, 1, "terminal"))
    units = tuple(
        unit if unit.code != "SZ" else replace(unit, channels=(Channel("webhook", "https://new/"),))
        for unit in tiny_parts().units
    )
    story.rules = city(units=units)
    story.when(request()).then(queued(8), started(8, 1, "webhook", address="https://new/"))


def test_a_recipient_without_a_channel_is_given_up_at_once(desk: Desks) -> None:
    desk("unit:GONE").when(request(), at=START).then(
        queued(1), NoticeGivenUp(notice=1, attempts=0, reason="no_channel")
    )


def test_a_channel_may_be_asked_for_by_name(desk: Desks) -> None:
    story = desk("reporter:r-1").when(request(channel="app"))
    story.then(queued(1, channel="app"), started(1, 1, "app"))
    story.when(outcome(1, 1, Outcome(result="no_channel"))).then(
        NoticeFailed(notice=1, attempt=1, outcome=Outcome(result="no_channel")),
        NoticeGivenUp(notice=1, attempts=1, reason="no_channel"),
    )
    story = desk("unit:SZ").when(request(channel="terminal"))
    story.then(queued(1, channel="terminal"), started(1, 1, "terminal"))


def test_a_post_hears_by_the_channels_and_the_calendar_of_its_unit(desk: Desks) -> None:
    desk("post:SZ-handler").when(request()).then(queued(1), started(1, 1, "webhook", address=HOOK))
    desk("post:OPS-clerk").when(request(), at=NIGHT).then(queued(1), started(1, 1))


# ── outcomes that change nothing ─────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("late", "why"),
    [
        (outcome(1, 2, DELIVERED), "duplicate"),
        (outcome(1, 1, DELIVERED), "older"),
        (outcome(1, 7, DELIVERED), "unknown"),
        (outcome(9, 1, DELIVERED), "settled"),
    ],
)
def test_outcomes_of_other_attempts_are_on_record_and_ignored(
    desk: Desks, late: RecordOutcome, why: str
) -> None:
    story = desk("unit:CG").when(request()).when(outcome(1, 1, FAILED))
    story.when(NoticeDue(notice=1)).when(outcome(1, 2, FAILED))
    before = story.state
    story.when(late)
    story.then(
        OutcomeIgnored(notice=late.notice, attempt=late.attempt, outcome=late.outcome, why=why)
    ).sends()
    assert (story.state.pending, story.state.version) == (before.pending, before.version + 1)


def test_an_outcome_that_comes_twice_counts_once(desk: Desks) -> None:
    story = desk("unit:CG").when(request()).when(outcome(1, 1, DELIVERED)).when(outcome(1, 1, DELIVERED))
    story.then(OutcomeIgnored(notice=1, attempt=1, outcome=DELIVERED, why="settled"))


def test_a_timer_for_what_is_settled_is_on_record_and_ignored(desk: Desks) -> None:
    desk("unit:CG").when(NoticeDue(notice=4)).then(TimerIgnored(notice=4)).sends()
    desk("unit:CG").when(DigestDue()).then(TimerIgnored(notice=0)).sends()


# ── digest and quiet hours ───────────────────────────────────────────────────────────────────────────
def test_a_digest_gathers_for_an_hour_and_leaves_as_one(desk: Desks) -> None:
    due = START + timedelta(hours=1)
    story = desk("unit:CG").when(request("一", digest=True)).then(queued(1, "digest", "一", due=due))
    story.sends(SetTimer("digest", due, DigestDue()))
    story.when(request("二", digest=True), after=timedelta(minutes=9)).then(queued(2, "digest", "二")).sends()
    story.when(DigestDue(), at=due).then(
        DigestComposed(number=3, notices=(1, 2), channel="own", text="一\n二"), started(3, 1, text="一\n二")
    )
    assert story.effects[0] == CancelTimer("digest")
    assert [attempt.key for attempt in attempts(story)] == ["unit:CG/3"]
    story.when(outcome(3, 1, DELIVERED)).then(NoticeDelivered(notice=3, attempt=1))
    assert story.state == Desk(version=5)


def test_at_night_a_notice_waits_for_the_morning(desk: Desks) -> None:
    story = desk("unit:CG").when(request("一"), at=NIGHT)
    morning = START + timedelta(hours=23, minutes=1)
    story.then(queued(1, "quiet", "一", due=morning)).sends(SetTimer("digest", morning, DigestDue()))
    story.when(request("二"), after=timedelta(hours=1)).then(queued(2, "quiet", "二"))
    story.when(DigestDue(), at=morning)
    story.then(
        DigestComposed(number=3, notices=(1, 2), channel="own", text="一\n二"), started(3, 1, text="一\n二")
    )


def test_what_is_urgent_wakes_people(desk: Desks) -> None:
    desk("unit:CG").when(request(urgent=True, digest=True), at=NIGHT).then(queued(1), started(1, 1))


def test_a_full_digest_leaves_before_its_time(desk: Desks) -> None:
    story = desk("unit:CG")
    for _ in range(DIGEST_MOST):
        story.when(request("一", digest=True))
    [taken, composed, attempt] = story.events
    assert (taken.wait, taken.due) == ("digest", None)
    assert composed.notices == tuple(range(1, DIGEST_MOST + 1))
    assert attempt.notice == composed.number == DIGEST_MOST + 1
    assert story.effects[0] == CancelTimer("digest")
    assert story.state.waiting == ()


def test_a_long_night_makes_several_digests_each_with_its_own_key(desk: Desks) -> None:
    story = desk("unit:CG")
    for number in range(DIGEST_MOST + 1):
        story.when(request("一", channel="terminal" if number else "own"), at=NIGHT)
    story.when(DigestDue(), after=timedelta(hours=12))
    composed = [event for event in story.events if isinstance(event, DigestComposed)]
    assert [(each.channel, len(each.notices)) for each in composed] == [("own", 1), ("terminal", DIGEST_MOST)]
    assert [attempt.key for attempt in attempts(story)] == [f"unit:CG/{each.number}" for each in composed]


def test_what_does_not_fit_into_a_digest_is_counted(desk: Desks) -> None:
    story = desk("unit:CG")
    for _ in range(5):
        story.when(request("长" * 3000, digest=True))
    story.when(DigestDue(), after=timedelta(hours=1))
    text = story.events[0].text
    assert text.endswith("\n… +3")
    assert len(text) <= 8000


def test_the_state_survives_a_snapshot(desk: Desks) -> None:
    story = desk("unit:SZ").when(request()).when(outcome(1, 1, Outcome(result="gone")))
    story.when(request(digest=True))
    assert codec.decode(codec.encode(story.state), type=Desk) == story.state
