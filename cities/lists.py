"""Lists that our cities share (`lists.yaml`): their matters, who does them, and their admission entries.

The same law holds in every city; what differs is who sits where (`Seat`). Rows are those of the bundle's
tables, in the order of the file.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

import yaml

HERE: Final = Path(__file__).parent
ENTRY_COLUMNS: Final = (
    "entry_id", "version", "matter", "area", "role", "layer", "unit_level", "term", "mode", "state",
    "statutory_level", "legal_basis", "article", "order_number", "owner_instead", "applicant",
    "guiding_dept", "duties", "limits_of_duty", "frequency", "funding_source", "funding_standard",
    "funding_per", "funding_proof", "covers_from", "covers_to", "staff", "training", "equipment",
    "approval_no", "noticed_on", "valid_from", "valid_to", "exit_reason", "supersedes",
)  # fmt: skip

Row = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Seat:
    """Who sits where in a city: its root, government and centre, which unit has which trade, what a grid is
    called there, and how it numbers what it approves.
    """

    root: str
    body: str
    centre: str
    trades: Mapping[str, str]
    grids: Sequence[str]
    approvals: str
    funds: str
    year: int

    def unit(self, trade: str) -> str:
        """The unit of a trade; the government where nobody else is."""
        return self.trades.get(trade, self.body)


class Listed(NamedTuple):
    """One matter of a list, with its place in it from 1 on."""

    list: Mapping[str, Any]
    number: int
    said: Mapping[str, str]

    @property
    def code(self) -> str:
        return f"{self.list['code']}-{self.number:02}"

    @property
    def entry_id(self) -> str:
        return f"{self.list['entry']}-{self.number:02}"

    def told(self, name: str) -> str:
        """What the matter says, else its list, with the matter's own name and number in it."""
        text = str(self.said.get(name) or self.list.get(name, ""))
        return text.format(name=self.said["name"], n=self.number)


@cache
def listed() -> tuple[Listed, ...]:
    """Every matter of every list, in the order of the file."""
    text = (HERE / "lists.yaml").read_text(encoding="utf-8")
    lists = cast("Sequence[Mapping[str, Any]]", yaml.safe_load(text))
    return tuple(Listed(one, n, said) for one in lists for n, said in enumerate(one["matters"], start=1))


def matters(seat: Seat) -> Iterator[Row]:
    """事项: services that are asked for at the counter, handled by hand."""
    for one in listed():
        yield {
            "code": one.code, "name": f"{one.told('name')}（自定义）", "kind": "service", "scheme": "local",
            "big": str(one.list["name"]), "small": f"{one.number:02}", "accept": "manual",
            "dispatch": "automatic", "check": "no", "triage": one.told("triage") or "big",
            "urgency": "normal", "hazard": "no", "emergency_continuous": "no", "merge_metres": "0",
            "merge_hours": "0", "statutory_level": "", "power": "", "row8": "none",
            "supervising": f"unit:{seat.centre}",
        }  # fmt: skip


def conditions() -> Iterator[Row]:
    for one in listed():
        yield {
            "matter": one.code, "code": f"{one.code}-1", "text": one.told("text"), "limit": one.told("limit"),
            "closing": one.told("closing"), "leg_limit": "", "stages": "",
        }  # fmt: skip


def responsibility(seat: Seat) -> Iterator[Row]:
    """Who is asked first: often the community, which the register then forbids, lets or only lets help."""
    for one in listed():
        order = 0
        for role in ("lead", "assist"):
            for who in one.list.get(role, ()):
                for by, select in _selects(seat, who, one):
                    order += 10
                    yield {
                        "matter": one.code, "order": str(order), "by": by, "select": select, "role": role,
                    }  # fmt: skip


def _selects(seat: Seat, who: str, one: Listed) -> Iterator[tuple[str, str]]:
    if who == "grid":
        yield from (("territory", kind) for kind in seat.grids)
    elif who == "community":
        yield "territory", "community"
    elif one.said["trade"] in seat.trades:
        yield "trade", one.said["trade"]
    else:
        yield "unit", seat.body


def keywords() -> Iterator[Row]:
    """The names, for a city that wants to recognise these matters in what people write."""
    for one in listed():
        yield {"matter": one.code, "word": one.told("name"), "weight": "95"}


def sayings() -> Iterator[tuple[str, str, Sequence[str], int]]:
    """Code, name, sentences and weight of each matter, for `cities.voices`."""
    for one in listed():
        say = [sentence.format(name=one.told("name")) for sentence in one.list["say"]]
        yield one.code, one.told("name"), say, int(one.list["weight"])


def entries(seat: Seat, first_approval: int) -> Iterator[Row]:
    """One entry for each matter; a grid duty once for the community and once for each kind of grid."""
    number = first_approval
    for one in listed():
        levels = _levels(seat, one)
        for level in levels:
            suffix = f"-{level}" if level and level != levels[0] else ""
            yield {
                **dict.fromkeys(ENTRY_COLUMNS, ""),
                **_entry(seat, one),
                "entry_id": one.entry_id + suffix,
                "unit_level": level,
                "approval_no": f"{seat.approvals}〔{seat.year}〕{number}号",
            }
            number += 1


def _levels(seat: Seat, one: Listed) -> Sequence[str]:
    """A prohibition holds for every guarded level; what a grid may do, its community may too."""
    if one.list["role"] == "prohibited":
        return ("",)
    return ("community", *seat.grids) if "grid" in one.list["lead"] else ("community",)


def _entry(seat: Seat, one: Listed) -> Row:
    """The article is one of the law that is named first."""
    role, unit = str(one.list["role"]), seat.unit(one.said.get("trade", ""))
    basis = [one.told("basis"), one.said.get("law", "")]
    if "article" in one.said:
        basis.reverse()
    row = {
        "version": "1", "matter": one.code, "area": seat.root, "role": role,
        "legal_basis": "|".join(text for text in basis if text), "article": one.told("article"),
        "guiding_dept": unit, "duties": one.told("duties"), "limits_of_duty": one.told("limits"),
        "frequency": one.told("frequency"), "noticed_on": f"{seat.year - 1}-12-01",
        "valid_from": f"{seat.year}-01-01",
    }  # fmt: skip
    if role == "prohibited":
        return row | {"owner_instead": unit}
    return {**row, **_paid(seat, one, unit)} if role in ("assist", "entrusted") else row


def _paid(seat: Seat, one: Listed, unit: str) -> Row:
    """费随事转: the department that asks pays, and shows the proof for the year."""
    return {
        "applicant": unit,
        "frequency": one.told("frequency") or "随部门安排",
        "funding_source": seat.funds,
        "funding_standard": one.said["standard"],
        "funding_per": one.said.get("per", "社区年"),
        "funding_proof": f"拨-{seat.year}-{one.entry_id}",
        "covers_from": f"{seat.year}-01-01",
        "covers_to": f"{seat.year}-12-31",
        "staff": "每社区一名兼职",
        "training": "每年一次",
    }
