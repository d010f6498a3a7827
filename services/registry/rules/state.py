from msgspec import Struct

from schemas.kernel import AreaMode


class InForce(Struct, frozen=True):
    """What the city decides by: the last number, its edition and the areas in a mode of their own."""

    number: int = 0
    edition: str = ""
    modes: tuple[AreaMode, ...] = ()
