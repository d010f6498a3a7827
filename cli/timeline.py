"""One case event after the other, each in a line: what it says that the one before did not."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from rich.table import Table
from rich.text import Text

from cli import words
from cli.output import table
from kernel.journal import Record, Via
from rules.bundle import Bundle
from schemas.refusal import Refusal
from schemas.wire import trusted
from services.router.admission import ADMITTED


class Entry(NamedTuple):
    """One event as it is told."""

    version: int
    at: datetime
    event: str
    by: str
    said: str
    state: str = ""


def timeline(
    title: str, entries: Iterable[Entry], at: Callable[[datetime], str], state: Callable[[str], str]
) -> Table:
    """Event after event with what it says below; a state is told where it changed."""
    rows: list[Sequence[Any]] = []
    before = ""
    for entry in entries:
        head = Text(entry.event, style="bold").append(f"  by {entry.by}", style="dim not bold")
        if entry.state and entry.state != before:
            head.append(f"  → {state(entry.state)}", style="green not bold")
        before = entry.state or before
        if entry.said:
            head.append(f"\n{entry.said}", style="not bold")
        rows.append((entry.version, at(entry.at), head))
    return table(title, ("#", "time", "event"), rows, right=(0,), whole=(0, 1))


class Teller:
    """Tells events in the words of one city."""

    def __init__(self, bundle: Bundle | None, local: Callable[[datetime], str]) -> None:
        self._bundle = bundle
        self._local = local

    def entry(self, record: Record) -> Entry:
        """One journal row."""
        event = trusted(record.body).message
        name, state = words.message(type(event).__name__), getattr(event, "state", "")
        return Entry(record.version, record.now, name, self.by(record), self.said(event), state)

    def by(self, record: Record) -> str:
        """Who caused it: a post, a source, a processor, or the processor's own timer."""
        if record.cause.via is Via.TIMER:
            return f"timer {record.cause.id}"
        sender = record.cause.sender
        return sender.id if sender.kind in {"processor", "source"} else f"{sender.kind} {sender.id}"

    def said(self, event: Any) -> str:
        """What the event says, in one line."""
        tell = _TELLING.get(type(event).__name__)
        parts = tell(self, event) if tell else self._fields(event)
        return " · ".join(part for part in parts if part)

    def unit(self, code: str) -> str:
        return words.unit(self._bundle, code)

    def when(self, moment: datetime | None) -> str:
        return self._local(moment) if moment else ""

    def why(self, refusal: Refusal) -> str:
        return words.refusal(refusal, self._bundle)

    def _fields(self, event: Any) -> list[str]:
        """Every short field that a newcomer can use: units by name, words in quotes, the rest by label."""
        return [
            shown
            for field in fields(event)
            if field.name not in _BESIDE and (shown := self._labelled(field.name, getattr(event, field.name)))
        ]

    def _labelled(self, name: str, value: Any) -> str:
        shown = self._shown(value)
        if not shown:
            return ""
        if name in _SAID:
            return f"“{shown}”"
        if name in _UNITS:
            return self.unit(shown) if name == "unit" else f"{name} {self.unit(shown)}"
        if name == "clock":
            return words.clock(shown)
        return f"{name.replace('_', ' ')} {shown.replace('_', ' ')}"

    def _shown(self, value: Any) -> str:
        if isinstance(value, datetime):
            return self._local(value)
        if isinstance(value, Refusal):
            return self.why(value)
        if isinstance(value, bool):
            return "yes" if value else ""
        if isinstance(value, str | int):
            return str(value) if value else ""
        text = getattr(value, "text", "")
        return text if isinstance(text, str) else ""

    def tell_opened(self, event: Any) -> list[str]:
        report = event.report
        return [
            f"“{report.text[:60]}”",
            event.matter_name or event.matter,
            report.place,
            f"report {report.report}",
        ]

    def tell_attached(self, event: Any) -> list[str]:
        count = getattr(event, "count", 0)
        return [
            f"“{event.report.text[:60]}”",
            f"report {event.report.report}",
            f"{count} reports now" if count else "",
        ]

    def tell_accepted(self, event: Any) -> list[str]:
        how = "by itself" if event.automatic else ""
        return [event.matter_name, f"condition {event.condition}", f"limit {event.limit.text}", how]

    def tell_finding(self, event: Any) -> list[str]:
        refused = [verdict for verdict in event.verdicts if verdict.verdict not in ADMITTED]
        passed = f"{self.unit(event.lead)} may lead" if event.lead else "nobody may lead"
        return [passed, f"{len(refused)} refused: gridcase explain route" if refused else ""]

    def tell_assigned(self, event: Any) -> list[str]:
        others = "、".join(self.unit(code) for code in event.assistants)
        return [
            f"lead 主办 {event.lead_name} ({event.lead})",
            f"assist 协办 {others}" if others else "",
            f"limit {event.limit.text}",
            event.reason,
        ]

    def tell_refused(self, event: Any) -> list[str]:
        return [words.message(event.command), self.why(event.refusal)]

    def tell_entry(self, event: Any) -> list[str]:
        text = event.row.text
        money = text.funding
        return [
            f"version {event.row.version}",
            words.matter(self._bundle, text.matter),
            words.area(self._bundle, text.area).partition(" · ")[0],
            text.role,
            f"“{text.duties}”" if text.duties else "",
            f"{money.source} {money.standard}/{money.per}" if money.source else "",
            f"from {text.valid_from}" if text.valid_from else "",
            f"until {text.valid_to}" if text.valid_to else "",
            f"order {event.row.order_number}" if event.row.order_number else "",
        ]

    def tell_opinion(self, event: Any) -> list[str]:
        said = "agrees" if event.agrees else "disagrees"
        unit = self.unit(event.unit) if event.unit else ""
        return [event.party, unit, said, f"“{event.text}”" if event.text else ""]

    def tell_faults(self, event: Any) -> list[str]:
        found = [f"{one.column}: expected {one.expected}, found {one.found}" for one in event.faults]
        return [f"version {event.version}", getattr(event, "reason", ""), *found]

    def tell_breached(self, event: Any) -> list[str]:
        owed = f"owed by {self.unit(event.unit)}" if event.unit else "owed by the centre"
        return [words.clock(event.clock), f"due {self.when(event.due)}", owed]

    def tell_supervised(self, event: Any) -> list[str]:
        kind = f"{event.kind} {words.KINDS.get(event.kind, '')}".strip()
        clock = words.clock(event.clock) if event.clock else ""
        return [
            f"{kind} of {self.unit(event.unit) or event.to}",
            clock,
            event.reason if event.reason != event.clock else "",
        ]

    def tell_lifted(self, event: Any) -> list[str]:
        return [f"{event.kind} {words.KINDS.get(event.kind, '')}".strip(), event.reason]

    def tell_deemed(self, event: Any) -> list[str]:
        return [f"{self.unit(event.unit)} stayed silent"]

    def tell_closed(self, event: Any) -> list[str]:
        return [
            event.how.replace("_", " "),
            "satisfied" if event.satisfied else "not satisfied",
            f"round {event.round}",
        ]


_BESIDE: Final = frozenset({
    "at", "by", "state", "case", "desk", "since", "reporter", "reachable", "calendar", "edition", "replaces",
    "settled_level", "origin", "unreasonable", "city", "change",
})  # fmt: skip
"""What stands beside it in the table, or helps nobody who reads a case for the first time."""

_SAID: Final = frozenset({"text", "answer", "note", "basis", "reason", "remedy"})
_UNITS: Final = frozenset({"unit", "lead", "successor", "applicant", "guiding", "proposed"})
_TELLING: Final[Mapping[str, Callable[[Teller, Any], list[str]]]] = MappingProxyType(
    {
        "CaseOpened": Teller.tell_opened,
        "ReportAttached": Teller.tell_attached,
        "RepeatNoted": Teller.tell_attached,
        "CaseAccepted": Teller.tell_accepted,
        "AdmissionDecided": Teller.tell_finding,
        "CaseAssigned": Teller.tell_assigned,
        "CommandRefused": Teller.tell_refused,
        "ClockBreached": Teller.tell_breached,
        "CaseClosed": Teller.tell_closed,
        "SignatureDeemed": Teller.tell_deemed,
        "SupervisionOpened": Teller.tell_supervised,
        "SupervisionLifted": Teller.tell_lifted,
        "EntryApplied": Teller.tell_entry,
        "EntryTakenUp": Teller.tell_entry,
        "TemporaryGranted": Teller.tell_entry,
        "EntryCommandRefused": Teller.tell_refused,
        "EntryChangeRefused": Teller.tell_faults,
        "EntryReturned": Teller.tell_faults,
        "OpinionGiven": Teller.tell_opinion,
    }
)
"""Events that deserve more than their fields by name."""
