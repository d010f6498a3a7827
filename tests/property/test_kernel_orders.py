"""Small parts of the kernel on which all order rests: agenda, outbox, partitioner, numbers."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.journal import CancelledTimer, StoredTimer
from kernel.log import Headers, Outgoing
from kernel.origins import Verdict, judge
from kernel.outbox import Outbox
from kernel.partition import murmur2
from kernel.timers import Agenda, Soon, learned, to_ask

START = datetime(2026, 3, 2, tzinfo=UTC)
KAFKA = {
    b"21": -973932308,
    b"foobar": -790332482,
    b"a-little-bit-long-string": -985981536,
    b"a-little-bit-longer-string": -1486304829,
    b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    b"abc": 479470107,
}
"""Vectors of Kafka's own UtilsTest."""


@pytest.mark.parametrize(("data", "signed"), KAFKA.items())
def test_murmur2_is_kafkas(data: bytes, signed: int) -> None:
    assert murmur2(data) == signed & 0xFFFFFFFF


def timers(most: int = 12) -> st.SearchStrategy[list[StoredTimer]]:
    one = st.builds(
        lambda minutes, stream, name: StoredTimer(
            0, stream, name, START + timedelta(minutes=minutes), "t", b"", "e"
        ),
        st.integers(0, 6),
        st.sampled_from("abc"),
        st.sampled_from("xy"),
    )
    return st.lists(one, max_size=most)


def order(timer: StoredTimer) -> tuple[datetime, str, str]:
    return timer.due, timer.stream, timer.name


@given(timers(), timers(), st.integers(0, 7))
def test_an_agenda_fires_each_timer_once_in_order_and_the_last_set_of_its_name(
    stored: Sequence[StoredTimer], fresh: Sequence[StoredTimer], minutes: int
) -> None:
    known = {(timer.stream, timer.name): timer for timer in stored}
    agenda = Agenda(known.values())
    for timer in fresh:
        known[timer.stream, timer.name] = timer
        agenda.set(timer)
    until = START + timedelta(minutes=minutes)
    fired: list[StoredTimer] = []
    while (timer := agenda.pop(until)) is not None:
        fired.append(timer)
    assert fired == sorted((timer for timer in known.values() if timer.due <= until), key=order)


@given(timers(), st.integers(0, 6), st.integers(0, 6))
def test_beyond_its_horizon_an_agenda_fires_only_what_was_fetched(
    fresh: Sequence[StoredTimer], horizon: int, minutes: int
) -> None:
    agenda = Agenda((), START + timedelta(minutes=horizon))
    for timer in fresh:
        agenda.set(timer)
    until = START + timedelta(minutes=minutes)
    while (timer := agenda.pop(until)) is not None:
        assert timer.due < START + timedelta(minutes=horizon)


def message(target: int, k: int, seq: int) -> Outgoing:
    return Outgoing("t", target, k, seq, "key", Headers("p/0", k), b"")


@given(st.lists(st.lists(st.integers(0, 2), max_size=4), max_size=8), st.data())
def test_an_outbox_sends_each_target_in_order_and_knows_what_all_is_published(
    batches: list[list[int]], data: st.DataObject
) -> None:
    outbox, last, got, seq = Outbox(), dict.fromkeys(range(3), 0), {0: [], 1: [], 2: []}, 0
    unsent: list[Outgoing] = []
    for batch in batches:
        for target in batch:
            seq += 1
            last[target] += 1
            one = message(target, last[target], seq)
            unsent.append(one)
            outbox.add(0, [one])
        counts = {target: data.draw(st.integers(0, len(queue))) for target, queue in outbox.batches().items()}
        for target, count in counts.items():
            taken = outbox.batches()[target][:count]
            got[target[1]] += [one.k for one in taken]
            unsent = [one for one in unsent if one not in taken]
        outbox.acknowledged(counts)
        assert outbox.published(0, seq) == (min(one.seq for one in unsent) - 1 if unsent else seq)
    assert all(ks == list(range(1, len(ks) + 1)) for ks in got.values())


@given(st.lists(st.integers(1, 6), max_size=40))
def test_a_receiver_takes_each_number_once_and_in_order(arrived: Sequence[int]) -> None:
    last, taken = 0, []
    for k in arrived:
        if judge(last, k) is Verdict.TAKE:
            taken.append(k)
            last = k
    assert taken == list(range(1, len(taken) + 1))


@given(timers(20), timers(6), st.lists(st.integers(0, 7), min_size=1, max_size=5), st.integers(1, 9))
def test_timers_read_ahead_are_those_that_asking_each_time_would_find(
    stored: Sequence[StoredTimer], fresh: Sequence[StoredTimer], moments: Sequence[int], limit: int
) -> None:
    journal = {(timer.stream, timer.name): timer for timer in stored}
    soon = Soon()
    for minutes in moments:
        until = {0: START + timedelta(minutes=minutes)}
        asked = to_ask({0: soon}, until, START + timedelta(minutes=3))
        answer = sorted((timer for timer in journal.values() if timer.due <= asked.get(0, START)), key=order)
        found = answer[:limit] if asked else []
        due, horizon = learned({0: soon}, until, asked, found, whole=len(found) < limit)
        truly = [timer for timer in journal.values() if timer.due <= until[0]]
        assert len(due) == len({order(timer) for timer in due})
        assert {order(timer) for timer in due} <= {order(timer) for timer in truly}
        assert {order(timer) for timer in truly if horizon is None or timer.due < horizon} <= set(
            map(order, due)
        )
        assert horizon is None or due, "no progress"
        fired = [CancelledTimer(0, timer.stream, timer.name) for timer in due]
        journal = {key: timer for key, timer in journal.items() if timer not in due}
        journal |= {(timer.stream, timer.name): timer for timer in fresh}
        soon.follow([*fired, *fresh])
