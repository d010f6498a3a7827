"""The clock of a stepped city of several processes."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from kernel.clock import StairClock, Step

WALL = datetime(2026, 11, 28, 1, 0, tzinfo=UTC)
START = datetime(2026, 3, 10, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return WALL + timedelta(seconds=seconds)


def hours(number: float) -> datetime:
    return START + timedelta(hours=number)


def test_city_time_stands_still_until_the_next_step_is_in_force() -> None:
    clock = StairClock(START)
    assert clock.city(at(0)) == START
    clock.learn([Step(at(1), hours(1)), Step(at(2), hours(5))])
    assert [clock.city(at(second)) for second in (0.9, 1, 1.9, 2, 900)] == [
        START,
        hours(1),
        hours(1),
        hours(5),
        hours(5),
    ]
    assert clock.last == at(2)


@given(st.lists(st.tuples(st.floats(0.001, 10), st.floats(-5, 5)), max_size=20), st.data())
def test_the_map_rises_and_what_was_in_force_stays(
    steps: list[tuple[float, float]], data: st.DataObject
) -> None:
    clock, second, hour = StairClock(START), 0.0, 0.0
    for after, further in steps:
        moments = [at(data.draw(st.floats(0, second + 0.0001))) for _ in range(3)]
        before = [clock.city(moment) for moment in moments]
        second, hour = second + after, hour + further
        clock.learn([Step(at(second), hours(hour))])
        assert [clock.city(moment) for moment in moments] == before
    walls = sorted(at(data.draw(st.floats(-1, second + 1))) for _ in range(5))
    times = [clock.city(wall) for wall in walls]
    assert times == sorted(times)
