"""申请, 意见, 审批: who may, what an application must say, and what silence means."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from kernel.processor import CancelTimer, Sender, SetTimer
from schemas.entry.commands import ApplyEntry, DecideEntry, EntryRang, GiveOpinion
from schemas.entry.events import EntryApplied, EntryNoticed, EntryRefused, OpinionGiven
from schemas.entry.states import EntryState
from schemas.register import FundingText, RegisterRow
from tests.builders_city import STREET_TRADING, tiny_city
from tests.stories import START
from tests.unit.registry.telling import ASSIST, FIRST, OPINIONS, OWN, Tale, bounded, china, post, tale

YES = DecideEntry(approve=True, approval_no="准〔2026〕9号")


@pytest.fixture
def entry() -> Tale:
    return tale()


def test_an_application_is_under_review_until_fifteen_working_days_are_over(entry: Tale) -> None:
    due = china(date(2026, 3, 23), 9)
    entry.by("CG-handler", ApplyEntry(text=OWN)).then(
        EntryApplied(
            row=RegisterRow(entry="OWN-03", version=1, state="approved", text=OWN),
            amends=0,
            decide=due,
            by="CG-handler",
            at=START,
            edition=tiny_city().hash,
        )
    )
    entry.sends(SetTimer("decide", due, EntryRang(clock="decide", version=1)))
    entry.stands(None, EntryState.REVIEWING)


def test_a_unit_applies_on_its_own_topic(entry: Tale) -> None:
    entry.when(ApplyEntry(text=OWN), sender=Sender("unit", "CG")).wrote("EntryApplied")


@pytest.mark.parametrize(
    ("sender", "code"),
    [
        (post("SZ-handler"), "not_permitted"),
        (post("OPS-supervisor"), "not_permitted"),
        (post("nobody"), "post_not_held"),
        (Sender("reporter", "r-1"), "not_permitted"),
    ],
)
def test_only_the_department_itself_applies(entry: Tale, sender: Sender, code: str) -> None:
    entry.when(ApplyEntry(text=OWN), sender=sender).refused(code)


def test_a_committee_does_not_apply_for_itself(entry: Tale) -> None:
    entry.when(ApplyEntry(text=replace(OWN, applicant="JW1")), sender=post("JW1-handler"))
    entry.refused("not_permitted")


@pytest.mark.parametrize(
    ("without", "code"),
    [
        ({"legal_basis": ()}, "no_basis"),
        ({"guiding_dept": ""}, "no_guiding_dept"),
        ({"guiding_dept": "JW1"}, "bad_level"),
        ({"duties": ""}, "no_duties"),
        ({"matter": "X-99"}, "unknown_reference"),
        ({"area": "nowhere"}, "unknown_reference"),
        ({"role": "lead"}, "bad_choice"),
        ({"unit_level": "street"}, "unknown_reference"),
        ({"role": "assist"}, "no_funding"),
        ({"role": "assist", "funding": FundingText(source="区财政", per="件")}, "no_funding"),
        ({"owner_instead": "CG"}, "bad_choice"),
        ({"valid_from": None}, "no_start"),
    ],
)
def test_an_application_says_all_that_a_line_of_the_register_needs(
    entry: Tale, without: dict[str, Any], code: str
) -> None:
    entry.when(ApplyEntry(text=replace(OWN, **without)), sender=post("CG-handler")).refused(code)


def test_a_refused_line_tells_all_that_is_wrong_with_it(entry: Tale) -> None:
    wrong = replace(OWN, legal_basis=(), area="nowhere", role="assist")
    entry.when(ApplyEntry(text=wrong), sender=post("CG-handler"))
    codes = [fault.code for fault in entry.events[0].faults]
    assert codes == ["no_basis", "no_funding", "no_funding", "no_funding", "unknown_reference"]


def test_thirty_working_days_lie_before_the_start(entry: Tale) -> None:
    """Monday nine o'clock and thirty working days are nine o'clock of the 13th of April."""
    entry.when(ApplyEntry(text=replace(OWN, valid_from=date(2026, 4, 13))), sender=post("CG-handler"))
    assert "2026-04-13" in entry.refused("too_late").expected
    entry.applied(replace(OWN, valid_from=date(2026, 4, 14)))


def test_the_days_count_from_the_receipt_and_are_the_citys_own() -> None:
    early = tale()
    early.when(ApplyEntry(text=replace(OWN, valid_from=date(2026, 4, 14))), sender=post("CG-handler"),
               received=START, at=START + timedelta(days=3)).wrote("EntryApplied")  # fmt: skip
    tale(bundle=bounded(apply_days=1)).applied(replace(OWN, valid_from=date(2026, 3, 4)))


def test_the_words_of_officials_become_those_of_the_register(entry: Tale) -> None:
    entry.applied(replace(ASSIST, role="协助", mode="平急"))
    text = entry.last(EntryApplied).row.text
    assert (text.role, text.mode) == ("assist", "both")


def test_there_is_one_application_at_a_time(entry: Tale) -> None:
    entry.applied().when(ApplyEntry(text=OWN), sender=post("CG-handler"))
    entry.refused("wrong_state")


def test_each_party_speaks_for_itself(entry: Tale) -> None:
    entry.applied()
    for code, party in OPINIONS:
        for other in ("legal", "finance", "street", "communities"):
            if other != party:
                entry.when(GiveOpinion(party=other, agrees=True), sender=post(code)).refused("not_permitted")
        entry.by(code, GiveOpinion(party=party, agrees=False, text="意见"))
        unit = {"street": "JD", "communities": "JW2"}.get(party, "")
        entry.then(OpinionGiven(
            version=1, party=party, unit=unit, agrees=False, text="意见", by=code, at=START
        ))  # fmt: skip
    entry.when(GiveOpinion(party="police", agrees=True), sender=post("JD-handler")).refused("unknown_party")


def test_a_city_without_those_posts_is_spoken_for_by_its_government() -> None:
    city = tiny_city()
    posts = tuple(one for one in city.parts.posts if one.role not in ("legal", "finance"))
    alone = tale(bundle=type(city)(_with(city.parts, posts), city.hash))
    alone.applied().by("GOV-handler", GiveOpinion(party="legal", agrees=True))
    alone.by("GOV-handler", GiveOpinion(party="finance", agrees=True))


def _with(parts: Any, posts: Any) -> Any:
    from msgspec.structs import replace as with_  # noqa: PLC0415 - beside the one of dataclasses

    return with_(parts, posts=posts)


def test_communities_elsewhere_are_not_asked(entry: Tale) -> None:
    entry.applied().when(GiveOpinion(party="communities", agrees=True), sender=post("JW1-handler"))
    entry.refused("not_permitted")


def test_every_community_concerned_is_heard_or_a_meeting_for_all() -> None:
    wide = replace(OWN, area="S1")
    for codes in (("JW1-handler", "JW2-handler"), ("OPS-meeting1",)):
        entry = tale().applied(wide)
        for code, party in OPINIONS[:3]:
            entry.by(code, GiveOpinion(party=party, agrees=True))
        entry.when(YES, sender=post("JD-handler"))
        assert "JW1, JW2" in entry.refused("not_heard").found
        for code in codes:
            entry.by(code, GiveOpinion(party="communities", agrees=True))
        entry.by("JD-handler", YES)


@pytest.mark.parametrize("missing", range(4))
def test_nothing_is_approved_before_all_four_have_spoken(missing: int) -> None:
    entry = tale().applied()
    for number, (code, party) in enumerate(OPINIONS):
        if number != missing:
            entry.by(code, GiveOpinion(party=party, agrees=True))
    entry.when(YES, sender=post("JD-handler"))
    assert entry.refused("not_heard").found.startswith(f"none of {OPINIONS[missing][1]}")


def test_an_application_can_be_refused_before_with_a_reason(entry: Tale) -> None:
    entry.applied().when(DecideEntry(approve=False), sender=post("JD-handler")).refused("no_reason")
    entry.by("JD-handler", DecideEntry(approve=False, reason="属街道职责"))
    entry.then(EntryRefused(version=1, reason="属街道职责", silent=False, by="JD-handler", at=START))
    entry.sends(CancelTimer("decide"), CancelTimer("close")).stands(None)
    assert entry.state.state is EntryState.REFUSED


@pytest.mark.parametrize("code", ["CG-handler", "GOV-handler", "JW2-handler", "OPS-clerk"])
def test_the_street_decides_and_nobody_else(entry: Tale, code: str) -> None:
    entry.heard().when(YES, sender=post(code)).refused("not_permitted")


def test_who_applied_does_not_decide_the_level_above_does() -> None:
    own = replace(OWN, applicant="JD", guiding_dept="JD")
    entry = tale().heard(own)
    entry.when(YES, sender=post("JD-handler")).refused("not_permitted")
    entry.by("GOV-handler", YES)


def test_at_the_top_the_grid_body_of_the_same_level_decides_too() -> None:
    wide = replace(OWN, area="D", applicant="GOV", guiding_dept="GOV")
    entry = tale().applied(wide)
    for code, party in (*OPINIONS[:3], ("OPS-meeting1", "communities")):
        entry.by(code, GiveOpinion(party=party, agrees=True))
    entry.when(YES, sender=post("GOV-handler")).refused("not_permitted")
    entry.by("OPS-lead_officer", YES)


def test_an_approval_has_its_number(entry: Tale) -> None:
    entry.heard().when(DecideEntry(approve=True), sender=post("JD-handler")).refused("no_approval_no")


def test_what_is_approved_is_noticed_for_five_working_days_and_closed_after_five_more(entry: Tale) -> None:
    ends, close = china(date(2026, 3, 9), 9), china(date(2026, 3, 16), 9)
    entry.heard().by("JD-handler", YES).then(
        EntryNoticed(
            version=1,
            approval_no="准〔2026〕9号",
            noticed_on=date(2026, 3, 2),
            ends=ends,
            close=close,
            by="JD-handler",
            at=START,
            edition=tiny_city().hash,
        )
    )
    entry.sends(CancelTimer("decide"), SetTimer("close", close, EntryRang(clock="close", version=1)))


def test_silence_is_a_refusal(entry: Tale) -> None:
    due = entry.heard().last(EntryApplied).decide
    entry.rings("decide", due - timedelta(seconds=1)).idle()
    entry.rings("decide", due).wrote("EntryRefused")
    assert entry.events[0].silent
    entry.when(YES, sender=post("JD-handler")).refused("wrong_state")


def test_a_timer_of_another_version_changes_nothing(entry: Tale) -> None:
    entry.applied().rings("decide", china(FIRST), version=2).idle()
    entry.rings("close", china(FIRST)).idle().rings("start", china(FIRST)).idle()
    entry.rings("lapse", china(FIRST)).idle().rings("expire", china(FIRST)).idle()


def test_the_statutory_level_is_respected(entry: Tale) -> None:
    """Street trading is the street's by law, and one of the five besides."""
    entry.heard(replace(OWN, matter=STREET_TRADING)).when(YES, sender=post("JD-handler"))
    entry.refused("tie")
    codes = {fault.code for fault in entry.events[0].faults}
    assert codes == {"tie", "bad_level"}


def test_what_contradicts_an_entry_in_force_is_not_approved_unless_it_supersedes_it() -> None:
    again = replace(OWN, area="C1")
    entry = tale().applied(again)
    for code, party in (*OPINIONS[:3], ("JW1-handler", "communities")):
        entry.by(code, GiveOpinion(party=party, agrees=True))
    entry.when(YES, sender=post("JD-handler"))
    assert "OWN-02" in str(entry.refused("tie"))
    other = tale().applied(replace(again, supersedes="OWN-02@1"))
    for code, party in (*OPINIONS[:3], ("JW1-handler", "communities")):
        other.by(code, GiveOpinion(party=party, agrees=True))
    other.by("JD-handler", YES)


def test_what_is_superseded_must_be_there_and_must_not_be_a_prohibition_of_the_five(entry: Tale) -> None:
    entry.heard(replace(OWN, supersedes="OWN-77@1")).when(YES, sender=post("JD-handler"))
    entry.refused("unknown_reference")
    deny = replace(OWN, supersedes="NEG-04@1")
    tale().when(ApplyEntry(text=deny), sender=post("CG-handler")).refused("row8_deny")


def test_a_refused_application_may_be_made_anew_as_another_version(entry: Tale) -> None:
    entry.applied().by("JD-handler", DecideEntry(approve=False, reason="不全")).applied()
    assert entry.last(EntryApplied).row.version == 2
