"""The fast calendar against an oracle that asks each minute what the wall clock shows."""

import os
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.almanac import seed_days, zone_offsets
from rules.daytable import CalendarSpec, Day, DayTable, Window, calendar_faults
from rules.workdays import Calendar

EXAMPLES = 20_000 if os.environ.get("GRIDCASE_SOAK") else 300
MINUTE = timedelta(minutes=1)
ZONES = {
    name: zone_offsets(name, 2023, 2029)
    for name in ("Asia/Shanghai", "America/New_York", "Europe/London", "Australia/Lord_Howe")
}
TURNS = tuple(
    datetime.fromisoformat(day)
    for day in (
        *("2026-03-07", "2026-03-28", "2026-04-04", "2026-10-03", "2026-10-24", "2026-10-31"),
        *("2026-02-13", "2026-12-30"),
    )
)
"""Nights before the zones turn their clocks, Spring Festival, the turn of the year."""


@st.composite
def windows(draw: st.DrawFn, *, empty: bool) -> tuple[Window, ...]:
    edges = sorted(draw(st.lists(st.integers(0, 1_439), min_size=0 if empty else 2, max_size=4, unique=True)))
    pairs = [Window(a, b) for a, b in zip(edges[::2], edges[1::2], strict=False)]
    if pairs and draw(st.booleans()):
        pairs[-1] = Window(pairs[-1].start, 1_440 + draw(st.integers(0, pairs[0].start)))
    return tuple(pairs)


@st.composite
def specs(draw: st.DrawFn) -> CalendarSpec:
    zone = draw(st.sampled_from(sorted(ZONES)))
    week = (draw(windows(empty=False)), *(draw(windows(empty=True)) for _ in range(6)))
    near = [turn.date() + timedelta(days=n) for turn in TURNS for n in range(4)]
    dates = draw(st.lists(st.sampled_from(near), unique=True, max_size=6))
    days = tuple(
        Day(day, "off") if draw(st.booleans()) else Day(day, "work", windows=draw(windows(empty=True)))
        for day in dates
    )
    return CalendarSpec("drawn", zone, week, draw(windows(empty=False)), DayTable("drawn", days), ZONES[zone])


starts = st.builds(
    lambda turn, n: turn.replace(tzinfo=UTC) + n * MINUTE, st.sampled_from(TURNS), st.integers(0, 4_000)
)


class Wall:
    """What the wall clock of a zone shows, and whether somebody works then."""

    def __init__(self, spec: CalendarSpec) -> None:
        self.spec = spec
        self.zone = ZoneInfo(spec.zone)
        self.minutes: dict[date, frozenset[int]] = {}

    def is_open(self, minute: datetime) -> bool:
        """Whether it shows a time within a window of this day, or of a night begun the day before."""
        wall = minute.astimezone(self.zone)
        day = wall.date()
        if day not in self.minutes:
            self.minutes[day] = frozenset(
                (*_minutes(self.of_day(day), 0), *_minutes(self.of_day(day - timedelta(days=1)), 1_440))
            )
        return wall.hour * 60 + wall.minute in self.minutes[day]

    def of_day(self, day: date) -> tuple[Window, ...]:
        spec = self.spec
        row = next((row for row in spec.days.days if row.date == day), None) if spec.days else None
        if row is None:
            return spec.week[day.weekday()]
        return () if row.kind == "off" else row.windows or spec.week[day.weekday()] or spec.standard


def _minutes(windows: tuple[Window, ...], before: int) -> Iterator[int]:
    """The minutes of the day that these windows cover, which began so many minutes before it."""
    for window in windows:
        yield from range(window.start - before, window.end - before)


@settings(max_examples=EXAMPLES, deadline=None)
@given(specs(), starts, st.integers(1, 600))
def test_adding_and_counting_agree_with_the_slow_oracle(
    spec: CalendarSpec, start: datetime, minutes: int
) -> None:
    assert calendar_faults(spec) == () or all("overlap" in fault.expected for fault in calendar_faults(spec))
    calendar = Calendar(spec)
    due = calendar.add(start, minutes)
    wall, at, counted = Wall(spec), start, 0
    while counted < minutes and at < start + timedelta(days=8):
        counted += wall.is_open(at)
        at += MINUTE
    if counted == minutes:
        assert due == at
    assert calendar.between(start, at) == counted
    stretches = calendar.intervals(start, at)
    assert sum((i.end - i.start for i in stretches if i.counted), timedelta()) == counted * MINUTE
    assert [i.start for i in stretches[1:]] == [i.end for i in stretches[:-1]]


CN = Calendar(CalendarSpec("cn", days=seed_days(range(2004, 2027))))
seconds = st.integers(1_072_900_000, 1_830_000_000)


@settings(max_examples=EXAMPLES, deadline=None)
@given(seconds, st.integers(0, 10_000_000), st.integers(0, 10_000_000))
def test_spans_add_up_and_additions_chain(start: int, first: int, second: int) -> None:
    middle = CN.after(start, first)
    due = CN.after(middle, second)
    assert CN.open_seconds(start, middle) == first
    assert due == CN.after(start, first + second)
    assert CN.open_seconds(start, due) == first + second
    assert first == 0 or CN.open_seconds(start, middle - 1) == first - 1


def test_each_day_of_2004_to_2026_agrees_with_a_second_source() -> None:
    """`holidays` knows the State Council's notices by itself; make-up days are its substituted workdays."""
    holidays = pytest.importorskip("holidays", reason="the second source of Chinese days is not installed")
    other = holidays.country_holidays("CN", years=range(2004, 2027))
    made_up = set(other.weekend_workdays)
    day = date(2004, 1, 1)
    different: list[date] = []
    while day < date(2027, 1, 1):
        works = day in made_up or (day.weekday() < 5 and day not in other)
        if works != (CN.day_kind(day) == "work"):
            different.append(day)
        day += timedelta(days=1)
    assert different == []
