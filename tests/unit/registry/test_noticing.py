"""公示: anyone may object, every objection is answered one by one, once it may go back."""

from datetime import date, timedelta

import pytest

from kernel.processor import CancelTimer, Sender, SetTimer
from schemas.entry.commands import CloseNotice, DecideEntry, EntryRang, ObjectToEntry
from schemas.entry.events import EntryApproved, EntryNoticed, EntryObjected, EntryRefused, EntryReturned
from schemas.entry.states import EntryState
from tests.stories import START
from tests.unit.registry.telling import FIRST, Tale, answers, bounded, china, post, tale

ENDS, CLOSE = china(date(2026, 3, 9), 9), china(date(2026, 3, 16), 9)
SECOND = timedelta(seconds=1)


@pytest.fixture
def entry() -> Tale:
    return tale().noticed()


@pytest.mark.parametrize("sender", [Sender("reporter", "r-1"), post("JW1-handler"), Sender("unit", "SZ")])
def test_anyone_may_object_until_the_notice_ends(entry: Tale, sender: Sender) -> None:
    entry.when(ObjectToEntry(text="影响居民休息"), sender=sender, at=ENDS)
    entry.then(EntryObjected(version=1, number=1, text="影响居民休息", by=sender.id, at=ENDS)).sends()
    entry.when(ObjectToEntry(text="又一件"), sender=sender, received=ENDS, at=ENDS + SECOND)
    assert entry.events[0].number == 2
    entry.when(ObjectToEntry(text="太晚"), sender=sender, at=ENDS + SECOND).refused("notice_over")


def test_an_objection_says_something(entry: Tale) -> None:
    entry.when(ObjectToEntry(text="  "), sender=Sender("reporter", "r-1")).refused("no_text")


def test_a_flood_of_objections_has_an_end(entry: Tale) -> None:
    flood = [EntryObjected(version=1, number=n, text="不同意", by="r", at=START) for n in range(1, 501)]
    entry.given(*flood).objected().refused("too_many")


def test_an_entry_without_notice_is_not_objected_to() -> None:
    tale().applied().objected().refused("wrong_state")


def test_a_notice_closes_only_when_it_is_over(entry: Tale) -> None:
    entry.when(CloseNotice(), sender=post("JD-handler"), at=ENDS).refused("notice_lasts")
    entry.by("JD-handler", CloseNotice(), at=ENDS + SECOND)
    start = china(FIRST)
    entry.then(EntryApproved(version=1, answers=(), start=start, by="JD-handler", at=ENDS + SECOND))
    entry.sends(CancelTimer("close"), SetTimer("start", start, EntryRang(clock="start", version=1)))
    entry.stands(None, EntryState.APPROVED)


def test_only_the_deciding_body_closes_it(entry: Tale) -> None:
    entry.when(CloseNotice(), sender=post("CG-handler"), at=CLOSE).refused("not_permitted")


def test_each_objection_is_answered_once(entry: Tale) -> None:
    entry.objected().objected("还有噪声")
    for said in ((), answers(1), answers(1, 1), answers(1, 2, 3), answers(1, 2, 2)):
        entry.when(CloseNotice(answers=said), sender=post("JD-handler"), at=ENDS + SECOND).refused(
            "not_answered"
        )
    entry.by("JD-handler", CloseNotice(answers=answers(2, 1)), at=ENDS + SECOND).wrote("EntryApproved")


def test_the_clock_closes_a_notice_without_objections(entry: Tale) -> None:
    entry.rings("close", CLOSE - SECOND).idle().rings("close", CLOSE).wrote("EntryApproved")
    assert entry.events[0].by == "clock"


def test_an_unanswered_objection_is_a_refusal_when_the_clock_closes_it(entry: Tale) -> None:
    entry.objected().rings("close", CLOSE)
    entry.then(EntryRefused(
        version=1, reason="1 objections not answered in time", silent=True, by="clock", at=CLOSE
    )).stands(None)  # fmt: skip


def test_once_it_may_go_back_to_be_reviewed(entry: Tale) -> None:
    back = CloseNotice(answers=answers(1), back=True, reason="调整时段")
    unreasoned = CloseNotice(answers=answers(1), back=True)
    entry.objected().when(unreasoned, sender=post("JD-handler"), at=ENDS + SECOND).refused("no_reason")
    entry.by("JD-handler", back, at=ENDS + SECOND)
    decide = entry.last(EntryReturned).decide
    entry.sends(CancelTimer("close"), SetTimer("decide", decide, EntryRang(clock="decide", version=1)))
    entry.stands(None, EntryState.REVIEWING)
    entry.by("JD-handler", DecideEntry(approve=True, approval_no="准〔2026〕10号"))
    entry.objected()
    late = entry.last(EntryNoticed).ends + SECOND
    entry.when(
        CloseNotice(answers=answers(2), back=True, reason="再调整"), sender=post("JD-handler"), at=late
    )
    entry.refused("returned_before")
    entry.by("JD-handler", CloseNotice(answers=answers(2)))


def test_how_long_and_how_often_are_the_citys_own() -> None:
    city = bounded(notice_days=1, notice_extra_days=0, notice_returns=0)
    entry = tale(bundle=city).noticed()
    told = entry.last(EntryNoticed)
    assert told.ends == told.close == china(date(2026, 3, 3), 9)
    entry.when(CloseNotice(back=True, reason="不妥"), sender=post("JD-handler"), at=told.ends + SECOND)
    entry.refused("returned_before")
