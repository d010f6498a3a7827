"""What a worker puts before its decider at once."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from kernel.journal import Held, StoredTimer
from kernel.log import Message


@dataclass(frozen=True, slots=True)
class Batch:
    """What one draft may take: held messages that were ordered, messages, timers and quiet partitions.

    `void` names the ordered timers, by partition and id, that do not fire any more. `until` gives for each
    quiet partition the city time up to which timers fire without a message; `horizon` is where knowledge of
    the stored timers ends; `performed` replaces messages that had to be performed first, by topic, partition
    and offset.
    """

    messages: Sequence[Message] = ()
    due: Sequence[StoredTimer] = ()
    ordered: Sequence[Held] = ()
    void: Collection[tuple[int, int]] = ()
    until: Mapping[int, datetime] = field(default_factory=dict[int, datetime])
    horizon: datetime | None = None
    performed: Mapping[tuple[str, int, int], Any] = field(default_factory=dict[tuple[str, int, int], Any])
