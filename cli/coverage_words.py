"""The gaps of a bundle in words: what is open, where, and what to do about it, in English and Chinese."""

from typing import Final, NamedTuple

from cli import words
from cli.options import Tongue
from rules.bundle import Bundle
from rules.coverage import Gap
from rules.posts import ROLES, STAFF


class _Said(NamedTuple):
    """A kind of gap: its name, what one is, and what to do."""

    name: str
    one: str
    do: str


_ENGLISH: Final = {
    "no_pairing": _Said(
        "no pairing", "no unit answers for it", "add a row of pairings.csv for it or an area above"
    ),
    "no_post": _Said("no post", "nobody is there", "add a post of posts.csv in it"),
    "vacant": _Said("vacant", "nobody holds {found}", "name a person or a substitute in posts.csv"),
    "understaffed": _Said(
        "understaffed", "{found} of {expected} {subject}", "fill posts of that role, or correct staffing.csv"
    ),
    "no_owner": _Said(
        "no owner",
        "nobody can lead {subject}: named are {found}",
        "name a unit that has level and power there, or admit the one named",
    ),
    "two_owners": _Said(
        "two owners",
        "{found} lead {subject} alike; the first by code gets it",
        "divide territory or trade, or order them in responsibility.csv",
    ),
    "no_entry": _Said(
        "no entry",
        "{level} is to {expected} {subject} and no entry says so ({found})",
        "apply for an entry, prohibit it, or take the row out of responsibility.csv",
    ),
}
_CHINESE: Final = {
    "no_pairing": _Said("没有包联", "没有单位包联", "在包联表（pairings）补一行，可写在上级区域"),
    "no_post": _Said("没有岗位", "没有人在格中", "在岗位表（posts）补上本区域的岗位"),
    "vacant": _Said("岗位空缺", "{found}无人在岗", "写明在岗人员，或指定替岗岗位"),
    "understaffed": _Said(
        "配备不足", "{subject}应有{expected}人，现有{found}人", "补足该岗位，或调整配备标准（staffing）"
    ),
    "no_owner": _Said(
        "无人主办",
        "{subject}没有能主办的单位，清单写的是{found}",
        "写明当地有层级、有职权的单位，或为所写单位办理准入",
    ),
    "two_owners": _Said(
        "多头主办", "{subject}由{found}同时主办，实际派给编码在前的", "划清辖区或行业，或在责任表排出次序"
    ),
    "no_entry": _Said(
        "没有准入条目",
        "{subject}要由{level}{expected}，准入清单没有写（{found}）",
        "申请准入、列入负面清单，或从责任表删去该行",
    ),
}
SAID: Final = {Tongue.EN: _ENGLISH, Tongue.ZH: _CHINESE}
_PARTS: Final = {
    Tongue.EN: {"normal": "平", "emergency": "急", "lead": "lead", "assist": "assist with"},
    Tongue.ZH: {"normal": "平", "emergency": "急", "lead": "主办", "assist": "协办"},
}


class GapWords:
    """Says the gaps of one bundle in one language."""

    def __init__(self, bundle: Bundle, language: Tongue) -> None:
        self._bundle = bundle
        self._english = language == Tongue.EN
        self._said = SAID[language]
        self._parts = _PARTS[language]
        self._kinds = {kind.code: kind.name for kind in bundle.city.kinds}

    def name(self, code: str) -> str:
        """`no pairing`."""
        return self._said[code].name

    def do(self, code: str) -> str:
        return self._said[code].do

    def where(self, gap: Gap) -> str:
        """The area with those above it; how many places it is if it is more than itself."""
        place = words.area(self._bundle, gap.area)
        count = len(gap.areas)
        if gap.areas == (gap.area,):
            return place
        if self._english:
            return f"{place}: {count:,} {'place' if count == 1 else 'places'}"
        return f"{place}：{count:,}处"

    def what(self, gap: Gap) -> str:
        return self._said[gap.code].one.format(
            subject=self._subject(gap),
            level=gap.level if self._english else self._kinds.get(gap.level, gap.level),
            expected=self._parts.get(gap.expected, gap.expected),
            found=(", " if self._english else "、").join(self._found(gap, one) for one in gap.found),
        )

    def _subject(self, gap: Gap) -> str:
        role = (ROLES | STAFF).get(gap.subject)
        if gap.code == "understaffed" and role:
            return f"{gap.subject} {role}" if self._english else role
        return words.matter(self._bundle, gap.subject)

    def _found(self, gap: Gap, one: str) -> str:
        by, named, select = one.partition(":")
        if gap.code == "no_owner" and named:
            return self._candidate(by, select)
        if gap.code == "two_owners":
            return words.unit(self._bundle, one)
        return self._parts.get(one, one)

    def _candidate(self, by: str, select: str) -> str:
        if by == "unit":
            return words.unit(self._bundle, select)
        if by == "territory":
            kind = self._kinds.get(select, select)
            return f"the {select} of the place" if self._english else f"属地{kind}"
        return f"the trade {select}" if self._english else f"{select}行业"
