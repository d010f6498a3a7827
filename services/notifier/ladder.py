"""How long to wait before another attempt, how long a digest gathers, when a recipient may be disturbed."""

from datetime import datetime, timedelta
from typing import Final

from rules.bundle import Bundle
from services.notifier.audience import POST, UNIT

PAUSES_MINUTES: Final = (1, 5, 30, 120)
"""Minutes before each further attempt by the same channel; then the next channel has its chance."""

LONGEST_PAUSE: Final = timedelta(days=1)
"""A receiver that asks for more than this is asked again after this."""

DIGEST_MINUTES: Final = 60
"""Open minutes for which a digest gathers after its first notice."""

DIGEST_MOST: Final = 50
"""So many notices make a digest leave at once; a state that waits stays small."""

_MOMENT: Final = timedelta(minutes=2)


def next_attempt(now: datetime, tries: int, asked_seconds: int) -> datetime | None:
    """When the same channel is tried again after `tries` attempts; `None` if it has had enough."""
    if tries > len(PAUSES_MINUTES):
        return None
    asked = min(timedelta(seconds=asked_seconds), LONGEST_PAUSE)
    return now + max(timedelta(minutes=PAUSES_MINUTES[tries - 1]), asked)


def quiet_until(now: datetime, recipient: str, bundle: Bundle) -> datetime | None:
    """The end of the recipient's quiet hours (免打扰), within a minute; `None` if it may be told now.

    Units and posts are quiet outside their unit's calendar, reporters outside the city's.
    """
    opens = bundle.calendars.get(calendar_of(recipient, bundle)).add(now, 1)
    return opens if opens - now > _MOMENT else None


def digest_due(now: datetime, recipient: str, bundle: Bundle) -> datetime:
    """When the digest leaves whose first notice comes now."""
    return bundle.calendars.get(calendar_of(recipient, bundle)).add(now, DIGEST_MINUTES)


def unit_of(recipient: str, bundle: Bundle) -> str:
    """The unit that stands behind a recipient; empty for a reporter or a post that is no more."""
    if recipient.startswith(UNIT):
        return recipient.removeprefix(UNIT)
    if recipient.startswith(POST):
        post = bundle.posts.get(recipient.removeprefix(POST))
        return post.unit if post else ""
    return ""


def calendar_of(recipient: str, bundle: Bundle) -> str:
    """The code of the recipient's calendar; empty means the city's."""
    code = unit_of(recipient, bundle)
    unit = bundle.units.get(code) if code else None
    return unit.calendar if unit else ""
