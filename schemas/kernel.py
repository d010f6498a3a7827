"""What the kernel itself says: rules on their way to every partition, and that a partition took them up."""

from dataclasses import dataclass
from typing import TypeAlias

from schemas.scalars import Code, Count, Hash, Instant, Name


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaMode:
    """The mode of one area: `normal` 平 or `emergency` 急."""

    area: Code
    mode: Name


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivateRules:
    """From now on decide by this edition and these modes (规则生效). Numbers rise by one, city-wide."""

    number: Count
    edition: Hash
    modes: tuple[AreaMode, ...] = ()
    effective: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class EditionAdopted:
    """This partition decides by rules `number` from here on; the order of rules and messages is on record."""

    number: Count
    edition: Hash
    modes: tuple[AreaMode, ...] = ()


KernelMessage: TypeAlias = ActivateRules | EditionAdopted
