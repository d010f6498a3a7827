"""The port to rules editions (规则版本): which edition a number stands for, and the compiled bundle."""

from typing import Protocol, cast

from rules.bundle import Bundle
from rules.inforce import Mode, Rules
from schemas.kernel import ActivateRules


class Editions(Protocol):
    """Editions are content-addressed and never change; numbers rise city-wide."""

    async def latest(self) -> int:
        """The highest rules number that was published; 0 before the first."""
        ...

    async def activation(self, number: int) -> ActivateRules:
        """What rules `number` are; it was published before anybody could decide by it."""
        ...

    async def bundle(self, edition: str) -> Bundle:
        """The compiled bundle with this hash."""
        ...


async def rules_of(editions: Editions, number: int) -> Rules:
    """The rules in force under `number`, loaded whole."""
    activation = await editions.activation(number)
    bundle = await editions.bundle(activation.edition)
    return Rules(
        number=number, bundle=bundle, modes={switch.area: Mode(switch.mode) for switch in activation.modes}
    )


NO_RULES = Rules(number=0, bundle=cast("Bundle", None))
"""Before the first edition: only registry.rules decides then, and it reads no rules."""
