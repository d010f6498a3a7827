"""What channels send (上报): one report in the one form that intake reads."""

from dataclasses import dataclass
from typing import TypeAlias

from schemas.scalars import DegreesE7, Instant, Name, OptionalCode, Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """A point in WGS-84 (坐标), degrees × 10⁷."""

    lon_e7: DegreesE7
    lat_e7: DegreesE7


@dataclass(frozen=True, slots=True, kw_only=True)
class Reporter:
    """Who reports (诉求人). Personal: sealed at the edge, only placeholders go on."""

    name: Name = ""
    phone: Name = ""
    token: Name = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GridReport:
    """One report (网格事件上报) from any channel; `occurred` is the sender's evidence, not a clock."""

    channel: Name
    kind: Name = "problem"
    text: Text
    occurred: Instant | None = None
    position: Position | None = None
    place: Name = ""
    area: OptionalCode = ""
    matter: OptionalCode = ""
    reporter: Reporter | None = None
    photos: tuple[Name, ...] = ()
    historic: bool = False


ReportMessage: TypeAlias = GridReport
