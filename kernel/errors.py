"""What can go wrong around the pure code. A fault's docstring is its message, whatever its line breaks.

Refusals to start carry all three: expected, found, and what to do.
"""

from typing import ClassVar, Final

from schemas.refusal import Refusal


class Fault(Exception):  # noqa: N818 - faults are named by what happened
    """Something outside the pure code went wrong."""

    exit_code: ClassVar[int] = 1

    def __init__(self, **facts: object) -> None:
        self.facts = facts
        super().__init__(" ".join((self.__doc__ or "").split()).format(**facts))


class InnerUnreadable(Fault):
    """{topic}/{partition} at offset {offset} holds a message that no release of ours wrote: expected
    {expected}, found {found}. Find out who wrote it; the worker stops so that nothing is decided around it.
    """

    def __init__(self, topic: str, partition: int, offset: int, refusal: Refusal) -> None:
        super().__init__(
            topic=topic, partition=partition, offset=offset, expected=refusal.expected, found=refusal.found
        )


class TooManyParked(Fault):
    """{processor} has {parked} parked streams, the last by: {reason}. That is a bug in the rules or the
    release: mend it, start again, then `gridcase held unpark`.
    """

    def __init__(self, processor: str, parked: int, reason: str) -> None:
        super().__init__(processor=processor, parked=parked, reason=reason)


class WildStamp(Fault):
    """{topic}/{partition} at offset {offset} is stamped {stamp}, more than five minutes ahead of this clock
    ({clock}). Set the clocks right, then start again.
    """

    def __init__(self, topic: str, partition: int, offset: int, stamp: object, clock: object) -> None:
        super().__init__(topic=topic, partition=partition, offset=offset, stamp=stamp, clock=clock)


class UnsoundInbox(Fault):
    """{processor}/{partition} does not fit its topics ({code}): expected {expected}, found {found}. Nothing
    is decided past it. Do: {do}.
    """

    exit_code: ClassVar[int] = 10

    def __init__(self, processor: str, partition: int, refusal: Refusal) -> None:
        self.refusal = refusal
        super().__init__(
            processor=processor,
            partition=partition,
            code=refusal.code,
            expected=refusal.expected,
            found=refusal.found,
            do=_MENDS.get(
                refusal.code, "stop all workers, then `gridcase republish` sends again what is lost"
            ),
        )


_MENDS: Final = {
    "journal_restored": "restore a newer backup; `gridcase recover` says how else the city goes on"
}


class SlotTaken(Fault):
    """Another process of {processor} uses the slot {slot}: expected a name of its own for each, found its
    place in the group taken {times} times within a minute. Do: give each process of a service its own --slot.
    """

    exit_code: ClassVar[int] = 4

    def __init__(self, processor: str, slot: str, times: int) -> None:
        super().__init__(processor=processor, slot=slot, times=times)


class OpenTopicLost(Fault):
    """{topic}/{partition} has lost what nobody has read yet: expected offset {expected}, found its begin at
    {found}. Do: let its unit send those {count} commands again, then start the edge once with
    --give-up {topic}.
    """

    def __init__(self, topic: str, partition: int, expected: int, found: int) -> None:
        super().__init__(
            topic=topic, partition=partition, expected=expected, found=found, count=found - expected
        )


class PortsFailed(Fault):
    """{processor} failed {times} times in a row, the last by: {reason}. The worker ends; nothing is lost,
    start it again when the cause is gone.
    """

    def __init__(self, processor: str, times: int, reason: str) -> None:
        super().__init__(processor=processor, times=times, reason=reason)


class NoSuchCity(Fault):
    """There is no city at {place}: expected {expected}, found {found}. Do: `gridcase init`, or name the
    database of your city.
    """

    exit_code: ClassVar[int] = 4

    def __init__(self, place: str, expected: str, found: str) -> None:
        super().__init__(place=place, expected=expected, found=found)


class CityThere(Fault):
    """{place} already holds a city: expected an empty database, found {found}. Do: open that city, or give
    the new one a database of its own.
    """

    exit_code: ClassVar[int] = 4

    def __init__(self, place: str, found: str) -> None:
        super().__init__(place=place, found=found)


class AnotherCity(Fault):
    """{place} is not the city that was meant ({what}): expected {expected}, found {found}. Do: {do}."""

    exit_code: ClassVar[int] = 4

    def __init__(self, place: str, what: str, expected: object, found: object, do: str) -> None:
        super().__init__(place=place, what=what, expected=expected, found=found, do=do)


class CityRunsAlready(Fault):
    """The city in {place} runs already: expected nobody at work, found {found}. Do: stop that process, or go
    on there; looking and sending need no second one.
    """

    exit_code: ClassVar[int] = 4

    def __init__(self, place: str, found: str) -> None:
        super().__init__(place=place, found=found)


class CityNotDrained(Fault):
    """The city in {place} still has work in its queues: expected all handled and published, found {found}.
    Do: let it run until nothing moves any more, stop it, then export it again.
    """

    exit_code: ClassVar[int] = 4

    def __init__(self, place: str, found: str) -> None:
        super().__init__(place=place, found=found)


class CityUnfit(Fault):
    """The city cannot go on there: expected {expected}, found {found}. Do: {do}."""

    exit_code: ClassVar[int] = 4

    def __init__(self, expected: str, found: str, do: str) -> None:
        super().__init__(expected=expected, found=found, do=do)


class NoExport(Fault):
    """{path} is no export of a city: expected a file that `gridcase export` has finished, found {found}. Do:
    name the right file, or export the city again.
    """

    exit_code: ClassVar[int] = 7

    def __init__(self, path: object, found: str) -> None:
        super().__init__(path=path, found=found)


class ExportBroken(Fault):
    """{path} is not as it was exported, part {part}: expected {expected}, found {found}. Do: copy it again
    from where it was written; nothing was changed.
    """

    exit_code: ClassVar[int] = 8

    def __init__(self, path: object, part: str, expected: str, found: str) -> None:
        super().__init__(path=path, part=part, expected=expected, found=found)


class ExportNewer(Fault):
    """{path} was written by a newer release: expected format {expected} or older, found {found}. Do: import
    it by the release that wrote it; nothing was changed.
    """

    exit_code: ClassVar[int] = 8

    def __init__(self, path: object, expected: int, found: int) -> None:
        super().__init__(path=path, expected=expected, found=found)


class DatabaseUnreachable(Fault):
    """No answer from {place}: expected a database that lets us in, found {found}. Do: start it, or correct
    address, user and password in GRIDCASE_DATABASE_URL.
    """

    exit_code: ClassVar[int] = 6

    def __init__(self, place: str, found: str) -> None:
        super().__init__(place=place, found=found)


class DatabaseBroken(Fault):
    """{place} cannot be read: expected a whole SQLite database, found {found}. Do: leave the file as it is,
    restore the last backup beside it, then `gridcase recover`.
    """

    exit_code: ClassVar[int] = 6

    def __init__(self, place: str, found: str) -> None:
        super().__init__(place=place, found=found)


class JournalRestored(Fault):
    """{place} is older than the city has come: expected {expected}, found {found}. It was restored from a
    backup. Do: `gridcase recover` goes on from it and says what is missing; or restore a newer one.
    """

    exit_code: ClassVar[int] = 6

    def __init__(self, place: str, expected: str, found: str) -> None:
        super().__init__(place=place, expected=expected, found=found)


class DatabaseReadOnly(Fault):
    """{place} cannot be written: expected a file and a folder that may be written, found {found}. Do: change
    their rights, or put the city elsewhere with --database.
    """

    exit_code: ClassVar[int] = 6

    def __init__(self, place: str, found: str) -> None:
        super().__init__(place=place, found=found)


class DatabaseNewer(Fault):
    """{place} was written by a newer release: expected schema {expected} or older, found {found}. Do: install
    the release that wrote it; nothing was changed.
    """

    exit_code: ClassVar[int] = 6

    def __init__(self, place: str, expected: str, found: str) -> None:
        super().__init__(place=place, expected=expected, found=found)


class DatabaseOlder(Fault):
    """{place} was written by an older release: expected schema {expected}, found {found}. Do: make a backup,
    then `gridcase db upgrade`.
    """

    exit_code: ClassVar[int] = 6

    def __init__(self, place: str, expected: str, found: str) -> None:
        super().__init__(place=place, expected=expected, found=found)


class BrokerUnreachable(Fault):
    """No answer from {place}: expected Kafka brokers that let us in, found {found}. Do: start them, or
    correct GRIDCASE_KAFKA_BOOTSTRAP.
    """

    exit_code: ClassVar[int] = 10

    def __init__(self, place: str, found: str) -> None:
        super().__init__(place=place, found=found)


class BrokerRefused(Fault):
    """The brokers at {place} refuse: expected {expected}, found {found}. Do: look at their log, and at the
    rights of the user that we come in by.
    """

    exit_code: ClassVar[int] = 10

    def __init__(self, place: str, expected: str, found: str) -> None:
        super().__init__(place=place, expected=expected, found=found)


class BrokerUntrusted(Fault):
    """{place} is not trusted: expected a certificate for this host by {expected}, found {found}. Do: name
    its authority in GRIDCASE_KAFKA_CA_FILE, or the host as its certificate does in GRIDCASE_KAFKA_BOOTSTRAP.
    """

    exit_code: ClassVar[int] = 10

    def __init__(self, place: str, expected: str, found: str) -> None:
        super().__init__(place=place, expected=expected, found=found)


class NotLetIn(Fault):
    """{place} does not let us in: expected it to know {expected}, found {found}. Do: correct
    GRIDCASE_KAFKA_USER, its password or GRIDCASE_KAFKA_MECHANISM, or have the user made there.
    """

    exit_code: ClassVar[int] = 10

    def __init__(self, place: str, expected: str, found: str) -> None:
        super().__init__(place=place, expected=expected, found=found)


class BrokerOld(Fault):
    """{place} is too old: expected {expected}, found {found}. Do: upgrade the brokers; nothing was changed
    there.
    """

    exit_code: ClassVar[int] = 10

    def __init__(self, place: str, expected: str, found: str) -> None:
        super().__init__(place=place, expected=expected, found=found)


class RightsMissing(Fault):
    """Rights are missing at {place}: expected {user} to have {right}, found it denied, and {others} more.
    Do: `gridcase topics rights` lists what each service needs; grant it with the tools of the brokers.
    """

    exit_code: ClassVar[int] = 10

    def __init__(self, place: str, user: str, right: str, others: int) -> None:
        super().__init__(place=place, user=user, right=right, others=others)


class TopicsUnfit(Fault):
    """The topics at {place} do not fit this city: {topic} ({what}): expected {expected}, found {found}, and
    {others} more. Do: `gridcase topics check` shows all of it; {do}.
    """

    exit_code: ClassVar[int] = 10

    def __init__(self, place: str, others: int, **first: str) -> None:
        super().__init__(place=place, others=others, **first)


class NoSuchEdition(Fault):
    """There are no such rules: expected {expected}, found {found}. Do: send the edition again with `gridcase
    init` or through the register; nothing is decided without it.
    """

    exit_code: ClassVar[int] = 7

    def __init__(self, expected: str, found: str) -> None:
        super().__init__(expected=expected, found=found)
