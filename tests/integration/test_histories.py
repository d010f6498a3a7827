"""Journals live longer than releases: frozen histories replay with today's code, changed ones do not."""

from pathlib import Path

import pytest

from tests.integration.frozen import PLACE, thaw
from tests.integration.lived import verdicts

GOOD = sorted(PLACE.glob("*.jsonl"))
BROKEN = sorted((PLACE / "broken").glob("*.jsonl"))
HINT = (
    "an event changed: keep reading the old one (schemas/upcasts.py), say so in CHANGELOG.md under History; "
    "before the first release: python -m tests.integration.frozen"
)
CODES = {
    "one-byte": {"bytes"},
    "dropped": {"gap"},
    "dropped-and-renumbered": {"events"},
    "reordered": {"bytes"},
    "invented": {"bytes", "events"},
    "unsent": {"phantom"},
}
"""What the first difference must be called."""


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_a_frozen_history_replays_equal(path: Path) -> None:
    frozen = thaw(path)
    found = verdicts(frozen.histories, frozen.rules, frozen.partitions)
    for verdict in found:
        assert not verdict.differences, (HINT, verdict.differences[0])
        assert verdict.equal == verdict.events
    assert sum(verdict.events for verdict in found) > 100


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_a_changed_history_is_found(path: Path) -> None:
    frozen = thaw(path)
    found = [
        difference
        for verdict in verdicts(frozen.histories, frozen.rules, frozen.partitions)
        for difference in verdict.differences
    ]
    expected = next(codes for name, codes in CODES.items() if path.stem.endswith(f"2026-{name}"))
    assert found, "nothing was noticed"
    first = next(difference for difference in found if difference.processor == "router.case")
    assert first.code in expected, first


def test_bytes_that_are_no_event_any_more_are_a_difference_and_no_crash() -> None:
    frozen = thaw(GOOD[0])
    rows = frozen.histories["router.case"][0]
    first = next(row for row in rows if b"gridcase.case.CaseAccepted.v1" in row.body)
    torn = [row._replace(body=row.body[:-20]) if row == first else row for row in rows]
    changed = {**frozen.histories, "router.case": {**frozen.histories["router.case"], 0: torn}}
    found = verdicts(changed, frozen.rules, frozen.partitions)
    assert {one.code for verdict in found for one in verdict.differences} >= {"exception"}


def test_there_is_something_to_replay() -> None:
    assert GOOD
    assert {path.stem.partition("2026-")[2] for path in BROKEN} == CODES.keys()
