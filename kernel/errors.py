"""What can go wrong around the pure code. A fault's docstring is its message; refusals to start carry all three:
expected, found, and what to do.
"""

from typing import ClassVar

from schemas.refusal import Refusal


class Fault(Exception):  # noqa: N818 - faults are named by what happened
    """Something outside the pure code went wrong."""

    exit_code: ClassVar[int] = 1

    def __init__(self, **facts: object) -> None:
        self.facts = facts
        super().__init__((self.__doc__ or "").format(**facts))


class InnerUnreadable(Fault):
    """{topic}/{partition} at offset {offset} holds a message that no release of ours wrote: expected {expected}, found {found}. Find out who wrote it; the worker stops so that nothing is decided around it."""

    def __init__(self, topic: str, partition: int, offset: int, refusal: Refusal) -> None:
        super().__init__(
            topic=topic, partition=partition, offset=offset, expected=refusal.expected, found=refusal.found
        )


class TooManyParked(Fault):
    """{processor} has {parked} parked streams, the last by: {reason}. That is a bug in the rules or the release: mend it, start again, then `gridcase held unpark`."""

    def __init__(self, processor: str, parked: int, reason: str) -> None:
        super().__init__(processor=processor, parked=parked, reason=reason)


class WildStamp(Fault):
    """{topic}/{partition} at offset {offset} is stamped {stamp}, more than five minutes ahead of this clock ({clock}). Set the clocks right, then start again."""

    def __init__(self, topic: str, partition: int, offset: int, stamp: object, clock: object) -> None:
        super().__init__(topic=topic, partition=partition, offset=offset, stamp=stamp, clock=clock)


class UnsoundInbox(Fault):
    """{processor}/{partition} does not fit its topics ({code}): expected {expected}, found {found}. Do not go on by hand; restore what is missing, or use `gridcase republish` or `gridcase recover`."""

    def __init__(self, processor: str, partition: int, refusal: Refusal) -> None:
        self.refusal = refusal
        super().__init__(
            processor=processor,
            partition=partition,
            code=refusal.code,
            expected=refusal.expected,
            found=refusal.found,
        )


class PortsFailed(Fault):
    """{processor} failed {times} times in a row, the last by: {reason}. The worker ends; nothing is lost, start it again when the cause is gone."""

    def __init__(self, processor: str, times: int, reason: str) -> None:
        super().__init__(processor=processor, times=times, reason=reason)
