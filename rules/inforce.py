from collections.abc import Mapping
from dataclasses import dataclass, field

from rules.bundle import Bundle
from rules.modes import Mode

__all__ = ["Mode", "Rules"]


@dataclass(frozen=True, slots=True)
class Rules:
    """What is in force: the bundle, the mode switches (平急转换) by area, and the number of both."""

    number: int
    bundle: Bundle
    modes: Mapping[str, Mode] = field(default_factory=dict[str, Mode])

    def mode(self, area: str) -> Mode:
        """The mode of the nearest area on the way up that has a switch; normal if none has."""
        if not self.modes:
            return Mode.NORMAL
        chain = self.bundle.areas.chain(area)
        return next((self.modes[place.code] for place in chain if place.code in self.modes), Mode.NORMAL)
