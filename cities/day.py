"""A believable day of an operations centre: reports from eight channels, with everything that comes between.

One *incident* is seen by one or several people, each in the words of a channel; besides there are late
ones, copies under the same id, the same id with other words, and nonsense. All from one seed.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate
from random import Random
from typing import Final
from zoneinfo import ZoneInfo

from cities import nonsense
from cities.places import Map, Spot
from cities.voices import Words, voice_of, words
from rules.bundle import Bundle
from rules.matters import Matter
from schemas.report import GridReport, Reporter

CHANNELS: Final = {
    "hotline": 26,
    "app": 17,
    "patrol": 16,
    "handset": 10,
    "meeting": 3,
    "machine": 8,
    "wechat": 14,
    "platform": 6,
}
"""热线, 随手拍, 网格员巡查, 手机终端, 议事会, 视频, 小程序, 上级转办: with their shares."""
OWN_EYES: Final = frozenset({"patrol", "handset", "machine"})
"""The channels that always know the point and often the matter."""
UNSEEN: Final = frozenset({"hotline", "meeting", "platform"})
"""The channels without a photo."""
BY_THUMB: Final = frozenset({"app", "wechat"})
"""The channels on which residents write themselves."""
PER_HOUR: Final = (5, 3, 2, 2, 3, 8, 20, 45, 70, 80, 75, 60, 50, 50, 60, 65, 65, 60, 55, 50, 45, 35, 20, 10)
WITNESSES: Final = (72, 14, 7, 4, 2, 1)
"""Of a hundred incidents: how many are seen by one, two … six people."""
LATE, COPIED, CONFLICTING, NONSENSE = 0.04, 0.02, 0.005, 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """What stands at the door at `at`: a report, or bytes that are none."""

    at: datetime
    source: str
    id: str
    report: GridReport | None
    raw: bytes | None = None


@dataclass(frozen=True, slots=True)
class Incident:
    """Something that happened: what, where, when, and the words that all who saw it share, or only tell."""

    matter: Matter
    spot: Spot
    at: datetime
    said: str
    told: bool = False


class Day:
    """The dice, the map and the words of one day."""

    def __init__(self, bundle: Bundle, seed: int, day: date, kind: str) -> None:
        self.dice = Random(f"{bundle.city.code} {seed} {day.isoformat()}")  # noqa: S311 - drawn again from its seed
        self.words: Words = words()
        self.map = Map(bundle, kind)
        self.midnight = datetime.combine(day, time(), ZoneInfo(bundle.city.zone)).astimezone(UTC)
        voices = ((matter, voice_of(matter)) for matter in bundle.matters.rows)
        self.matters = tuple(pair for pair in voices if pair[1].heard_in(bundle.city.code))
        self.by_hour = tuple(tuple(accumulate(v.likely(hour) for _, v in self.matters)) for hour in range(24))
        self.desk_kind = bundle.city.desk_kind
        self.areas = bundle.areas
        self.numbers = dict.fromkeys(CHANNELS, 0)

    def incident(self) -> Incident:
        second = self._second()
        weights = self.by_hour[second // 3600]
        matter, voice = self.matters[bisect_right(weights, self.dice.random() * weights[-1])]
        spot = self.map.spot(self.dice, self.words)
        said = self.words.fill(self.dice.choice(voice.say), self.dice, {})
        return Incident(matter, spot, self.midnight + timedelta(seconds=second), said, voice.told)

    def witnesses(self, incident: Incident) -> list[Arrival]:
        """Everybody who reports it: the first at once, the others within hours, each in other words."""
        count = self.dice.choices(range(1, len(WITNESSES) + 1), WITNESSES)[0]
        window = min(max(incident.matter.merge_hours, 1), 8) * 3600
        seconds = [0, *sorted(int(window * self.dice.random() ** 2) for _ in range(count - 1))]
        return [self._report(incident, incident.at + timedelta(seconds=after)) for after in seconds]

    def _second(self) -> int:
        hour = self.dice.choices(range(24), PER_HOUR)[0]
        return hour * 3600 + self.dice.randrange(3600)

    def _report(self, incident: Incident, at: datetime) -> Arrival:
        channel = self.dice.choices(tuple(CHANNELS), tuple(CHANNELS.values()))[0]
        if incident.told and channel in OWN_EYES:
            channel = "hotline"
        text = self._text(incident, channel)
        own = channel in OWN_EYES
        seen = self.dice.random()
        point = self.map.moved(incident.spot.position, 6, self.dice)
        report = GridReport(
            channel=channel,
            kind=_kind(incident.matter),
            text=text,
            position=point if own or (channel in BY_THUMB and seen < 0.85) or seen < 0.25 else None,
            place=incident.spot.near,
            area=self._area(incident) if channel == "meeting" else "",
            matter=incident.matter.code if own and seen < 0.6 else "",
            reporter=self._reporter(channel),
            photos=(f"photo-{self.dice.getrandbits(40):010x}",) if channel not in UNSEEN else (),
        )
        return self.arrival(channel, at, report)

    def arrival(
        self, channel: str, at: datetime, report: GridReport | None, raw: bytes | None = None
    ) -> Arrival:
        """An arrival under the next number of its channel."""
        self.numbers[channel] += 1
        name = f"{channel}-{self.midnight:%Y%m%d}-{self.numbers[channel]:05}"
        return Arrival(at=at, source=f"demo.{channel}", id=name, report=report, raw=raw)

    def _text(self, incident: Incident, channel: str) -> str:
        known = {"place": incident.spot.near, "thing": incident.said, "name": incident.matter.name}
        text = self.words.fill(self.dice.choice(self.words.frames[channel]), self.dice, known)
        mistyped = channel in BY_THUMB and self.dice.random() < 0.12
        return self.words.slip(text, self.dice) if mistyped else text

    def _area(self, incident: Incident) -> str:
        desk = self.areas.ancestor(incident.spot.area.code, self.desk_kind)
        return desk.code if desk else incident.spot.area.code

    def _reporter(self, channel: str) -> Reporter | None:
        if channel in OWN_EYES:
            return None
        name = self.words.one(self.dice, "surnames") + self.words.one(self.dice, "titles")
        phone = f"1990000{self.dice.randint(0, 9999):04}"
        if channel in BY_THUMB:
            return Reporter(token=f"{channel}-{self.dice.getrandbits(32):08x}")
        return Reporter(name=name, phone=phone)

    def disturbed(self, arrivals: Sequence[Arrival]) -> list[Arrival]:
        """Some reports late, some sent twice, some twice with other words under the same id."""
        result: list[Arrival] = []
        for arrival in arrivals:
            late = self._late(arrival) if self.dice.random() < LATE else arrival
            result.append(late)
            draw = self.dice.random()
            if draw < COPIED:
                result.append(replace(late, at=late.at + timedelta(seconds=self.dice.randint(2, 7200))))
            elif draw < COPIED + CONFLICTING and late.report:
                other = replace(late.report, text=f"{late.report.text}（补充：今天更严重了）")
                result.append(replace(late, at=late.at + timedelta(minutes=40), report=other))
        return result

    def _late(self, arrival: Arrival) -> Arrival:
        """Seen hours or days before it comes in: an unconnected community sends its list in the evening."""
        if arrival.report is None:
            return arrival
        before = arrival.at - timedelta(minutes=self.dice.randint(180, 2880))
        return replace(arrival, report=replace(arrival.report, occurred=before))


def reports(bundle: Bundle, seed: int, count: int = 2000, *, day: date, kind: str = "") -> list[Arrival]:
    """`count` arrivals of one city day in order of time.

    Points are drawn within the areas of `kind`, of the deepest kind that covers the city if none is named.
    """
    today = Day(bundle, seed, day, kind)
    sense = count - round(count * NONSENSE)
    arrivals: list[Arrival] = []
    while len(arrivals) < sense:
        arrivals += today.disturbed(today.witnesses(today.incident()))
    arrivals = arrivals[:sense]
    for _ in range(count - sense):
        arrivals.append(_nonsense(today))
    return sorted(arrivals, key=lambda arrival: (arrival.at, arrival.source, arrival.id))


def _nonsense(today: Day) -> Arrival:
    """Something that is no report, or none that this city can use."""
    incident = today.incident()
    channel = today.dice.choice(("app", "wechat", "hotline", "platform"))
    report, raw = nonsense.drawn(
        today.dice, today.words, channel, today.map.outside(today.dice), incident.said
    )
    return today.arrival(channel, incident.at, report, raw)


def _kind(matter: Matter) -> str:
    """安全隐患, 矛盾纠纷, or an ordinary problem."""
    if matter.hazard:
        return "hazard"
    return "dispute" if matter.kind == "dispute" else "problem"
