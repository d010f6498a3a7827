"""What a recipient's desk keeps: only what is not settled, so that a long life stays a small state."""

from msgspec import Struct


class Pending(Struct, frozen=True, gc=False):
    """A notice on its way (待送达). `attempt` counts over all channels, `tries` by the present one.

    `asked` is the channel that was asked for, `passed` the channels with their addresses that have had their
    chance. `running` says that the attempt `attempt` has no outcome yet.
    """

    asked: str
    text: str
    attempt: int = 0
    tries: int = 0
    channel: str = ""
    address: str = ""
    passed: tuple[tuple[str, str], ...] = ()
    running: bool = False


class Waiting(Struct, frozen=True, gc=False):
    """A notice that waits for the digest or for the end of quiet hours."""

    number: int
    channel: str
    text: str


class Desk(Struct, frozen=True, gc=False):
    """One recipient (收件人). `version` is that of the stream, so that the next event's id is known."""

    version: int = 0
    pending: dict[int, Pending] = {}
    waiting: tuple[Waiting, ...] = ()
    disabled: tuple[tuple[str, str], ...] = ()
