"""The switch of an area between 平 and 急 (平急转换)."""

from dataclasses import dataclass
from typing import TypeAlias

from schemas.refusal import Refusal
from schemas.scalars import Code, Count, Instant, Line, Name


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchMode:
    """平急转换: by order, an area goes to `emergency` 急, or its own switch ends: `normal` 平."""

    mode: Name
    order_number: Name
    reason: Line


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeChanged:
    """The rules to registry.mode: the switch is in force with rules `rules`."""

    switch: Count
    rules: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeSwitched:
    """已转换: ordered; it is in force once every partition has taken up its rules number."""

    switch: Count
    mode: Name
    order_number: Name
    reason: Line
    city: Code
    by: Code
    at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeInForce:
    """已生效: the rules number with which the switch is in force."""

    switch: Count
    rules: Count
    at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchRefused:
    """不予转换: what was expected and found."""

    refusal: Refusal
    by: Name


SwitchMessage: TypeAlias = SwitchMode | ModeChanged
SwitchEvent: TypeAlias = ModeSwitched | ModeInForce | SwitchRefused
