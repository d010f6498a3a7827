"""A city's register in memory: entries, rules, composer, switches; messages wait as long as one likes."""

from collections import deque
from collections.abc import Iterator, Sequence
from copy import copy
from datetime import date, datetime, timedelta
from itertools import chain
from typing import Any

from kernel.processor import AnyProcessor, CancelTimer, Context, Sender, SetTimer, step
from rules.admission import Entry
from rules.bundle import Bundle
from rules.composing import Outcome, compose
from rules.edition import Edition
from rules.inforce import Mode, Rules
from schemas.entry.commands import CloseNotice, DecideEntry, GiveOpinion, RecordFunding
from schemas.entry.states import EntryState
from schemas.envelope import Envelope, event_id
from schemas.kernel import AreaMode
from schemas.refusal import Refusal
from schemas.register import EntryText
from schemas.registry import ComposeEdition, Composition, EditionPublished, PublishEdition, RecordComposition
from schemas.topics import (
    REGISTRY_COMMANDS,
    REGISTRY_COMPOSITIONS,
    REGISTRY_ENTRIES,
    REGISTRY_MODES,
    RULES_EDITIONS,
    Send,
)
from schemas.wire import TYPE_OF
from services.registry.entry.processor import REGISTRY_ENTRY
from services.registry.entry.state import Dossier
from services.registry.mode.processor import REGISTRY_MODE
from services.registry.rules.processor import REGISTRY_RULES
from services.registry.rules.state import InForce
from tests.stories import START
from tests.unit.registry.telling import OPINIONS

CITY = "tiny"
_BY_TOPIC: dict[str, AnyProcessor] = {
    REGISTRY_COMMANDS.name: REGISTRY_RULES,
    REGISTRY_ENTRIES.name: REGISTRY_ENTRY,
    REGISTRY_MODES.name: REGISTRY_MODE,
}


class Register:
    """All that decides about the register, with its inboxes. Nothing is delivered before somebody asks."""

    def __init__(self, bundle: Bundle) -> None:
        self.now = START
        self.bundles = {bundle.hash: bundle}
        self.editions = {bundle.hash: Edition.of(bundle.parts)}
        self.rules = Rules(0, bundle)
        self.inboxes: dict[str, deque[tuple[str, Any, Sender]]] = {
            topic: deque() for topic in (*_BY_TOPIC, REGISTRY_COMPOSITIONS.name)
        }
        self.states: dict[tuple[str, str], Any] = {}
        self.events: list[tuple[str, str, Any]] = []
        self.timers: dict[tuple[str, str, str], SetTimer] = {}
        self.send(
            REGISTRY_COMMANDS.name, CITY, PublishEdition(edition=bundle.hash, partitions=1), "source admin"
        )
        self.settle()

    def copy(self) -> "Register":
        """The same register, to go on differently."""
        other = copy(self)
        other.inboxes = {topic: deque(waiting) for topic, waiting in self.inboxes.items()}
        other.states, other.events, other.timers = dict(self.states), list(self.events), dict(self.timers)
        return other

    # What is done.

    def send(self, topic: str, key: str, message: Any, sender: str) -> None:
        kind, _, name = sender.partition(" ")
        self.inboxes[topic].append((key, message, Sender(kind, name)))

    def post(self, code: str, entry: str, command: Any) -> None:
        self.send(REGISTRY_ENTRIES.name, entry, command, f"post {code}")

    def publish(self, bundle: Bundle) -> None:
        """A folder, with the modes that there are now, as who publishes repeats them."""
        self.bundles[bundle.hash] = bundle
        self.editions[bundle.hash] = Edition.of(bundle.parts)
        modes = tuple(AreaMode(area=area, mode=mode) for area, mode in sorted(self.rules.modes.items()))
        asked = PublishEdition(edition=bundle.hash, modes=modes, partitions=1)
        self.send(REGISTRY_COMMANDS.name, CITY, asked, "source admin")

    def deliver(self, topic: str) -> bool:
        """One message of one inbox, if any waits there."""
        if not self.inboxes[topic]:
            return False
        key, message, sender = self.inboxes[topic].popleft()
        if topic == REGISTRY_COMPOSITIONS.name:
            outcome = self._compose(message)
            recorded = RecordComposition(number=message.number, outcome=outcome)
            self.send(REGISTRY_COMMANDS.name, key, recorded, "processor registry.composer")
        else:
            self._decide(_BY_TOPIC[topic], key, message, sender, self.now)
        return True

    def settle(self) -> None:
        """Deliver until nothing waits anywhere."""
        while sum(self.deliver(topic) for topic in self.inboxes):
            pass

    def go_on(self, days: int) -> None:
        """Time passes; timers fire in order of their due, what they send waits."""
        self.until(self.now + timedelta(days=days))

    def until(self, moment: datetime) -> None:
        while due := sorted(
            (timer.due, place) for place, timer in self.timers.items() if timer.due <= moment
        ):
            when, place = due[0]
            timer = self.timers.pop(place)
            self.now = max(self.now, when)
            processor = next(one for one in _BY_TOPIC.values() if one.name == place[0])
            self._decide(processor, place[1], timer.message, Sender("timer", place[0]), self.now)
        self.now = max(self.now, moment)

    def _decide(self, processor: AnyProcessor, key: str, message: Any, sender: Sender, now: datetime) -> None:
        place = (processor.name, key)
        context = Context(now, now, self.rules, sender, key, f"m{len(self.events)}")
        before = self.states.get(place, processor.initial)
        self.states[place], events = step(processor, before, message, context)
        assert events, f"{type(message).__name__} was answered by no event"
        for event in events:
            self.events.append((processor.name, key, event))
            self._leave(processor, key, event, now)

    def _leave(self, processor: AnyProcessor, key: str, event: Any, now: datetime) -> None:
        envelope = Envelope(
            id=event_id(key, len(self.events)), source="/test", type=TYPE_OF[type(event)], subject=key,
            time=now, data=event,
        )  # fmt: skip
        for effect in processor.react(event, envelope):
            if isinstance(effect, SetTimer):
                self.timers[processor.name, key, effect.name] = effect
            elif isinstance(effect, CancelTimer):
                self.timers.pop((processor.name, key, effect.name), None)
            elif isinstance(effect, Send) and effect.topic == RULES_EDITIONS.name:
                assert isinstance(event, EditionPublished)
                modes = {one.area: Mode(one.mode) for one in event.modes}
                self.rules = Rules(event.number, self.bundles[event.edition], modes)
            else:
                assert isinstance(effect, Send)
                self.send(effect.topic, effect.key, effect.message, f"processor {processor.name}")

    def _compose(self, request: ComposeEdition) -> Composition:
        base, under = self.bundles[request.base], self.bundles[request.under]
        found = compose(base, under, request.kept, request.changes)
        if not isinstance(found, Outcome):
            return Composition(fault=Refusal(code=found[0].code, expected=found[0].expected, found="x"))
        edition = self.editions[request.base].with_entries(found.entries)
        self.editions.setdefault(edition.hash, edition)
        self.bundles.setdefault(edition.hash, base.with_entries(found.entries, edition.hash))
        return Composition(edition=edition.hash, taken=found.taken, refused=found.refused)

    # What is seen.

    @property
    def in_force(self) -> InForce:
        return self.states[REGISTRY_RULES.name, CITY]

    @property
    def register(self) -> Sequence[Entry]:
        return self.rules.bundle.parts.entries

    @property
    def today(self) -> date:
        return self.rules.bundle.day(self.now)

    def dossier(self, entry: str) -> Dossier:
        return self.states.get((REGISTRY_ENTRY.name, entry), REGISTRY_ENTRY.initial)

    def dossiers(self) -> Iterator[tuple[str, Dossier]]:
        return ((key, state) for (name, key), state in self.states.items() if name == REGISTRY_ENTRY.name)

    def happened(self, *kinds: type) -> Iterator[tuple[str, Any]]:
        return ((key, event) for _, key, event in self.events if isinstance(event, kinds))

    def honest(self, entry: str) -> None:
        """What honest people would do next for an entry that is under way."""
        coming = self.dossier(entry).coming
        if coming is None:
            return
        if coming.state is EntryState.REVIEWING:
            for code, party in chain(OPINIONS[:3], (("OPS-meeting1", "communities"),)):
                self.post(code, entry, GiveOpinion(party=party, agrees=True))
            self.post(_decider(coming.row.text), entry, DecideEntry(approve=True, approval_no="1"))
        elif coming.state is EntryState.NOTICED:
            self.post(_decider(coming.row.text), entry, CloseNotice())
        elif coming.state is EntryState.APPROVED and coming.row.text.role == "assist":
            self.post("OPS-finance", entry, funding(self.today))


def _decider(text: EntryText) -> str:
    return "GOV-handler" if text.area == "D" or text.applicant == "JD" else "JD-handler"


def funding(day: date, days: int = 200) -> RecordFunding:
    return RecordFunding(proof_id="P", covers_from=day, covers_to=day + timedelta(days=days))


def without(bundle: Bundle, entry: str) -> Bundle:
    """A folder that lacks one of the city's own entries."""
    entries = tuple(one for one in bundle.parts.entries if one.entry_id != entry)
    edition = Edition.of(bundle.parts).with_entries(entries)
    return bundle.with_entries(entries, edition.hash)
