"""拨付, 生效, 评估, 调整, 退出, 暂停, 到期: what is in force, and what the register is asked for."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from kernel.processor import CancelTimer, SetTimer
from rules.registering import entry_of, row_of
from schemas.entry.commands import (
    AmendEntry,
    CloseNotice,
    DecideEntry,
    EntryChanged,
    EntryNotChanged,
    EntryRang,
    EntryReplaced,
    EvaluateEntry,
    ExitEntry,
    GiveOpinion,
    RecordFunding,
)
from schemas.entry.events import (
    EntryChangeRefused,
    EntryEvaluated,
    EntryExited,
    EntryExpired,
    EntryFunded,
    EntryReturned,
    EntryStarted,
    EntryStartWaits,
    EntrySuperseded,
    EntrySuspended,
    EntryTakenUp,
)
from schemas.entry.states import EntryState
from schemas.register import RowChange
from schemas.registry import ChangeRegister
from schemas.topics import REGISTRY_COMMANDS
from tests.builders_city import tiny_city
from tests.unit.registry.telling import (
    ASSIST,
    EDITION,
    FAULT,
    FIRST,
    OPINIONS,
    OWN,
    RULES,
    Tale,
    china,
    post,
    tale,
)

ACTIVE, SUSPENDED, APPROVED = EntryState.ACTIVE, EntryState.SUSPENDED, EntryState.APPROVED
JULY = date(2026, 7, 1)
NEXT = replace(OWN, duties="清理楼道堆物，每周一次", valid_from=JULY)
TWO_SECONDS = timedelta(seconds=2)


def proof(since: date, until: date, number: str = "P-2", version: int = 0) -> RecordFunding:
    return RecordFunding(proof_id=number, covers_from=since, covers_to=until, version=version)


# ── the start ────────────────────────────────────────────────────────────────────────────────────────
def test_own_work_starts_by_the_clock_and_is_in_force_once_the_rules_say_so() -> None:
    entry = tale().approved().rings("start", china(FIRST) - TWO_SECONDS).idle()
    entry.rings("start", china(FIRST)).wrote("EntryStartAsked").stands(None, APPROVED)
    row = replace(entry.state.coming.row, state="active")  # type: ignore[union-attr]
    change = ChangeRegister(change=RowChange(change=1, row=row))
    entry.sends(CancelTimer("start"), REGISTRY_COMMANDS.send("tiny", change))
    entry.rings("start", china(FIRST)).idle()
    entry.rings("start", china(FIRST))
    entry = tale().started()
    entry.then(EntryStarted(
        version=1, edition=EDITION, rules=8, ended=0, expire=None, lapse=None, at=china(FIRST) + TWO_SECONDS
    ))  # fmt: skip
    entry.sends(CancelTimer("expire"), CancelTimer("lapse")).stands(ACTIVE)
    assert (row.approval_no, row.noticed_on) == ("准〔2026〕9号", date(2026, 3, 2))


def test_assistance_waits_for_the_money_and_starts_when_it_comes() -> None:
    entry = tale().approved(ASSIST).rings("start", china(FIRST))
    entry.then(EntryStartWaits(version=1, expire=None, at=china(FIRST))).sends(CancelTimer("start"))
    entry.rings("start", china(FIRST)).idle()
    entry.funded(at=china(JULY, 9)).wrote("EntryFunded", "EntryStartAsked").stands(None, APPROVED)
    assert entry.asks().row.text.valid_from == JULY
    entry.answered().wrote("EntryStarted").stands(ACTIVE)
    lapse = china(date(2027, 1, 1))
    entry.sends(CancelTimer("expire"), SetTimer("lapse", lapse, EntryRang(clock="lapse", version=1)))


def test_money_before_the_day_starts_nothing_until_the_day() -> None:
    entry = tale().approved(ASSIST).funded().wrote("EntryFunded").sends()
    entry.stands(None, APPROVED).rings("start", china(FIRST)).wrote("EntryStartAsked")


def test_a_proof_that_does_not_cover_the_day_starts_nothing() -> None:
    entry = tale().approved(ASSIST).rings("start", china(FIRST))
    entry.by("OPS-finance", proof(JULY, date(2026, 9, 30))).wrote("EntryFunded").stands(None, APPROVED)


def test_an_entry_that_never_got_its_money_ends_with_its_last_day() -> None:
    entry = tale().approved(replace(ASSIST, valid_to=date(2026, 6, 30))).rings("start", china(FIRST))
    over = china(JULY)
    entry.sends(SetTimer("start", over, EntryRang(clock="start", version=1)))
    entry.rings("start", over).then(EntryExpired(version=1, at=over)).stands(None)


def test_what_the_register_cannot_take_is_decided_once_more() -> None:
    entry = tale().approved().rings("start", china(FIRST)).not_answered().wrote("EntryReturned")
    told = entry.last(EntryReturned)
    assert (told.faults, told.by) == ((FAULT,), "registry.rules")
    entry.stands(None, EntryState.REVIEWING).rings("decide", told.decide).wrote("EntryRefused").stands(None)


def test_a_second_answer_changes_nothing() -> None:
    entry = tale().approved().rings("start", china(FIRST))
    change = entry.asks().change
    done = EntryChanged(change=change, edition=EDITION, rules=8)
    entry.when(done, sender=RULES).wrote("EntryStarted").when(done, sender=RULES).idle()
    entry.when(EntryNotChanged(change=change, faults=(FAULT,)), sender=RULES).idle().stands(ACTIVE)


# ── the money ────────────────────────────────────────────────────────────────────────────────────────
def test_only_finance_records_money_and_only_where_it_is_asked() -> None:
    entry = tale().approved(ASSIST).when(proof(FIRST, JULY), sender=post("CG-handler"))
    entry.refused("not_permitted")
    tale().approved().when(proof(FIRST, JULY), sender=post("OPS-finance")).refused("no_funding_asked")


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (proof(FIRST, JULY, number=""), "no_proof"),
        (proof(JULY, FIRST), "bad_day"),
        (proof(date(2025, 1, 1), date(2025, 12, 31)), "bad_day"),
    ],
)
def test_a_proof_is_sound(said: RecordFunding, code: str) -> None:
    tale().approved(ASSIST).when(said, sender=post("OPS-finance")).refused(code)


def test_nothing_is_funded_before_it_is_admitted_or_after_it_is_over() -> None:
    tale().noticed(ASSIST).when(proof(FIRST, JULY), sender=post("OPS-finance")).refused("wrong_state")


def test_money_that_lapses_suspends_and_money_that_comes_resumes() -> None:
    entry = tale().approved(ASSIST).funded(date(2026, 6, 30)).rings("start", china(FIRST)).answered()
    lapse = china(JULY)
    assert entry.last(EntryStarted).lapse == lapse
    entry.rings("lapse", lapse - TWO_SECONDS).idle()
    entry.rings("lapse", lapse).then(EntrySuspended(version=1, at=lapse)).sends().stands(SUSPENDED)
    entry.by("OPS-finance", proof(JULY, date(2026, 12, 31)))
    entry.wrote("EntryFunded").stands(ACTIVE)
    assert entry.asks().row.text.funding.proof_id == "P-2"
    entry.answered(9).wrote("EntryRegistered").stands(ACTIVE)


def test_money_in_time_moves_the_lapse_and_leaves_no_gap() -> None:
    entry = tale().approved(ASSIST).funded(date(2026, 6, 30)).rings("start", china(FIRST)).answered()
    entry.when(proof(date(2026, 7, 2), date(2026, 12, 31)), sender=post("OPS-finance")).refused("funding_gap")
    entry.by("OPS-finance", proof(JULY, date(2026, 12, 31)))
    money = entry.last(EntryFunded).funding
    assert (money.covers_from, money.covers_to) == (date(2026, 1, 1), date(2026, 12, 31))
    entry.answered(9).rings("lapse", china(JULY)).idle().stands(ACTIVE)
    entry.rings("lapse", china(date(2027, 1, 1))).wrote("EntrySuspended")


def test_money_that_the_register_did_not_take_is_as_if_it_had_not_come() -> None:
    entry = tale().started(ASSIST).rings("lapse", china(date(2027, 1, 1))).stands(SUSPENDED)
    entry.by("OPS-finance", proof(date(2027, 1, 1), date(2027, 12, 31))).stands(ACTIVE)
    entry.not_answered().wrote("EntryChangeRefused").stands(SUSPENDED)
    assert entry.last(EntryChangeRefused).state is SUSPENDED


def test_an_answer_that_comes_when_the_proof_is_over_finds_it_suspended() -> None:
    entry = tale().approved(ASSIST).funded(date(2026, 6, 30)).rings("start", china(FIRST))
    change = entry.asks().change
    late = EntryChanged(change=change, edition=EDITION, rules=8)
    entry.when(late, sender=RULES, at=china(JULY)).wrote("EntryStarted").stands(SUSPENDED)


def test_a_proof_that_the_register_did_not_take_leaves_the_days_of_the_old_one() -> None:
    entry = tale().approved(ASSIST).funded(date(2026, 6, 30)).rings("start", china(FIRST)).answered()
    entry.by("OPS-finance", proof(JULY, date(2026, 12, 31))).not_answered().stands(ACTIVE)
    lapse = china(JULY)
    entry.sends(CancelTimer("expire"), SetTimer("lapse", lapse, EntryRang(clock="lapse", version=1)))
    entry.rings("lapse", lapse).wrote("EntrySuspended")


def test_the_version_that_waits_is_funded_before_the_one_in_force() -> None:
    later = replace(ASSIST, valid_from=JULY)
    entry = _amended(tale().started(ASSIST), later)
    entry.by("OPS-finance", proof(JULY, date(2026, 12, 31)))
    assert entry.last(EntryFunded).version == 2
    entry.by("OPS-finance", proof(date(2026, 4, 1), date(2027, 6, 30), version=1))
    assert (entry.last(EntryFunded).version, entry.asks().row.version) == (1, 1)


# ── evaluation, amendment ────────────────────────────────────────────────────────────────────────────
def test_a_community_evaluates_what_is_in_force() -> None:
    entry = tale().started().by("JW2-handler", EvaluateEntry(score=80, votes=120, text="可行"))
    entry.then(EntryEvaluated(
        version=1, unit="JW2", score=80, votes=120, text="可行", by="JW2-handler", at=entry.now
    )).stands(ACTIVE)  # fmt: skip
    entry.when(EvaluateEntry(score=80), sender=post("JW1-handler")).refused("not_permitted")
    entry.when(EvaluateEntry(score=101), sender=post("JW2-handler")).refused("bad_score")
    tale().approved().when(EvaluateEntry(score=1), sender=post("JW2-handler")).refused("wrong_state")


def _amended(entry: Tale, text: Any = NEXT) -> Tale:
    """The new version on its way up to its approval."""
    entry.by("CG-handler", AmendEntry(text=text))
    for code, party in OPINIONS:
        entry.by(code, GiveOpinion(party=party, agrees=True))
    entry.by("JD-handler", DecideEntry(approve=True, approval_no="准〔2026〕12号"))
    return entry.by("JD-handler", CloseNotice(), after=timedelta(days=12))


def test_the_old_version_stays_in_force_until_the_new_one_is() -> None:
    entry = tale().started()
    entry.by("CG-handler", AmendEntry(text=NEXT)).stands(ACTIVE, EntryState.REVIEWING)
    entry = _amended(tale().started()).stands(ACTIVE, APPROVED)
    entry.rings("start", china(JULY), version=2).stands(ACTIVE, APPROVED)
    assert [one.state for one in entry.rules.bundle.register.versions("OWN-03")] == ["active"]
    entry.answered(9).stands(ACTIVE)
    assert (entry.last(EntryStarted).version, entry.last(EntryStarted).ended) == (2, 1)
    versions = entry.rules.bundle.register.versions("OWN-03")
    assert [(one.version, one.state) for one in versions] == [(2, "active"), (1, "exited")]


def test_a_refused_amendment_leaves_the_old_version_in_force() -> None:
    entry = tale().started().by("CG-handler", AmendEntry(text=NEXT))
    entry.rings("decide", china(JULY), version=2).wrote("EntryRefused").stands(ACTIVE)


def test_one_new_version_at_a_time_by_who_is_concerned() -> None:
    entry = tale().started().by("CG-handler", AmendEntry(text=NEXT))
    entry.when(AmendEntry(text=NEXT), sender=post("CG-handler")).refused("under_way")
    other = replace(NEXT, applicant="SZ")
    tale().started().when(AmendEntry(text=other), sender=post("SZ-handler")).refused("not_permitted")
    tale().approved().when(AmendEntry(text=NEXT), sender=post("CG-handler")).refused("wrong_state")
    soon = replace(NEXT, valid_from=FIRST)
    tale().started().when(AmendEntry(text=soon), sender=post("CG-handler")).refused("too_late")
    for without, code in (
        ({"legal_basis": ()}, "no_basis"),
        ({"duties": ""}, "no_duties"),
        ({"guiding_dept": "JW1"}, "bad_level"),
    ):
        bare = AmendEntry(text=replace(NEXT, **without))  # type: ignore[arg-type]
        tale().started().when(bare, sender=post("CG-handler")).refused(code)


# ── the end ──────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("code", ["CG-handler", "JD-handler"])
def test_an_entry_ends_once_the_register_is_without_it(code: str) -> None:
    entry = tale().started().by(code, ExitEntry(reason="任务完成")).wrote("EntryExitAsked").stands(ACTIVE)
    row = entry.asks().row
    assert (row.version, row.state, row.exit_reason) == (1, "exited", "任务完成")
    entry.answered(9)
    entry.then(EntryExited(version=1, reason="任务完成", edition=EDITION, by=code, at=entry.now)).stands(None)
    assert entry.state.state is EntryState.EXITED


def test_an_end_that_the_register_cannot_take_leaves_it_in_force() -> None:
    entry = tale().started().by("JD-handler", ExitEntry(reason="任务完成"))
    entry.not_answered().wrote("EntryChangeRefused").stands(ACTIVE)
    assert entry.last(EntryChangeRefused).state is ACTIVE


def test_an_admitted_version_ends_before_it_starts_and_asks_nothing() -> None:
    entry = tale().approved().by("CG-handler", ExitEntry(reason="不再需要")).sends().stands(None)
    assert entry.last(EntryExited).edition == ""
    entry.rings("start", china(FIRST)).idle()


def test_the_new_version_can_be_given_up_alone() -> None:
    entry = _amended(tale().started()).by("CG-handler", ExitEntry(reason="不调整了", version=2))
    entry.wrote("EntryExited").stands(ACTIVE)
    ending = _amended(tale().started()).by("CG-handler", ExitEntry(reason="全部退出"))
    assert ending.asks().row.version == 1
    ending.answered(9).stands(None, APPROVED)


def test_an_end_has_a_reason_and_somebody_concerned() -> None:
    entry = tale().started()
    entry.when(ExitEntry(reason=" "), sender=post("CG-handler")).refused("no_reason")
    entry.when(ExitEntry(reason="不想做"), sender=post("JW2-handler")).refused("not_permitted")
    entry.when(ExitEntry(reason="x", version=7), sender=post("CG-handler")).refused("wrong_state")
    tale().applied().when(ExitEntry(reason="x"), sender=post("CG-handler")).refused("wrong_state")


def test_while_the_register_has_not_answered_nothing_else_is_asked() -> None:
    entry = tale().started().by("CG-handler", ExitEntry(reason="任务完成"))
    for command, code in ((ExitEntry(reason="又"), "JD-handler"), (AmendEntry(text=NEXT), "CG-handler")):
        entry.when(command, sender=post(code)).refused("change_pending")
    paid = tale().started(ASSIST).by("OPS-finance", proof(FIRST, JULY))
    paid.when(proof(FIRST, JULY), sender=post("OPS-finance")).refused("change_pending")


def test_the_last_day_ends_an_entry_and_the_register_need_not_be_asked() -> None:
    entry = tale().started(replace(OWN, valid_to=date(2026, 6, 30)))
    assert entry.last(EntryStarted).expire == china(JULY)
    entry.rings("expire", china(JULY) - TWO_SECONDS).idle()
    entry.rings("expire", china(JULY)).then(EntryExpired(version=1, at=china(JULY))).sends().stands(None)
    entry.when(ExitEntry(reason="x"), sender=post("CG-handler")).refused("wrong_state")
    entry.applied(replace(OWN, valid_from=date(2026, 9, 1)))


def test_another_entry_that_supersedes_it_ends_it() -> None:
    entry = tale().started()
    told = EntryReplaced(version=1, by_entry="OWN-09", by_version=1)
    entry.when(replace(told, version=2), sender=RULES).idle().stands(ACTIVE)
    entry.when(told, sender=RULES)
    entry.then(EntrySuperseded(version=1, by_entry="OWN-09", by_version=1, at=entry.now)).stands(None)


# ── entries that came with a bundle ──────────────────────────────────────────────────────────────────
def test_an_entry_of_the_bundle_is_taken_up_by_the_first_command_for_it() -> None:
    entry = tale("AST-02").by("OPS-finance", proof(date(2026, 1, 1), date(2026, 12, 31)))
    [row] = tiny_city().register.versions("AST-02")
    entry.wrote("EntryTakenUp", "EntryFunded").stands(ACTIVE)
    assert entry.history[0] == EntryTakenUp(
        row=row_of(row),
        last=1,
        state=SUSPENDED,
        start=None,
        expire=None,
        lapse=None,
        edition=tiny_city().hash,
    )
    assert entry_of(entry.asks().row).funding.proof_id == "P-2"


def test_a_refused_command_takes_nothing_up() -> None:
    tale("OWN-02").when(ExitEntry(reason=""), sender=post("JD-handler")).refused("no_reason")


def test_an_entry_of_the_bundle_is_amended_as_its_next_version() -> None:
    entry = tale("OWN-02").by(
        "JD-handler", AmendEntry(text=replace(NEXT, area="C1", applicant="JD", guiding_dept="JD"))
    )
    entry.wrote("EntryTakenUp", "EntryApplied").stands(ACTIVE, EntryState.REVIEWING)
    assert entry.events[-1].row.version == 2


@pytest.mark.parametrize(
    "command", [ExitEntry(reason="取消"), AmendEntry(text=replace(OWN, role="prohibited"))]
)
def test_a_prohibition_of_the_five_is_neither_ended_nor_amended(command: Any) -> None:
    if isinstance(command, AmendEntry):
        command = AmendEntry(text=replace(command.text, applicant="GOV", guiding_dept="GOV", valid_from=JULY))
    tale("NEG-04").when(command, sender=post("GOV-handler")).refused("row8_deny")
