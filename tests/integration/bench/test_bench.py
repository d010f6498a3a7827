"""Every bench runs in its smallest size, and the table says what is met and what is not."""

import io
import json

import pytest
from rich.console import Console

from bench import paths, replays, steady
from bench.figures import Figure, as_json, print_table
from bench.sizes import TINY
from bench.stores import is_here


def figure(**facts: object) -> Figure:
    return Figure(**{"bench": "b", "name": "n", "value": 120.0, "unit": "x/s"} | facts)  # type: ignore[arg-type]


def test_a_goal_is_a_least_or_a_largest_value() -> None:
    assert figure(goal=100).met is True
    assert figure(goal=200).met is False
    assert figure(goal=100, most=True).met is False
    assert figure().met is None


def test_a_ratio_to_the_peer_binds_too() -> None:
    assert figure(goal=100, peer="p", against=200, ratio=0.7).met is False
    assert figure(peer="p", against=100, ratio=0.7).met is True
    assert figure(peer="p", against=100).met is None


def test_the_table_says_missed_where_it_is_missed() -> None:
    written = io.StringIO()
    print_table([figure(goal=200, note="three rounds"), figure(goal=100)], Console(file=written, width=170))
    assert "missed" in written.getvalue()
    assert "1 of 2 goals met" in written.getvalue()
    assert "three rounds" in written.getvalue()


def test_programs_get_the_same() -> None:
    (row,) = json.loads(as_json([figure(goal=200)]))["figures"]
    assert (row["met"], row["reached"]) == (False, 0.6)


@pytest.mark.parametrize("bench", [paths, steady, replays])
def test_a_bench_runs(bench: object, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (paths, steady):
        monkeypatch.setattr(module, "is_here", lambda kind: kind == "sqlite" and is_here(kind))
    found = list(bench.figures(TINY))  # type: ignore[attr-defined]
    assert found
    assert all(one.value > 0 for one in found)
