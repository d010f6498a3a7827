"""After a restore: the journals compared with each other, and what the topics lost sent again, in order."""

from typing import Any

from kernel.hosts.simulator import recovering
from kernel.log import Outgoing
from kernel.memory.log import MemoryLog
from tests.simulator.mutants.swap import Mutant, Swap, swapped


def _unchecked() -> Swap:
    return swapped(recovering, "misfits", lambda _: lambda *_: [])


def _not_sent_again() -> Swap:
    async def nothing(*_: Any) -> list[Any]:
        return []

    return swapped(recovering, "lost", lambda _: nothing)


def _lost_alone() -> Swap:
    """What follows the lost one and stands in the topic is left there, where its receiver drops it."""

    def make(original: Any) -> Any:
        async def alone(processors: Any, cursors: Any, sent: Any, log: MemoryLog) -> list[Outgoing]:
            found = await original(processors, cursors, sent, log)
            return [message for message in found if not _stands(message, log)]

        return alone

    return swapped(recovering, "lost", make)


def _stands(message: Outgoing, log: MemoryLog) -> bool:
    there = log.broker.records.get((message.topic, message.partition), ())
    return any((one.headers.origin, one.headers.k) == (message.headers.origin, message.k) for one in there)


MUTANTS = (
    Mutant("recover_unchecked", "recover goes on from one older journal", _unchecked, "calm", "restored"),
    Mutant("lost_not_sent", "recover does not send what was lost", _not_sent_again, "calm", "restored"),
    Mutant("lost_alone", "recover sends the lost, not what follows", _lost_alone, "calm", "restored"),
)
