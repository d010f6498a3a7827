from enum import StrEnum

from msgspec import Struct


class Fate(StrEnum):
    """What became of the report."""

    NEW = "new"
    ACCEPTED = "accepted"
    DEAD = "dead"


class ReportState(Struct, frozen=True, gc=False):
    """One report, known by source and id: its fate and the digest of the content that decided it."""

    fate: Fate = Fate.NEW
    digest: str = ""
