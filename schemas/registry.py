"""Rules commands and events (规则登记): which edition and which modes are in force in the city."""

from dataclasses import dataclass
from typing import TypeAlias

from schemas.kernel import AreaMode
from schemas.refusal import Refusal
from schemas.register import NotTaken, RowChange, Taken
from schemas.scalars import Code, Count, Hash, Instant, Name


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishEdition:
    """Put a checked and stored edition in force for the whole city (发布规则)."""

    edition: Hash
    modes: tuple[AreaMode, ...] = ()
    partitions: int
    reason: Name = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRegister:
    """An entry's workflow to the rules: put this row into the register (变更登记)."""

    change: RowChange


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeMode:
    """registry.mode to the rules: this area lives in `mode` from now on (平急转换)."""

    area: Code
    mode: Name
    switch: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class Composition:
    """What came of composing an edition (合成结果); `fault` if there was nothing to compose on."""

    edition: Name = ""
    taken: tuple[Taken, ...] = ()
    refused: tuple[NotTaken, ...] = ()
    fault: Refusal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordComposition:
    """The composer to the rules: the composition `number` came to this."""

    number: Count
    outcome: Composition


@dataclass(frozen=True, slots=True, kw_only=True)
class ComposeAgain:
    """Timer: nobody could compose; ask once more."""

    number: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class ComposeEdition:
    """The rules to the composer: `base` with the rows of `kept` entries as in `under`, and these changes."""

    number: Count
    base: Hash
    under: Hash
    kept: tuple[Code, ...]
    changes: tuple[RowChange, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    """A `ComposeEdition` that was carried out by the worker, with what came of it."""

    request: ComposeEdition
    outcome: Composition


@dataclass(frozen=True, slots=True, kw_only=True)
class CompositionPerformed:
    """The edition is composed and stored, or it could not be (规则合成)."""

    number: Count
    outcome: Composition


# ── registry.rules ───────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True, slots=True, kw_only=True)
class EditionPublished:
    """The city has a new rules number; every partition of every processor is told."""

    number: int
    edition: Hash
    modes: tuple[AreaMode, ...] = ()
    effective: Instant
    partitions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicationRefused:
    """The edition was not put in force."""

    refusal: Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicationQueued:
    """The edition waits until the entries of the workflow are put into it (待合成)."""

    edition: Hash
    modes: tuple[AreaMode, ...]
    partitions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeQueued:
    """A change of the register waits for the next composition (待登记)."""

    change: RowChange


@dataclass(frozen=True, slots=True, kw_only=True)
class CompositionAsked:
    """One composition at a time is asked for (申请合成); `asked` if the base is a published folder."""

    number: Count
    base: Hash
    under: Hash
    kept: tuple[Code, ...]
    changes: tuple[RowChange, ...]
    asked: bool
    at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangesSettled:
    """These changes are in force with rules `rules`, those are not (登记结果): each entry is told.

    `asked` is the folder's edition that somebody published, if `edition` was made of it.
    """

    composition: Count
    rules: Count
    edition: Hash
    asked: Name
    taken: tuple[Taken, ...]
    refused: tuple[NotTaken, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CompositionFailed:
    """Nothing could be composed (合成未成); what waits goes on waiting."""

    number: Count
    refusal: Refusal
    again: Instant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CompositionIgnored:
    """An answer, or a timer, for a composition that is over (已过时)."""

    number: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeSettled:
    """The mode of an area is in force with rules `rules` (平急已转换)."""

    area: Code
    mode: Name
    switch: Count
    rules: Count


RegistryCommand: TypeAlias = PublishEdition | ChangeRegister | ChangeMode | RecordComposition
RegistryTimer: TypeAlias = ComposeAgain
RegistryEvent: TypeAlias = (
    EditionPublished
    | PublicationRefused
    | PublicationQueued
    | ChangeQueued
    | CompositionAsked
    | ChangesSettled
    | CompositionFailed
    | CompositionIgnored
    | ModeSettled
)
ComposerMessage: TypeAlias = ComposeEdition | Composed
ComposerEvent: TypeAlias = CompositionPerformed
