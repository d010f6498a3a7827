"""Rules commands and events (规则登记): which edition is in force in the city."""

from dataclasses import dataclass
from typing import TypeAlias

from schemas.kernel import AreaMode
from schemas.refusal import Refusal
from schemas.scalars import Hash, Instant, Name


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishEdition:
    """Put a checked and stored edition in force for the whole city (发布规则)."""

    edition: Hash
    modes: tuple[AreaMode, ...] = ()
    partitions: int
    reason: Name = ""


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


RegistryCommand: TypeAlias = PublishEdition
RegistryEvent: TypeAlias = EditionPublished | PublicationRefused
