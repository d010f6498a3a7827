from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from rules.cells import Cells
from rules.faults import Fault
from rules.limits import LimitWords
from rules.matters import ROW8, FilingCondition, Matter, Responsibility, Stage
from rules.reading.codes import Codes
from rules.rows import Folder

KINDS = {
    "event": "event", "component": "component", "consult": "consult", "dispute": "dispute",
    "service": "service", "事件": "event", "部件": "component", "咨询": "consult", "纠纷": "dispute",
    "服务": "service",
}  # fmt: skip
TRIAGE = {
    "big": "big",
    "small": "small",
    "private": "private",
    "大事": "big",
    "小事": "small",
    "私事": "private",
}
HOW = ("manual", "automatic")
NONE = "none"
T = TypeVar("T")
ByMatter = Mapping[str, Sequence[T]]


def read_matters(folder: Folder, codes: Codes, words: LimitWords, faults: list[Fault]) -> tuple[Matter, ...]:
    conditions = _by_matter(folder, "conditions.csv", codes, faults, lambda cells: _condition(cells, words))
    candidates = _by_matter(
        folder, "responsibility.csv", codes, faults, lambda cells: _candidate(cells, codes)
    )
    keywords = _by_matter(folder, "keywords.csv", codes, faults, _keyword)
    return tuple(
        _matter(Cells(row, faults), codes, conditions, candidates, keywords)
        for row in folder.table("matters.csv")
    )


def _matter(
    cells: Cells,
    codes: Codes,
    conditions: ByMatter[FilingCondition],
    candidates: ByMatter[tuple[int, Responsibility]],
    keywords: ByMatter[tuple[str, int]],
) -> Matter:
    code, row8 = cells.code("code"), cells.choice("row8", ("", NONE, *ROW8), "")
    matter = Matter(
        code=code,
        name=cells.text("name"),
        kind=cells.choice("kind", KINDS),
        scheme=cells.free("scheme"),
        big=cells.free("big"),
        small=cells.free("small"),
        accept=cells.choice("accept", HOW, "manual"),
        dispatch=cells.choice("dispatch", HOW, "manual"),
        check=cells.flag("check"),
        triage=cells.choice("triage", TRIAGE, "big"),
        urgency=cells.choice("urgency", ("normal", "urgent"), "normal"),
        hazard=cells.flag("hazard"),
        emergency_continuous=cells.flag("emergency_continuous"),
        merge_metres=cells.whole("merge_metres", 0, 100_000, 0),
        merge_hours=cells.whole("merge_hours", 0, 100_000, 0),
        statutory_level=cells.known("statutory_level", codes.kinds, "kinds of city.yaml"),
        power=cells.free("power"),
        row8="" if row8 == NONE else row8,
        row8_known=bool(row8),
        supervising=_supervising(cells, codes),
        answer=cells.known("answer", codes.templates, "templates"),
        keywords=tuple(keywords.get(code, ())),
        conditions=tuple(conditions.get(code, ())),
        responsibility=tuple(row for _, row in sorted(candidates.get(code, ()), key=lambda pair: pair[0])),
    )
    _complete(matter, cells)
    return matter


def _complete(matter: Matter, cells: Cells) -> None:
    """Every matter can be filed and has somebody to lead it."""
    if not matter.conditions and matter.kind != "consult":
        cells.fault("missing_row", "code", "at least one row of conditions.csv")
    if not any(row.role == "lead" for row in matter.responsibility):
        cells.fault("missing_row", "code", "at least one row of responsibility.csv with role lead")


def _supervising(cells: Cells, codes: Codes) -> str:
    found = cells.free("supervising")
    by, _, name = found.partition(":")
    known = {"unit": codes.units, "trade": codes.trades}.get(by)
    if found and (known is None or name not in known):
        cells.fault("unknown_reference", "supervising", "unit:CODE or trade:WORD of units.csv")
    return found


def _by_matter(
    folder: Folder, file: str, codes: Codes, faults: list[Fault], read: Callable[[Cells], T]
) -> ByMatter[T]:
    groups: dict[str, list[T]] = defaultdict(list)
    seen: dict[tuple[str, ...], int] = {}
    for row in folder.table(file):
        cells = Cells(row, faults)
        matter = cells.known("matter", codes.matters, "matters.csv", "empty")
        key = matter, *(row.cells.get(name, "") for name in KEYS[file])
        if key in seen:
            cells.fault("duplicate", KEYS[file][0], f"another value than row {seen[key]}")
        seen.setdefault(key, row.number)
        groups[matter].append(read(cells))
    return groups


KEYS = {"conditions.csv": ("code",), "responsibility.csv": ("order",), "keywords.csv": ("word",)}
"""What tells the rows of one matter apart."""


def _condition(cells: Cells, words: LimitWords) -> FilingCondition:
    cells.text("closing")
    return FilingCondition(
        code=cells.code("code"),
        text=cells.text("text"),
        limit=cells.limit("limit", words),
        closing=cells.several("closing"),
        leg_limit=cells.limit("leg_limit", words) if cells.has("leg_limit") else None,
        stages=tuple(_stage(cells, text, words) for text in cells.several("stages")),
    )


def _stage(cells: Cells, text: str, words: LimitWords) -> Stage:
    name, _, limit = text.partition("=")
    return Stage(name, cells.parsed("stages", limit, words))


def _candidate(cells: Cells, codes: Codes) -> tuple[int, Responsibility]:
    by = cells.choice("by", ("unit", "trade", "owner", "operator", "territory"))
    known, what = {
        "unit": (codes.units, "units.csv"),
        "territory": (codes.kinds, "kinds of city.yaml"),
    }.get(by, (codes.trades, "trades of units.csv"))
    select = cells.known("select", known, what, "empty")
    order = cells.whole("order", 0, 1000)
    return order, Responsibility(by, select, cells.choice("role", ("lead", "assist"), "lead"))


def _keyword(cells: Cells) -> tuple[str, int]:
    return cells.text("word"), cells.whole("weight", 1, 100)
