"""Working time (工作时间) counted by prefix sums: minutes added to an instant, minutes between two.

Windows of the calendar become sorted spans of UTC seconds with a running total, built for the years
that were asked for; an addition is two bisections. An instant counts to the second (its fraction is
dropped), so that spans add up exactly; limits are whole minutes. A minute is open when the wall clock
shows a time within a window: on the night when a zone turns its clocks, what is skipped does not count
and what comes twice counts twice. A due is the earliest instant at which the limit is used up: the end
of a window, never the beginning of the next.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Final

from msgspec import Struct

from rules.daytable import CalendarSpec, Day, Window

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
DAY_SECONDS: Final = 86_400
YEAR_SECONDS: Final = 366 * DAY_SECONDS
FIRST_DAY: Final = EPOCH.toordinal()
LONGEST_REACH: Final = 4_000 * YEAR_SECONDS


class BarrenCalendarError(Exception):
    """A calendar without open minutes was asked for a deadline: check the bundle before it is published."""


def second_of(instant: datetime) -> int:
    """Whole seconds since 1970 in UTC; the fraction is dropped."""
    past = instant - EPOCH
    return past.days * DAY_SECONDS + past.seconds


def instant_of(second: int) -> datetime:
    return EPOCH + timedelta(seconds=second)


class Interval(Struct, frozen=True):
    """A stretch of a deadline's time: counted, or skipped and why (`closed`, `weekend`, `off`)."""

    start: datetime
    end: datetime
    counted: bool
    why: str
    name: str = ""


class _Spans:
    """Open spans from `low` to `high` (UTC seconds), with the total of open seconds up to each span's end."""

    __slots__ = ("ends", "high", "low", "starts", "totals")

    def __init__(self, low: int, high: int, spans: Sequence[tuple[int, int]]) -> None:
        self.low, self.high = low, high
        self.starts: list[int] = []
        self.ends: list[int] = []
        self.totals: list[int] = []
        total = 0
        for start, end in spans:
            total += end - start
            self.starts.append(start)
            self.ends.append(end)
            self.totals.append(total)


@dataclass(frozen=True, slots=True, eq=False)
class Calendar:
    """One published calendar, ready to count. Equal versions count alike."""

    spec: CalendarSpec
    version: str = field(init=False)
    _days: Mapping[int, Day] = field(init=False, repr=False)
    _published: tuple[int, int] = field(init=False, repr=False)
    _cache: list[_Spans] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        days = self.spec.days.days if self.spec.days else ()
        put = object.__setattr__
        put(self, "version", self.spec.version)
        put(self, "_days", {day.date.toordinal(): day for day in days})
        put(self, "_published", self._reach_of(self.spec.days.years) if self.spec.days else ())
        put(self, "_cache", [_Spans(0, 0, ())])

    @property
    def code(self) -> str:
        return self.spec.code

    def add(self, start: datetime, minutes: int) -> datetime:
        """The earliest instant at which `minutes` of open time have passed since `start`."""
        return EPOCH + timedelta(seconds=self.after(second_of(start), minutes * 60))

    def between(self, start: datetime, end: datetime) -> int:
        """Whole open minutes from `start` to `end`; none if `end` comes first."""
        return self.open_seconds(second_of(start), second_of(end)) // 60

    def after(self, start: int, seconds: int) -> int:
        """As `add`, in UTC seconds: the form for loops."""
        if seconds <= 0:
            return start
        spans = self._cache[0]
        if not spans.low <= start < spans.high:
            spans = self._reaching(start, start)
        totals, ends = spans.totals, spans.ends
        at = bisect_right(spans.starts, start) - 1
        if at >= 0:
            rest = ends[at] - start
            seconds += totals[at] - rest if rest > 0 else totals[at]
        at = bisect_left(totals, seconds, max(at, 0))
        if at == len(totals):
            return self._after_widening(start, seconds, spans)
        return ends[at] - totals[at] + seconds

    def open_seconds(self, start: int, end: int) -> int:
        """As `between`, in seconds, so that spans add up exactly."""
        if end <= start:
            return 0
        spans = self._cache[0]
        if start < spans.low or end > spans.high:
            spans = self._reaching(start, end)
        return _position(spans, end) - _position(spans, start)

    def provisional(self, until: datetime, since: datetime | None = None) -> bool:
        """Whether counting up to `until` used a year whose days are not published yet."""
        if not self._published:
            return False
        low, high = self._published
        return second_of(until) > high or second_of(since or until) < low

    def local(self, instant: datetime) -> datetime:
        """The wall clock of the calendar's zone, without zone."""
        second = second_of(instant)
        return (EPOCH + timedelta(seconds=second + self._offset_at(second))).replace(tzinfo=None)

    def begins(self, day: date) -> datetime:
        """The instant at which a day begins in the calendar's zone."""
        wall = (day.toordinal() - FIRST_DAY) * DAY_SECONDS
        return instant_of(wall - self._offset_at(wall - self._offset_at(wall)))

    def intervals(self, start: datetime, end: datetime) -> tuple[Interval, ...]:
        """Every counted and every skipped stretch from `start` to `end`, in order and without gaps."""
        low, high = second_of(start), second_of(end)
        if high <= low:
            return ()
        spans = self._reaching(low, high)
        found: list[Interval] = []
        at = low
        first = max(bisect_right(spans.starts, low) - 1, 0)
        for opens, closes in zip(spans.starts[first:], spans.ends[first:], strict=True):
            if closes <= low:
                continue
            if opens >= high:
                break
            found += self._skipped(at, max(opens, low))
            at = min(closes, high)
            found.append(Interval(instant_of(max(opens, low)), instant_of(at), counted=True, why="open"))
        return tuple(found + self._skipped(at, high))

    def day_kind(self, day: date) -> str:
        """`work`, `off` or `weekend`: what the table and the week say of a date."""
        return self._kind(day.toordinal())

    # ── the spans ────────────────────────────────────────────────────────────────────────────────

    def _reaching(self, low: int, high: int) -> _Spans:
        """The spans, widened until they hold `low` to `high` with some years to spare."""
        spans = self._cache[0]
        if spans.low <= low and high < spans.high:
            return spans
        fresh = spans.low == spans.high
        low = low - YEAR_SECONDS if fresh or low < spans.low else spans.low
        high = high + 3 * YEAR_SECONDS if fresh or high >= spans.high else spans.high
        self._cache[0] = spans = _Spans(low, high, _joined(sorted(self._open(low, high))))
        return spans

    def _after_widening(self, start: int, position: int, spans: _Spans) -> int:
        """The slow path of `after`: the target lies beyond the years built so far."""
        seconds = position - _position(spans, start)
        if spans.high - start > LONGEST_REACH:
            raise BarrenCalendarError(self.version)
        self._reaching(start, start + 2 * (spans.high - start))
        return self.after(start, seconds)

    def _open(self, low: int, high: int) -> Iterator[tuple[int, int]]:
        """Open spans clipped to `low` … `high`: stretches of one offset, the days in them, their windows."""
        for since, until, offset in self._stretches(low, high):
            first = (since + offset) // DAY_SECONDS + FIRST_DAY - 1
            last = (until + offset) // DAY_SECONDS + FIRST_DAY
            for day in range(first, last + 1):
                midnight = (day - FIRST_DAY) * DAY_SECONDS - offset
                for window in self._windows(day):
                    start = max(midnight + window.start * 60, since)
                    end = min(midnight + window.end * 60, until)
                    if start < end:
                        yield start, end

    def _stretches(self, low: int, high: int) -> Iterator[tuple[int, int, int]]:
        """The parts of `low` … `high` with one offset each; before the first offset it holds as well."""
        offsets = self.spec.offsets
        since = [low, *(offset.since for offset in offsets[1:]), high]
        for offset, (start, end) in zip(offsets, pairwise(since), strict=True):
            start, end = max(start, low), min(end, high)  # noqa: PLW2901  # clipped
            if start < end:
                yield start, end, offset.seconds

    def _windows(self, day: int) -> tuple[Window, ...]:
        weekly = self.spec.week[(day + 6) % 7]
        row = self._days.get(day)
        if row is None:
            return weekly
        if row.kind == "off":
            return ()
        return row.windows or weekly or self.spec.standard

    def _kind(self, day: int) -> str:
        row = self._days.get(day)
        if row is not None:
            return row.kind
        return "work" if self.spec.week[(day + 6) % 7] else "weekend"

    def _reach_of(self, years: frozenset[int]) -> tuple[int, int]:
        """From the first published year's beginning to the last one's end; without years, no time at all."""
        if not years:
            return 0, 0
        new_years = (date(min(years), 1, 1), date(max(years) + 1, 1, 1))
        walls = [(day.toordinal() - FIRST_DAY) * DAY_SECONDS for day in new_years]
        return walls[0] - self._offset_at(walls[0]), walls[1] - self._offset_at(walls[1])

    def _offset_at(self, second: int) -> int:
        at = bisect_right(self.spec.offsets, second, key=lambda offset: offset.since)
        return self.spec.offsets[max(at - 1, 0)].seconds

    def _skipped(self, start: int, end: int) -> list[Interval]:
        """What was skipped, cut where its reason changes."""
        parts: list[tuple[int, int, str, str]] = []
        while start < end:
            offset = self._offset_at(start)
            day = (start + offset) // DAY_SECONDS + FIRST_DAY
            until = min((day + 1 - FIRST_DAY) * DAY_SECONDS - offset, end)
            why, name = self._reason(day)
            if parts and parts[-1][2:] == (why, name):
                start = parts.pop()[0]
            parts.append((start, until, why, name))
            start = until
        return [Interval(instant_of(a), instant_of(b), False, why, name) for a, b, why, name in parts]

    def _reason(self, day: int) -> tuple[str, str]:
        kind, row = self._kind(day), self._days.get(day)
        return ("closed" if kind == "work" else kind), row.name if row and kind == "off" else ""


def _position(spans: _Spans, second: int) -> int:
    """Open seconds from the first span to `second`."""
    at = bisect_right(spans.starts, second) - 1
    if at < 0:
        return 0
    rest = spans.ends[at] - second
    return spans.totals[at] - rest if rest > 0 else spans.totals[at]


def _joined(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Sorted spans with those that touch or overlap made one (night shift and early shift)."""
    joined: list[tuple[int, int]] = []
    for start, end in spans:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


@dataclass(frozen=True, slots=True)
class Calendars:
    """The calendars of an edition by code; what names none has the city's."""

    city: str
    by_code: Mapping[str, Calendar]

    def get(self, code: str) -> Calendar:
        return self.by_code.get(code) or self.by_code[self.city]

    def of_version(self, version: str) -> Calendar | None:
        """The calendar by which an event says that it counted, if this edition still has it."""
        calendar = self.by_code.get(version.partition("@")[0])
        return calendar if calendar is not None and calendar.version == version else None


def calendars(specs: Sequence[CalendarSpec], city: str = "") -> Calendars:
    """Calendars from their published form; the first is the city's unless one is named."""
    return Calendars(city or specs[0].code, {spec.code: Calendar(spec) for spec in specs})
