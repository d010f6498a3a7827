"""lifecycle.md §2, the column of states: each command in each state an entry can be in."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any, get_args

import pytest

from schemas.entry.commands import (
    AmendEntry,
    ApplyEntry,
    CloseNotice,
    DecideEntry,
    EntryCommand,
    EvaluateEntry,
    ExitEntry,
    GiveOpinion,
    GrantTemporary,
    ObjectToEntry,
    RecordFunding,
)
from schemas.entry.events import EntryCommandRefused
from schemas.entry.states import EntryState
from services.registry.entry.lifecycle import LIFECYCLE
from tests.unit.registry.telling import ASSIST, FIRST, OWN, URGENT, Tale, china, post, tale

S = EntryState
GRANT = GrantTemporary(text=URGENT, order_number="急令〔2026〕1号", promised=date(2026, 3, 10))
ENDING = replace(OWN, valid_to=date(2026, 6, 30))
JULY = china(date(2026, 7, 1))

REACHED: dict[EntryState, Callable[[], Tale]] = {
    S.NONE: tale,
    S.REVIEWING: lambda: tale().heard(),
    S.NOTICED: lambda: tale().noticed(),
    S.APPROVED: lambda: tale().approved(ASSIST),
    S.ACTIVE: lambda: tale().started(ASSIST),
    S.SUSPENDED: lambda: tale().started(ASSIST).rings("lapse", china(date(2027, 1, 1))),
    S.TEMPORARY: lambda: tale().by("OPS-supervisor", GRANT).answered(),
    S.REFUSED: lambda: tale().applied().by("JD-handler", DecideEntry(approve=False, reason="不全")),
    S.EXPIRED: lambda: tale().started(ENDING).rings("expire", JULY),
    S.EXITED: lambda: tale().approved().by("CG-handler", ExitEntry(reason="不再需要")),
}
OVER = {S.NONE, S.REFUSED, S.EXPIRED, S.EXITED}
PROOF = RecordFunding(proof_id="P-2", covers_from=FIRST, covers_to=date(2027, 12, 31))
TABLE: dict[type, tuple[Any, str, set[EntryState]]] = {
    ApplyEntry: (ApplyEntry(text=OWN), "CG-handler", {*OVER, S.TEMPORARY}),
    GiveOpinion: (GiveOpinion(party="legal", agrees=True), "OPS-legal", {S.REVIEWING}),
    DecideEntry: (DecideEntry(approve=False, reason="不全"), "JD-handler", {S.REVIEWING}),
    ObjectToEntry: (ObjectToEntry(text="不同意"), "JW1-handler", {S.NOTICED}),
    CloseNotice: (CloseNotice(), "JD-handler", {S.NOTICED}),
    RecordFunding: (PROOF, "OPS-finance", {S.APPROVED, S.ACTIVE, S.SUSPENDED, S.TEMPORARY}),
    EvaluateEntry: (EvaluateEntry(score=80), "JW2-handler", {S.ACTIVE}),
    AmendEntry: (AmendEntry(text=OWN), "CG-handler", {S.ACTIVE}),
    ExitEntry: (ExitEntry(reason="完成"), "JD-handler", {S.APPROVED, S.ACTIVE, S.SUSPENDED, S.TEMPORARY}),
    GrantTemporary: (GRANT, "OPS-supervisor", {*OVER, S.TEMPORARY}),
}
"""What lifecycle.md says: a command, somebody who may send it, and the states from which it leads on."""


@pytest.mark.parametrize("state", EntryState)
def test_every_state_is_reached_by_honest_people(state: EntryState) -> None:
    assert REACHED[state]().state.state is state


@pytest.mark.parametrize("state", EntryState)
@pytest.mark.parametrize("kind", TABLE, ids=lambda kind: kind.__name__)
def test_a_command_leads_on_from_its_own_states_alone(kind: type, state: EntryState) -> None:
    command, code, states = TABLE[kind]
    named = [replace(command, version=1)] if hasattr(command, "version") else []
    for said in (command, *named):
        entry = REACHED[state]().when(said, sender=post(code))
        refused = [one.refusal.code for one in entry.events if isinstance(one, EntryCommandRefused)]
        assert (refused == ["wrong_state"]) is (state not in states)


def test_the_table_has_every_command_and_leads_where_it_says() -> None:
    assert {row.command for row in LIFECYCLE} == set(get_args(EntryCommand)) == set(TABLE)
    for row in LIFECYCLE:
        assert row.sources == TABLE[row.command][2], row.command.__name__
