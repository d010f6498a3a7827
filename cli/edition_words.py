"""What differs between two editions, as a sentence: who leads what from when, in English and Chinese."""

from datetime import date
from typing import Final

from cli import words
from cli.options import Tongue
from rules.bundle import Bundle
from rules.differences import Change, Fields
from rules.instructions import PURPOSES
from rules.validity import FIRST_DAY

_LEADS: Final = {
    ("en", "lead"): "{who} now leads {matter}{day}",
    ("en", "assist"): "{who} now assists with {matter}{day}",
    ("en", "no lead"): "{who} no longer leads {matter}{day}",
    ("en", "no assist"): "{who} no longer assists with {matter}{day}",
    ("en", "lead assist"): "{who} no longer leads {matter} but assists{day}",
    ("en", "assist lead"): "{who} no longer assists with {matter} but leads it{day}",
    ("en", "later"): "{who} is now candidate {after} for the lead of {matter}{day}",
    ("en", "no later"): "{who} is no longer candidate {before} for the lead of {matter}{day}",
    ("en", "order"): "{who} is candidate {after} for {matter}, no longer {before}{day}",
    ("zh", "lead"): "{day}{who}主办{matter}",
    ("zh", "assist"): "{day}{who}协办{matter}",
    ("zh", "no lead"): "{day}{who}不再主办{matter}",
    ("zh", "no assist"): "{day}{who}不再协办{matter}",
    ("zh", "lead assist"): "{day}{who}不再主办{matter}，改为协办",
    ("zh", "assist lead"): "{day}{who}由协办{matter}改为主办",
    ("zh", "later"): "{day}{who}列为{matter}的第{after}位候选主办",
    ("zh", "no later"): "{day}{who}不再是{matter}的第{before}位候选主办",
    ("zh", "order"): "{day}{matter}的候选次序：{who}由第{before}位改为第{after}位",
}
_MAY: Final = {
    ("en", "own"): "may lead",
    ("en", "assist"): "may be asked to assist with",
    ("en", "entrusted"): "may be entrusted with",
    ("en", "prohibited"): "must not lead",
    ("zh", "own"): "可以主办（自治）",
    ("zh", "assist"): "可以协助",
    ("zh", "entrusted"): "可以受委托办理",
    ("zh", "prohibited"): "不得主办（负面清单）",
}
_ENTRY: Final = {
    ("en", "added"): "new entry {entry}: {who} {may} {matter}{day}",
    ("en", "removed"): "entry {entry} no longer holds{day}: {who} {may} {matter}",
    ("zh", "added"): "新增准入条目{entry}：{day}{who}{may}{matter}",
    ("zh", "removed"): "{day}准入条目{entry}不再有效：{who}{may}{matter}",
}


class EditionWords:
    """Says changes in one language; names come from the edition that has the row."""

    def __init__(self, old: Bundle, new: Bundle, language: Tongue, day: date | None = None) -> None:
        self._old, self._new = old, new
        self._language = language.value
        starts = new.city.starts
        self._day = day or (starts if starts != FIRST_DAY else None)

    def says(self, change: Change) -> list[str]:
        """A sentence for each thing that changes."""
        bundle = self._old if change.after is None else self._new
        if change.section == "responsibility":
            return [self._leads(change, bundle)]
        if change.section == "entries" and (change.before is None or change.after is None):
            return [self._entry(change, bundle)]
        return self._plainly(change, bundle)

    def _leads(self, change: Change, bundle: Bundle) -> str:
        before, after = change.before or {}, change.after or {}
        if not after:
            kind = f"no {_part(before)}"
        elif not before:
            kind = _part(after)
        else:
            same = before["role"] == after["role"]
            kind = "order" if same else f"{before['role']} {after['role']}"
        return _LEADS[self._language, kind].format(
            who=self._who(change.key[1], change.key[2], bundle),
            matter=words.matter(bundle, change.key[0]),
            day=self._from(self._day),
            before=before.get("order"),
            after=after.get("order"),
        )

    def _who(self, by: str, select: str, bundle: Bundle) -> str:
        """A unit by name, a trade with its units, the body of a kind of area."""
        if by == "unit":
            return words.unit(bundle, select)
        english = self._language == "en"
        if by == "territory":
            kind = self._level(select, bundle)
            return f"the {kind} of the place" if english else f"属地{kind}"
        units = ", ".join(words.unit(bundle, unit.code) for unit in bundle.units.with_trade(select))
        role = {"trade": "", "owner": "owner, ", "operator": "operator, "}.get(by, "")
        return f"the {role}trade {select}: {units}" if english else f"{select}行业（{units}）"

    def _entry(self, change: Change, bundle: Bundle) -> str:
        fields = change.after or change.before or {}
        kind = "removed" if change.after is None else "added"
        since = date.fromisoformat(fields["valid_from"]) if "valid_from" in fields else None
        if since and self._day:
            since = max(since, self._day)
        level, area = self._level(fields.get("unit_level", ""), bundle), words.area(bundle, fields["area"])
        if self._language == "en":
            who = f"{level or 'every guarded level'} in {area}"
        else:
            who = f"{area}的{level or '各准入层级'}"
        return _ENTRY[self._language, kind].format(
            entry="@".join(change.key),
            who=who,
            may=_MAY[self._language, fields["role"]],
            matter=words.matter(bundle, fields["matter"]),
            day=self._from(since if kind == "added" and since else self._day),
        )

    def _level(self, code: str, bundle: Bundle) -> str:
        """A kind of area in the reader's language; empty for every guarded one."""
        name = next((kind.name for kind in bundle.city.kinds if kind.code == code), code)
        return code if self._language == "en" else name

    def _plainly(self, change: Change, bundle: Bundle) -> list[str]:
        english = self._language == "en"
        what = f"{change.section} {self._named(change, bundle)}"
        if not english:
            what = f"{PURPOSES[change.section][0].partition('：')[0]} {self._named(change, bundle)}"
        day = self._from(self._day)
        if change.before is None:
            return [f"{what} is new{day}" if english else f"{day}新增{what}"]
        if change.after is None:
            return [f"{what} is gone{day}" if english else f"{day}删除{what}"]
        return [
            f"{what}: {name} becomes {_quoted(after)}, was {_quoted(before)}{day}"
            if english
            else f"{day}{what}：{name}由{_quoted(before, '空')}改为{_quoted(after, '空')}"
            for name, (before, after) in change.fields.items()
        ]

    def _named(self, change: Change, bundle: Bundle) -> str:
        key = change.key[0]
        named = {
            "units": words.unit, "areas": words.area, "matters": words.matter, "pairings": words.unit,
        }.get(change.section)  # fmt: skip
        rest = [part for part in change.key[1:] if part]
        of_matter = change.section in ("conditions", "keywords")
        first = words.matter(bundle, key) if of_matter else named(bundle, key) if named else key
        return " ".join([first, *rest])

    def _from(self, day: date | None) -> str:
        """From which day, where it is known."""
        if day is None:
            return ""
        if self._language == "en":
            return f" from {day.day} {_MONTHS[day.month - 1]} {day.year}"
        return f"自{day.year}年{day.month}月{day.day}日起，"


def _part(fields: Fields) -> str:
    """The part of a candidate: only the first leads, unless it may not."""
    return "later" if fields["role"] == "lead" and fields["order"] != "1" else fields["role"]


_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _quoted(text: str, nothing: str = "nothing") -> str:
    return f"“{text}”" if text else nothing
