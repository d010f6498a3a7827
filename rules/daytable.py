"""What a working calendar (工作日历) is made of: data of the city, published with its edition.

A *day table* says which dates are off (休) and which are made up for (班, 调休上班); a *calendar* adds
the weekly windows, the windows of single days, and the zone as a list of offsets, so that a deadline
depends on nothing outside the edition. Faults are values, all of them at once.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import date
from hashlib import sha256
from itertools import pairwise
from typing import Final, Literal

from msgspec import Struct, json

DAY: Final = 24 * 60
"""Minutes of a day."""


class Window(Struct, frozen=True):
    """Office hours from `start` to `end`, minutes after midnight on the wall; beyond 24:00: the next day."""

    start: int
    end: int


class Day(Struct, frozen=True):
    """One date that differs from its weekday: off, made up for, or open at hours of its own.

    `notice` names the source (国务院办公厅通知); `expected` days are known before the year's notice and
    do not count as its publication.
    """

    date: date
    kind: Literal["off", "work"]
    name: str = ""
    notice: str = ""
    windows: tuple[Window, ...] = ()
    expected: bool = False


class DayTable(Struct, frozen=True):
    """The days of a country or a city. A year without a published day is provisional: weekends only."""

    code: str
    days: tuple[Day, ...] = ()
    published_on: str = ""

    @property
    def years(self) -> frozenset[int]:
        return frozenset(day.date.year for day in self.days if not day.expected)


class Offset(Struct, frozen=True):
    """From the instant `since` (seconds of UTC) the wall shows UTC + `seconds`."""

    since: int
    seconds: int


OFFICE: Final = (Window(8 * 60, 12 * 60), Window(14 * 60, 18 * 60))
"""08–12 and 14–18, the office hours of most standards: 8 hours."""
ALWAYS_CHINA: Final = (Offset(-(10**11), 8 * 3600),)


class CalendarSpec(Struct, frozen=True):
    """One calendar as published: windows for Monday to Sunday, days, zone.

    `standard` are the windows of a made-up day whose weekday has none (a working Sunday), and their sum
    is the length of a 工作日. Without `days` every week is like the next and nothing is provisional.
    """

    code: str
    zone: str = "Asia/Shanghai"
    week: tuple[tuple[Window, ...], ...] = (OFFICE,) * 5 + ((),) * 2
    standard: tuple[Window, ...] = OFFICE
    days: DayTable | None = None
    offsets: tuple[Offset, ...] = ALWAYS_CHINA

    @property
    def version(self) -> str:
        """Code and content hash: two calendars of one version give the same deadlines."""
        return f"{self.code}@{sha256(json.encode(self)).hexdigest()[:12]}"


class CalendarFault(Struct, frozen=True):
    """What is wrong with a calendar, and what to do about it."""

    calendar: str
    value: str
    expected: str
    do: str


def calendar_faults(spec: CalendarSpec) -> tuple[CalendarFault, ...]:
    """All faults at once; a calendar without faults never leaves a deadline open."""
    return tuple(CalendarFault(spec.code, *fault) for fault in (*_week_faults(spec), *_day_faults(spec)))


def _week_faults(spec: CalendarSpec) -> Iterator[tuple[str, str, str]]:
    if len(spec.week) != 7:
        yield str(len(spec.week)), "windows for 7 weekdays, Monday first", "give a closed day an empty list"
    for windows in (*spec.week, spec.standard):
        yield from _window_faults(windows)
    if not any(window.end > window.start for windows in spec.week for window in windows):
        yield "no minute open in a week", "at least one window", "name the office hours"
    if not spec.offsets or any(a.since >= b.since for a, b in pairwise(spec.offsets)):
        yield str(spec.offsets), "offsets of the zone in order of time", "take them from rules.almanac"


def _window_faults(windows: tuple[Window, ...]) -> Iterator[tuple[str, str, str]]:
    for window in windows:
        if not 0 <= window.start <= window.end <= window.start + DAY or window.start >= DAY:
            yield clock_text(window), "start before end, at most 24 hours", "write 22:00-06:00 for a night"
    for before, after in pairwise(sorted(windows, key=lambda window: (window.start, window.end))):
        if after.start < before.end:
            yield clock_text(after), f"no overlap with {clock_text(before)}", "join the two windows"


def _day_faults(spec: CalendarSpec) -> Iterator[tuple[str, str, str]]:
    if spec.days is None:
        return
    for day, times in Counter(day.date for day in spec.days.days).items():
        if times > 1:
            yield day.isoformat(), "each date once", "keep the row of the later notice"
    for day in spec.days.days:
        yield from _window_faults(day.windows)
        if day.kind == "off" and day.windows:
            yield day.date.isoformat(), "no windows on a day off", "make it `work` with its own windows"
    years = sorted(spec.days.years)
    for year in sorted(set(range(years[0], years[-1])) - set(years)) if years else ():
        yield str(year), "no hole between published years", "import the notice of that year"


def clock_text(window: Window) -> str:
    """`08:00-12:00`; an end beyond midnight is written as the hour of the next day."""
    ends = window.end if window.end <= DAY else window.end - DAY
    return f"{window.start // 60:02}:{window.start % 60:02}-{ends // 60:02}:{ends % 60:02}"


def parse_windows(text: str) -> tuple[Window, ...] | CalendarFault:
    """`09:00-12:00,13:00-17:00` as windows; an end before its start lies on the next day."""
    windows = tuple(_parse_window(part) for part in text.split(",") if part.strip())
    read = tuple(window for window in windows if window is not None)
    if len(read) == len(windows):
        return read
    return CalendarFault("", text, "windows like 09:00-12:00,13:00-17:00", "use 24-hour times")


def _parse_window(text: str) -> Window | None:
    ends = [_parse_clock(part) for part in text.strip().split("-")]
    if len(ends) != 2 or ends[0] is None or ends[1] is None:
        return None
    return Window(ends[0], ends[1] if ends[1] >= ends[0] else ends[1] + DAY)


def _parse_clock(text: str) -> int | None:
    hour, colon, minute = text.strip().partition(":")
    digits = hour.isascii() and minute.isascii() and hour.isdigit() and minute.isdigit()
    if not colon or not digits or len(minute) != 2 or len(hour) > 2:
        return None
    at = int(hour) * 60 + int(minute)
    return at if int(minute) < 60 and at <= DAY else None
