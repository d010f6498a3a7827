"""Reports and what intake makes of them, in the tiny city."""

from datetime import datetime, timedelta
from typing import Any

from schemas.intake import Located, ReadReport
from schemas.report import GridReport, Position
from tests.builders_city import MANHOLE, MIDDLE
from tests.stories import START


def point(grid: str, east: int = 0, north: int = 0) -> Position:
    """The middle of a grid, moved by metres (about)."""
    lon, lat = MIDDLE[grid]
    return Position(
        lon_e7=lon + east * 1_000_000 // 8_949 * 10_000 // 10_000, lat_e7=lat + north * 1_000_000 // 11_132
    )


def reported(text: str = "井盖缺失，请尽快处理", **fields: Any) -> GridReport:
    return GridReport(**{"channel": "hotline", "text": text, "position": point("G11"), **fields})


def read(
    report: str = "12345/1",
    text: str = "路口井盖缺失，请尽快处理",
    *,
    at: datetime = START,
    matter: str = MANHOLE,
    position: Position | None = None,
    **fields: Any,
) -> ReadReport:
    """A report as the reader hands it to desk C1, in the middle of grid G11 unless told otherwise."""
    said: dict[str, Any] = {
        "report": report,
        "channel": "hotline",
        "kind": "problem",
        "text": text,
        "place": "",
        "position": position or point("G11"),
        "areas": (Located(layer="治理", area="G11"),),
        "located": 1000,
        "matter": matter,
        "confidence": 1000,
        "received": at,
        "occurred": None,
        "reporter": "token-1",
        "historic": False,
        "desk": "C1",
        "condition": "1",
        "triage": "big",
        "urgency": "normal",
    }
    return ReadReport(**{**said, **fields})


def minutes(number: int) -> timedelta:
    return timedelta(minutes=number)
