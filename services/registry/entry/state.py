from datetime import datetime

from msgspec import Struct

from schemas.entry.states import EntryState
from schemas.register import RegisterRow


class Opinion(Struct, frozen=True):
    """What one party has said; the unit is empty where it spoke as a whole."""

    party: str
    unit: str
    agrees: bool


class Version(Struct, frozen=True):
    """One version of the entry that is under way or in force.

    `open` are the numbers of objections without an answer, `starting` the change by which it is to start.
    """

    row: RegisterRow
    state: EntryState
    decide: datetime | None = None
    ends: datetime | None = None
    close: datetime | None = None
    opinions: tuple[Opinion, ...] = ()
    open: tuple[int, ...] = ()
    objections: int = 0
    returns: int = 0
    starting: int = 0
    waits: bool = False

    @property
    def number(self) -> int:
        return self.row.version


class Asked(Struct, frozen=True):
    """A change that the register was asked for and has not answered; `before` is what a refusal restores."""

    change: int
    what: str
    version: int
    before: Version | None = None
    reason: str = ""
    by: str = ""


class Dossier(Struct, frozen=True):
    """One entry (准入条目): the version in force, the one under way, and how the last one ended."""

    last: int = 0
    current: Version | None = None
    coming: Version | None = None
    ended: EntryState = EntryState.NONE
    changes: int = 0
    asked: tuple[Asked, ...] = ()
    evaluations: int = 0

    @property
    def state(self) -> EntryState:
        """Where the entry stands: its version in force, else the one under way, else how the last ended."""
        version = self.current or self.coming
        return version.state if version else self.ended


NO_ENTRY = Dossier()
