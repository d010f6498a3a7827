"""Single cells of a sheet to values: strict, and in whole numbers. What cannot be read is a `Refusal`."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from schemas.refusal import Refusal

FIRST_YEAR, LAST_YEAR = 1990, 2100
_RUNS = re.compile(r"[^0-9a-z\u3400-\u9fff]+")


def degrees(cell: str, most: int) -> int | Refusal:
    """Decimal degrees as 10⁻⁷ degrees; `most` is 180 for a longitude and 90 for a latitude."""
    expected = f"decimal degrees from -{most} to {most}"
    try:
        value = Decimal(cell)
    except InvalidOperation:
        return Refusal(code="no_number", expected=expected, found=cell[:400])
    if not value.is_finite() or abs(value) > most:
        return Refusal(code="out_of_range", expected=expected, found=cell[:400])
    return int((value * 10_000_000).to_integral_value())


def instant(cell: str, formats: Sequence[str], zone: str) -> datetime | Refusal:
    """A local time of `zone` in one of the declared formats, as UTC; `iso` accepts ISO 8601 with its zone."""
    for form in formats:
        read = _iso(cell) if form == "iso" else _local(cell, form)
        if read is None:
            continue
        if not FIRST_YEAR <= read.year <= LAST_YEAR:
            return Refusal(code="out_of_range", expected=f"{FIRST_YEAR} to {LAST_YEAR}", found=cell[:400])
        placed = read if read.tzinfo is not None else read.replace(tzinfo=ZoneInfo(zone))
        return placed.astimezone(UTC)
    return Refusal(code="no_time", expected=" or ".join(formats)[:400], found=cell[:400])


def slug(cell: str) -> str:
    """A code from words: lower case, every run of anything but letters and digits a hyphen."""
    return _RUNS.sub("-", cell.casefold()).strip("-")[:64]


def _iso(cell: str) -> datetime | None:
    try:
        return datetime.fromisoformat(cell)
    except ValueError:
        return None


def _local(cell: str, form: str) -> datetime | None:
    try:
        return datetime.strptime(cell, form)  # noqa: DTZ007 - the caller puts it into its zone
    except ValueError:
        return None
