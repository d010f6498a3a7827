"""An explanation in words, Chinese or English: what `gridcase explain deadline` prints, line by line."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final

from rules.clocks import LAWS
from services.sla.explain import Explanation, Step, Stretch

Local = Callable[[datetime], datetime]

ZH: Final = MappingProxyType({
    "head": "{title}时限：{limit}，自 {start} 起，到期 {due}{provisional}，{state}，{rest}",
    "basis": "依据：{basis}；日历 {calendar}；规则版本 {edition}；责任 {unit}",
    "stretch": "  {start} 至 {end} 计 {counted}（日历 {calendar}）",
    "interval": "    {start} – {end} {why}",
    "step": "  {at} {what}{event}{detail}",
    "provisional": "（暂定：该年度放假安排尚未公布）",
    "left": "剩余 {amount}", "late": "超时 {amount}", "no_rest": "不计时限",
    "hours": "{hours} 小时 {minutes} 分", "minutes": "{minutes} 分",
    "open": "计时", "closed": "非工作时间", "weekend": "周末", "off": "放假", "continuous": "连续计时",
    "calendar_unknown": "日历版本不在本规则版本中",
    "running": "计时中", "paused": "已暂停", "stopped": "已停止", "none": "无",
    "started": "开始", "resumed": "恢复", "warned": "预警", "asked": "到期报案件", "escalated": "升级",
    "breached": "案件确认超时", "not_breached": "案件未确认超时", "recomputed": "重算，原到期",
    "policy": "城市时限规定", "condition": "立案条件", "window": "短时限的签收期", "rework": "返工时限",
    "stage": "分阶段时限",
})  # fmt: skip
EN: Final = MappingProxyType({
    "head": "{clock}: limit {limit}, from {start}, due {due}{provisional}, {state}, {rest}",
    "basis": "basis: {basis}; calendar {calendar}; edition {edition}; owed by {unit}",
    "stretch": "  {start} to {end} counted {counted} (calendar {calendar})",
    "interval": "    {start} – {end} {why}",
    "step": "  {at} {what}{event}{detail}",
    "provisional": " (provisional: the days of that year are not published)",
    "left": "{amount} left", "late": "{amount} late", "no_rest": "no limit",
    "hours": "{hours} h {minutes} min", "minutes": "{minutes} min",
    "open": "counted", "closed": "outside office hours", "weekend": "weekend", "off": "day off",
    "continuous": "counted without a break", "calendar_unknown": "calendar version not in this edition",
    "running": "running", "paused": "paused", "stopped": "stopped", "none": "none",
    "started": "started", "resumed": "resumed", "warned": "warned", "asked": "due, the case was asked",
    "escalated": "escalated", "breached": "breach confirmed by the case",
    "not_breached": "breach refused by the case", "recomputed": "recomputed, due before",
    "policy": "the city's policy", "condition": "filing condition", "window": "sign window of a short limit",
    "rework": "rework", "stage": "limit of this stage",
})  # fmt: skip
LANGUAGES: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType({"zh": ZH, "en": EN})


def lines(explanation: Explanation, local: Local, language: str = "zh") -> Iterator[str]:
    """One run of a clock, times as the wall clock of the city shows them (`Calendar.local`)."""
    words = LANGUAGES[language]

    def wall(moment: datetime | None) -> str:
        return f"{local(moment):%Y-%m-%d %H:%M}" if moment else words["none"]

    term = explanation.term
    yield words["head"].format(
        title=LAWS[explanation.clock].title,
        clock=explanation.clock,
        limit=term.text if term else words["none"],
        start=wall(explanation.started),
        due=wall(explanation.due),
        provisional=words["provisional"] if explanation.provisional else "",
        state=words[explanation.state],
        rest=_rest(explanation.rest, words),
    )
    yield words["basis"].format(
        basis=words[explanation.basis],
        calendar=explanation.calendar or words["continuous"],
        edition=explanation.edition[:12],
        unit=explanation.unit or LAWS[explanation.clock].owes,
    )
    for stretch in explanation.stretches:
        yield from _stretch(stretch, wall, words)
    for step in explanation.steps:
        yield _step(step, wall, words)


def _stretch(stretch: Stretch, wall: Callable[[datetime], str], words: Mapping[str, str]) -> Iterator[str]:
    yield words["stretch"].format(
        start=wall(stretch.start),
        end=wall(stretch.end),
        counted=_amount(stretch.seconds, words),
        calendar=stretch.calendar or words["continuous"],
    )
    for part in stretch.intervals:
        why = f"{words[part.why]} {part.name}".strip()
        yield words["interval"].format(start=wall(part.start), end=wall(part.end), why=why)


def _step(step: Step, wall: Callable[[datetime], str], words: Mapping[str, str]) -> str:
    event = f" {step.event}" if step.event else ""
    version = f" #{step.case_version}" if step.case_version else ""
    detail = f" {step.detail}" if step.detail else ""
    return words["step"].format(at=wall(step.at), what=words[step.what], event=event + version, detail=detail)


def _rest(seconds: int | None, words: Mapping[str, str]) -> str:
    if seconds is None:
        return words["no_rest"]
    return words["left" if seconds >= 0 else "late"].format(amount=_amount(abs(seconds), words))


def _amount(seconds: int, words: Mapping[str, str]) -> str:
    hours, minutes = divmod(seconds // 60, 60)
    return words["hours" if hours else "minutes"].format(hours=hours, minutes=minutes)
