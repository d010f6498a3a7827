from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from msgspec import Struct

from rules.areas import Area
from rules.matters import Matter, prefixes
from rules.modes import BOTH, Mode
from rules.validity import FIRST_DAY, LAST_DAY

OFF, OBSERVE, ENFORCE = "off", "observe", "enforce"
FIRM_STEPS = (2, 3, 5)
"""Statutory level, power and prohibition: enforced from the first day, for row 8 always."""


class Funding(Struct, frozen=True):
    """费随事转: where the money comes from, how much for what, and the proof with the days that it covers."""

    source: str = ""
    standard: str = ""
    per: str = ""
    proof_id: str = ""
    covers_from: date = LAST_DAY
    covers_to: date = FIRST_DAY


class Needs(Struct, frozen=True):
    """工作条件: what a community is given besides money."""

    staff: str = ""
    training: str = ""
    equipment: str = ""


class Entry(Struct, frozen=True, kw_only=True):
    """One line of the admission register (准入清单), as in force in this edition.

    `matter` is a code, a prefix or `row8:TAG`; `unit_level` empty means every guarded level, `layer` empty
    every layer; `mode` is normal, emergency or both; `role` own, assist, entrusted or prohibited.
    """

    entry_id: str
    version: int
    matter: str
    area: str
    role: str
    layer: str = ""
    unit_level: str = ""
    term: str = "permanent"
    mode: str = BOTH
    state: str = "active"
    statutory_level: str = ""
    legal_basis: tuple[str, ...] = ()
    article: str = ""
    order_number: str = ""
    owner_instead: str = ""
    applicant: str = ""
    guiding_dept: str = ""
    duties: str = ""
    limits_of_duty: str = ""
    frequency: str = ""
    funding: Funding = Funding()
    conditions: Needs = Needs()
    assessable_alone: bool = False
    approval_no: str = ""
    noticed_on: date = FIRST_DAY
    valid_from: date = FIRST_DAY
    valid_to: date = LAST_DAY
    exit_reason: str = ""
    supersedes: str = ""

    @property
    def code(self) -> str:
        return self.entry_id

    @property
    def prohibits(self) -> bool:
        return self.role == "prohibited"

    @property
    def kind(self) -> str:
        """The derived 清单: 负面, 临时, 收回, 自治 or 协助."""
        if self.prohibits:
            return "收回" if self.owner_instead else "负面"
        if self.term == "temporary":
            return "临时"
        return "自治" if self.role == "own" else "协助"

    def in_force(self, day: date) -> bool:
        return self.state in IN_FORCE and self.valid_from <= day <= self.valid_to

    def expired(self, day: date) -> bool:
        return self.valid_to < day

    def funded(self, day: date) -> bool:
        """Own work and prohibitions need no money; all else needs a proof that covers the day."""
        if self.role in ("own", "prohibited"):
            return True
        return bool(self.funding.proof_id) and self.funding.covers_from <= day <= self.funding.covers_to


IN_FORCE = frozenset({"active", "suspended"})
"""Suspended entries are in force but for their funding, which `funded` judges by its own dates."""


class Enforcement(Struct, frozen=True):
    """How firmly one step of the guard holds for one level, from a day on."""

    level: str
    step: int
    valid_from: date
    strength: str


@dataclass(frozen=True)
class Register:
    """The admission register (事务准入登记) with its index. The guard itself is services.router.admission."""

    rows: tuple[Entry, ...]
    strengths: tuple[Enforcement, ...] = ()
    guarded: frozenset[str] = frozenset()

    def get(self, entry_id: str, version: int) -> Entry | None:
        return self._by_id.get((entry_id, version))

    def versions(self, entry_id: str) -> tuple[Entry, ...]:
        """All versions of an entry, the newest first."""
        found = [entry for entry in self.rows if entry.entry_id == entry_id]
        return tuple(sorted(found, key=lambda entry: -entry.version))

    def guards(self, level: str) -> bool:
        """Whether units of this level need an admission entry: community, village, grid and below."""
        return level in self.guarded

    def entries_for(
        self, matter: Matter, area_chain: Sequence[Area], layers: Sequence[str], level: str, mode: Mode
    ) -> tuple[Entry, ...]:
        """Every entry that speaks of this matter, place, level and mode, whatever its dates, best first.

        The order is that of precedence: longest matter, nearest area, a named layer, the mode's own, then
        the newer version. A deny binds at any depth, so whoever asks for leads looks through all of them.
        """
        found = [
            entry
            for selector in _selectors(matter)
            if (there := self._index.get(selector))
            for area in area_chain
            for entry in there.get(area.code, ())
        ]
        fitting = [entry for entry in found if self._fits(entry, layers, level, mode)]
        if len(fitting) < 2:
            return tuple(fitting)
        places = {area.code: depth for depth, area in enumerate(area_chain)}
        return tuple(sorted(fitting, key=lambda entry: _precedence(entry, places)))

    def enforcement(self, step: int, level: str, day: date, row8: str = "") -> str:
        """off, observe or enforce. For a row-8 matter steps 2, 3 and 5 are always enforced."""
        if row8 and step in FIRM_STEPS:
            return ENFORCE
        rows = self._strengths.get((level, step), ())
        since = next((row.strength for row in rows if row.valid_from <= day), None)
        return since or (ENFORCE if step in FIRM_STEPS else OBSERVE)

    def _fits(self, entry: Entry, layers: Sequence[str], level: str, mode: Mode) -> bool:
        at_level = entry.unit_level == level if entry.unit_level else level in self.guarded
        return at_level and (not entry.layer or entry.layer in layers) and entry.mode in (BOTH, mode.value)

    @cached_property
    def _by_id(self) -> Mapping[tuple[str, int], Entry]:
        return {(entry.entry_id, entry.version): entry for entry in self.rows}

    @cached_property
    def _index(self) -> Mapping[str, Mapping[str, Sequence[Entry]]]:
        """By matter, then by area: most prefixes of a code have no entry anywhere."""
        groups: dict[str, dict[str, list[Entry]]] = {}
        for entry in self.rows:
            groups.setdefault(entry.matter, {}).setdefault(entry.area, []).append(entry)
        return groups

    @cached_property
    def _strengths(self) -> Mapping[tuple[str, int], tuple[Enforcement, ...]]:
        groups: dict[tuple[str, int], list[Enforcement]] = defaultdict(list)
        for row in sorted(self.strengths, key=lambda row: row.valid_from, reverse=True):
            groups[row.level, row.step].append(row)
        return {key: tuple(rows) for key, rows in groups.items()}


def _selectors(matter: Matter) -> tuple[str, ...]:
    codes = prefixes(matter.code)
    return (*codes, f"row8:{matter.row8}") if matter.row8 else codes


def _precedence(entry: Entry, places: Mapping[str, int]) -> tuple[int, int, bool, bool, int, str]:
    depth = 0 if entry.matter.startswith("row8:") else entry.matter.count("-") + 1
    return -depth, places[entry.area], not entry.layer, entry.mode == BOTH, -entry.version, entry.entry_id
