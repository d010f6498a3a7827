"""临时准入: at once, for urgent matters, until a day, by an order, with a promise, and once more at most."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from kernel.processor import CancelTimer, SetTimer
from rules.bundle import Bundle
from schemas.entry.commands import EntryRang, ExitEntry, GrantTemporary, RecordFunding
from schemas.entry.events import EntryChangeRefused, EntryExpired, TemporaryGranted
from schemas.entry.states import EntryState
from schemas.register import FundingText, RowChange
from schemas.registry import ChangeRegister
from schemas.topics import REGISTRY_COMMANDS
from tests.builders_city import CLUTTER, STREET_TRADING, tiny_city
from tests.stories import START
from tests.unit.registry.telling import ASSIST, OWN, URGENT, Tale, bounded, china, post, tale

TEMPORARY = EntryState.TEMPORARY
PROMISED, APRIL = date(2026, 3, 10), china(date(2026, 4, 1))
GRANT = GrantTemporary(text=URGENT, order_number="急令〔2026〕1号", promised=PROMISED)


def granted(entry: Tale, **other: Any) -> Tale:
    return entry.by("OPS-supervisor", replace(GRANT, **other))


def on(bundle: Bundle, entry: str, days: int = 0) -> Tale:
    found = tale(entry, bundle)
    found.now = START + timedelta(days=days)
    return found


@pytest.fixture
def entry() -> Tale:
    return tale("TMP-01")


def test_it_is_in_force_at_once_until_its_end_date(entry: Tale) -> None:
    granted(entry).wrote("TemporaryGranted").stands(TEMPORARY)
    told = entry.last(TemporaryGranted)
    assert (told.renewal, told.promised, told.expire) == (0, PROMISED, APRIL)
    assert (told.row.state, told.row.term, told.row.order_number) == (
        "active",
        "temporary",
        "急令〔2026〕1号",
    )
    assert told.row.text.valid_from == date(2026, 3, 2)
    change = ChangeRegister(change=RowChange(change=1, row=told.row))
    ring = SetTimer("expire", APRIL, EntryRang(clock="expire", version=1))
    entry.sends(ring, CancelTimer("lapse"), REGISTRY_COMMANDS.send("tiny", change))
    entry.answered().wrote("EntryRegistered")
    entry.rings("expire", APRIL).then(EntryExpired(version=1, at=APRIL)).stands(None)


@pytest.mark.parametrize("code", ["SZ-handler", "JD-handler", "OPS-clerk", "OPS-meeting1"])
def test_only_the_supervising_body_grants_it(entry: Tale, code: str) -> None:
    entry.when(GRANT, sender=post(code)).refused("not_permitted")


def test_the_lead_officer_grants_it_too(entry: Tale) -> None:
    entry.by("OPS-lead_officer", GRANT)


@pytest.mark.parametrize(
    ("other", "code"),
    [
        ({"order_number": ""}, "no_order"),
        ({"promised": None}, "no_promise"),
        ({"promised": date(2026, 3, 1)}, "no_promise"),
        ({"text": replace(URGENT, valid_to=None)}, "no_end_date"),
        ({"text": replace(URGENT, valid_to=date(2026, 3, 1))}, "no_end_date"),
        ({"text": replace(URGENT, valid_from=date(2026, 3, 3))}, "not_at_once"),
        ({"text": replace(URGENT, role="prohibited")}, "bad_choice"),
        ({"text": replace(URGENT, funding=FundingText(source="区财政"))}, "no_funding"),
        ({"text": replace(URGENT, matter=CLUTTER)}, "not_urgent"),
        ({"text": replace(URGENT, matter="X")}, "not_urgent"),
        ({"text": replace(URGENT, legal_basis=())}, "no_basis"),
        ({"text": replace(URGENT, guiding_dept="JW1")}, "bad_level"),
        ({"text": replace(URGENT, role="own", matter=STREET_TRADING)}, "row8_deny"),
        ({"text": replace(URGENT, role="own", matter="E")}, "row8_deny"),
        ({"text": replace(URGENT, role="own", matter="row8:城市管理")}, "row8_deny"),
    ],
)
def test_what_a_grant_must_have(entry: Tale, other: dict[str, Any], code: str) -> None:
    entry.when(replace(GRANT, **other), sender=post("OPS-supervisor")).refused(code)


def test_it_contradicts_nothing_in_force(entry: Tale) -> None:
    """AST-02 lets communities of the whole street assist with manholes."""
    entry.when(replace(GRANT, text=replace(URGENT, area="S1")), sender=post("OPS-supervisor")).refused("tie")


def test_it_is_renewed_once_and_then_the_normal_way_is_left(entry: Tale) -> None:
    granted(entry).answered()
    granted(entry, text=replace(URGENT, valid_to=date(2026, 5, 31))).answered(9).stands(TEMPORARY)
    told = entry.last(TemporaryGranted)
    assert (told.row.version, told.renewal) == (2, 1)
    assert [one.state for one in entry.rules.bundle.register.versions("TMP-01")] == ["active", "exited"]
    entry.when(GRANT, sender=post("OPS-supervisor"), at=APRIL).refused("no_end_date")
    june = replace(GRANT, text=replace(URGENT, valid_to=date(2026, 6, 30)), promised=date(2026, 4, 9))
    assert "at most 1" in entry.when(june, sender=post("OPS-supervisor")).refused("renewals").expected
    entry.applied(replace(ASSIST, matter=URGENT.matter, area="C1", valid_from=date(2026, 7, 1)))
    entry.stands(TEMPORARY, EntryState.REVIEWING)


@pytest.mark.parametrize(
    "other", [{}, {"area": "G11"}, {"matter": "P"}, {"area": "S1", "unit_level": "grid"}]
)
def test_another_entry_id_does_not_begin_anew(entry: Tale, other: dict[str, Any]) -> None:
    """Nor does a smaller area, a larger matter: what overlaps counts. Another level is another matter."""
    ended = {"valid_to": date(2026, 3, 2)}
    granted(entry, text=replace(URGENT, **ended)).answered()
    second = on(entry.rules.bundle, "TMP-02", days=1)
    granted(second, text=replace(URGENT, valid_to=date(2026, 3, 3))).answered()
    third = on(second.rules.bundle, "TMP-03", days=2)
    third.when(replace(GRANT, text=replace(URGENT, **other)), sender=post("OPS-supervisor"))
    if "unit_level" in other:
        third.wrote("TemporaryGranted")
    else:
        third.refused("renewals")


def test_how_often_is_the_citys_own() -> None:
    entry = granted(tale("TMP-01", bounded(temporary_renewals=0))).answered()
    more = replace(GRANT, text=replace(URGENT, valid_to=date(2026, 5, 31)))
    entry.when(more, sender=post("OPS-supervisor")).refused("renewals")


def test_what_the_register_did_not_take_was_never_granted(entry: Tale) -> None:
    granted(entry).not_answered().wrote("EntryChangeRefused").stands(None)
    assert entry.last(EntryChangeRefused).state is EntryState.REFUSED
    assert entry.state.state is EntryState.REFUSED
    entry.rings("expire", APRIL).idle()


def test_a_renewal_that_the_register_did_not_take_leaves_the_first_one(entry: Tale) -> None:
    granted(entry).answered()
    granted(entry, text=replace(URGENT, valid_to=date(2026, 5, 31))).not_answered().stands(TEMPORARY)
    assert entry.state.current is not None
    assert entry.state.current.number == 1


def test_the_promised_money_comes_and_who_supervises_may_end_it(entry: Tale) -> None:
    granted(entry).answered()
    paid = RecordFunding(proof_id="P-9", covers_from=date(2026, 3, 2), covers_to=date(2026, 3, 31))
    entry.by("OPS-finance", paid).stands(TEMPORARY).answered(9)
    assert entry.rules.bundle.register.versions("TMP-01")[0].funded(date(2026, 3, 20))
    entry.by("OPS-supervisor", ExitEntry(reason="险情解除")).answered(10).stands(None)
    tale().started().when(ExitEntry(reason="x"), sender=post("OPS-supervisor")).refused("not_permitted")


def test_while_the_register_has_not_answered_it_is_not_renewed(entry: Tale) -> None:
    granted(entry).when(GRANT, sender=post("OPS-supervisor")).refused("change_pending")


def test_it_is_not_for_what_is_under_way_or_in_force() -> None:
    tale().applied(OWN).when(GRANT, sender=post("OPS-supervisor")).refused("wrong_state")
    tale().started().when(GRANT, sender=post("OPS-supervisor")).refused("wrong_state")
    assert tiny_city().register.versions("AST-02")
    tale("AST-02").when(GRANT, sender=post("OPS-supervisor")).refused("wrong_state")
