"""Changes of the register: one composition at a time, nothing lost, whoever publishes meanwhile."""

from dataclasses import replace
from datetime import timedelta

import pytest

from kernel.processor import Sender, SetTimer
from rules.inforce import Rules
from schemas.entry.commands import EntryChanged, EntryNotChanged, EntryReplaced
from schemas.kernel import ActivateRules, AreaMode
from schemas.refusal import Refusal
from schemas.register import Ended, NotTaken, RegisterRow, RowChange, Taken
from schemas.registry import (
    ChangeMode,
    ChangeQueued,
    ChangeRegister,
    ChangesSettled,
    ComposeAgain,
    ComposeEdition,
    Composition,
    CompositionAsked,
    CompositionFailed,
    CompositionIgnored,
    EditionPublished,
    ModeSettled,
    PublicationQueued,
    PublicationRefused,
    PublishEdition,
    RecordComposition,
)
from schemas.switching import ModeChanged
from schemas.topics import REGISTRY_COMPOSITIONS, REGISTRY_ENTRIES, REGISTRY_MODES, RULES_EDITIONS
from services.registry.composer.composing import NOT_TRIED
from services.registry.rules.processor import REGISTRY_RULES
from tests.builders_city import tiny_city
from tests.stories import START, Story
from tests.unit.registry.telling import FAULT, OWN

FOLDER, OTHER, ONE, TWO, THREE = ("0" * 64, "9" * 64, "1" * 64, "2" * 64, "3" * 64)
ADMIN = Sender("source", "admin")
STORM = AreaMode(area="S1", mode="emergency")


def change(entry: str, number: int = 1) -> RowChange:
    return RowChange(change=number, row=RegisterRow(entry=entry, version=1, state="active", text=OWN))


def taken(entry: str, number: int = 1, *ended: Ended) -> Taken:
    return Taken(entry=entry, change=number, version=1, ended=ended)


class Registry(Story):
    """The rules of the tiny city, with the folder's edition in force as number 1."""

    def asks(self, entry: str) -> "Registry":
        self.when(ChangeRegister(change=change(entry)), sender=Sender("processor", "registry.entry"))
        return self

    def composed(self, number: int, edition: str, *entries: str) -> "Registry":
        outcome = Composition(edition=edition, taken=tuple(taken(entry) for entry in entries))
        return self.answers(number, outcome)

    def answers(self, number: int, outcome: Composition) -> "Registry":
        composer = Sender("processor", "registry.composer")
        self.when(RecordComposition(number=number, outcome=outcome), sender=composer)
        return self

    def publishes(self, edition: str, *modes: AreaMode) -> "Registry":
        self.when(
            PublishEdition(edition=edition, modes=modes, partitions=2), sender=Sender("source", "admin")
        )
        return self


def published(number: int, edition: str, *modes: AreaMode) -> EditionPublished:
    return EditionPublished(number=number, edition=edition, modes=modes, effective=START, partitions=2)


def asked(
    number: int, base: str, *entries: str, under: str = "", kept: tuple[str, ...] = ()
) -> CompositionAsked:
    return CompositionAsked(
        number=number,
        base=base,
        under=under or base,
        kept=kept,
        changes=tuple(change(entry) for entry in entries),
        asked=bool(under),
        at=START,
    )


def settled(number: int, rules: int, edition: str, *entries: str, asked: str = FOLDER) -> ChangesSettled:
    return ChangesSettled(
        composition=number,
        rules=rules,
        edition=edition,
        asked=asked,
        taken=tuple(taken(entry) for entry in entries),
        refused=(),
    )


@pytest.fixture
def registry() -> Registry:
    story = Registry(REGISTRY_RULES, Rules(0, tiny_city()), "tiny", ADMIN)
    story.given(published(1, FOLDER))
    return story


def test_a_change_is_composed_published_and_told(registry: Registry) -> None:
    registry.asks("A").then(ChangeQueued(change=change("A")), asked(1, FOLDER, "A"))
    request = ComposeEdition(number=1, base=FOLDER, under=FOLDER, kept=(), changes=(change("A"),))
    registry.sends(REGISTRY_COMPOSITIONS.send("tiny", request))
    registry.composed(1, ONE, "A").then(published(2, ONE), settled(1, 2, ONE, "A"))
    told = ActivateRules(number=2, edition=ONE, effective=START)
    registry.sends(
        RULES_EDITIONS.to_partition(0, told),
        RULES_EDITIONS.to_partition(1, told),
        REGISTRY_ENTRIES.send("A", EntryChanged(change=1, edition=ONE, rules=2)),
    )


def test_what_comes_while_something_is_composed_waits_and_builds_on_it(registry: Registry) -> None:
    registry.asks("A").asks("B").then(ChangeQueued(change=change("B"))).sends()
    registry.asks("C")
    registry.composed(1, ONE, "A")
    registry.then(published(2, ONE), settled(1, 2, ONE, "A"), asked(2, ONE, "B", "C", kept=("A",)))
    registry.composed(2, TWO, "B", "C").then(published(3, TWO), settled(2, 3, TWO, "B", "C"))


def test_a_refused_change_goes_back_to_its_entry_alone(registry: Registry) -> None:
    registry.asks("A").asks("B").composed(1, ONE, "A")
    refused = NotTaken(entry="B", change=1, faults=(FAULT,))
    registry.answers(2, Composition(edition=ONE, refused=(refused,)))
    registry.then(
        ChangesSettled(composition=2, rules=2, edition=ONE, asked=FOLDER, taken=(), refused=(refused,))
    )
    registry.sends(REGISTRY_ENTRIES.send("B", EntryNotChanged(change=1, faults=(FAULT,))))


def test_who_was_superseded_hears_of_it(registry: Registry) -> None:
    both = (Ended(entry="B", version=3), Ended(entry="A", version=1))
    registry.asks("A").answers(1, Composition(edition=ONE, taken=(taken("A", 1, *both),)))
    told = EntryReplaced(version=3, by_entry="A", by_version=1)
    assert registry.effects[-1] == REGISTRY_ENTRIES.send("B", told)
    assert [effect.key for effect in registry.effects[2:]] == ["A", "B"]  # type: ignore[union-attr]


def test_a_folder_published_meanwhile_gets_the_entries_of_the_workflow(registry: Registry) -> None:
    registry.asks("A").publishes(OTHER)
    registry.then(PublicationQueued(edition=OTHER, modes=(), partitions=2)).sends()
    registry.composed(1, ONE, "A")
    registry.then(published(2, ONE), settled(1, 2, ONE, "A"), asked(2, OTHER, under=ONE, kept=("A",)))
    registry.composed(2, TWO).then(published(3, TWO), settled(2, 3, TWO, asked=OTHER))
    registry.asks("B").then(ChangeQueued(change=change("B")), asked(3, TWO, "B", kept=("A",)))


def test_a_folder_that_contradicts_the_entries_in_force_is_refused_and_nothing_waits_for_it(
    registry: Registry,
) -> None:
    registry.asks("A").composed(1, ONE, "A").publishes(OTHER).asks("B")
    fault = Refusal(code="tie", expected="no contradiction", found="A")
    registry.answers(2, Composition(fault=fault))
    registry.then(
        CompositionFailed(number=2, refusal=fault),
        PublicationRefused(refusal=fault),
        asked(3, ONE, "B", kept=("A",)),
    )


def test_of_two_folders_that_wait_the_newer_counts(registry: Registry) -> None:
    registry.asks("A").publishes(OTHER).publishes(THREE)
    overtaken = Refusal(code="overtaken", expected=f"the newer edition {THREE[:12]}", found=OTHER)
    registry.then(
        PublicationRefused(refusal=overtaken), PublicationQueued(edition=THREE, modes=(), partitions=2)
    )


def test_a_folder_that_is_in_force_already_is_refused(registry: Registry) -> None:
    """Also one that an edition in force was made of, or that says the same once it is composed."""
    same = Refusal(code="already_in_force", expected="another edition or other modes", found=FOLDER)
    registry.asks("A").composed(1, ONE, "A").publishes(FOLDER).then(PublicationRefused(refusal=same))
    registry.publishes(OTHER).composed(2, ONE)
    registry.then(PublicationRefused(refusal=replace(same, found=ONE)), settled(2, 2, ONE, asked=OTHER))
    registry.publishes(OTHER).then(PublicationRefused(refusal=replace(same, found=OTHER)))


def test_what_nobody_could_compose_is_asked_again_and_nothing_is_lost(registry: Registry) -> None:
    again = START + timedelta(minutes=1)
    registry.asks("A").publishes(OTHER).answers(1, Composition(fault=NOT_TRIED))
    registry.then(CompositionFailed(number=1, refusal=NOT_TRIED, again=again))
    registry.sends(SetTimer("compose", again, ComposeAgain(number=1)))
    registry.when(ComposeAgain(number=1), sender=Sender("timer", "registry.rules"))
    registry.then(asked(2, OTHER, "A", under=FOLDER))
    registry.answers(2, Composition(fault=NOT_TRIED)).when(ComposeAgain(number=2))
    registry.then(asked(3, OTHER, "A", under=FOLDER))
    registry.composed(3, TWO, "A").then(published(2, TWO), settled(3, 2, TWO, "A", asked=OTHER))


@pytest.mark.parametrize("late", [RecordComposition(number=1, outcome=Composition()), ComposeAgain(number=1)])
def test_an_answer_of_a_composition_that_is_over_changes_nothing(
    registry: Registry, late: RecordComposition | ComposeAgain
) -> None:
    registry.asks("A").composed(1, ONE, "A").when(late)
    registry.then(CompositionIgnored(number=1)).sends()


def test_many_changes_go_in_turns(registry: Registry) -> None:
    for number in range(53):
        registry.asks(f"E{number}")
    registry.composed(1, ONE, "E0")
    assert [len(event.changes) for event in registry.events if isinstance(event, CompositionAsked)] == [50]
    registry.composed(2, TWO, *(f"E{number}" for number in range(1, 51)))
    assert [len(event.changes) for event in registry.events if isinstance(event, CompositionAsked)] == [2]


def test_a_mode_changes_the_number_and_not_the_edition(registry: Registry) -> None:
    registry.when(ChangeMode(area="S1", mode="emergency", switch=1))
    registry.then(published(2, FOLDER, STORM), ModeSettled(area="S1", mode="emergency", switch=1, rules=2))
    assert registry.effects[-1] == REGISTRY_MODES.send("S1", ModeChanged(switch=1, rules=2))
    assert len(registry.effects) == 3
    registry.when(ChangeMode(area="S1", mode="normal", switch=2))
    registry.then(published(3, FOLDER), ModeSettled(area="S1", mode="normal", switch=2, rules=3))


def test_a_published_folder_does_not_end_an_emergency(registry: Registry) -> None:
    registry.when(ChangeMode(area="S1", mode="emergency", switch=1)).publishes(OTHER)  # type: ignore[attr-defined]
    registry.then(published(3, OTHER, STORM))
    registry.when(ChangeMode(area="S1", mode="normal", switch=2))
    assert registry.events[0] == published(4, OTHER)


def test_a_switch_while_something_is_composed_holds_afterwards(registry: Registry) -> None:
    registry.asks("A").when(ChangeMode(area="S1", mode="emergency", switch=1))
    registry.then(published(2, FOLDER, STORM), ModeSettled(area="S1", mode="emergency", switch=1, rules=2))
    registry.composed(1, ONE, "A").then(published(3, ONE, STORM), settled(1, 3, ONE, "A"))
    registry.publishes(OTHER)
    registry.when(ChangeMode(area="S1", mode="normal", switch=2))
    registry.composed(2, TWO).then(published(5, TWO), settled(2, 5, TWO, asked=OTHER))


def test_a_folder_published_with_the_modes_of_before_begins_no_emergency_anew(registry: Registry) -> None:
    """Who publishes repeats the modes that there were when the folder was read."""
    registry.when(ChangeMode(area="S1", mode="emergency", switch=1))
    registry.when(ChangeMode(area="S1", mode="normal", switch=2))
    other = AreaMode(area="C2", mode="emergency")
    registry.publishes(OTHER, STORM, other).then(published(4, OTHER, other))
