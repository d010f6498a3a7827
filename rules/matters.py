from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

from msgspec import Struct

from rules.limits import Limit

ROW8 = ("行政执法", "拆迁拆违", "环境整治", "城市管理", "招商引资")
"""The five kinds of matter for which a community is never responsible (domain.md row 8)."""


class Stage(Struct, frozen=True):
    """One of several limits in series: 停工 → 处罚 → 拆除."""

    name: str
    limit: Limit


class FilingCondition(Struct, frozen=True, kw_only=True):
    """A 立案条件 of a matter, which carries the limit and what must be true at the end (结案条件).

    `limit` is what the reporter is promised, `leg_limit` what one unit has if that is less.
    """

    code: str
    text: str
    limit: Limit
    closing: tuple[str, ...]
    leg_limit: Limit | None = None
    stages: tuple[Stage, ...] = ()


class Responsibility(Struct, frozen=True):
    """One candidate in order of precedence (谁主管谁负责): found `by` what, `select`ed how, in which role.

    by=unit: select is a unit code; trade, owner, operator: a trade; territory: the kind of area it has.
    """

    by: str
    select: str
    role: str = "lead"


class Matter(Struct, frozen=True, kw_only=True):
    """A sub-category (小类). Its code is made of segments joined by `-`, so `E-01` is a prefix of `E-01-07`.

    `row8` is one of `ROW8` or empty; `row8_known` is false while nobody has said whether the matter is one
    of the five: then no unit of a guarded level leads it. `supervising` is `unit:CODE` or `trade:NAME`.
    """

    code: str
    name: str
    kind: str
    scheme: str = ""
    big: str = ""
    small: str = ""
    accept: str = "manual"
    dispatch: str = "manual"
    check: bool = False
    triage: str = "big"
    urgency: str = "normal"
    hazard: bool = False
    emergency_continuous: bool = False
    merge_metres: int = 0
    merge_hours: int = 0
    statutory_level: str = ""
    power: str = ""
    row8: str = ""
    row8_known: bool = False
    supervising: str = ""
    answer: str = ""
    keywords: tuple[tuple[str, int], ...] = ()
    conditions: tuple[FilingCondition, ...] = ()
    responsibility: tuple[Responsibility, ...] = ()

    def condition(self, code: str) -> FilingCondition | None:
        return next((condition for condition in self.conditions if condition.code == code), None)

    @property
    def only(self) -> str:
        """The code of the condition that needs not be said, for there is just one; else empty."""
        return self.conditions[0].code if len(self.conditions) == 1 else ""


@lru_cache(10_000)
def prefixes(code: str) -> tuple[str, ...]:
    """The code and its prefixes, longest first: `E-01-07`, `E-01`, `E`."""
    parts = code.split("-")
    return tuple("-".join(parts[:length]) for length in range(len(parts), 0, -1))


@dataclass(frozen=True)
class Matters:
    """The taxonomy of the city."""

    rows: tuple[Matter, ...]

    def get(self, code: str) -> Matter | None:
        return self._by_code.get(code)

    def __getitem__(self, code: str) -> Matter:
        return self._by_code[code]

    def __contains__(self, code: object) -> bool:
        return code in self._by_code

    def by_prefix(self, prefix: str) -> tuple[Matter, ...]:
        """The matters at or below a code, in the order of the bundle."""
        return self._by_prefix.get(prefix, ())

    @cached_property
    def _by_code(self) -> Mapping[str, Matter]:
        return {matter.code: matter for matter in self.rows}

    @cached_property
    def _by_prefix(self) -> Mapping[str, tuple[Matter, ...]]:
        groups: dict[str, list[Matter]] = defaultdict(list)
        for matter in self.rows:
            for prefix in prefixes(matter.code):
                groups[prefix].append(matter)
        return {prefix: tuple(matters) for prefix, matters in groups.items()}
