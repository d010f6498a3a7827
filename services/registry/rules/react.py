"""What leaves the rules: a new number for every partition, work for the composer, answers to who asked."""

from collections.abc import Sequence

from kernel.processor import Effect, SetTimer
from kernel.table import nothing, reacting, sends
from schemas.entry.commands import EntryChanged, EntryNotChanged, EntryReplaced
from schemas.envelope import Envelope
from schemas.kernel import ActivateRules
from schemas.registry import (
    ChangeQueued,
    ChangesSettled,
    ComposeAgain,
    ComposeEdition,
    CompositionAsked,
    CompositionFailed,
    CompositionIgnored,
    EditionPublished,
    ModeSettled,
    PublicationQueued,
    PublicationRefused,
    RegistryEvent,
)
from schemas.switching import ModeChanged
from schemas.topics import REGISTRY_COMPOSITIONS, REGISTRY_ENTRIES, REGISTRY_MODES, RULES_EDITIONS


def _tell_every_partition(event: EditionPublished, envelope: Envelope) -> Sequence[Effect]:  # noqa: ARG001
    told = ActivateRules(
        number=event.number, edition=event.edition, modes=event.modes, effective=event.effective
    )
    return tuple([RULES_EDITIONS.to_partition(number, told) for number in range(event.partitions)])


def _compose(event: CompositionAsked, envelope: Envelope) -> Sequence[Effect]:
    asked = ComposeEdition(
        number=event.number, base=event.base, under=event.under, kept=event.kept, changes=event.changes
    )
    return (REGISTRY_COMPOSITIONS.send(envelope.subject, asked),)


def _tell_entries(event: ChangesSettled, envelope: Envelope) -> Sequence[Effect]:  # noqa: ARG001
    told: list[Effect] = []
    for one in event.taken:
        changed = EntryChanged(change=one.change, edition=event.edition, rules=event.rules)
        told.append(REGISTRY_ENTRIES.send(one.entry, changed))
        for ended in one.ended:
            if ended.entry != one.entry:
                by = EntryReplaced(version=ended.version, by_entry=one.entry, by_version=one.version)
                told.append(REGISTRY_ENTRIES.send(ended.entry, by))
    told += [
        REGISTRY_ENTRIES.send(one.entry, EntryNotChanged(change=one.change, faults=one.faults))
        for one in event.refused
    ]
    return told


def _try_again(event: CompositionFailed, envelope: Envelope) -> Sequence[Effect]:  # noqa: ARG001
    return (
        () if event.again is None else (SetTimer("compose", event.again, ComposeAgain(number=event.number)),)
    )


def _tell_mode(event: ModeSettled, envelope: Envelope) -> Sequence[Effect]:  # noqa: ARG001
    return (REGISTRY_MODES.send(event.area, ModeChanged(switch=event.switch, rules=event.rules)),)


react = reacting(
    RegistryEvent,
    sends(EditionPublished, _tell_every_partition),
    sends(PublicationRefused, nothing),
    sends(PublicationQueued, nothing),
    sends(ChangeQueued, nothing),
    sends(CompositionAsked, _compose),
    sends(ChangesSettled, _tell_entries),
    sends(CompositionFailed, _try_again),
    sends(CompositionIgnored, nothing),
    sends(ModeSettled, _tell_mode),
)
