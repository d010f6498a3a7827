"""Lives of admission entries in the tiny city, told by commands: what happened the workflow decided."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import msgspec

from kernel.processor import Sender
from rules.bundle import Bundle
from rules.composing import compose
from rules.inforce import Rules
from schemas.entry.commands import (
    ApplyEntry,
    CloseNotice,
    DecideEntry,
    EntryChanged,
    EntryNotChanged,
    EntryRang,
    GiveOpinion,
    ObjectionAnswer,
    ObjectToEntry,
    RecordFunding,
)
from schemas.entry.events import EntryCommandRefused, EntryTimerIdle
from schemas.entry.states import EntryState
from schemas.refusal import Refusal
from schemas.register import EntryText, FaultTold, FundingText, RowChange
from schemas.registry import ChangeRegister
from schemas.topics import Send
from services.registry.entry.processor import REGISTRY_ENTRY
from services.registry.entry.state import Dossier
from tests.builders_city import CLUTTER, MANHOLE, tiny_city
from tests.stories import START, Story

ENTRY = "OWN-03"
RULES = Sender("processor", "registry.rules")
TIMER = Sender("timer", "registry.entry")
FIRST = date(2026, 4, 20)
OWN = EntryText(
    matter=CLUTTER,
    area="C2",
    role="own",
    unit_level="community",
    legal_basis=("虚构条例第六条",),
    guiding_dept="CG",
    applicant="CG",
    duties="清理楼道堆物，劝导住户",
    valid_from=FIRST,
)
MONEY = FundingText(source="区财政", standard="每件20元", per="件")
ASSIST = replace(OWN, role="assist", funding=MONEY)
URGENT = replace(
    ASSIST,
    matter=MANHOLE,
    area="C1",
    guiding_dept="SZ",
    applicant="SZ",
    valid_from=None,
    valid_to=date(2026, 3, 31),
)
"""A temporary admission: manholes are hazards."""
FAULT = FaultTold(code="tie", column="entry_id", expected="no contradiction with OWN-09", found="OWN-03")
OPINIONS = (
    ("OPS-legal", "legal"),
    ("OPS-finance", "finance"),
    ("JD-handler", "street"),
    ("JW2-handler", "communities"),
)
EDITION = "e" * 64


def post(code: str) -> Sender:
    return Sender("post", code)


def china(day: date, hour: int = 0) -> datetime:
    """An hour of a day in the tiny city, which is eight hours ahead."""
    return START.replace(year=day.year, month=day.month, day=day.day, hour=0) + timedelta(hours=hour - 8)


class Tale(Story):
    """A story of one entry; each step is the command that an honest person would send."""

    state: Dossier

    def when(self, message: Any, sender: Sender | None = None, **when: Any) -> "Tale":
        super().when(message, sender=sender, **when)
        return self

    @property
    def names(self) -> list[str]:
        return [type(event).__name__ for event in self.events]

    def wrote(self, *names: str) -> "Tale":
        """Exactly events of these classes were decided."""
        assert self.names == [*names]
        return self

    def last(self, kind: type) -> Any:
        """The latest event of a class in the whole history."""
        return next(event for event in reversed(self.history) if type(event) is kind)

    def by(self, code: str, message: Any, **when: Any) -> "Tale":
        """A post's command that must not be refused."""
        self.when(message, sender=post(code), **when)
        assert EntryCommandRefused not in map(type, self.events), self.events
        return self

    def refused(self, code: str) -> Refusal:
        """One refusal with this code, and nothing else."""
        [event] = self.events
        assert isinstance(event, EntryCommandRefused), event
        assert event.refusal.code == code, event.refusal
        assert event.refusal.expected
        assert event.refusal.found
        assert self.effects == []
        return event.refusal

    def idle(self) -> "Tale":
        [event] = self.events
        assert isinstance(event, EntryTimerIdle), event
        return self

    def rings(self, clock: str, at: datetime, version: int = 1) -> "Tale":
        return self.when(EntryRang(clock=clock, version=version), sender=TIMER, at=at)

    def asks(self) -> RowChange:
        """The one change that left for the register."""
        [change] = [
            effect.message.change
            for effect in self.effects
            if isinstance(effect, Send) and isinstance(effect.message, ChangeRegister)
        ]
        return change

    # The way of an honest entry.

    def applied(self, text: EntryText = OWN, **when: Any) -> "Tale":
        return self.by(f"{text.applicant}-handler", ApplyEntry(text=text), **when)

    def heard(self, text: EntryText = OWN) -> "Tale":
        self.applied(text)
        for code, party in OPINIONS:
            self.by(code, GiveOpinion(party=party, agrees=True))
        return self

    def noticed(self, text: EntryText = OWN) -> "Tale":
        return self.heard(text).by("JD-handler", DecideEntry(approve=True, approval_no="准〔2026〕9号"))

    def approved(self, text: EntryText = OWN) -> "Tale":
        return self.noticed(text).by("JD-handler", CloseNotice(), after=timedelta(days=8))

    def objected(self, text: str = "影响居民休息") -> "Tale":
        return self.when(ObjectToEntry(text=text), sender=Sender("reporter", "r-1"))

    def funded(self, until: date = date(2026, 12, 31), **when: Any) -> "Tale":
        proof = RecordFunding(proof_id="P-1", covers_from=date(2026, 1, 1), covers_to=until)
        return self.by("OPS-finance", proof, **when)

    def started(self, text: EntryText = OWN) -> "Tale":
        self.approved(text)
        if text.role == "assist":
            self.funded()
        return self.rings("start", china(FIRST)).answered()

    def answered(self, number: int = 8) -> "Tale":
        """The register takes what was asked last, and the rules in force know it."""
        change = self.asks()
        outcome = compose(self.rules.bundle, self.rules.bundle, (), [change])
        assert not isinstance(outcome, list)
        assert not outcome.refused, outcome.refused
        self.rules = Rules(number, self.rules.bundle.with_entries(outcome.entries, EDITION), self.rules.modes)
        changed = EntryChanged(change=change.change, edition=EDITION, rules=number)
        return self.when(changed, sender=RULES, after=timedelta(seconds=2))

    def not_answered(self) -> "Tale":
        """The register could not take it."""
        refused = EntryNotChanged(change=self.asks().change, faults=(FAULT,))
        return self.when(refused, sender=RULES, after=timedelta(seconds=2))

    def stands(self, current: EntryState | None, coming: EntryState | None = None) -> "Tale":
        found = (self.state.current, self.state.coming)
        assert tuple(one.state if one else None for one in found) == (current, coming)
        return self


def tale(entry: str = ENTRY, bundle: Bundle | None = None) -> Tale:
    return Tale(REGISTRY_ENTRY, Rules(7, bundle or tiny_city()), entry, post("CG-handler"))


def answers(*numbers: int) -> tuple[ObjectionAnswer, ...]:
    return tuple(ObjectionAnswer(objection=number, answer="已调整时段") for number in numbers)


def bounded(**bounds: int) -> Bundle:
    """The tiny city with other numbers of lifecycle.md in its bundle."""
    city = tiny_city()
    parts = msgspec.structs.replace(city.parts, bounds=msgspec.structs.replace(city.bounds, **bounds))
    return Bundle(parts, city.hash)
