"""Where the people sit: posts, office hours and the reading of a text, looked up in the bundle."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from random import Random

from cities.habits import Habits
from cities.voices import voice_of
from rules.bundle import Bundle
from rules.matters import Matter
from schemas.case.timing import Term


@dataclass(frozen=True, kw_only=True)
class Act:
    """What a person does: `post` sends `command` to `case` at `at`, if the case is still in `turn`."""

    at: datetime
    post: str
    case: str
    command: object
    turn: int


@dataclass(frozen=True)
class Office:
    """The city as its people use it."""

    bundle: Bundle
    habits: Habits

    def post(self, role: str, area: str, dice: Random) -> str:
        """A post of that role which covers the area, mostly the nearest; empty if nobody does."""
        posts = self.bundle.posts.holding(role, area or self.bundle.city.root)
        if not posts:
            return ""
        near = [post for post in posts if post.area == posts[0].area]
        return dice.choice(near if dice.random() < 0.75 else posts).code

    def handler(self, unit: str, dice: Random) -> str:
        """Somebody who acts for a unit: the first two of its handlers, empty if it has none."""
        posts = self.bundle.posts.of_unit(unit, "handler")
        return dice.choice(posts[:2]).code if posts else ""

    def in_office(self, at: datetime, minutes: int, unit: str = "") -> datetime:
        """So many minutes of office hours later, by the calendar of a unit or of the city."""
        known = self.bundle.units.get(unit) if unit else None
        calendar = self.bundle.calendars.get(known.calendar if known else "")
        return calendar.add(at, minutes)

    def by_limit(self, at: datetime, limit: Term, per_cent: int, unit: str) -> datetime:
        """When so many per cent of a limit are used up, as the unit's clock counts it."""
        span = max(1, limit.minutes * per_cent // 100)
        return self.in_office(at, span, unit) if limit.working else at + timedelta(minutes=span)

    def dispatch_choices(self, matter: str, area: str) -> list[str]:
        """Whom a dispatcher thinks of: who is named, in order, the fallback, the government.

        Communities come into mind only where triage says that neighbours can settle it.
        """
        known = self.bundle.matters.get(matter)
        rules = [rule for rule in known.responsibility if rule.role == "lead"] if known else []
        units = self.bundle.units
        found: list[str] = []
        for rule in rules:
            if rule.by == "unit":
                found.append(rule.select)
            elif rule.by != "territory":
                trade = units.with_trade(rule.select, area) or units.with_trade(rule.select)
                found += [unit.code for unit in trade]
            elif known is not None and known.triage != "big":
                found += [unit.code for unit in units.in_area(area, level=rule.select) if unit.axis == "块"]
        fallback = units.fallback(area)
        found += [fallback.code] if fallback else []
        return list(dict.fromkeys([*found, self.bundle.city.body]))

    def read(self, text: str) -> Matter | None:
        """Which matter a person takes a text for: the most words in common, none if nothing is."""
        seen = {text[at : at + 2] for at in range(len(text) - 1)}
        scores: Counter[str] = Counter()
        for code, pairs in self._pairs.items():
            scores[code] = sum(weight for pair, weight in pairs.items() if pair in seen)
        best = scores.most_common(1)
        if not best or best[0][1] < 60:
            return None
        return self.bundle.matters.get(best[0][0])

    @cached_property
    def _pairs(self) -> Mapping[str, Mapping[str, int]]:
        """Pairs of letters of each matter's words, rarer pairs heavier."""
        found: dict[str, set[str]] = {}
        for matter in self.bundle.matters.rows:
            voice = voice_of(matter)
            if not voice.heard_in(self.bundle.city.code):
                continue
            texts = [matter.name, *(word for word, _ in matter.keywords), *voice.say]
            found[matter.code] = {text[at : at + 2] for text in texts for at in range(len(text) - 1)}
        often = Counter(pair for pairs in found.values() for pair in pairs)
        return {code: {pair: 60 // often[pair] for pair in pairs} for code, pairs in found.items()}
