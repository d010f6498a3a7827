"""What the fan keeps of a case: enough to say who hears of its next event."""

from msgspec import Struct

from schemas.notice import Hearer


class Known(Struct, frozen=True):
    """A case (案件) as notifier.fan knows it. `lead` is empty while nobody leads."""

    state: str = ""
    matter: str = ""
    area: str = ""
    place: str = ""
    text: str = ""
    lead: str = ""
    assistants: tuple[str, ...] = ()
    supervising: tuple[str, ...] = ()
    reporters: tuple[Hearer, ...] = ()
    historic: bool = False
