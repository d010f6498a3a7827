"""Where calendars come from: the tools that make city data, never read by a decision.

`seed_days` takes the days of mainland China from the `chinesecalendar` package; `zone_offsets` takes
the offsets of a zone from the machine's tz database, so that an edition carries them and a replay on
another machine counts alike.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Final, cast
from zoneinfo import ZoneInfo

import chinese_calendar  # pyright: ignore[reportMissingTypeStubs]

from rules.daytable import Day, DayTable, Offset

WEEKDAYS: Final = 5
CHINESE: Final = {
    "New Year's Day": "元旦",
    "Spring Festival": "春节",
    "Tomb-sweeping Day": "清明节",
    "Labour Day": "劳动节",
    "Dragon Boat Festival": "端午节",
    "Mid-autumn Festival": "中秋节",
    "National Day": "国庆节",
    "Anti-Fascist 70th Day": "抗战胜利70周年",
}
MISSED: Final = {date(2005, 12, 31): ("New Year's Day", False)}
"""Worked for 2006-01-03 by the notice of 2006, which the package does not know."""


def seed_days(years: Iterable[int], code: str = "cn") -> DayTable:
    """The days off and made up of mainland China, 2004 to the last year that the package knows."""
    return DayTable(code, tuple(day for year in years for day in _days_of(year)))


def _days_of(year: int) -> Iterator[Day]:
    notice = f"国务院办公厅关于{year}年部分节假日安排的通知"
    day = date(year, 1, 1)
    while day.year == year:
        named, off = _detail(day)
        if off and (named or day.weekday() < WEEKDAYS):
            yield Day(day, "off", CHINESE.get(named, named), notice)
        if not off and day.weekday() >= WEEKDAYS:
            yield Day(day, "work", CHINESE.get(named, named), notice)
        day += timedelta(days=1)


def _detail(day: date) -> tuple[str, bool]:
    if day in MISSED:
        return MISSED[day]
    detail = cast("tuple[bool, str | None]", chinese_calendar.get_holiday_detail(day))  # pyright: ignore[reportUnknownMemberType]
    return detail[1] or "", detail[0]


@cache
def zone_offsets(zone: str, first: int = 1990, last: int = 2100) -> tuple[Offset, ...]:
    """The offsets of a zone from the year `first` to `last`, found to the second.

    The zone is sampled each week and halved where two samples differ; no zone turns back within a week.
    """
    info = ZoneInfo(zone)
    low, high = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in (first, last))
    found = [Offset(-(10**11), _offset(info, low))]
    for week in range(low, high, 7 * 86_400):
        until = week + 7 * 86_400
        if _offset(info, until) != found[-1].seconds:
            found.append(_turn(info, week, until))
    return tuple(found)


def _turn(info: ZoneInfo, low: int, high: int) -> Offset:
    before = _offset(info, low)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _offset(info, middle) == before else (low, middle)
    return Offset(high, _offset(info, high))


def _offset(info: ZoneInfo, second: int) -> int:
    shift = datetime.fromtimestamp(second, info).utcoffset()
    return int(shift.total_seconds()) if shift else 0
