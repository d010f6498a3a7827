"""The bench on Kafka counts exactly, and runs in its smallest size."""

import asyncio
from collections.abc import Sequence
from typing import Any, NamedTuple

import pytest

from bench import brokers, onkafka
from bench.ground import Backlog, backlog
from bench.hop import Drip
from bench.outages import stood_still
from bench.peers.work import Work, moment
from bench.racing import Tape
from bench.sizes import TINY
from bench.truth import Truth, by_case

COMMANDS = 40


class Written(NamedTuple):
    """As much of a record as is looked at."""

    key: bytes
    value: bytes
    partition: int = 0
    timestamp: int = 0


@pytest.fixture(scope="module")
def commands() -> Backlog:
    return asyncio.run(backlog())


@pytest.fixture(scope="module", params=["light", "router"])
def decision(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def truth(commands: Backlog, decision: str) -> Truth:
    return Truth(commands, decision)


@pytest.fixture
def records(commands: Backlog, decision: str) -> list[Any]:
    """The events of a worker that does everything right."""
    work, found = Work(decision), list[Any]()
    cases: dict[str, Any] = {}
    for batch in commands.messages(COMMANDS).values():
        for one in batch:
            stamp = moment(1_792_000_000_000)
            case, bodies = work.decide(one.key, one.body, cases.get(one.key, work.initial), stamp)
            cases[one.key] = case
            found += [Written(one.key.encode(), body) for body in bodies]
    return found


def test_what_is_right_is_counted_as_right(truth: Truth, records: Sequence[Any]) -> None:
    assert len(records) == truth.events(COMMANDS)
    assert truth.judged(by_case(records), COMMANDS) == (COMMANDS // 2, 0, 0, 0)


def test_a_lost_event_makes_a_case_wrong(truth: Truth, records: list[Any]) -> None:
    assert truth.judged(by_case(records[:-1]), COMMANDS).wrong == 1


def test_a_case_of_which_nothing_came_is_wrong(truth: Truth, records: list[Any]) -> None:
    left = [one for one in records if one.key != records[0].key]
    assert truth.judged(by_case(left), COMMANDS).wrong == 1


def test_a_copy_is_not_wrong_but_counted(truth: Truth, records: list[Any]) -> None:
    assert truth.judged(by_case([*records, records[3]]), COMMANDS) == (COMMANDS // 2, 0, 1, 0)


def test_the_same_id_with_other_content_is_a_fork(truth: Truth, records: list[Any]) -> None:
    other = records[3]._replace(
        value=records[3].value.replace(b'"specversion":"1.0"', b'"specversion":"1.1"')
    )
    assert truth.judged(by_case([*records, other]), COMMANDS).forked == 1


def test_the_speed_is_taken_between_start_and_tail(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 10.0, 11.0, 12.0, 60.0])
    monkeypatch.setattr("bench.racing.time.perf_counter", lambda: next(clock))
    tape = Tape(1000)
    for events, used in ((0, 0.0), (200, 3.0), (600, 3.5), (960, 4.0), (1000, 9.0)):
        tape.note(events, used)
    events, processor = tape.speed()
    assert events == pytest.approx(760 / 2)
    assert processor == pytest.approx(1 / 760)


def test_a_pause_counts_to_the_last_partition() -> None:
    steady: list[Any] = [Written(b"", b"", 0, 200 * step) for step in range(100)]
    stopped: list[Any] = [Written(b"", b"", 1, stamp) for stamp in (4_800, 5_050, 9_000, 9_200)]
    assert stood_still([*steady, *stopped], 5.0) == pytest.approx(4.0)


def test_a_drip_ends_with_whole_cases(commands: Backlog) -> None:
    drip = Drip(None, commands, 240, 1)  # type: ignore[arg-type]
    order = [one.key for one in drip.in_turn()]
    assert len(order) == 240
    assert {order.count(key) for key in order} == {2}


@pytest.mark.soak
def test_all_of_it_runs() -> None:
    reason = brokers.missing()
    if reason:
        pytest.skip(reason)
    found = list(onkafka.figures(TINY))
    assert all(one.value > 0 for one in found)
    ours = [one.note for one in found if "delivery" in one.name and one.note]
    assert all("at the end 0 of" in note and "0 ids with two contents" in note for note in ours)
