"""`gridcase assign`: whom the router would send to each report, and why; no state is touched."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, NamedTuple

import msgspec

from cli.batch import Answer, Batch, CityOf, Encoded, Encoding, answer_all, read_rows, rules_of_city
from cli.locate import described, sought
from cli.options import AsJson
from rules.codes import CodeBook, CodeFault
from rules.inforce import Mode, Rules
from rules.matters import FilingCondition, Matter
from rules.reading.entries import MODES
from schemas.refusal import Refusal
from services.intake.channels.cells import instant
from services.intake.reader.locate import Location
from services.intake.reader.lookup import Placed, Refused, Sought, look_up
from services.router.proposal import Proposal, propose

NEEDED: Final = (("matter", "time", "place"), ("matter", "time", "lon", "lat"), ("matter", "time", "code"))
_TIMES: Final = ("iso", "%Y/%m/%d %H:%M", "%Y/%m/%d %H:%M:%S")
_MODES: Final = {said: Mode(mode) for said, mode in MODES.items() if mode in set(Mode)}


def assign(city: CityOf, batch: Batch, encoding: Encoded = Encoding.UTF_8, as_json: AsJson = False) -> None:
    """Find who leads each report (派遣预判).

    Columns: matter, time, place or code or lon and lat; condition, mode, scheme, crs, id if there.
    """
    assigner = Assigner(rules_of_city(city))
    answer_all(read_rows(batch, encoding, NEEDED), assigner.answer, words, as_json=as_json)


class Asked(NamedTuple):
    """What a row asks: a matter and its condition, where and when, under which rules."""

    rules: Rules
    matter: Matter
    condition: FilingCondition
    area: str
    found: Location
    t: datetime

    def proposed(self) -> Proposal:
        """The router's own decision."""
        return propose(self.rules, self.matter, self.area, self.found.areas, self.t)


class Assigner:
    """A city's rules, asked row by row."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._book = CodeBook(rules.bundle.areas)

    def answer(self, cells: Mapping[str, str]) -> Answer | Refused:
        """The router's own decision for the report of this row, or all that is wrong with it."""
        asked = self.asked(cells)
        if not isinstance(asked, Asked):
            return asked
        place = {"area": asked.area, **described(asked.found, asked.rules.bundle)}
        return {**_decided(asked.proposed(), asked.matter, asked.condition), "place": place}

    def asked(self, cells: Mapping[str, str]) -> Asked | Refused:
        """What this row asks, or all that is wrong with it."""
        matter = self._matter(cells["matter"])
        condition = _condition(matter, cells.get("condition", "")) if isinstance(matter, Matter) else None
        mode = _mode(cells.get("mode", ""))
        t = _time(cells["time"], self._rules.bundle.city.zone)
        placed = None if isinstance(t, Refusal) else self._place(cells, t)
        wrong = [one for one in (matter, condition, t, mode) if isinstance(one, Refusal)]
        wrong += placed if isinstance(placed, tuple) else ()
        if wrong:
            return tuple(wrong)
        assert isinstance(matter, Matter)
        assert isinstance(condition, FilingCondition)
        assert isinstance(t, datetime)
        assert isinstance(placed, Placed)
        found = placed.location
        area = found.areas[0][1] if found.areas else found.desk
        rules = self._rules
        if isinstance(mode, Mode):
            rules = Rules(rules.number, rules.bundle, {area: mode})
        return Asked(rules, matter, condition, area, found, t)

    def _matter(self, code: str) -> Matter | Refusal:
        return self._rules.bundle.matters.get(code) or Refusal(
            code="unknown_matter", expected="a matter of the edition", found=code[:400]
        )

    def _place(self, cells: Mapping[str, str], t: datetime) -> Placed | Refused:
        """`place` is a code if the city knows it as one, else words."""
        day, seek = self._rules.bundle.day(t), sought(cells)
        said = cells.get("place", "")
        if said and not seek.code:
            known = not isinstance(self._book.find(said, seek.scheme, day), CodeFault)
            seek = seek._replace(code=said) if known else Sought(*seek[:5], text=said)
        return look_up(seek, self._rules.bundle, self._book, day)


def _mode(said: str) -> Mode | Refusal | None:
    """The mode that the row says; without one, it is the mode that the area is in."""
    if not said:
        return None
    known = _MODES.get(said)
    return known or Refusal(code="unknown_mode", expected=" or ".join(_MODES), found=said[:400])


def _time(said: str, zone: str) -> datetime | Refusal:
    read = instant(said, _TIMES, zone)
    if isinstance(read, Refusal) and read.code == "no_time":
        return Refusal(code=read.code, expected="a day and a time of the calendar", found=read.found)
    return read


def _condition(matter: Matter, said: str) -> FilingCondition | Refusal:
    found = matter.condition(said or matter.only)
    if found is not None:
        return found
    known = " or ".join(one.code for one in matter.conditions)
    return Refusal(code="unknown_condition", expected=known[:400], found=said[:400])


def _decided(proposal: Proposal, matter: Matter, condition: FilingCondition) -> Answer:
    finding = proposal.finding
    return {
        "lead": proposal.lead,
        "lead_name": proposal.lead_name,
        "origin": proposal.origin,
        "assistants": list(finding.assistants),
        "supervising": list(proposal.supervising),
        "posts": list(proposal.posts),
        "matter": matter.code,
        "condition": condition.code,
        "limit": condition.limit.text,
        "dispatch": matter.dispatch,
        "mode": finding.mode,
        "t": finding.t,
        "edition": finding.edition,
        "finding": msgspec.to_builtins(finding.verdicts),
        "follows": [
            {"event": type(event).__name__, **msgspec.to_builtins(event)} for event in proposal.follows
        ],
    }


def words(answer: Answer) -> str:
    """The answer for people, in one line; `gridcase explain` words belong to cases on record."""
    lead = (
        f"lead {answer['lead']} {answer['lead_name']} ({answer['origin']})" if answer["lead"] else "no lead"
    )
    steps = [
        f"{one['unit']} {one['verdict']}" + (f" {one['entry']} v{one['version']}" if one["entry"] else "")
        for one in answer["finding"]
    ]
    helpers = f"assist {', '.join(answer['assistants'])}" if answer["assistants"] else ""
    watch = f"supervising {', '.join(answer['supervising'])}" if answer["supervising"] else ""
    return "; ".join(part for part in (lead, helpers, watch, "finding " + ", ".join(steps)) if part)
