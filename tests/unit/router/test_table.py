from typing import Any, get_args

import pytest

from kernel.table import IncompleteTable
from schemas.case.opening import CommandRefused
from schemas.case.states import State
from schemas.case.union import CaseCommand
from services.router.lifecycle import LIFECYCLE
from services.router.processor import ROUTER_CASE
from services.router.table import table
from tests.unit.router.telling import CLOCK, centre, life


def test_a_forgotten_command_cannot_start() -> None:
    with pytest.raises(IncompleteTable, match="OpenCase"):
        table(CaseCommand, *LIFECYCLE[1:])


def test_every_row_says_who_may() -> None:
    assert all(row.senders for row in LIFECYCLE)
    assert {row.command for row in LIFECYCLE} == set(get_args(CaseCommand)) == set(ROUTER_CASE.handles)


def minimal(command: type) -> Any:
    samples: dict[str, Any] = {
        "reason": "x", "remedy": "x", "basis": "x", "verdict": "accept", "text": "x", "kind": "urge",
        "outcome": "solved", "answer": "x", "passed": True, "contacted": True,
    }  # fmt: skip
    names = [field for field in command.__dataclass_fields__ if field in samples]  # type: ignore[attr-defined]
    return command(**{name: samples[name] for name in names})


@pytest.mark.parametrize("row", LIFECYCLE, ids=lambda row: row.command.__name__)
def test_no_command_but_the_desks_meets_a_case_that_does_not_exist(row: Any) -> None:
    if row.command.__name__ in ("OpenCase", "AttachReport", "RecordBreach"):
        return
    case = life().when(minimal(row.command), sender=centre("supervisor"))
    case.then(
        CommandRefused(
            command=row.command.__name__, refusal=case.refused("no_such_case"), by="OPS-supervisor"
        )
    )
    assert case.state.state is State.NONE
    assert case.state.revision == 0


def test_the_sender_of_a_refused_command_stands_in_the_event() -> None:
    case = life().open()
    case.when(minimal(LIFECYCLE[5].command), sender=CLOCK).refused("wrong_state")
    assert case.last(CommandRefused).by == "sla.clock"
