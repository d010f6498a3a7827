from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from msgspec import Struct

from rules.limits import Limit
from rules.modes import Mode

CLOCKS = (
    "accept", "route", "supplement", "check", "sign", "decide", "appeal", "contact", "handle", "case", "leg",
    "cotask", "arrive", "verify", "callback", "review", "after_close", "meeting",
)  # fmt: skip
"""The clocks of lifecycle.md §1. `handle`, `case` and `leg` take their limit from the filing condition."""
CONDITION_CLOCKS = frozenset({"handle", "case", "leg", "cotask", "review"})
"""The clocks whose limit is a fact of the case."""


class Rung(Struct, frozen=True):
    """One step of a ladder: so long after the due instant (none: at it) somebody is told, who may be asked.

    `audience` is guiding, parent, centre, meeting1 … meeting3 or a role of `rules.posts`; `kind` is the
    supervision that it opens (催办, 督办, 提级督办), empty for a notice only.
    """

    audience: str
    after: Limit | None = None
    kind: str = ""


class Policy(Struct, frozen=True, kw_only=True):
    """How one clock runs: its limit, at which per cent of it somebody is warned, and its ladder."""

    name: str
    limit: Limit | None = None
    mode: str = Mode.NORMAL.value
    calendar: str = ""
    warn: tuple[int, ...] = ()
    ladder: tuple[Rung, ...] = ()


@dataclass(frozen=True)
class Policies:
    """The clocks of the city; in mode 急 (emergency) a policy may differ."""

    rows: tuple[Policy, ...]

    def clock(self, name: str, mode: Mode = Mode.NORMAL) -> Policy:
        """The policy of a clock; one that the bundle leaves out has neither limit nor ladder."""
        found = self._by_name.get((name, mode.value)) or self._by_name.get((name, Mode.NORMAL.value))
        return found or Policy(name=name)

    @cached_property
    def _by_name(self) -> Mapping[tuple[str, str], Policy]:
        return {(row.name, row.mode): row for row in self.rows}
