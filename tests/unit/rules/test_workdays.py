from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from rules.almanac import seed_days, zone_offsets
from rules.daytable import (
    OFFICE,
    CalendarFault,
    CalendarSpec,
    Day,
    DayTable,
    Window,
    calendar_faults,
    clock_text,
    parse_windows,
)
from rules.workdays import BarrenCalendarError, Calendar, calendars

CHINA = ZoneInfo("Asia/Shanghai")
NEW_YORK = ZoneInfo("America/New_York")
TABLE = seed_days(range(2023, 2027))
CN = Calendar(CalendarSpec("cn", days=TABLE))
NY = Calendar(
    CalendarSpec(
        "ny",
        zone="America/New_York",
        week=((Window(9 * 60, 17 * 60),),) * 5 + ((), ()),
        standard=(Window(9 * 60, 17 * 60),),
        offsets=zone_offsets("America/New_York"),
    )
)
NIGHT = CalendarSpec("night", week=((Window(22 * 60, 30 * 60),),) * 7, standard=(Window(22 * 60, 30 * 60),))


def cn(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=CHINA)


def ny(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=NEW_YORK)


@pytest.mark.parametrize(
    ("start", "minutes", "due"),
    [
        ("2024-03-05T09:00", 60, "2024-03-05T10:00"),  # an ordinary Tuesday
        ("2024-03-05T11:30", 60, "2024-03-05T14:30"),  # over lunch
        ("2024-03-05T10:00", 120, "2024-03-05T12:00"),  # used up at the end of a window, not at 14:00
        ("2024-03-05T17:00", 60, "2024-03-05T18:00"),
        ("2024-03-05T12:30", 30, "2024-03-05T14:30"),  # begins at lunch
        ("2024-03-08T17:30", 480, "2024-03-11T17:30"),  # over a weekend
        ("2024-02-09T17:00", 120, "2024-02-18T09:00"),  # Spring Festival, up to the make-up Sunday 02-18
        ("2024-02-04T08:00", 480, "2024-02-04T18:00"),  # the make-up Sunday before it counts in full
        ("2026-09-30T16:00", 480, "2026-10-08T16:00"),
        ("2026-10-10T08:00", 60, "2026-10-10T09:00"),  # a working Saturday
        ("2024-03-05T09:00", 0, "2024-03-05T09:00"),
        ("2024-03-05T11:59:30", 1, "2024-03-05T14:00:30"),  # seconds are kept
    ],
)
def test_a_due_is_the_earliest_instant_at_which_the_limit_is_used_up(
    start: str, minutes: int, due: str
) -> None:
    assert CN.add(cn(start), minutes) == cn(due)


def test_minutes_between_are_open_minutes() -> None:
    assert CN.between(cn("2024-02-09T17:00"), cn("2024-02-18T09:00")) == 120
    assert CN.between(cn("2024-03-09T00:00"), cn("2024-03-11T00:00")) == 0
    assert CN.between(cn("2024-03-06T00:00"), cn("2024-03-05T00:00")) == 0


def test_spans_add_up_to_the_second() -> None:
    a, b, c = (cn(f"2024-03-05T{clock}") for clock in ("09:00:20", "11:59:59", "15:30:01"))
    seconds = [int(at.timestamp()) for at in (a, b, c)]
    assert CN.open_seconds(seconds[0], seconds[2]) == sum(
        CN.open_seconds(low, high) for low, high in pairwise(seconds)
    )


def test_an_instant_long_before_and_long_after_the_table_is_counted() -> None:
    calendar = Calendar(CalendarSpec("cn", days=TABLE))
    assert calendar.add(cn("2026-12-30T17:00"), 9_999 * 480) > cn("2064-01-01")
    assert calendar.add(cn("1999-06-01T09:00"), 60) == cn("1999-06-01T10:00")
    assert calendar.between(cn("1999-06-01T09:00"), cn("1999-06-01T10:30")) == 90


def test_a_year_without_published_days_is_provisional() -> None:
    assert not CN.provisional(cn("2026-12-31T18:00"))
    assert not CN.provisional(cn("2027-01-01T00:00"))  # the end of 2026, no minute of 2027 used
    assert CN.provisional(cn("2027-01-04T09:00"))
    assert CN.provisional(cn("2026-01-05T09:00"), since=cn("2022-12-30T09:00"))
    assert not NY.provisional(ny("2050-01-01T09:00"))


def test_days_known_before_the_notice_count_and_stay_provisional() -> None:
    new_year = Day(date(2027, 1, 1), "off", "元旦", expected=True)
    calendar = Calendar(CalendarSpec("cn", days=DayTable("cn", (*TABLE.days, new_year))))
    due = calendar.add(cn("2026-12-31T17:30"), 60)
    assert due == cn("2027-01-04T08:30")
    assert calendar.provisional(due)


def test_a_day_may_have_windows_of_its_own() -> None:
    short = Day(date(2024, 12, 31), "work", "年终", windows=(Window(8 * 60, 10 * 60),))
    calendar = Calendar(CalendarSpec("own", days=DayTable("own", (short,))))
    assert calendar.add(cn("2024-12-31T09:00"), 120) == cn("2025-01-01T09:00")


def test_a_night_shift_counts_over_midnight() -> None:
    calendar = Calendar(NIGHT)
    assert calendar.add(cn("2024-03-05T21:00"), 480) == cn("2024-03-06T06:00")
    assert calendar.add(cn("2024-03-06T05:00"), 120) == cn("2024-03-06T23:00")


def test_touching_windows_are_one() -> None:
    always = Calendar(CalendarSpec("always", week=((Window(0, 1_440),),) * 7))
    start = cn("2024-03-05T09:17")
    assert always.add(start, 100_000) == start + timedelta(minutes=100_000)
    assert len(always.intervals(start, start + timedelta(days=9))) == 1


def test_the_night_of_the_clock_change_keeps_office_hours_whole() -> None:
    assert NY.add(ny("2026-03-06T16:00"), 120) == ny("2026-03-09T10:00")
    assert NY.add(ny("2026-10-30T16:00"), 120) == ny("2026-11-02T10:00")


def test_an_hour_that_comes_twice_counts_twice_and_a_skipped_one_not() -> None:
    spec = CalendarSpec(
        "ny-night", week=NIGHT.week, standard=NIGHT.standard, offsets=zone_offsets("America/New_York")
    )
    calendar = Calendar(spec)
    assert calendar.between(ny("2026-03-07T20:00"), ny("2026-03-08T20:00")) == 7 * 60
    assert calendar.between(ny("2026-10-31T20:00"), ny("2026-11-01T20:00")) == 9 * 60


def test_each_counted_and_skipped_stretch_is_listed_with_its_reason() -> None:
    start, end = cn("2024-02-08T17:00"), cn("2024-02-18T08:30")
    intervals = CN.intervals(start, end)
    assert intervals[0].start == start
    assert intervals[-1].end == end
    assert all(a.end == b.start for a, b in pairwise(intervals))
    assert sum((i.end - i.start for i in intervals if i.counted), timedelta()) == timedelta(
        minutes=CN.between(start, end)
    )
    festival = next(interval for interval in intervals if interval.name == "春节")
    assert (festival.counted, festival.why) == (False, "off")
    assert (festival.start, festival.end) == (cn("2024-02-10T00:00"), cn("2024-02-18T00:00"))
    assert CN.intervals(end, start) == ()


def test_the_version_names_the_content() -> None:
    same = Calendar(CalendarSpec("cn", days=seed_days(range(2023, 2027))))
    other = Calendar(CalendarSpec("cn", days=seed_days(range(2023, 2026))))
    assert same.version == CN.version
    assert other.version != CN.version
    assert CN.version.startswith("cn@")


def test_a_calendar_that_nobody_checked_ends_instead_of_looping() -> None:
    with pytest.raises(BarrenCalendarError):
        Calendar(CalendarSpec("never", week=((),) * 7)).add(cn("2024-03-05T09:00"), 1)


def test_a_unit_without_a_calendar_of_its_own_has_the_citys() -> None:
    found = calendars((CalendarSpec("cn", days=TABLE), NIGHT))
    assert found.get("night").code == "night"
    assert found.get("").code == "cn"


@pytest.mark.parametrize(
    ("spec", "value"),
    [
        (CalendarSpec("a", week=((),) * 7), "no minute open in a week"),
        (CalendarSpec("a", week=((Window(540, 540),),) * 7), "no minute open in a week"),
        (CalendarSpec("a", week=(OFFICE,) * 6), "6"),
        (CalendarSpec("a", week=((Window(540, 720), Window(700, 800)),) * 7), "11:40-13:20"),
        (CalendarSpec("a", week=((Window(720, 540),),) * 7), "12:00-09:00"),
        (CalendarSpec("a", offsets=()), "()"),
        (CalendarSpec("a", days=DayTable("t", (Day(date(2024, 1, 1), "off"),) * 2)), "2024-01-01"),
        (
            CalendarSpec("a", days=DayTable("t", (Day(date(2024, 1, 1), "off", windows=OFFICE),))),
            "2024-01-01",
        ),
        (
            CalendarSpec(
                "a", days=DayTable("t", (Day(date(2024, 1, 1), "off"), Day(date(2026, 1, 1), "off")))
            ),
            "2025",
        ),
    ],
)
def test_a_faulty_calendar_is_refused_with_what_to_do(spec: CalendarSpec, value: str) -> None:
    faults = calendar_faults(spec)
    assert value in {fault.value for fault in faults}
    assert all(fault.expected and fault.do for fault in faults)


def test_good_calendars_have_no_faults() -> None:
    assert calendar_faults(CN.spec) == calendar_faults(NIGHT) == calendar_faults(NY.spec) == ()


def test_windows_are_read_as_people_write_them() -> None:
    assert parse_windows("09:00-12:00,13:00-17:00") == (Window(540, 720), Window(780, 1_020))
    assert parse_windows("22:00-06:00") == (Window(1_320, 1_800),)
    assert parse_windows("") == ()
    assert clock_text(Window(1_320, 1_800)) == "22:00-06:00"
    for text in ("9-17", "09:00", "09:60-10:00", "25:00-26:00", "09:00-12:00;13:00-14:00", "a:00-b:00"):
        assert isinstance(parse_windows(text), CalendarFault)


@pytest.mark.parametrize(("year", "workdays"), [(2024, 251), (2025, 248), (2026, 248)])
def test_the_seeded_years_have_the_workdays_of_the_notices(year: int, workdays: int) -> None:
    days = [date(year, 1, 1) + timedelta(days=n) for n in range(366)]
    assert sum(CN.day_kind(day) == "work" for day in days if day.year == year) == workdays


def test_make_up_days_of_2024_are_those_of_the_notice() -> None:
    made_up = [day.date for day in TABLE.days if day.kind == "work" and day.date.year == 2024]
    assert made_up == [
        date(2024, month, day)
        for month, day in ((2, 4), (2, 18), (4, 7), (4, 28), (5, 11), (9, 14), (9, 29), (10, 12))
    ]


def test_offsets_of_a_zone_are_exact() -> None:
    offsets = zone_offsets("America/New_York", 2026, 2027)
    turns = [datetime.fromtimestamp(offset.since, UTC) for offset in offsets[1:]]
    assert turns == [datetime(2026, 3, 8, 7, tzinfo=UTC), datetime(2026, 11, 1, 6, tzinfo=UTC)]
    assert [offset.seconds for offset in offsets] == [-18_000, -14_400, -18_000]
