"""Days of an entry as instants of its city: days begin at midnight there, working days count office hours."""

from datetime import datetime, timedelta

from rules.admission import Entry
from rules.bundle import Bundle
from rules.registering import FUNDED_ROLES
from rules.validity import FIRST_DAY, LAST_DAY


def after_working_days(bundle: Bundle, start: datetime, days: int) -> datetime:
    """So many working days (工作日) of the city after an instant."""
    minutes = days * bundle.city.limit_words.standard_day
    return bundle.calendars.get("").add(start, minutes) if minutes else start


def starts(bundle: Bundle, entry: Entry) -> datetime:
    """The instant at which the first day begins."""
    return bundle.calendars.get("").begins(max(entry.valid_from, _EARLIEST))


def expires(bundle: Bundle, entry: Entry) -> datetime | None:
    """The instant at which the last day is over, if there is one."""
    if entry.valid_to >= LAST_DAY:
        return None
    return bundle.calendars.get("").begins(entry.valid_to + timedelta(days=1))


def lapses(bundle: Bundle, entry: Entry) -> datetime | None:
    """The instant at which the proof of funding covers no more, where the role needs one."""
    if entry.role not in FUNDED_ROLES or not entry.funding.proof_id:
        return None
    last = entry.funding.covers_to
    return (
        None if last in (FIRST_DAY, LAST_DAY) else bundle.calendars.get("").begins(last + timedelta(days=1))
    )


_EARLIEST = FIRST_DAY.replace(year=1970)
